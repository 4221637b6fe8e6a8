"""How much better or worse runs are than a baseline, in one number each, for the table.

`analysis.comparison` tests differences; what is here is cheap enough for ten thousand rows, and needs no numpy.
"""

from __future__ import annotations

import math
import re
import statistics
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lenet_tui.store import Run

# Two-sided 95 % quantiles of Student's t for 1, 2, … degrees of freedom, and of the normal distribution.
_STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
_NORMAL = 1.960
_SEED = re.compile(r'"seed": \d+')
BASELINE = "baseline"


@dataclass(frozen=True)
class Delta:
    """A difference to the baseline and, where both configurations share two seeds or more, half its 95 % interval."""

    mean: float
    half: float | None = None

    def text(self, digits: int, room: int = 9999) -> str:
        """Return ``−3.1`` or ``−3.1 ±0.8``, with a true minus, and fewer digits rather than no interval."""
        forms = [(digits, " ±"), (digits, "±"), (max(digits - 1, 0), "±")] if self.half is not None else []
        for places, sign in forms:
            text = f"{self.mean:+.{places}f}{sign}{self.half:.{places}f}".replace("-", "−")
            if len(text) <= room:
                return text
        return f"{self.mean:+.{digits}f}".replace("-", "−")


class Baseline:
    """The runs of a snapshot beside the one that is pinned, None while there is none.

    A run whose configuration has finished with two or more of the baseline's seeds shows the mean difference of those
    seeds, in pairs; any other shows its own difference to the baseline's run.
    """

    def __init__(self) -> None:
        self.run: Run | None = None
        self._runs: Mapping[int, Run] = {}
        self._groups: dict[str, dict[str, Run]] | None = None
        self._means: dict[tuple[str, Callable[[Run], float | None]], Delta | None] = {}

    def update(self, runs: Mapping[int, Run], baseline_id: int | None) -> None:
        """Take the runs there are now, and which one is the baseline."""
        base = runs.get(baseline_id) if baseline_id is not None else None
        if base is None or _finished(runs, self._runs) or _finished(self._runs, runs):
            self._groups = None
        self._runs = runs
        if base is not self.run or self._groups is None:
            self._means = {}
        self.run = base

    def val_loss(self, run: Run) -> Delta | None:
        """Return the difference of lowest val loss in per cent of the baseline's; None where it cannot be compared.

        Of runs with another training loss it is that of the cross-entropies.
        """
        same = self.run is not None and run.values["loss"] == self.run.values["loss"]
        delta = self._delta(run, _log_loss if same else _log_cross_entropy)
        if delta is None:
            return None
        mean = 100 * math.expm1(delta.mean)
        half = None if delta.half is None else 100 * math.exp(delta.mean) * math.sinh(min(delta.half, 20.0))
        return Delta(mean, half)

    def test_accuracy(self, run: Run) -> Delta | None:
        """Return the difference of test accuracy in points; None where it cannot be compared."""
        delta = self._delta(run, _test_accuracy)
        return delta and Delta(100 * delta.mean, None if delta.half is None else 100 * delta.half)

    def _delta(self, run: Run, figure: Callable[[Run], float | None]) -> Delta | None:
        base = self.run
        if base is None or any(run.values[name] != base.values[name] for name in ("dataset", "val_size")):
            return None
        mine, theirs = figure(run), figure(base)
        if mine is None or theirs is None or not (math.isfinite(mine) and math.isfinite(theirs)):
            return None
        own = self._seeds(run)
        first = own.get(str(run.values["seed"]))
        of_pairs = self._mean(_without_seed(run.identity), figure) if first and first.id == run.id else None
        return of_pairs or Delta(mine - theirs)

    def _mean(self, group: str, figure: Callable[[Run], float | None]) -> Delta | None:
        """Return the mean difference of the seeds that a configuration shares with the baseline's, if two or more."""
        if (group, figure) not in self._means:
            own, other = (self._groups or {}).get(group, {}), self._seeds(self.run) if self.run else {}
            pairs = [(figure(own[seed]), figure(other[seed])) for seed in own.keys() & other.keys()]
            differences = [a - b for a, b in pairs if a is not None and b is not None and math.isfinite(a - b)]
            enough = len(differences) > 1 and own is not other
            self._means[group, figure] = _interval(differences) if enough else None
        return self._means[group, figure]

    def _seeds(self, run: Run) -> dict[str, Run]:
        """Return the finished runs of a run's configuration by seed, the first of each."""
        if self._groups is None:
            self._groups = {}
            for each in sorted(self._runs.values(), key=lambda each: each.id):
                if each.state == "finished":
                    self._groups.setdefault(_without_seed(each.identity), {}).setdefault(str(each.values["seed"]), each)
        return self._groups.get(_without_seed(run.identity), {})


def _finished(runs: Mapping[int, Run], others: Mapping[int, Run]) -> bool:
    """Say whether a finished run is not the same among the others."""
    return any(run is not others.get(run_id) and run.state == "finished" for run_id, run in runs.items())


def _interval(differences: list[float]) -> Delta:
    freedom = len(differences) - 1
    quantile = _STUDENT[freedom - 1] if freedom <= len(_STUDENT) else _NORMAL
    half = quantile * statistics.stdev(differences) / math.sqrt(len(differences))
    return Delta(statistics.fmean(differences), half)


@lru_cache(20_000)
def _without_seed(identity: str) -> str:
    return _SEED.sub("", identity)


def _test_accuracy(run: Run) -> float | None:
    return run.test_accuracy


def _log_loss(run: Run) -> float | None:
    return _log(run.best_val_loss)


def _log_cross_entropy(run: Run) -> float | None:
    return _log(run.best_val_cross_entropy)


def _log(value: float | None) -> float | None:
    return math.log(value) if value is not None and 0 < value < math.inf else None
