"""Changes of the queue on request, within a transaction: possible in some states of a run, else refused."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Literal

from lenet_tui.errors import LabError, UsageError
from lenet_tui.store.queries import get, select, waiting_ids
from lenet_tui.store.records import END_OF_QUEUE, insert, insert_again, stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.config import RunConfig
    from lenet_tui.run.folder import State
    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store.records import Run

# Only names of our own are ever put into a statement; what a person wrote goes in as a parameter.
# ruff: noqa: S608

QUEUE_AGAIN = (
    "UPDATE runs SET state = 'queued', attempts = 0, reason = NULL, finished_at = NULL, "
    f"position = ({END_OF_QUEUE}) WHERE id = ?"
)
_STOP_WAITING = "UPDATE runs SET state = 'stopped', position = NULL, finished_at = ?, reason = ? WHERE id = ?"


def add(database: sqlite3.Connection, configs: Sequence[RunConfig]) -> list[Run]:
    """Queue runs and return them with their places; ``configs`` is not empty."""
    moment = stamp()
    ids = [
        insert(database, {"config": config.model_dump_json(), "state": "queued", "position": n, "created_at": moment})
        for n, config in enumerate(configs, start=database.execute(END_OF_QUEUE).fetchone()[0])
    ]
    return select(database, "WHERE r.id BETWEEN ? AND ? ORDER BY r.id", (ids[0], ids[-1]))


def add_again(database: sqlite3.Connection, run_id: int, state: State, otherwise: str) -> Run:
    """Queue a run that ended in ``state``, last, with all its attempts. Raises `UsageError` in another state."""
    run = get(database, run_id)
    if run.state != state:
        advice = {
            "failed": f"'lenet-tui queue retry {run_id}' tries it again",
            "interrupted": "it resumes by itself",
            "stopped": f"'lenet-tui queue resume {run_id}' resumes it",
        }
        raise refusal(run, advice.get(run.state, otherwise))
    database.execute(QUEUE_AGAIN, (run_id,))
    return get(database, run_id)


def request_stop(database: sqlite3.Connection, run_id: int) -> Run:
    """Stop a run that waits, or ask one that runs to stop."""
    run = get(database, run_id)
    if run.state == "running":
        database.execute("UPDATE runs SET stop_request = 'stop' WHERE id = ?", (run_id,))
    elif run.waiting:
        database.execute(_STOP_WAITING, (stamp(), "on request, while it waited", run_id))
    else:
        raise refusal(run, "only runs that run or wait can be stopped")
    return get(database, run_id)


def move(database: sqlite3.Connection, run_id: int, place: int) -> Run:
    """Move a waiting run to a place in the queue, counted from 1."""
    if place < 1:
        raise UsageError(f"there is no place {place} in the queue; its first place is 1")
    run = get(database, run_id)
    if not run.waiting:
        raise refusal(run, "only runs that wait have a place in the queue")
    order = [other for other in waiting_ids(database) if other != run_id]
    order.insert(place - 1, run_id)
    # No number may be there twice even for a moment, so count on from the last.
    end = database.execute(END_OF_QUEUE).fetchone()[0]
    database.executemany("UPDATE runs SET position = ? WHERE id = ?", list(enumerate(order, start=end)))
    return get(database, run_id)


def remove(database: sqlite3.Connection, run_id: int) -> Literal["removed", "stopped"]:
    """Take a waiting run out of the queue."""
    run = get(database, run_id)
    if not run.waiting:
        raise refusal(run, "only runs that wait can be removed from the queue" + first_step(run))
    if run.folder is None:
        database.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        return "removed"
    database.execute(_STOP_WAITING, (stamp(), "removed from the queue", run_id))
    return "stopped"


def restore(database: sqlite3.Connection, run: Run, history: Sequence[EpochMetrics]) -> None:
    """Insert a deleted run again; one that waited gets its place back. Raises `LabError` when that cannot be."""
    try:
        insert_again(database, run, history)
    except sqlite3.IntegrityError:
        raise LabError(f"run {run.id} cannot be restored: its number or folder is in use again") from None
    if run.place is not None:
        move(database, run.id, run.place)


def first_step(run: Run) -> str:
    """Return what a person can do first with a run that runs or waits."""
    if run.state == "running":
        return f"; 'lenet-tui queue stop {run.id}' stops it"
    return f"; 'lenet-tui queue remove {run.id}' takes it out of the queue" if run.waiting else ""


def refusal(run: Run, expected: str) -> UsageError:
    """Return the error for what cannot be done with a run in its state."""
    if run.is_stop_requested:
        return UsageError(f"run {run.id} is stopping; wait a moment, until it has drawn its pictures, and ask again")
    return UsageError(f"run {run.id} is {run.state}; {expected}")
