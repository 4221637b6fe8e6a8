"""Where a run, or a configuration over its seeds, stops learning and starts to memorise."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.run.metrics import EpochMetrics

WINDOW = 3  # epochs in a moving mean
LEAST_RISE = 0.05  # of the lowest smoothed validation loss
LEAST_TREND = 2.326  # standard normal quantile of 99 %
_LEAST_EPOCHS = 5  # after the lowest loss, below which a trend may be noise
_MOST_CORRELATION = 0.9


@dataclass(frozen=True)
class Region:
    """Epochs ``first`` to ``last`` in which validation got worse while training got better.

    ``rise`` is how far the smoothed validation loss at the end is above its lowest, as a share of the lowest.
    """

    first: int
    last: int
    rise: float


def overfitting_region(*histories: Sequence[EpochMetrics]) -> Region | None:
    """Return the epochs in which a run overfits, or several runs of one configuration; None when nothing says so.

    Both losses are means over the runs, as far as all of them go, smoothed by a centred mean over three epochs; the
    first and last window are shifted to stay whole. The onset is the epoch of the lowest smoothed validation loss, and
    the region reaches to the last epoch. It counts as overfitting when

    - the smoothed validation loss ends more than 5 % above its lowest: GL > 5 of Prechelt 1998, "Early
      stopping — but when?", on smoothed values;
    - the validation losses themselves rise after the onset by the trend test of Mann 1945 ("Nonparametric tests
      against trend") at the 1 % level: his S, summed over the runs, over its deviation, which allows for the
      correlation of neighbouring epochs as Hamed & Rao 1998 do. A single jump or the noise of a plateau does not
      pass, and no region of fewer than six epochs can;
    - the smoothed train loss fell between the onset and the end.

    A loss that isn't finite gives None: that run diverged, which is another finding.
    """
    count = min(map(len, histories), default=0)
    rows = [history[:count] for history in histories]
    validation = [[row.val_loss for row in history] for history in rows]
    train = [[row.train_loss for row in history] for history in rows]
    if count < WINDOW or not all(map(math.isfinite, chain(*validation, *train))):
        return None
    val_curve, train_curve = _smoothed(_mean(validation)), _smoothed(_mean(train))
    lowest, last = min(val_curve), val_curve[-1]
    onset = val_curve.index(lowest)
    # The lowest loss itself was chosen for being low; with it every plateau would seem to rise.
    if last <= (1 + LEAST_RISE) * lowest or _trend([losses[onset + 1 :] for losses in validation]) < LEAST_TREND:
        return None
    if train_curve[-1] >= train_curve[onset]:
        return None
    rise = last / lowest - 1 if lowest > 0 else math.inf
    return Region(rows[0][onset].epoch, rows[0][-1].epoch, rise)


def lowest_epoch(*histories: Sequence[EpochMetrics]) -> int | None:
    """Return the index of the lowest smoothed validation loss, of the mean over runs; None for too few epochs.

    None also where a loss is not finite.
    """
    count = min(map(len, histories), default=0)
    validation = [[row.val_loss for row in history[:count]] for history in histories]
    if count < WINDOW or not all(map(math.isfinite, chain(*validation))):
        return None
    curve = _smoothed(_mean(validation))
    return curve.index(min(curve))


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


def _mean(series: Sequence[Sequence[float]]) -> list[float]:
    return [sum(values) / len(values) for values in zip(*series, strict=True)]


def _smoothed(values: Sequence[float]) -> list[float]:
    means = [sum(values[start : start + WINDOW]) / WINDOW for start in range(len(values) - WINDOW + 1)]
    return [means[0]] * (WINDOW // 2) + means + [means[-1]] * (WINDOW // 2)


def _trend(series: Sequence[Sequence[float]]) -> float:
    """Return Mann's S of series of one length, summed, over its deviation: standard normal where there is no trend."""
    count = len(series[0])
    if count < _LEAST_EPOCHS:
        return 0.0
    score = sum(map(_score, series))
    variance = len(series) * count * (count - 1) * (2 * count + 5) / 18 * _inflation(count, _correlation(series))
    return (score - math.copysign(1, score)) / math.sqrt(variance) if score else 0.0


def _score(values: Sequence[float]) -> int:
    # Mann's S: rising pairs minus falling ones.
    earlier: list[float] = []
    score = 0
    for value in values:
        score += bisect.bisect_left(earlier, value) - (len(earlier) - bisect.bisect_right(earlier, value))
        bisect.insort(earlier, value)
    return score


def _correlation(series: Sequence[Sequence[float]]) -> float:
    """Return the correlation of neighbours around straight lines, over all series together, from 0 to 0.9.

    Around a fitted line it comes out too low by about (1 + 4ρ) / n (Kendall 1954), which is added.
    """
    products = squares = size = 0.0
    for values in series:
        rest = _detrended(values)
        products += sum(one * other for one, other in pairwise(rest))
        squares += sum(value * value for value in rest)
        size += sum(value * value for value in values)
    found = products / squares if 1e-18 * size < squares < math.inf else 0.0
    count = len(series[0])
    return min(max(found + (1 + 4 * found) / count, 0.0), _MOST_CORRELATION)


def _detrended(values: Sequence[float]) -> list[float]:
    count = len(values)
    middle, mean = (count - 1) / 2, sum(values) / count
    slope = sum((place - middle) * value for place, value in enumerate(values)) / (count * (count * count - 1) / 12)
    return [value - mean - slope * (place - middle) for place, value in enumerate(values)]


def _inflation(count: int, correlation: float) -> float:
    # Hamed & Rao 1998, equation 10, for a correlation that falls off as ρ, ρ², ρ³ …
    terms = ((count - lag) * (count - lag - 1) * (count - lag - 2) * correlation**lag for lag in range(1, count))
    return 1 + 2 * sum(terms) / (count * (count - 1) * (count - 2))
