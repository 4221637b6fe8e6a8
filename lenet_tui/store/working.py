"""What the runner and its workers do: take a run, tell how it goes, end it. What a process may do to a run, it may do
only while the run is its own; whether it still was is what these methods return.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lenet_tui.errors import LabError, UsageError
from lenet_tui.store.database import repeatable
from lenet_tui.store.reading import Reading
from lenet_tui.store.records import stamp
from lenet_tui.store.recovery import below
from lenet_tui.store.statements import QUEUE_AGAIN, get, insert, replace_epochs, running, set_summary, waiting

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lenet_tui.config import RunConfig
    from lenet_tui.host.process import Owner
    from lenet_tui.run.folder import State, Summary
    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store.records import Position, Run

ATTEMPTS = 3
# A process that cannot be asked (of another host) and has been silent for this long is looked into.
_SILENCE = timedelta(seconds=60)

_CLAIM = (
    "UPDATE runs SET state = 'running', position = NULL, reason = NULL, attempts = attempts + 1, "
    "owner_pid = ?, owner_host = ?, owner_start = ?, heartbeat = ?, started_at = ?, threads = coalesce(threads, ?) "
    "WHERE id = ? AND state IN ('queued', 'interrupted')"
)
_OWNED = "WHERE id = ? AND owner_pid = ? AND owner_host = ? AND owner_start = ?"


class Working(Reading):
    """The part of the store for the processes that do the work."""

    def claim(self, run_id: int, owner: Owner, threads: int) -> bool:
        """Make a waiting run that of ``owner``; False when it does not wait any more or the queue is paused.

        A run that has been begun keeps the number of CPU threads it began with, whatever ``threads`` is.
        """
        with self._database.write() as database:
            return not _paused(database) and _claim(database, run_id, owner, threads)

    @repeatable
    def claim_next(self, owner: Owner, threads: int) -> Run | None:
        """Make the first waiting run that of ``owner`` and return it; None when none waits or the queue is paused."""
        with self._database.write() as database:
            order = waiting(database)
            if not order or _paused(database):
                return None
            _claim(database, order[0], owner, threads)
            return get(database, order[0])

    @repeatable
    def start(self, config: RunConfig, owner: Owner, threads: int) -> Run:
        """Put a new run on record that never waits: ``owner`` works on it already."""
        moment = stamp()
        with self._database.write() as database:
            values: dict[str, Any] = {
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
            return get(database, insert(database, values))

    def take(self, run_id: int, owner: Owner, threads: int) -> Run:
        """Make a waiting, stopped or failed run that of ``owner`` at once, out of turn, and return it.

        Raises `UsageError` when it runs or is finished.
        """
        with self._database.write() as database:
            run = get(database, run_id)
            if run.is_stop_requested:
                raise UsageError(f"run {run_id} is stopping; wait a moment, until it has drawn its pictures")
            if run.state == "running":
                raise UsageError(f"run {run_id} is running already; 'lenet-tui queue stop {run_id}' stops it")
            if run.state == "finished":
                raise UsageError(f"run {run_id} is finished; there is nothing to resume")
            if not run.waiting:
                database.execute(QUEUE_AGAIN, (run_id,))
            _claim(database, run_id, owner, threads)
            return get(database, run_id)

    @repeatable
    def begun(self, run_id: int, owner: Owner, folder: Path, device: str, history: Sequence[EpochMetrics] = ()) -> bool:
        """Note where a run's folder is, what it computes on (as in ``run.json``), and the epochs it has done before.

        ``folder`` is below the root. A run on record with the same folder, which somebody must have removed by hand
        since, goes off the record. Returns whether the run is ``owner``'s.
        """
        relative = below(self.root, folder)
        with self._database.write() as database:
            if not _owns(database, run_id, owner):
                return False
            database.execute("DELETE FROM runs WHERE folder = ? AND id <> ? AND state <> 'running'", (relative, run_id))
            database.execute("UPDATE runs SET folder = ?, device = ? WHERE id = ?", (relative, device, run_id))
            replace_epochs(database, run_id, history, after=0)
            return True

    @repeatable
    def heartbeat(self, run_id: int, owner: Owner) -> bool:
        """Tell that ``owner`` is alive and works on the run; return whether the run is still its own."""
        with self._database.write(durable=False) as database:
            beat = f"UPDATE runs SET heartbeat = ? {_OWNED}"  # noqa: S608 - our own words
            return database.execute(beat, (stamp(), run_id, *_words(owner))).rowcount == 1

    @repeatable
    def record_progress(self, run_id: int, owner: Owner, position: Position) -> bool:
        """Tell where training is, which is a heartbeat too; return whether the run is still ``owner``'s."""
        moment = stamp()
        with self._database.write(durable=False) as database:
            beat = f"UPDATE runs SET heartbeat = ? {_OWNED}"  # noqa: S608 - our own words
            if database.execute(beat, (moment, run_id, *_words(owner))).rowcount != 1:
                return False
            p = position
            database.execute(
                "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?, ?)",
                (run_id, p.epoch, p.step, p.steps, p.train_loss, p.images_per_second, moment),
            )
            return True

    @repeatable
    def record_epoch(self, run_id: int, owner: Owner, row: EpochMetrics) -> bool:
        """Put an epoch on record as the run's last so far; return whether the run is still ``owner``'s.

        An epoch that was on record is replaced, and what came after it is dropped: a resumed run does them again.
        Attempts are counted anew from here: what gets further each time is not hopeless.
        """
        with self._database.write(durable=False) as database:
            if not _owns(database, run_id, owner):
                return False
            replace_epochs(database, run_id, [row], after=row.epoch)
            database.execute("UPDATE runs SET attempts = 1 WHERE id = ?", (run_id,))
            return True

    @repeatable
    def finish(self, run_id: int, owner: Owner, summary: Summary) -> bool:
        """End a run well; return whether it was still ``owner``'s."""
        return self._end(run_id, owner, "finished", None, summary)

    @repeatable
    def fail(self, run_id: int, owner: Owner, reason: str, summary: Summary | None = None) -> bool:
        """End a run that went wrong, for ``reason``; return whether it was still ``owner``'s."""
        return self._end(run_id, owner, "failed", reason or "no reason on record", summary)

    @repeatable
    def stop(self, run_id: int, owner: Owner, reason: str | None = None, summary: Summary | None = None) -> bool:
        """End a run that was asked to stop; it can be resumed. Return whether it was still ``owner``'s."""
        return self._end(run_id, owner, "stopped", reason, summary)

    @repeatable
    def interrupt(self, run_id: int, owner: Owner) -> bool:
        """Give a run back to the front of the queue, as if this attempt had not been; False when it was not its own.

        For an orderly end of the process that works on it. A run that a person asked to stop is stopped instead.
        """
        with self._database.write() as database:
            if not _owns(database, run_id, owner):
                return False
            database.execute("UPDATE runs SET attempts = max(attempts - 1, 0) WHERE id = ?", (run_id,))
            _put_back(database, [get(database, run_id)])
            return True

    @repeatable
    def requeue_dead(self, is_alive: Callable[[Owner], bool | None]) -> list[Run]:
        """Take running runs from processes that are dead, and return those runs as they are then.

        They are ``interrupted`` and first in the queue, by number; ``finished`` where the process died after it wrote
        so in ``run.json``; ``stopped`` on request; ``failed`` after three attempts without an epoch done.
        Where ``is_alive`` cannot tell (None), a process counts as dead when it has been silent for a minute and does
        not hold the lock of the run's folder.
        """
        with self._database.read() as database:
            found = running(database)
        dead = [run for run in found if self._is_dead(run, is_alive)]
        if not dead:
            return []
        finished = {run.id: self._finished(run) for run in dead}
        with self._database.write() as database:
            dead = [run for run in dead if run.owner and _owns(database, run.id, run.owner)]
            for run in dead:
                if found_finished := finished[run.id]:
                    summary, history = found_finished
                    replace_epochs(database, run.id, history, after=0)
                    _leave(database, run.id, "finished", None, summary=summary)
            _put_back(database, [get(database, run.id) for run in dead if not finished[run.id]])
            return [get(database, run.id) for run in dead]

    def _finished(self, run: Run) -> tuple[Summary | None, list[EpochMetrics]] | None:
        if run.folder is None:
            return None
        from lenet_tui.run.folder import RunFolder

        folder = RunFolder(self.root / run.folder)
        try:
            record = folder.read_record()
            return (record.summary, folder.read_metrics()) if record.state == "finished" and record.summary else None
        except LabError:  # then it has to be done again
            return None

    def _is_dead(self, run: Run, is_alive: Callable[[Owner], bool | None]) -> bool:
        from lenet_tui.run.folder import RunFolder

        alive = is_alive(run.owner) if run.owner else False
        if alive is not None:
            return not alive
        # Far from now in either direction: the clock of one of the hosts may be wrong.
        silent = run.heartbeat is None or abs(datetime.now(UTC) - run.heartbeat) > _SILENCE
        return silent and (run.folder is None or RunFolder(self.root / run.folder).is_held() is False)

    def _end(self, run_id: int, owner: Owner, state: State, reason: str | None, summary: Summary | None) -> bool:
        with self._database.write() as database:
            if not _owns(database, run_id, owner):
                return False
            _leave(database, run_id, state, reason, summary=summary)
            return True


def _words(owner: Owner) -> tuple[int, str, str]:
    return owner.pid, owner.host, owner.start


def _owns(database: sqlite3.Connection, run_id: int, owner: Owner) -> bool:
    statement = f"SELECT 1 FROM runs {_OWNED}"  # noqa: S608 - our own words
    return database.execute(statement, (run_id, *_words(owner))).fetchone() is not None


def _paused(database: sqlite3.Connection) -> bool:
    return bool(database.execute("SELECT paused FROM control").fetchone()[0])


def _claim(database: sqlite3.Connection, run_id: int, owner: Owner, threads: int) -> bool:
    moment = stamp()
    return database.execute(_CLAIM, (*_words(owner), moment, moment, threads, run_id)).rowcount == 1


def _put_back(database: sqlite3.Connection, runs: Sequence[Run]) -> None:
    front = database.execute("SELECT coalesce(min(position), 1) FROM runs").fetchone()[0]
    again = [run for run in runs if not run.is_stop_requested and run.attempts < ATTEMPTS]
    for position, run in enumerate(again, start=front - len(again)):
        _leave(database, run.id, "interrupted", "its process ended before it was done", position=position)
    for run in runs:
        if run.is_stop_requested:
            _leave(database, run.id, "stopped", "on request; its process ended before it could say so")
        elif run.attempts >= ATTEMPTS:
            reason = f"its worker died {run.attempts} times in the same epoch; log.txt may say why"
            _leave(database, run.id, "failed", reason)


def _leave(
    database: sqlite3.Connection,
    run_id: int,
    state: State,
    reason: str | None,
    *,
    summary: Summary | None = None,
    position: int | None = None,
) -> None:
    """Take a running run from its process: into the queue at ``position``, or else out of it for good."""
    ended = None if position is not None else stamp()
    database.execute(
        "UPDATE runs SET state = ?, reason = ?, position = ?, finished_at = ?, owner_pid = NULL, owner_host = NULL, "
        "owner_start = NULL, heartbeat = NULL, stop_request = NULL WHERE id = ?",
        (state, reason, position, ended, run_id),
    )
    if summary:
        set_summary(database, run_id, summary)
