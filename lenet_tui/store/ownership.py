"""Which process works on a run, within a transaction. A process may change a run only while it owns it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError, UsageError
from lenet_tui.store.queries import get
from lenet_tui.store.queue import QUEUE_AGAIN
from lenet_tui.store.records import set_summary, stamp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lenet_tui.host.process import Owner
    from lenet_tui.run.folder import State, Summary
    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store.records import Run

ATTEMPTS = 3
# A process that cannot be seen (of another host) counts as silent after this long.
_SILENCE = timedelta(seconds=60)

_CLAIM = (
    "UPDATE runs SET state = 'running', position = NULL, reason = NULL, attempts = attempts + 1, "
    "owner_pid = ?, owner_host = ?, owner_start = ?, heartbeat = ?, started_at = ?, threads = coalesce(threads, ?) "
    "WHERE id = ? AND state IN ('queued', 'interrupted')"
)
_BEAT = "UPDATE runs SET heartbeat = ? WHERE id = ? AND owner_pid = ? AND owner_host = ? AND owner_start = ?"
_OWNS = "SELECT 1 FROM runs WHERE id = ? AND owner_pid = ? AND owner_host = ? AND owner_start = ?"


def owns(database: sqlite3.Connection, run_id: int, owner: Owner) -> bool:
    """Say whether ``owner`` works on the run."""
    return database.execute(_OWNS, (run_id, owner.pid, owner.host, owner.start)).fetchone() is not None


def claim(database: sqlite3.Connection, run_id: int, owner: Owner, threads: int) -> bool:
    """Make a waiting run that of ``owner``."""
    moment = stamp()
    values = (owner.pid, owner.host, owner.start, moment, moment, threads, run_id)
    return database.execute(_CLAIM, values).rowcount == 1


def take(database: sqlite3.Connection, run_id: int, owner: Owner, threads: int) -> Run:
    """Make a waiting, stopped or failed run that of ``owner``."""
    run = get(database, run_id)
    if run.is_stop_requested:
        raise UsageError(f"run {run_id} is stopping; wait a moment, until it has drawn its pictures")
    if run.state == "running":
        raise UsageError(f"run {run_id} is running already; 'lenet-tui queue stop {run_id}' stops it")
    if run.state == "finished":
        raise UsageError(f"run {run_id} is finished; there is nothing to resume")
    if not run.waiting:
        database.execute(QUEUE_AGAIN, (run_id,))
    claim(database, run_id, owner, threads)
    return get(database, run_id)


def beat(database: sqlite3.Connection, run_id: int, owner: Owner) -> bool:
    """Record that ``owner`` is alive; return whether the run is still its own."""
    return database.execute(_BEAT, (stamp(), run_id, owner.pid, owner.host, owner.start)).rowcount == 1


def is_dead(root: Path, run: Run, is_alive: Callable[[Owner], bool | None]) -> bool:
    """Say whether the process of a running run is gone: by itself, or where it cannot be seen by its silence."""
    from lenet_tui.run.folder import RunFolder

    alive = is_alive(run.owner) if run.owner else False
    if alive is not None:
        return not alive
    # Far from now in either direction: the clock of one of the hosts may be wrong.
    silent = run.heartbeat is None or abs(datetime.now(UTC) - run.heartbeat) > _SILENCE
    return silent and (run.folder is None or RunFolder(root / run.folder).is_held() is False)


def read_finished(root: Path, run: Run) -> tuple[Summary, list[EpochMetrics]] | None:
    """Return what the folder of a run holds if it says that the run is finished; else None."""
    if run.folder is None:
        return None
    from lenet_tui.run.folder import RunFolder

    folder = RunFolder(root / run.folder)
    try:
        record = folder.read_record()
        return (record.summary, folder.read_metrics()) if record.state == "finished" and record.summary else None
    except LabError:  # then it has to be done again
        return None


def put_back(database: sqlite3.Connection, runs: Sequence[Run]) -> None:
    """Take runs from their processes: back to the front of the queue, or stopped or failed."""
    front = database.execute("SELECT coalesce(min(position), 1) FROM runs").fetchone()[0]
    again = [run for run in runs if not run.is_stop_requested and run.attempts < ATTEMPTS]
    for position, run in enumerate(again, start=front - len(again)):
        leave(database, run.id, "interrupted", "its process ended before it was done", position=position)
    for run in runs:
        if run.is_stop_requested:
            leave(database, run.id, "stopped", "on request; its process ended before it could say so")
        elif run.attempts >= ATTEMPTS:
            reason = f"its worker died {run.attempts} times in the same epoch; log.txt may say why"
            leave(database, run.id, "failed", reason)


def leave(
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
