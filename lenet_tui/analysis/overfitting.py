"""Where a run stops learning and starts to memorise."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.run.metrics import EpochMetrics

WINDOW = 3  # epochs in a moving mean
LEAST_RISE = 0.05  # of the lowest smoothed validation loss
LEAST_TREND = 2.326  # standard normal quantile of 99 %


@dataclass(frozen=True)
class Region:
    """Epochs ``first`` to ``last`` in which validation got worse while training got better.

    ``rise`` is how far the smoothed validation loss at the end is above its lowest, as a share of the lowest.
    """

    first: int
    last: int
    rise: float


def overfitting_region(history: Sequence[EpochMetrics]) -> Region | None:
    """Return the epochs in which a run overfits, None when nothing supports saying so.

    Both losses are smoothed by a centred mean over three epochs; the first and last window are shifted to stay
    whole, so that the ends are as smooth as the middle. The onset is the epoch of the lowest smoothed validation
    loss, and the region reaches to the last epoch. It counts as overfitting when

    - the smoothed validation loss ends more than 5 % above its lowest: GL > 5 of Prechelt 1998, "Early
      stopping — but when?", on smoothed values;
    - the validation loss itself rises from the onset to the end by the trend test of Mann 1945 ("Nonparametric
      tests against trend", Kendall's τ against time) at the 1 % level, which a single jump or the noise of a
      plateau doesn't pass, and no region of fewer than six epochs can;
    - the smoothed train loss fell between the onset and the end.

    A history with a loss that isn't finite is None: that run diverged, which is another finding.
    """
    validation = [row.val_loss for row in history]
    train = [row.train_loss for row in history]
    if len(history) < WINDOW or not all(map(math.isfinite, chain(validation, train))):
        return None
    validation_trend, train_trend = _smoothed(validation), _smoothed(train)
    lowest, last = min(validation_trend), validation_trend[-1]
    onset = validation_trend.index(lowest)
    if last <= (1 + LEAST_RISE) * lowest or _trend(validation[onset:]) < LEAST_TREND:
        return None
    if train_trend[-1] >= train_trend[onset]:
        return None
    rise = last / lowest - 1 if lowest > 0 else math.inf
    return Region(history[onset].epoch, history[-1].epoch, rise)


def generalisation_loss(history: Sequence[EpochMetrics]) -> float | None:
    """Return Prechelt's GL at the last epoch: how many % its validation loss is above the lowest so far.

    GL(t) = 100 · (E_va(t) / min E_va(t' ≤ t) − 1), Prechelt 1998, equation 2. Infinite when the last loss is not
    finite; None when no epoch has a finite one.
    """
    finite = [row.val_loss for row in history if math.isfinite(row.val_loss)]
    if not finite:
        return None
    last, lowest = history[-1].val_loss, min(finite)
    if last == lowest:
        return 0.0
    return 100 * (last / lowest - 1) if math.isfinite(last) and lowest > 0 else math.inf


def _smoothed(values: Sequence[float]) -> list[float]:
    means = [sum(values[start : start + WINDOW]) / WINDOW for start in range(len(values) - WINDOW + 1)]
    return [means[0]] * (WINDOW // 2) + means + [means[-1]] * (WINDOW // 2)


def _trend(values: Sequence[float]) -> float:
    # Mann's statistic, standard normal where there is no trend: rising pairs minus falling ones over its deviation.
    earlier: list[float] = []
    score = 0
    for value in values:
        score += bisect.bisect_left(earlier, value) - (len(earlier) - bisect.bisect_right(earlier, value))
        bisect.insort(earlier, value)
    count = len(values)
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return (score - math.copysign(1, score)) / deviation if score and count > 1 else 0.0
