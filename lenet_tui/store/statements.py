"""The SQL that more than one part of the store needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lenet_tui.errors import UsageError
from lenet_tui.run import metrics
from lenet_tui.store.records import PROGRESS_COLUMNS, RUN_COLUMNS, Run, from_epoch, to_epoch, to_run

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from lenet_tui.run.folder import Summary
    from lenet_tui.run.metrics import EpochMetrics

# Only names of our own are ever put into a statement; whatever a person wrote goes in as a parameter.
# ruff: noqa: S608

END_OF_QUEUE = "SELECT coalesce(max(position), 0) + 1 FROM runs"
QUEUE_AGAIN = (
    "UPDATE runs SET state = 'queued', attempts = 0, reason = NULL, finished_at = NULL, "
    f"position = ({END_OF_QUEUE}) WHERE id = ?"
)
_RUNS = (
    f"SELECT {', '.join(f'r.{name}' for name in RUN_COLUMNS)}, {', '.join(f'p.{name}' for name in PROGRESS_COLUMNS)} "
    "FROM runs r LEFT JOIN progress p ON p.run_id = r.id "
)
_INSERT_EPOCH = (
    f"INSERT OR REPLACE INTO epochs (run_id, {', '.join(metrics.COLUMNS)}) "
    f"VALUES ({', '.join('?' * (1 + len(metrics.COLUMNS)))})"
)


def select(database: sqlite3.Connection, clause: str, words: Sequence[Any] = ()) -> list[Run]:
    """Return the runs that a clause of SQL picks; ``r`` is the table of runs."""
    rows = database.execute(_RUNS + clause, words).fetchall()
    places: dict[int, int] = {}
    if any(row[1] in ("queued", "interrupted") for row in rows):
        places = {run_id: place for place, run_id in enumerate(waiting(database), start=1)}
    return [to_run(row, places.get(row[0])) for row in rows]


def get(database: sqlite3.Connection, run_id: int) -> Run:
    """Return a run. Raises `UsageError` when there is none of that number."""
    found = select(database, "WHERE r.id = ?", (run_id,))
    if not found:
        raise UsageError(f"there is no run {run_id}; 'lenet-tui runs' lists them")
    return found[0]


def running(database: sqlite3.Connection) -> list[Run]:
    """Return the runs that run, lowest number first."""
    return select(database, "WHERE r.state = 'running' ORDER BY r.id")


def waiting(database: sqlite3.Connection) -> list[int]:
    """Return the numbers of the runs that wait, in their order."""
    return [row[0] for row in database.execute("SELECT id FROM runs WHERE position IS NOT NULL ORDER BY position")]


def insert(database: sqlite3.Connection, values: dict[str, Any]) -> int:
    """Insert a run and return its number."""
    statement = f"INSERT INTO runs ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
    run_id = database.execute(statement, tuple(values.values())).lastrowid
    assert run_id is not None  # noqa: S101 - SQLite gives every row one
    return run_id


def epochs(database: sqlite3.Connection, run_id: int) -> list[EpochMetrics]:
    """Return the epochs of a run, in order."""
    statement = f"SELECT {', '.join(metrics.COLUMNS)} FROM epochs WHERE run_id = ? ORDER BY epoch"
    return [to_epoch(row) for row in database.execute(statement, (run_id,))]


def replace_epochs(database: sqlite3.Connection, run_id: int, rows: Sequence[EpochMetrics], *, after: int) -> None:
    """Put ``rows`` in the place of every epoch later than ``after``, and sum the run up anew."""
    database.execute("DELETE FROM epochs WHERE run_id = ? AND epoch > ?", (run_id, after))
    database.executemany(_INSERT_EPOCH, [from_epoch(run_id, row) for row in rows])
    history = epochs(database, run_id)
    best, selected = metrics.best(history), metrics.selected(history)
    _set(
        database,
        run_id,
        {
            "epochs_done": history[-1].epoch if history else 0,
            "train_seconds": sum(row.seconds for row in history) if history else None,
            "best_epoch": best and best.epoch,
            "best_val_loss": best and best.val_loss,
            "best_val_accuracy": best and best.val_accuracy,
            "best_val_cross_entropy": best and best.val_cross_entropy,
            "selected_epoch": selected and selected.epoch,
        },
    )


def set_summary(database: sqlite3.Connection, run_id: int, summary: Summary) -> None:
    """Put what a run reached on record."""
    _set(database, run_id, summary.model_dump())


def _set(database: sqlite3.Connection, run_id: int, figures: dict[str, Any]) -> None:
    statement = f"UPDATE runs SET {', '.join(f'{name} = ?' for name in figures)} WHERE id = ?"
    database.execute(statement, (*figures.values(), run_id))
