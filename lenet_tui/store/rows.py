"""What the store hands out: a run as it is on record, where its training is, and how quick such runs are."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from lenet_tui import metrics
from lenet_tui.errors import LabError
from lenet_tui.metrics import EpochMetrics
from lenet_tui.process import Owner

if TYPE_CHECKING:
    from lenet_tui.config import RunConfig
    from lenet_tui.runfolder import State

Wish = Literal["stop"]


class Position(Protocol):
    """Where training is within an epoch; `lenet_tui.training.loop.Progress` is one."""

    @property
    def epoch(self) -> int: ...  # noqa: D102 - the field's own words
    @property
    def step(self) -> int: ...  # noqa: D102
    @property
    def steps(self) -> int: ...  # noqa: D102
    @property
    def train_loss(self) -> float: ...  # noqa: D102
    @property
    def images_per_second(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class Progress:
    """Where a running run was at ``updated_at``. ``train_loss`` is the mean so far; speed is that of this epoch."""

    epoch: int
    step: int
    steps: int
    train_loss: float
    images_per_second: float
    updated_at: datetime


@dataclass(frozen=True)
class Run:
    """One run on record.

    ``place`` is its place in the queue, from 1, while it waits. ``folder`` is relative to the root and None until the
    run has begun. ``owner`` and ``heartbeat`` are those of the process that works on it, while one does. Of the
    figures, ``best_*`` belong to the epoch of lowest validation loss so far, ``kept_epoch`` is the one whose weights
    are kept, and ``test_*`` are None until the run is finished; losses are the run's own training loss, accuracies
    shares from 0 to 1. Times are in UTC.
    """

    id: int
    state: State
    config_json: str
    folder: str | None
    threads: int | None
    device: str | None
    attempts: int
    wish: Wish | None
    reason: str | None
    note: str
    epochs_done: int
    best_epoch: int | None
    kept_epoch: int | None
    best_val_loss: float | None
    best_val_accuracy: float | None
    best_val_cross_entropy: float | None
    test_loss: float | None
    test_accuracy: float | None
    train_seconds: float | None
    images_per_second: float | None
    stopped_early: bool
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
        """The hyperparameters as they were written down, unchecked: for tables of many runs."""
        found: dict[str, Any] = json.loads(self.config_json)
        return found

    @property
    def waiting(self) -> bool:
        """Whether the run will start by itself when its turn comes."""
        return self.state in ("queued", "interrupted")


@dataclass(frozen=True)
class Changes:
    """What somebody who watches the runs has to read: those that changed, and all that run or wait.

    ``revision`` is what to ask with the next time and ``count`` the number of runs there are, by which runs that were
    deleted are noticed.
    """

    revision: int
    count: int
    changed: list[Run]
    queue: list[Run]
    draining: bool


class SpeedKey(NamedTuple):
    """What runs must have in common to be about as quick as each other."""

    model: str
    dataset: str
    batch_size: int
    threads: int
    device: str | None


# In the order of `Run`'s fields; the first ones can be taken as they are.
_PLAIN_COLUMNS = (
    *("id", "state", "config", "folder", "threads", "device", "attempts", "wish", "reason", "note"),
    *("epochs_done", "best_epoch", "kept_epoch", "best_val_loss", "best_val_accuracy", "best_val_cross_entropy"),
    *("test_loss", "test_accuracy", "train_seconds", "images_per_second"),
)
RUN_COLUMNS = (
    *_PLAIN_COLUMNS,
    *("stopped_early", "created_at", "started_at", "finished_at"),
    *("heartbeat", "owner_pid", "owner_host", "owner_start"),
)
PROGRESS_COLUMNS = ("epoch", "step", "steps", "train_loss", "images_per_second", "updated_at")


def to_run(row: tuple[Any, ...], place: int | None) -> Run:
    """Return the run in a row of `RUN_COLUMNS` and `PROGRESS_COLUMNS`."""
    early, created, started, finished, heartbeat, pid, host, start, *progress = row[len(_PLAIN_COLUMNS) :]
    values = (
        *row[: len(_PLAIN_COLUMNS)],
        bool(early),
        datetime.fromisoformat(created),
        started and datetime.fromisoformat(started),
        finished and datetime.fromisoformat(finished),
        heartbeat and datetime.fromisoformat(heartbeat),
        pid and Owner(pid, host, start),
        progress[0] and _to_progress(*progress),
        place,
    )
    return Run(*values)


def _to_progress(epoch: int, step: int, steps: int, loss: float | None, speed: float, moment: str) -> Progress:
    return Progress(epoch, step, steps, math.nan if loss is None else loss, speed, datetime.fromisoformat(moment))


_epoch_values = attrgetter(*metrics.COLUMNS)


def from_epoch(run_id: int, row: EpochMetrics) -> tuple[Any, ...]:
    """Return the values of an epoch's row; SQLite turns "not a number" into NULL."""
    return (run_id, *_epoch_values(row))


def to_epoch(row: tuple[Any, ...]) -> EpochMetrics:
    """Return the epoch in a row of `metrics.COLUMNS`."""
    return EpochMetrics(row[0], *(math.nan if value is None else value for value in row[1:]))


def stamp() -> str:
    """Return the current time as the store writes it: ISO 8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
