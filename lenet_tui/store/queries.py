"""What can be read in a transaction: runs, the queue, speeds, capacity."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from lenet_tui.errors import UsageError
from lenet_tui.host.hardware import Capacity, available_cores
from lenet_tui.store.records import PROGRESS_COLUMNS, RUN_COLUMNS, Changes, Run, SpeedKey, to_run
from lenet_tui.store.speed import speed_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from lenet_tui.run.folder import State

# Only names of our own are ever put into a statement; what a person wrote goes in as a parameter.
# ruff: noqa: S608

_RUNS = (
    f"SELECT {', '.join(f'r.{name}' for name in RUN_COLUMNS)}, {', '.join(f'p.{name}' for name in PROGRESS_COLUMNS)} "
    "FROM runs r LEFT JOIN progress p ON p.run_id = r.id "
)
_SPEED_SAMPLE = 500


def select(database: sqlite3.Connection, clause: str, values: Sequence[Any] = ()) -> list[Run]:
    """Return the runs that a clause of SQL picks; ``r`` is the table of runs."""
    rows = database.execute(_RUNS + clause, values).fetchall()
    places: dict[int, int] = {}
    if any(row[1] in ("queued", "interrupted") for row in rows):
        places = {run_id: place for place, run_id in enumerate(waiting_ids(database), start=1)}
    return [to_run(row, places.get(row[0])) for row in rows]


def get(database: sqlite3.Connection, run_id: int) -> Run:
    """Return a run. Raises `UsageError` when there is none of that number."""
    runs = select(database, "WHERE r.id = ?", (run_id,))
    if not runs:
        raise UsageError(f"there is no run {run_id}; 'lenet-tui runs' lists them")
    return runs[0]


def in_states(database: sqlite3.Connection, states: Sequence[State]) -> list[Run]:
    """Return all runs, or those in one of ``states``, newest last."""
    if not states:
        return select(database, "ORDER BY r.id")
    return select(database, f"WHERE r.state IN ({', '.join('?' * len(states))}) ORDER BY r.id", states)


def running(database: sqlite3.Connection) -> list[Run]:
    """Return the runs that run, lowest number first."""
    return select(database, "WHERE r.state = 'running' ORDER BY r.id")


def waiting_ids(database: sqlite3.Connection) -> list[int]:
    """Return the numbers of the runs that wait, in their order."""
    return [row[0] for row in database.execute("SELECT id FROM runs WHERE position IS NOT NULL ORDER BY position")]


def queue(database: sqlite3.Connection) -> list[Run]:
    """Return the runs that run, lowest number first, and then those that wait, in their order."""
    return [*running(database), *select(database, "WHERE r.position IS NOT NULL ORDER BY r.position")]


def is_paused(database: sqlite3.Connection) -> bool:
    """Say whether the queue is paused."""
    return bool(database.execute("SELECT paused FROM control").fetchone()[0])


def capacity(database: sqlite3.Connection) -> Capacity:
    """Return what the runner published; while none has, the cores of this machine, all free."""
    row = database.execute("SELECT cores, gpus, free_cores, free_gpus FROM capacity").fetchone()
    if row is None:
        cores = available_cores()
        row = (cores, 0, cores, 0)
    return Capacity(*row)


def changes(database: sqlite3.Connection, since: int) -> Changes:
    """Return what changed after revision ``since``; every run when there was no such revision yet."""
    revision = database.execute("SELECT revision FROM control").fetchone()[0]
    count = database.execute("SELECT count(*) FROM runs").fetchone()[0]
    if since > revision:
        since = -1
    changed = select(database, "WHERE r.revision > ? ORDER BY r.id", (since,)) if revision > since else []
    return Changes(revision, count, changed, queue(database), is_paused(database), capacity(database))


def speeds(database: sqlite3.Connection) -> dict[SpeedKey, float]:
    """Return the median speed of the latest runs of each kind, those running included, as `speed_of` has it."""
    latest = "WHERE r.train_seconds > 0 AND r.state <> 'running' ORDER BY r.id DESC LIMIT ?"
    measured: defaultdict[SpeedKey, list[float]] = defaultdict(list)
    for run in [*running(database), *select(database, latest, (_SPEED_SAMPLE,))]:
        speed = speed_of(run)
        if speed and run.threads:
            values = run.values
            key = SpeedKey(values["model"], values["dataset"], values["batch_size"], run.threads, run.device)
            measured[key].append(speed)
    return {key: statistics.median(values) for key, values in measured.items()}
