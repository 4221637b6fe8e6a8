"""The rows of the store: what they are in Python, reading them with suspicion, and writing them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lenet_tui.errors import LabError
from lenet_tui.host.process import Owner
from lenet_tui.run import metrics
from lenet_tui.run.metrics import MAX_EPOCHS, EpochMetrics, Progress
from lenet_tui.store.tags import from_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from lenet_tui.config import RunConfig
    from lenet_tui.host.hardware import Capacity
    from lenet_tui.run.folder import State, Summary

StopRequest = Literal["stop"]


@dataclass(frozen=True)
class Run:
    """One run in the store.

    ``place`` is its place in the queue, from 1, while it waits. ``folder`` is relative to the root and None until the
    run has begun. ``owner`` and ``heartbeat`` are those of the process that works on it, while one does. Of the
    figures, ``best_*`` belong to the epoch of lowest validation loss so far, ``selected_epoch`` is the one of highest
    validation accuracy, and ``test_*`` are None until the run is finished; losses are the run's own training loss,
    accuracies shares from 0 to 1. Times are in UTC.
    """

    id: int
    state: State
    config_json: str
    folder: str | None
    threads: int | None
    device: str | None
    attempts: int
    stop_request: StopRequest | None
    reason: str | None
    note: str
    epochs_done: int
    best_epoch: int | None
    selected_epoch: int | None
    best_val_loss: float | None
    best_val_accuracy: float | None
    best_val_cross_entropy: float | None
    test_loss: float | None
    test_accuracy: float | None
    train_seconds: float | None
    images_per_second: float | None
    stopped_early: bool
    tags: tuple[str, ...]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    heartbeat: datetime | None
    owner: Owner | None
    progress: Progress | None
    place: int | None

    @cached_property
    def config(self) -> RunConfig:
        """The configuration. Raises `LabError` when this version cannot read it."""
        from pydantic import ValidationError

        from lenet_tui.config import RunConfig

        try:
            return RunConfig.model_validate_json(self.config_json)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise LabError(f"the configuration of run {self.id} cannot be read: {reason}") from None

    @cached_property
    def values(self) -> dict[str, Any]:
        """The hyperparameters, unchecked, missing ones at their defaults: for tables of many runs."""
        from lenet_tui.config import complete

        return complete(json.loads(self.config_json))

    @cached_property
    def identity(self) -> str:
        """What two runs of one configuration have in common, as `RunConfig.identity` says it."""
        from lenet_tui.config import identity_of

        return identity_of(self.values)

    @property
    def name(self) -> str:
        """The run's folder, or what it would be called in an empty root: ``lenet/bs64_lr0.001``."""
        if self.folder:
            return self.folder
        try:
            return f"{self.values['model']}/{self.config.folder_name()}"
        except LabError:  # of a later version: no reason to show no run at all
            return f"{self.values['model']}/bs{self.values['batch_size']} (of another version)"

    @property
    def is_stop_requested(self) -> bool:
        """Whether a person asked the running run to stop."""
        return self.stop_request is not None

    @property
    def waiting(self) -> bool:
        """Whether the run will start by itself when its turn comes."""
        return self.state in ("queued", "interrupted")


@dataclass(frozen=True)
class Changes:
    """What has to be read to follow the runs: those that changed, and all that run or wait.

    ``revision`` is what to ask with the next time and ``count`` the number of runs there are, which shows that runs
    were deleted.
    """

    revision: int
    count: int
    changed: list[Run]
    queue: list[Run]
    paused: bool
    capacity: Capacity


class SpeedKey(NamedTuple):
    """What runs must have in common to be about as quick as each other."""

    model: str
    dataset: str
    batch_size: int
    threads: int
    device: str | None


# In the order of `Run`'s fields; the first ones can be taken as they are.
_PLAIN_COLUMNS = (
    *("id", "state", "config", "folder", "threads", "device", "attempts", "stop_request", "reason", "note"),
    *("epochs_done", "best_epoch", "selected_epoch", "best_val_loss", "best_val_accuracy", "best_val_cross_entropy"),
    *("test_loss", "test_accuracy", "train_seconds", "images_per_second"),
)
RUN_COLUMNS = (
    *_PLAIN_COLUMNS,
    *("stopped_early", "tags", "created_at", "started_at", "finished_at"),
    *("heartbeat", "owner_pid", "owner_host", "owner_start"),
)
PROGRESS_COLUMNS = ("epoch", "step", "steps", "train_loss", "images_per_second", "updated_at")
_STATES = frozenset({"queued", "running", "finished", "failed", "stopped", "interrupted"})
_WHOLE, _TEXT, _NUMBER = (int,), (str,), (int, float)
_TYPES: tuple[tuple[type, ...], ...] = (
    *(_WHOLE, _TEXT, _TEXT, (*_TEXT, type(None)), (*_WHOLE, type(None)), (*_TEXT, type(None)), _WHOLE),
    *((*_TEXT, type(None)), (*_TEXT, type(None)), _TEXT),
    *(_WHOLE, (*_WHOLE, type(None)), (*_WHOLE, type(None)), *[(*_NUMBER, type(None))] * 7),
    *(_WHOLE, _TEXT, _TEXT, *[(*_TEXT, type(None))] * 2),
    *((*_TEXT, type(None)), (*_WHOLE, type(None)), *[(*_TEXT, type(None))] * 2),
)
MAX_ID = 2**53  # beyond any count of runs; SQLite would have no number left for the next one at 2**63 - 1
_MOST = {"epochs_done": MAX_EPOCHS, "best_epoch": MAX_EPOCHS, "selected_epoch": MAX_EPOCHS, "attempts": 1_000_000}
# Losses may be infinite where a run diverged.
_REAL = ("best_val_accuracy", "test_accuracy", "train_seconds", "images_per_second")
_LARGEST = 1e15
# What tables of many runs read of a configuration without checking it.
_CONFIG_TYPES = {"model": str, "dataset": str, "batch_size": int, "epochs": int, "val_size": int, "threads": int}


class DamagedRowError(Exception):
    """A row of the store holds what this program never writes."""


def to_run(row: tuple[Any, ...], place: int | None) -> Run:
    """Return the run in a row of `RUN_COLUMNS` and `PROGRESS_COLUMNS`.

    Raises `DamagedRowError` when this program cannot have written the row: a store may come from anywhere.
    """
    early, tags, created, started, finished, heartbeat, pid, host, start, *progress = row[len(_PLAIN_COLUMNS) :]
    try:
        check_row(row)
        values = (
            *row[: len(_PLAIN_COLUMNS)],
            bool(early),
            from_text(tags),
            _moment(created),
            started and _moment(started),
            finished and _moment(finished),
            heartbeat and _moment(heartbeat),
            pid and Owner(pid, host, start),
            progress[0] and _to_progress(*progress),
            place,
        )
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise DamagedRowError(str(error)) from None
    return Run(*values)


def check_row(row: Sequence[Any]) -> None:
    """Raise TypeError or ValueError when the values of `RUN_COLUMNS` are not of a run."""
    _check_types(tuple(map(type, row[: len(_TYPES)])))
    run_id, state, config, folder = row[:4]
    if not 0 < run_id < MAX_ID:
        raise ValueError(f"{run_id} is no number of a run")
    if state not in _STATES:
        raise ValueError(f"there is no state {state!r}")
    if folder is not None and not (is_inside(folder) and folder.encode()):
        raise ValueError("its folder is outside the root")
    _check_numbers(dict(zip(RUN_COLUMNS, row, strict=False)))
    from_text(row[len(_PLAIN_COLUMNS) + 1])
    values = json.loads(config)
    if not isinstance(values, dict) or any(type(values.get(name)) is not kind for name, kind in _CONFIG_TYPES.items()):
        raise ValueError("its configuration is none")


def _check_numbers(row: dict[str, Any]) -> None:
    for name in ("epochs_done", "best_epoch", "selected_epoch", "attempts"):
        if not 0 <= (row[name] or 0) <= _MOST[name]:
            raise ValueError(f"{name} is {row[name]}")
    for name in _REAL:
        value = row[name] or 0
        if not abs(value) < _LARGEST or (name.endswith("accuracy") and not 0 <= value <= 1):
            raise ValueError(f"{name} is {value}")


@lru_cache(256)  # of ten thousand rows, most are alike
def _check_types(kinds: tuple[type, ...]) -> None:
    for kind, types, name in zip(kinds, _TYPES, RUN_COLUMNS, strict=True):
        if not issubclass(kind, types):
            raise TypeError(f"{name} is of type {kind.__name__}")


def is_inside(folder: str) -> bool:
    """Say whether a run's folder, as the store has it, is below the root, for any root."""
    return bool(folder) and "\0" not in folder and all(part not in ("", ".", "..") for part in folder.split("/"))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 1970 <= moment.astimezone(UTC).year < 9999:
        raise ValueError("a time of no time zone, or of no run")
    return moment


def _to_progress(epoch: int, step: int, steps: int, loss: float | None, speed: float, moment: str) -> Progress:
    if any(type(value) is not int or value < 0 for value in (epoch, step, steps)) or steps < 1:
        raise ValueError("its progress is none")
    return Progress(epoch, step, steps, math.nan if loss is None else float(loss), float(speed), _moment(moment))


END_OF_QUEUE = "SELECT coalesce(max(position), 0) + 1 FROM runs"
_EPOCH_TYPES = {int, float, type(None)}
_epoch_values = attrgetter(*metrics.COLUMNS)  # SQLite turns "not a number" into NULL
# Only names of our own are ever put into a statement; what a person wrote goes in as a parameter.
# ruff: noqa: S608
_SELECT_EPOCHS = f"SELECT {', '.join(metrics.COLUMNS)} FROM epochs WHERE run_id = ? ORDER BY epoch"
_INSERT_EPOCH = (
    f"INSERT OR REPLACE INTO epochs (run_id, {', '.join(metrics.COLUMNS)}) "
    f"VALUES ({', '.join('?' * (1 + len(metrics.COLUMNS)))})"
)


def epochs(database: sqlite3.Connection, run_id: int) -> list[EpochMetrics]:
    """Return the epochs of a run, in order. Raises `DamagedRowError` for values that this program never writes."""
    rows = database.execute(_SELECT_EPOCHS, (run_id,)).fetchmany(MAX_EPOCHS + 1)
    for epoch, *values in rows:
        if type(epoch) is not int or not 0 < epoch <= MAX_EPOCHS or not {*map(type, values)} <= _EPOCH_TYPES:
            raise DamagedRowError(f"an epoch of run {run_id} is {(epoch, *values)}")
    return [EpochMetrics(row[0], *(math.nan if value is None else float(value) for value in row[1:])) for row in rows]


def val_losses(database: sqlite3.Connection, run_ids: Iterable[int]) -> dict[int, tuple[float, ...]]:
    """Return the validation loss of each epoch of runs, in order, by number; runs without an epoch have ()."""
    statement = "SELECT val_loss FROM epochs WHERE run_id = ? ORDER BY epoch LIMIT ?"
    rows = {run_id: database.execute(statement, (run_id, MAX_EPOCHS)).fetchall() for run_id in run_ids}
    return {
        run_id: tuple(float(value) if isinstance(value, float | int) else math.nan for (value,) in values)
        for run_id, values in rows.items()
    }


def insert(database: sqlite3.Connection, values: dict[str, Any]) -> int:
    """Insert a run and return its number."""
    statement = f"INSERT INTO runs ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
    run_id = database.execute(statement, tuple(values.values())).lastrowid
    assert run_id is not None  # noqa: S101 - SQLite gives every row one
    return run_id


def insert_again(database: sqlite3.Connection, run: Run, history: Sequence[EpochMetrics]) -> None:
    """Insert a deleted run again, with its number; ``run`` did not run, and one that waited is last in the queue."""
    moments = ("created_at", "started_at", "finished_at")
    stored = {name: getattr(run, name) for name in (*_PLAIN_COLUMNS, "stopped_early") if name != "config"}
    stored |= {name: moment and moment.isoformat() for name in moments for moment in [getattr(run, name)]}
    stored |= {"config": run.config_json, "tags": " ".join(run.tags)}
    if run.waiting:
        stored["position"] = database.execute(END_OF_QUEUE).fetchone()[0]
    insert(database, stored)
    database.executemany(_INSERT_EPOCH, [(run.id, *_epoch_values(row)) for row in history])


def replace_epochs(database: sqlite3.Connection, run_id: int, rows: Sequence[EpochMetrics], *, after: int) -> None:
    """Put ``rows`` in the place of every epoch later than ``after``, and update the figures of the run."""
    database.execute("DELETE FROM epochs WHERE run_id = ? AND epoch > ?", (run_id, after))
    database.executemany(_INSERT_EPOCH, [(run_id, *_epoch_values(row)) for row in rows])
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
    """Record what a run reached."""
    _set(database, run_id, summary.model_dump())


def _set(database: sqlite3.Connection, run_id: int, figures: dict[str, Any]) -> None:
    statement = f"UPDATE runs SET {', '.join(f'{name} = ?' for name in figures)} WHERE id = ?"
    database.execute(statement, (*figures.values(), run_id))


def stamp() -> str:
    """Return the current time as the store writes it: ISO 8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
