"""What the runs of one variant have in common: their means over seeds, and how far the seeds are apart."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.analysis.study.effects import jitter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
class ConfigSummary:
    """A variant in numbers.

    Losses are plain cross-entropies in nats, ``best`` at ``epoch``, the one of lowest validation loss, and ``end`` in
    the last, ``first`` in the first. ``near`` is the first epoch whose validation loss is within a tenth of the lowest.
    ``first_train``, ``second_train``, ``last_train`` (running means of the first, second and last epoch), ``fit`` (on
    the training sample at the end) and ``gap`` (validation loss less that) are of the run's own training loss.
    Accuracies are shares; ``test_accuracy`` is that of the weights of highest validation accuracy.
    ``epoch_seconds`` is the median time of an epoch. ``falling`` counts the runs whose best epoch is one of the last
    two: they were still learning when they ended.
    """

    variant: Variant
    runs: tuple[int, ...]
    best: Spread
    epoch: Spread
    end: Spread
    first: Spread
    near: Spread
    first_train: Spread
    second_train: Spread
    last_train: Spread
    fit: Spread
    gap: Spread
    test_accuracy: Spread
    jitter: Spread | None
    epochs: Spread
    epoch_seconds: Spread
    falling: int

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
    last = [run.history[-1] for run in runs]
    jitters = [value for value in map(jitter, runs) if value is not None]
    return ConfigSummary(
        variant,
        tuple(run.run_id for run in runs),
        best=spread(row.val_cross_entropy for row in best),
        epoch=spread(row.epoch for row in best),
        end=spread(row.val_cross_entropy for row in last),
        first=spread(run.history[0].val_cross_entropy for run in runs),
        near=spread(_near(run, row.val_cross_entropy) for run, row in zip(runs, best, strict=True)),
        first_train=spread(run.history[0].train_loss for run in runs),
        second_train=spread(run.history[min(1, len(run.history) - 1)].train_loss for run in runs),
        last_train=spread(row.train_loss for row in last),
        fit=spread(row.sample_loss for row in last),
        gap=spread(row.val_loss - row.sample_loss for row in last),
        test_accuracy=spread(_test_accuracies(runs)),
        jitter=spread(jitters) if len(jitters) == len(runs) else None,
        epochs=spread(row.epoch for row in last),
        epoch_seconds=spread(statistics.median(row.seconds for row in run.history) for run in runs),
        falling=sum(row.epoch >= end.epoch - 1 for row, end in zip(best, last, strict=True)),
    )


def _near(run: RunResult, lowest: float) -> int:
    return next(row.epoch for row in run.history if row.val_cross_entropy <= 1.1 * lowest)


def _test_accuracies(runs: Sequence[RunResult]) -> list[float]:
    return [float(run.right.mean()) for run in runs if run.right is not None]
