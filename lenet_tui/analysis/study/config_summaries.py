"""What the runs of one variant have in common: their means over seeds, and how far the seeds are apart."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lenet_tui.analysis.calibration import calibration
from lenet_tui.analysis.study.comparisons import final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lenet_tui.analysis.calibration import Calibration
    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.analysis.study.plan import Study, Variant


@dataclass(frozen=True)
class Spread:
    """The mean of ``n`` seeds, and the lowest and highest of them."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class TestCalibration:
    """Means over runs on the test images: cross-entropy (nats), the same with a fitted temperature, and so on."""

    __test__ = False  # no test of pytest's

    loss: float
    scaled_loss: float
    temperature: float
    error: float


@dataclass(frozen=True)
class ConfigSummary:
    """A variant in numbers.

    Losses are plain cross-entropies in nats, ``best`` at ``epoch``, the one of lowest validation loss, ``end`` the
    mean of the last three epochs, ``train`` that of the training sample there. ``test_accuracy`` is a share, that of
    the weights of highest validation accuracy. ``updates`` are optimizer steps per epoch, ``epoch_seconds`` the median
    time of an epoch of the fastest run. ``falling`` counts the runs whose best epoch is one of the last two: they were
    still learning when they ended.
    """

    variant: Variant
    runs: tuple[int, ...]
    best: Spread
    epoch: Spread
    end: Spread
    train: Spread
    test_accuracy: Spread
    epochs: Spread
    updates: int
    epoch_seconds: float
    falling: int
    calibration: TestCalibration | None

    @property
    def is_unfinished(self) -> bool:
        """Whether most runs were still learning when they ended."""
        return 2 * self.falling > len(self.runs)


def spread(values: Iterable[float]) -> Spread:
    """Return mean and range of at least one value."""
    result = list(values)
    return Spread(statistics.fmean(result), min(result), max(result), len(result))


def config_summary(study: Study, variant: Variant) -> ConfigSummary | None:
    """Return ``variant`` in numbers, None while no run of it is finished."""
    runs = [run for run in study.of(variant).values() if run.best is not None and run.right is not None]
    if not runs:
        return None
    best = [run.best for run in runs if run.best is not None]
    first = runs[0]
    return ConfigSummary(
        variant,
        tuple(run.run_id for run in runs),
        best=spread(row.val_cross_entropy for row in best),
        epoch=spread(row.epoch for row in best),
        end=spread(final([row.val_cross_entropy for row in run.history]) for run in runs),
        train=spread(final([row.sample_loss for row in run.history]) for run in runs),
        test_accuracy=spread(float(run.right.mean()) for run in runs if run.right is not None),
        epochs=spread(len(run.history) for run in runs),
        updates=-(-first.record.dataset.train // first.config.batch_size),
        epoch_seconds=min(statistics.median(row.seconds for row in run.history) for run in runs),
        falling=sum(row.epoch >= run.history[-1].epoch - 1 for row, run in zip(best, runs, strict=True)),
        calibration=_calibration(runs),
    )


def _calibration(runs: Sequence[RunResult]) -> TestCalibration | None:
    found: list[Calibration] = []
    for run in runs:
        if run.predictions is None or not np.isfinite(run.predictions.logits).all():
            return None
        found.append(calibration(run.predictions.logits, run.predictions.labels))
    return TestCalibration(
        statistics.fmean(one.loss for one in found),
        statistics.fmean(one.scaled_loss for one in found),
        statistics.geometric_mean(one.temperature for one in found),
        statistics.fmean(one.error for one in found),
    )
