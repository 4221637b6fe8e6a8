"""The runs of one configuration as a group, and the figures of each run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lenet_tui.analysis.overfitting import overfitting_region
from lenet_tui.analysis.statistics import mean_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lenet_tui.analysis.overfitting import Region
    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.analysis.statistics import Estimate

# What groups have a mean of.
ESTIMATED = (
    "best_val_loss", "best_val_cross_entropy", "best_epoch", "best_val_accuracy", "best_gap", "end_gap",
    "test_accuracy", "train_seconds", "images_per_second",
)  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """What one run reached; None where there is nothing to say.

    ``best_*`` are those of the epoch of lowest validation loss: the loss as trained with, the plain cross-entropy
    (nats), the share of validation images recognised, and the generalisation gap, which is the validation loss less
    that on the sample of training images, both in evaluation mode. ``end_gap`` is that of the last epoch.
    ``accuracy_change`` is how much the share of validation images recognised changed from the onset of overfitting to
    the end: the loss may rise while accuracy holds. Speed is in images trained on in a second.
    """

    epochs: int
    best_epoch: int | None
    best_val_loss: float | None
    best_val_cross_entropy: float | None
    best_val_accuracy: float | None
    best_gap: float | None
    end_gap: float | None
    test_accuracy: float | None
    train_seconds: float
    images_per_second: float | None
    overfitting: Region | None
    accuracy_change: float | None


@dataclass(frozen=True, eq=False)
class Group:
    """The runs of one configuration, of any seed.

    ``settings`` are its values of the settings that differ between groups. ``counted`` are the runs that means and
    tests are of: one a seed, and finished ones only where there are any.
    """

    label: str
    settings: Mapping[str, Any]
    runs: tuple[RunResult, ...]
    counted: tuple[RunResult, ...]

    @cached_property
    def estimates(self) -> dict[str, Estimate | None]:
        """Mean and interval of each of `ESTIMATED`, None where no run has one."""
        result = {name: [getattr(figures(run), name) for run in self.counted] for name in ESTIMATED}
        finite = {name: [v for v in values if v is not None and math.isfinite(v)] for name, values in result.items()}
        return {name: mean_interval(values) if values else None for name, values in finite.items()}


def figures(run: RunResult) -> Figures:
    """Return what ``run``, of at least one epoch, reached."""
    best, end = run.best, run.history[-1]
    region = overfitting_region(run.history)
    accuracies = {row.epoch: row.val_accuracy for row in run.history}
    return Figures(
        epochs=end.epoch,
        best_epoch=best.epoch if best else None,
        best_val_loss=best.val_loss if best else None,
        best_val_cross_entropy=run.best_val_cross_entropy,
        best_val_accuracy=best.val_accuracy if best else None,
        best_gap=best.val_loss - best.sample_loss if best else None,
        end_gap=end.val_loss - end.sample_loss,
        test_accuracy=None if run.right is None else float(run.right.mean()),
        train_seconds=run.summary.train_seconds if run.summary else math.fsum(row.seconds for row in run.history),
        images_per_second=run.summary.images_per_second if run.summary else None,
        overfitting=region,
        accuracy_change=accuracies[region.last] - accuracies[region.first] if region else None,
    )
