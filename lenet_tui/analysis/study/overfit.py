"""How the losses of a configuration go on after their lowest, over its seeds together, and what the rise is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from lenet_tui.analysis.contrasts import mean_difference
from lenet_tui.analysis.overfitting import WINDOW, lowest_epoch, overfitting_region
from lenet_tui.analysis.statistics import holm
from lenet_tui.analysis.study.claims import Claim
from lenet_tui.analysis.study.comparisons import final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lenet_tui.analysis.overfitting import Region
    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.analysis.statistics import Difference
    from lenet_tui.analysis.study.plan import Study, Variant

Part = Literal["loss", "scaled", "certainty", "errors"]


@dataclass(frozen=True)
class Overfit:
    """What becomes of the validation loss after its lowest.

    ``region`` is where `overfitting_region` of all runs together finds overfitting. ``rise`` is the change of the
    loss's logarithm from its lowest to the last three epochs, with an interval over seeds; where the lowest is, the
    other seeds decide, so that it is not chosen by the noise that it is compared with. None with one seed, which has
    ``own_rise`` alone, a share. ``lowest`` is the epoch of the lowest smoothed mean loss.
    """

    seeds: int
    lowest: int
    region: Region | None
    rise: Difference | None
    own_rise: float

    @property
    def found(self) -> bool:
        """Whether the configuration overfits: by the trend test and, over seeds, by the interval of the rise."""
        return self.region is not None and (self.rise is None or self.rise.low > 0)


def overfit(study: Study, variant: Variant) -> Overfit | None:
    """Return how the loss of ``variant`` goes on; None without runs of three epochs with finite losses."""
    runs = list(study.of(variant).values())
    lowest = lowest_epoch(*(run.history for run in runs))
    if lowest is None or any(row.val_loss <= 0 for run in runs for row in run.history):
        return None
    changes = _changes(runs, lambda run: [math.log(row.val_loss) for row in run.history])
    region = overfitting_region(*(run.history for run in runs))
    return Overfit(
        len(runs),
        runs[0].history[lowest].epoch,
        region,
        mean_difference(changes),
        math.expm1(sum(changes) / len(changes)),
    )


def rise_parts(study: Study, variant: Variant) -> Mapping[Part, Claim | None]:
    """Return the changes from the lowest loss to the last three epochs within runs, tested together; {} for one seed.

    They are of the validation cross-entropy, of what is left of it with a fitted temperature, of the
    difference of both, which the wrong certainty costs (nats), and of the number of wrong validation images. {} also
    where the lowest loss is at the end. What needs the temperature is None for runs without ``calibration.csv``.
    """
    runs = list(study.of(variant).values())
    lowest = lowest_epoch(*(run.history for run in runs))
    if lowest is None or lowest >= min(len(run.history) for run in runs) - WINDOW // 2 - 1:
        return {}
    series: dict[Part, Callable[[RunResult], Sequence[float]]] = {
        "loss": lambda run: [row.val_cross_entropy for row in run.history],
        "errors": lambda run: [(1 - row.val_accuracy) * run.record.dataset.validation for row in run.history],
    }
    if all(len(run.calibration) == len(run.history) for run in runs):
        series["scaled"] = lambda run: [row.scaled_cross_entropy for row in run.calibration]
        series["certainty"] = lambda run: [
            row.val_cross_entropy - scaled.scaled_cross_entropy
            for row, scaled in zip(run.history, run.calibration, strict=True)
        ]
    found = {part: mean_difference(_changes(runs, values)) for part, values in series.items()}
    known = {part: difference for part, difference in found.items() if difference is not None}
    if not known:
        return {}
    adjusted = holm([difference.p for difference in known.values()])
    claims: dict[Part, Claim | None] = dict.fromkeys(get_args(Part))
    return claims | {part: Claim(d, p) for (part, d), p in zip(known.items(), adjusted, strict=True)}


def _changes(runs: Sequence[RunResult], values: Callable[[RunResult], Sequence[float]]) -> list[float]:
    """Return, for each run, its mean over the last epochs less that around the lowest loss of the other runs."""
    changes = []
    for run in runs:
        others = [other.history for other in runs if other is not run] or [run.history]
        lowest = lowest_epoch(*others)
        series = values(run)
        if lowest is None or not series:
            continue
        start = min(max(lowest - WINDOW // 2, 0), max(len(series) - WINDOW, 0))
        window = series[start : start + WINDOW]
        changes.append(final(series) - sum(window) / len(window))
    return changes
