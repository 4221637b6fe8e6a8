"""What people ask for: queue this, stop that, this one first. Each is done as the runs are then, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lenet_tui.errors import UsageError
from lenet_tui.store import trash
from lenet_tui.store.database import DiskFullError, repeatable
from lenet_tui.store.reading import Reading
from lenet_tui.store.records import stamp
from lenet_tui.store.recovery import insert_folder
from lenet_tui.store.statements import END_OF_QUEUE, QUEUE_AGAIN, get, insert, select, waiting

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from lenet_tui.config import RunConfig
    from lenet_tui.host.process import Owner
    from lenet_tui.run.folder import RunFolder
    from lenet_tui.store.records import Run

_STOP_WAITING = "UPDATE runs SET state = 'stopped', position = NULL, finished_at = ?, reason = ? WHERE id = ?"


class Asking(Reading):
    """The part of the store that does what people ask for."""

    @repeatable
    def add(self, configs: Sequence[RunConfig]) -> list[Run]:
        """Queue runs, all of them or none, and return them with their places."""
        if not configs:
            return []
        moment = stamp()
        with self._database.write() as database:
            end = database.execute(END_OF_QUEUE).fetchone()[0]
            ids = [
                insert(
                    database,
                    {"config": config.model_dump_json(), "state": "queued", "position": n, "created_at": moment},
                )
                for n, config in enumerate(configs, start=end)
            ]
            return select(database, "WHERE r.id BETWEEN ? AND ? ORDER BY r.id", (ids[0], ids[-1]))

    def request_stop(self, run_id: int) -> Run:
        """Stop a run that waits at once; ask one that runs to stop. Return it as it is then.

        Raises `UsageError` when it does neither.
        """
        with self._database.write() as database:
            run = get(database, run_id)
            if run.state == "running":
                database.execute("UPDATE runs SET stop_request = 'stop' WHERE id = ?", (run_id,))
            elif run.waiting:
                database.execute(_STOP_WAITING, (stamp(), "on request, while it waited", run_id))
            else:
                raise _refused(run, "only runs that run or wait can be stopped")
            return get(database, run_id)

    def resume(self, run_id: int) -> Run:
        """Queue a stopped run, last; it goes on where it stopped. Raises `UsageError` when it is not stopped."""
        with self._database.write() as database:
            run = get(database, run_id)
            if run.state == "failed":
                raise _refused(run, f"'lenet-tui queue retry {run_id}' tries it again")
            if run.state == "interrupted":
                raise _refused(run, "it resumes by itself")
            if run.state != "stopped":
                raise _refused(run, "only stopped runs can be resumed")
            database.execute(QUEUE_AGAIN, (run_id,))
            return get(database, run_id)

    def retry(self, run_id: int) -> Run:
        """Queue a failed run, last, with all its attempts. Raises `UsageError` when it has not failed."""
        with self._database.write() as database:
            run = get(database, run_id)
            if run.state == "stopped":
                raise _refused(run, f"'lenet-tui queue resume {run_id}' lets it go on")
            if run.state != "failed":
                raise _refused(run, "only failed runs can be tried again")
            database.execute(QUEUE_AGAIN, (run_id,))
            return get(database, run_id)

    def move(self, run_id: int, place: int) -> Run:
        """Move a waiting run to a place in the queue, counted from 1; past the end is last. Return it as it is then.

        Raises `UsageError` when it does not wait.
        """
        if place < 1:
            raise UsageError(f"there is no place {place} in the queue; its first place is 1")
        with self._database.write() as database:
            run = get(database, run_id)
            if not run.waiting:
                raise _refused(run, "only runs that wait have a place in the queue")
            order = [other for other in waiting(database) if other != run_id]
            order.insert(place - 1, run_id)
            _renumber(database, order)
            return get(database, run_id)

    def remove(self, run_id: int) -> Literal["removed", "stopped"]:
        """Take a waiting run out of the queue: off the record when it never began, else stopped.

        Raises `UsageError` when it does not wait.
        """
        with self._database.write() as database:
            run = get(database, run_id)
            if not run.waiting:
                raise _refused(run, "only runs that wait can be removed from the queue" + _mend(run))
            if run.folder is None:
                database.execute("DELETE FROM runs WHERE id = ?", (run_id,))
                return "removed"
            database.execute(_STOP_WAITING, (stamp(), "removed from the queue", run_id))
            return "stopped"

    def delete(self, run_id: int) -> tuple[Run, Path | None]:
        """Move the folder of a finished, failed or stopped run into the trash, and take the run off the record.

        Return the run as it was, and where its folder is now; None where there is none. Either both are done or
        neither. Raises `UsageError` when the run runs or waits.
        """
        try:
            return self._delete(run_id)
        except DiskFullError:
            if not self._database.make_room():
                raise
            return self._delete(run_id)

    def _delete(self, run_id: int) -> tuple[Run, Path | None]:
        run, place = None, None
        try:
            with self._database.write() as database:
                run = get(database, run_id)
                if run.state == "running" or run.waiting:
                    raise _refused(run, "only finished, failed and stopped runs can be deleted" + _mend(run))
                place = trash.put(self.root, run)
                database.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        except BaseException:
            if run is not None and place is not None:
                trash.take_back(self.root, run, place)
            raise
        return run, place

    def set_note(self, run_id: int, note: str) -> None:
        """Keep a person's words with a run; "" for none. Raises `UsageError` when there is none of that number."""
        with self._database.write() as database:
            get(database, run_id)
            database.execute("UPDATE runs SET note = ? WHERE id = ?", (note, run_id))

    @repeatable
    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - its name says what True is
        """Pause the queue, so that nothing starts any more, or make it active again."""
        with self._database.write() as database:
            database.execute("UPDATE control SET paused = ?", (int(paused),))

    @repeatable
    def import_folder(self, folder: RunFolder, owner: Owner | None = None) -> Run:
        """Put the run of a folder below the root on record and return it; as it is, where it is on record already.

        A run that was at work and is held by no process is ``interrupted`` and so will be resumed; with ``owner`` it is
        running, and that process works on it (a worker whose run is not on record any more puts it back like this).
        Raises `UsageError` for a folder that is not below the root, and `LabError` when it cannot be read or another
        process works on it.
        """
        with self._database.write() as database:
            return get(database, insert_folder(database, self.root, folder, owner=owner))


def _renumber(database: sqlite3.Connection, order: Sequence[int]) -> None:
    # No number may be there twice even for a moment, so count on from the last.
    end = database.execute(END_OF_QUEUE).fetchone()[0]
    database.executemany("UPDATE runs SET position = ? WHERE id = ?", list(enumerate(order, start=end)))


def _mend(run: Run) -> str:
    if run.state == "running":
        return f"; 'lenet-tui queue stop {run.id}' stops it"
    return f"; 'lenet-tui queue remove {run.id}' takes it out of the queue" if run.waiting else ""


def _refused(run: Run, expected: str) -> UsageError:
    if run.is_stop_requested:
        return UsageError(f"run {run.id} is stopping; wait a moment, until it has drawn its pictures, and ask again")
    return UsageError(f"run {run.id} is {run.state}; {expected}")
