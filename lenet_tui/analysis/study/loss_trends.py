"""The trend of one run's losses: epoch of the minimum, overfitting, gap, and validation accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.analysis.overfitting import WINDOW, generalisation_loss, overfitting_region

if TYPE_CHECKING:
    from lenet_tui.analysis.run_result import RunResult

STEADY = 0.001  # a share of the validation images: five of 5,000


@dataclass(frozen=True)
class LossTrend:
    """The trend of one run's losses.

    ``onset`` is the epoch of the smoothed validation minimum, ``overfits`` whether what follows is overfitting by the
    criterion of `overfitting_region`, ``gl`` Prechelt's generalisation loss at the end (%). Gaps are validation loss
    less the loss on the training sample, both in evaluation mode (nats). ``accuracy_onset`` and ``accuracy_end`` are
    means of the validation accuracy over three epochs, around the onset and at the end (shares).
    """

    run_id: int
    epochs: int
    onset: int
    overfits: bool
    gl: float
    gap_onset: float
    gap_end: float
    accuracy_onset: float
    accuracy_end: float

    @property
    def accuracy_holds(self) -> bool:
        """Whether validation accuracy ends no lower than it was at the onset, give or take a thousandth."""
        return self.accuracy_end >= self.accuracy_onset - STEADY


def loss_trend(run: RunResult) -> LossTrend | None:
    """Return the trend of a run's losses, None where it is too short to smooth or a loss is not finite."""
    rows = run.history
    gl = generalisation_loss(rows)
    if len(rows) < WINDOW or gl is None or not all(math.isfinite(row.val_loss + row.sample_loss) for row in rows):
        return None
    # Windows of three epochs; the first and last stand for the epochs at the ends too.
    windows = [rows[start : start + WINDOW] for start in range(len(rows) - WINDOW + 1)]
    lowest = min(windows, key=lambda window: sum(row.val_loss for row in window))
    region = overfitting_region(rows)
    onset = region.first if region else _first_of(windows.index(lowest), lowest[WINDOW // 2].epoch)
    at_onset = next(row for row in rows if row.epoch == onset)
    return LossTrend(
        run.run_id,
        rows[-1].epoch,
        onset,
        region is not None,
        gl,
        at_onset.val_loss - at_onset.sample_loss,
        rows[-1].val_loss - rows[-1].sample_loss,
        sum(row.val_accuracy for row in lowest) / WINDOW,
        sum(row.val_accuracy for row in windows[-1]) / WINDOW,
    )


def _first_of(index: int, middle: int) -> int:
    return middle - WINDOW // 2 if index == 0 else middle
