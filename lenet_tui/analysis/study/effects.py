"""What a variant of the study does to the validation loss, by how much, and whether that is more than noise."""

from __future__ import annotations

import itertools
import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from lenet_tui.analysis.statistics import LEVEL, Contrast, McNemar, block_contrasts, holm, mcnemar, paired_difference
from lenet_tui.analysis.study.plan import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.analysis.study.plan import Study, Variant

Verdict = Literal["better", "worse", "not shown", "unanswered"]
Outcome = Literal["end", "fit", "gap", "epoch", "jitter"]


@dataclass(frozen=True)
class Pair:
    """One run of a variant beside one of the default with the same seed: all that a single seed gives.

    ``losses`` are their best validation cross-entropies (nats), ``right`` how many of ``images`` test images each
    recognised, the variant's first. ``adjusted_p`` is McNemar's, adjusted by Holm for the variants tested beside it.
    """

    seed: int
    runs: tuple[int, int]
    losses: tuple[float, float]
    right: tuple[int, int]
    images: int
    test: McNemar
    adjusted_p: float

    @property
    def shown(self) -> bool:
        """Whether these two runs recognise different numbers of images."""
        return self.adjusted_p < 1 - LEVEL


@dataclass(frozen=True)
class Effect:
    """A variant against the default.

    ``loss`` is the difference of the logarithms of the best validation cross-entropy, ``accuracy`` that of the share of
    test images recognised; both None where fewer than two seeds allow no interval. ``pair`` is there instead of
    ``loss`` then. ``details`` are further outcomes, adjusted together with each other: the logarithms of the last
    epoch's validation cross-entropy (end), of the loss on the training sample (fit) and of the median change from epoch
    to epoch (jitter), the gap between validation and training sample at the end (gap, nats), and the best epoch.
    """

    variant: Variant
    runs: tuple[int, ...]
    loss: Contrast | None = None
    accuracy: Contrast | None = None
    pair: Pair | None = None
    details: Mapping[Outcome, Contrast] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """What the measurements say of the validation loss; with a single seed they say nothing about it."""
        if self.loss is None:
            return "unanswered"
        if not self.loss.shown:
            return "not shown"
        return "better" if self.loss.difference.mean < 0 else "worse"

    def detail(self, outcome: Outcome) -> Literal["more", "less", "not shown"]:
        """Say whether the variant has significantly more or less of a further outcome than the default."""
        contrast = self.details.get(outcome)
        if contrast is None or not contrast.shown:
            return "not shown"
        return "more" if contrast.difference.mean > 0 else "less"


def effects(study: Study, variants: Sequence[Variant]) -> dict[str, Effect]:
    """Return the effect of each of ``variants`` against the default, one family of comparisons, by the variant's name.

    Variants that can't be compared yet are there too, without numbers.
    """
    losses = _contrasts(study, variants, _log_best)
    accuracies = _accuracies(study, variants)
    pairs = {} if losses else _pairs(study, variants)
    details = _details(study, variants) if losses else {}
    baseline = study.of(DEFAULT)
    return {
        variant.name: Effect(
            variant,
            tuple(sorted(run.run_id for run in (*baseline.values(), *study.of(variant).values()))),
            losses.get(variant.name),
            accuracies.get(variant.name),
            pairs.get(variant.name),
            {outcome: result[variant.name] for outcome, result in details.items() if variant.name in result},
        )
        for variant in variants
    }


def jitter(run: RunResult) -> float | None:
    """Return the median change of the validation cross-entropy from one epoch to the next, as a factor above 0.

    It is of the second half of the run, where the fall from the start is over: the median of |ln(next / this)|. None
    where fewer than three epochs are left or a loss has no logarithm.
    """
    tail = [row.val_cross_entropy for row in run.history[len(run.history) // 2 :]]
    if len(tail) < 3 or not all(math.isfinite(value) and value > 0 for value in tail):
        return None
    return statistics.median(abs(math.log(later / earlier)) for earlier, later in itertools.pairwise(tail))


def _log_best(run: RunResult) -> float | None:
    return _log(run.best_val_cross_entropy)


_OUTCOMES: dict[Outcome, Callable[[RunResult], float | None]] = {
    "end": lambda run: _log(run.history[-1].val_cross_entropy),
    "fit": lambda run: _log(run.history[-1].sample_loss),
    "gap": lambda run: run.history[-1].val_loss - run.history[-1].sample_loss,
    "epoch": lambda run: float(run.best.epoch) if run.best else None,
    "jitter": lambda run: _log(jitter(run)),
}


def _log(value: float | None) -> float | None:
    return math.log(value) if value is not None and math.isfinite(value) and value > 0 else None


def _contrasts(
    study: Study, variants: Iterable[Variant], measure: Callable[[RunResult], float | None]
) -> dict[str, Contrast]:
    values = {}
    for variant in (DEFAULT, *variants):
        measured = {seed: measure(run) for seed, run in study.of(variant).items()}
        values[variant.name] = {seed: value for seed, value in measured.items() if value is not None}
    try:
        return block_contrasts(values, DEFAULT.name)
    except ValueError:  # no run of the default, or a single seed
        return {}


def _details(study: Study, variants: Sequence[Variant]) -> dict[Outcome, dict[str, Contrast]]:
    # Many outcomes are tested, so p is adjusted over all of them together.
    result = {outcome: _contrasts(study, variants, measure) for outcome, measure in _OUTCOMES.items()}
    flat = [(outcome, name, c.difference) for outcome, contrasts in result.items() for name, c in contrasts.items()]
    for (outcome, name, difference), p in zip(flat, holm([d.p for _, _, d in flat]), strict=True):
        result[outcome][name] = Contrast(difference, p)
    return result


def _accuracies(study: Study, variants: Sequence[Variant]) -> dict[str, Contrast]:
    differences = {}
    for variant in variants:
        shared = _shared(study, variant)
        if len(shared) > 1:
            ours, baseline = (np.stack([run.right for run in runs]) for runs in zip(*shared, strict=True))
            differences[variant.name] = paired_difference(ours, baseline)
    adjusted = holm([difference.p for difference in differences.values()])
    return {name: Contrast(d, p) for (name, d), p in zip(differences.items(), adjusted, strict=True)}


def _pairs(study: Study, variants: Sequence[Variant]) -> dict[str, Pair]:
    result = {}
    for variant in variants:
        for ours, baseline in _shared(study, variant)[:1]:
            right, other = ours.right, baseline.right
            losses = ours.best_val_cross_entropy, baseline.best_val_cross_entropy
            if right is None or other is None or losses[0] is None or losses[1] is None:
                continue
            result[variant.name] = Pair(
                ours.config.seed,
                (ours.run_id, baseline.run_id),
                (losses[0], losses[1]),
                (int(right.sum()), int(other.sum())),
                len(right),
                mcnemar(right, other),
                math.nan,
            )
    adjusted = holm([pair.test.p for pair in result.values()])
    return {
        name: Pair(p.seed, p.runs, p.losses, p.right, p.images, p.test, value)
        for (name, p), value in zip(result.items(), adjusted, strict=True)
    }


def _shared(study: Study, variant: Variant) -> list[tuple[RunResult, RunResult]]:
    """Return the runs of ``variant`` beside those of the default with the same seed and the same test images."""
    ours, baseline = study.of(variant), study.of(DEFAULT)
    both = [(ours[seed], baseline[seed]) for seed in ours if seed in baseline]
    return [
        (run, other)
        for run, other in both
        if run.predictions is not None
        and other.predictions is not None
        and np.array_equal(run.predictions.labels, other.predictions.labels)
    ]
