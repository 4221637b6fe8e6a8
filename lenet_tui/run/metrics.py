"""What is measured once an epoch, and its form in ``metrics.csv``."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MAX_EPOCHS = 1000  # of a run; here, since tables of many runs are read without `lenet_tui.config`


@dataclass(frozen=True)
class EpochMetrics:
    """The figures of one epoch.

    Losses are means per image of the run's own training loss (nats for cross-entropy); accuracies are shares
    from 0 to 1. ``train_*`` are running means over the epoch, while the weights still change and with dropout
    and augmentation on; ``sample_*`` are measured after it in evaluation mode on a fixed sample of the
    training set, undistorted, so that ``val_loss - sample_loss`` compares like with like.
    ``val_cross_entropy`` is plain cross-entropy in nats, also with another training loss, to compare runs.
    ``lr`` is the learning rate of the epoch's last step; ``seconds`` is wall time with evaluation.
    """

    epoch: int
    train_loss: float
    val_loss: float
    train_accuracy: float
    val_accuracy: float
    lr: float
    seconds: float
    sample_loss: float
    sample_accuracy: float
    val_cross_entropy: float


COLUMNS: tuple[str, ...] = tuple(field.name for field in dataclasses.fields(EpochMetrics))


def to_csv(history: Sequence[EpochMetrics]) -> str:
    """Write ``history`` as the text of a ``metrics.csv``; floats in full, so that reading gives them back."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in history:
        writer.writerow([row.epoch, *(repr(getattr(row, name)) for name in COLUMNS[1:])])
    return text.getvalue()


def from_csv(text: str) -> list[EpochMetrics]:
    """Read the text of a ``metrics.csv``. Raises `LabError` naming the line that cannot be read.

    Epochs are numbered from 1 without a gap, and there are at most as many as a run may have.
    """
    if not text:
        raise LabError("it is empty")
    history: list[EpochMetrics] = []
    reader = csv.DictReader(io.StringIO(text))
    try:
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise ValueError
        for row in reader:
            epoch = EpochMetrics(int(row["epoch"]), *(float(row[name]) for name in COLUMNS[1:]))
            if epoch.epoch != len(history) + 1 or epoch.epoch > MAX_EPOCHS:
                raise LabError(f"line {reader.line_num}: epoch {str(epoch.epoch)[:9]} where {len(history) + 1} belongs")
            if not (0 <= epoch.seconds < math.inf and math.isfinite(epoch.lr)):
                raise ValueError
            history.append(epoch)
    except (KeyError, TypeError, ValueError, csv.Error):
        raise LabError(f"line {reader.line_num}: expected {','.join(COLUMNS)}") from None
    return history


@dataclass(frozen=True)
class Progress:
    """Where training is within an epoch, with the mean loss and the speed of this epoch so far.

    ``updated_at`` is when that was recorded, None before.
    """

    epoch: int
    step: int
    steps: int
    train_loss: float
    images_per_second: float
    updated_at: datetime | None = None


def best(history: Sequence[EpochMetrics]) -> EpochMetrics | None:
    """Return the epoch of lowest finite validation loss, the first of equals; None when there is none."""
    finite = [row for row in history if math.isfinite(row.val_loss)]
    return min(finite, key=lambda row: row.val_loss) if finite else None


def selected(history: Sequence[EpochMetrics]) -> EpochMetrics | None:
    """Return the epoch whose weights are kept and tested, None when there is none of finite validation loss.

    It is the one of highest validation accuracy; among equals the one of lowest validation loss, then the first.
    The lowest loss alone would pick too early an epoch: it often rises again while accuracy still grows.
    """
    finite = [row for row in history if math.isfinite(row.val_loss)]
    return max(finite, key=lambda row: (row.val_accuracy, -row.val_loss)) if finite else None
