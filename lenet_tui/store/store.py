"""`Store`: every run of a root and the queue, in one SQLite file that several processes share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from lenet_tui.store import ownership, queries, queue, records, recovery, tags, trash
from lenet_tui.store.database import Database, DiskFullError, repeatable
from lenet_tui.store.records import stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from lenet_tui.config import RunConfig
    from lenet_tui.host.hardware import Capacity
    from lenet_tui.host.process import Owner
    from lenet_tui.run.folder import RunFolder, State, Summary
    from lenet_tui.run.metrics import EpochMetrics, Progress
    from lenet_tui.store.records import Changes, Run, SpeedKey


class Store:
    """Every run of a root and the order of those that wait.

    Each method is one transaction, and each change of a run is conditional on the state it is in then. Usable from any
    thread of the process that opened it, not across a fork; close it, or use ``with``. Every method may raise
    `LabError` when the file cannot be read or written.
    """

    def __init__(self, root: Path, *, network: bool | None = None) -> None:
        """Open the store of ``root``, making or rebuilding it where that is needed.

        ``network`` says whether the folder is shared by several machines; it is detected unless given. Raises
        `UsageError` when the folder cannot be used and `LabError` when the store is of a later lenet-tui.
        """
        self.root = root
        self._database = Database(root, network=network)

    @property
    def notices(self) -> list[str]:
        """What was damaged or missing, and repaired, since the store was opened; a line each."""
        return self._database.notices

    @property
    def read_only(self) -> str | None:
        """Why nothing can be written, where this is only a copy to look at; else None."""
        return self._database.read_only

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Reading.

    def get(self, run_id: int) -> Run:
        """Return a run. Raises `UsageError` when there is none of that number."""
        with self._database.read() as database:
            return queries.get(database, run_id)

    @repeatable
    def runs(self, *states: State) -> list[Run]:
        """Return all runs, or those in one of ``states``, newest last."""
        with self._database.read() as database:
            return queries.in_states(database, states)

    @repeatable
    def queue(self) -> list[Run]:
        """Return the runs that run, lowest number first, and then those that wait, in their order."""
        with self._database.read() as database:
            return queries.queue(database)

    def waiting_duplicates(self, configs: Iterable[RunConfig]) -> list[Run]:
        """Return the waiting runs that would compute what one of ``configs`` would, in the order of the queue."""
        wanted = {config.identity() for config in configs}
        return [run for run in self.queue() if run.waiting and run.identity in wanted]

    def epochs(self, run_id: int) -> list[EpochMetrics]:
        """Return the epochs of a run, in order; none for a run that is not in the store."""
        with self._database.read() as database:
            return records.epochs(database, run_id)

    def val_losses(self, run_ids: Iterable[int]) -> dict[int, tuple[float, ...]]:
        """Return the val loss of each epoch of some runs, by number, for sparklines; NaN where it is not finite."""
        with self._database.read() as database:
            return records.val_losses(database, run_ids)

    def is_stop_requested(self, run_id: int) -> bool:
        """Say whether a person asked a running run to stop."""
        with self._database.read() as database:
            statement = "SELECT 1 FROM runs WHERE id = ? AND stop_request IS NOT NULL"
            return database.execute(statement, (run_id,)).fetchone() is not None

    @repeatable
    def is_paused(self) -> bool:
        """Say whether the queue is paused: running runs finish, no run starts."""
        with self._database.read() as database:
            return queries.is_paused(database)

    @repeatable
    def capacity(self) -> Capacity:
        """Return what the runner computes on; this machine's cores, all free, while no runner is there."""
        with self._database.read() as database:
            return queries.capacity(database)

    @repeatable
    def changes(self, since: int = -1) -> Changes:
        """Return what changed after revision ``since``; every run with -1, or when the store was rebuilt meanwhile."""
        with self._database.read() as database:
            return queries.changes(database, since)

    @repeatable
    def speeds(self) -> dict[SpeedKey, float]:
        """Return the median speed (images/second) of the latest runs of each kind, those running included."""
        with self._database.read() as database:
            return queries.speeds(database)

    @repeatable
    def change_counter(self) -> tuple[int, int, int]:
        """Return something that differs from its last value whenever any process wrote anything; cheap."""
        return self._database.change_counter()

    # What a person asks for.

    @repeatable
    def add(self, configs: Sequence[RunConfig]) -> list[Run]:
        """Queue runs, all of them or none, and return them with their places."""
        if not configs:
            return []
        with self._database.write() as database:
            return queue.add(database, configs)

    def request_stop(self, run_id: int) -> Run:
        """Stop a run that waits at once; ask one that runs to stop. Return it as it is then.

        Raises `UsageError` when it does neither.
        """
        with self._database.write() as database:
            return queue.request_stop(database, run_id)

    def resume(self, run_id: int) -> Run:
        """Queue a stopped run, last; it continues where it stopped. Raises `UsageError` when it is not stopped."""
        with self._database.write() as database:
            return queue.add_again(database, run_id, "stopped", "only stopped runs can be resumed")

    def retry(self, run_id: int) -> Run:
        """Queue a failed run, last, with all its attempts. Raises `UsageError` when it has not failed."""
        with self._database.write() as database:
            return queue.add_again(database, run_id, "failed", "only failed runs can be tried again")

    def move(self, run_id: int, place: int) -> Run:
        """Move a waiting run to a place in the queue, counted from 1; past the end is last. Return it as it is then.

        Raises `UsageError` when it does not wait.
        """
        with self._database.write() as database:
            return queue.move(database, run_id, place)

    def remove(self, run_id: int) -> Literal["removed", "stopped"]:
        """Take a waiting run out of the queue: out of the store when it never began, else it is stopped.

        Raises `UsageError` when it does not wait.
        """
        with self._database.write() as database:
            return queue.remove(database, run_id)

    def delete(self, run_id: int) -> tuple[Run, Path | None]:
        """Move the folder of a finished, failed or stopped run into the trash, and delete the run from the store.

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
                run = queries.get(database, run_id)
                if run.state == "running" or run.waiting:
                    expected = "only finished, failed and stopped runs can be deleted" + queue.first_step(run)
                    raise queue.refusal(run, expected)
                place = trash.put(self.root, run)
                database.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        except BaseException:
            if run is not None and place is not None:
                trash.take_back(self.root, run, place)
            raise
        return run, place

    def set_note(self, run_id: int, note: str) -> None:
        """Keep a person's note on a run; "" for none. Raises `UsageError` when there is none of that number."""
        with self._database.write() as database:
            queries.get(database, run_id)
            database.execute("UPDATE runs SET note = ? WHERE id = ?", (note, run_id))

    def restore(self, run: Run, place: Path | None, history: Sequence[EpochMetrics] = ()) -> Run:
        """Undo `delete` or `remove`: ``run`` as it was, its folder back from ``place``, its epochs. Return it.

        Raises `LabError` when its folder cannot be moved back or its number or folder's name is in use again.
        """
        with self._database.write() as database:
            queue.restore(database, run, history)
            trash.restore(self.root, run, place)
            return queries.get(database, run.id)

    def set_tags(self, run_id: int, names: Iterable[str]) -> None:
        """Keep a person's tags on a run. Raises `UsageError` for a word that is no tag, or a number of no run."""
        text = tags.to_text(names)
        with self._database.write() as database:
            queries.get(database, run_id)
            database.execute("UPDATE runs SET tags = ? WHERE id = ?", (text, run_id))

    @repeatable
    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - its name says what True is
        """Pause the queue, so that no run starts, or make it active again."""
        with self._database.write() as database:
            database.execute("UPDATE control SET paused = ?", (int(paused),))

    @repeatable
    def import_folder(self, folder: RunFolder, owner: Owner | None = None) -> Run:
        """Insert the run of a folder below the root and return it; as it is, where it is in the store already.

        With ``owner`` it is running, and that process works on it (a worker whose run is not in the store any more puts
        it back like this). Raises `UsageError` for a folder that is not below the root, and `LabError` when it cannot
        be read or another process works on it.
        """
        with self._database.write() as database:
            return queries.get(database, recovery.insert_folder(database, self.root, folder, owner=owner))

    # What the runner and its workers do. A process may change a run only while it owns it; whether it still did is
    # what these methods return.

    @repeatable
    def publish_capacity(self, capacity: Capacity | None) -> None:
        """Say what the runner computes on, for all who estimate times; None when it ends."""
        with self._database.write(durable=False) as database:
            database.execute("DELETE FROM capacity")
            if c := capacity:
                values = (c.cores, c.gpus, c.free_cores, c.free_gpus)
                database.execute("INSERT INTO capacity VALUES (1, ?, ?, ?, ?)", values)

    def claim(self, run_id: int, owner: Owner, threads: int) -> bool:
        """Make a waiting run that of ``owner``; False when it does not wait any more or the queue is paused.

        A run that has been begun keeps the number of CPU threads it began with, not ``threads``.
        """
        with self._database.write() as database:
            return not queries.is_paused(database) and ownership.claim(database, run_id, owner, threads)

    @repeatable
    def start(self, config: RunConfig, owner: Owner, threads: int) -> Run:
        """Insert a new run that never waits: ``owner`` works on it already."""
        moment = stamp()
        values = {
            "config": config.model_dump_json(),
            "state": "running",
            "threads": threads,
            "attempts": 1,
            "owner_pid": owner.pid,
            "owner_host": owner.host,
            "owner_start": owner.start,
            "heartbeat": moment,
            "created_at": moment,
            "started_at": moment,
        }
        with self._database.write() as database:
            return queries.get(database, records.insert(database, values))

    def take(self, run_id: int, owner: Owner, threads: int) -> Run:
        """Make a waiting, stopped or failed run that of ``owner`` at once, out of turn, and return it.

        Raises `UsageError` when it runs or is finished.
        """
        with self._database.write() as database:
            return ownership.take(database, run_id, owner, threads)

    @repeatable
    def begin(self, run_id: int, owner: Owner, folder: Path, device: str, history: Sequence[EpochMetrics] = ()) -> bool:
        """Record where a run's folder is, what it computes on (as in ``run.json``), and the epochs it has done before.

        ``folder`` is below the root. Another run in the store with the same folder is deleted. Returns whether the run
        is ``owner``'s.
        """
        relative = recovery.below(self.root, folder)
        with self._database.write() as database:
            if not ownership.owns(database, run_id, owner):
                return False
            database.execute("DELETE FROM runs WHERE folder = ? AND id <> ? AND state <> 'running'", (relative, run_id))
            database.execute("UPDATE runs SET folder = ?, device = ? WHERE id = ?", (relative, device, run_id))
            records.replace_epochs(database, run_id, history, after=0)
            return True

    @repeatable
    def heartbeat(self, run_id: int, owner: Owner) -> bool:
        """Record that ``owner`` is alive and works on the run; return whether the run is still its own."""
        with self._database.write(durable=False) as database:
            return ownership.beat(database, run_id, owner)

    @repeatable
    def record_progress(self, run_id: int, owner: Owner, progress: Progress) -> bool:
        """Record where training is, which is a heartbeat too; return whether the run is still ``owner``'s."""
        with self._database.write(durable=False) as database:
            if not ownership.beat(database, run_id, owner):
                return False
            p = progress
            values = (run_id, p.epoch, p.step, p.steps, p.train_loss, p.images_per_second, stamp())
            database.execute("INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            return True

    @repeatable
    def record_epoch(self, run_id: int, owner: Owner, row: EpochMetrics) -> bool:
        """Record an epoch as the run's last so far; return whether the run is still ``owner``'s.

        An epoch that was recorded before is replaced, and later ones are dropped: a resumed run does them again.
        Attempts count from 1 again: a run that gets further each time is not hopeless.
        """
        with self._database.write(durable=False) as database:
            if not ownership.owns(database, run_id, owner):
                return False
            records.replace_epochs(database, run_id, [row], after=row.epoch)
            database.execute("UPDATE runs SET attempts = 1 WHERE id = ?", (run_id,))
            return True

    @repeatable
    def end(
        self,
        run_id: int,
        owner: Owner,
        state: Literal["finished", "failed", "stopped"],
        reason: str | None = None,
        summary: Summary | None = None,
    ) -> bool:
        """Record how a run ended; a stopped one can be resumed. Return whether it was still ``owner``'s."""
        reason = reason or "no reason was recorded" if state == "failed" else reason
        with self._database.write() as database:
            if not ownership.owns(database, run_id, owner):
                return False
            ownership.leave(database, run_id, state, reason, summary=summary)
            return True

    @repeatable
    def interrupt(self, run_id: int, owner: Owner) -> bool:
        """Put a run back to the front of the queue, as if this attempt had not been; False when it was not its own.

        For an orderly end of its process. A run that a person asked to stop is stopped instead.
        """
        with self._database.write() as database:
            if not ownership.owns(database, run_id, owner):
                return False
            database.execute("UPDATE runs SET attempts = max(attempts - 1, 0) WHERE id = ?", (run_id,))
            ownership.put_back(database, [queries.get(database, run_id)])
            return True

    @repeatable
    def requeue_dead(self, is_alive: Callable[[Owner], bool | None]) -> list[Run]:
        """Take running runs from processes that are dead, and return those runs as they are then.

        They are ``interrupted`` and first in the queue, by number; ``finished`` where the process died after it wrote
        so in ``run.json``; ``stopped`` on request; ``failed`` after three attempts without an epoch done. Where
        ``is_alive`` cannot tell (None), a process counts as dead when it has been silent for a minute and does not hold
        the lock of the run's folder.
        """
        with self._database.read() as database:
            running = queries.running(database)
        dead = [run for run in running if ownership.is_dead(self.root, run, is_alive)]
        if not dead:
            return []
        finished = {run.id: ownership.read_finished(self.root, run) for run in dead}
        with self._database.write() as database:
            dead = [run for run in dead if run.owner and ownership.owns(database, run.id, run.owner)]
            for run in dead:
                if result := finished[run.id]:
                    summary, history = result
                    records.replace_epochs(database, run.id, history, after=0)
                    ownership.leave(database, run.id, "finished", None, summary=summary)
            ownership.put_back(database, [queries.get(database, run.id) for run in dead if not finished[run.id]])
            return [queries.get(database, run.id) for run in dead]
