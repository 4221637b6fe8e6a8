"""What the assignment asks, as contrasts between configurations, and what the runs answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from lenet_tui.analysis.calibration import image_losses
from lenet_tui.analysis.contrasts import ConfigurationModel, pair_weights, trend_weights
from lenet_tui.analysis.statistics import holm
from lenet_tui.analysis.study.claims import Claim
from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS, Question, Variant
from lenet_tui.config import RunConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from lenet_tui.analysis.contrasts import Noise
    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.analysis.study.plan import Study

Measure = Literal["best loss", "final loss", "train loss", "test loss", "test accuracy"]
FINAL = 3  # epochs whose mean loss is that at the end

# Measures whose comparisons are adjusted together. What is asked of the validation loss has two planned outcomes.
FAMILIES: tuple[tuple[Measure, ...], ...] = (
    ("best loss", "final loss"),
    ("test accuracy",),
    ("test loss",),
    ("train loss",),
)
_LEVELS: dict[Question, str] = {"batch_size": "batch_size", "lr": "lr"}


@dataclass(frozen=True)
class Comparison:
    """A contrast that the assignment asks for.

    A trend is the slope over the levels of ``hyperparameter`` in doublings or factors of ten; a pair is ``first`` less
    ``second``. ``weights`` add up to 0.
    """

    name: str
    question: Question
    kind: Literal["trend", "pair"]
    weights: Mapping[str, float]
    first: str = ""
    second: str = ""


def variants_of(question: Question) -> list[Variant]:
    """Return the variants that answer a question beside the default."""
    return [variant for variant in VARIANTS if variant.question == question and variant != DEFAULT]


def is_shortened(variant: Variant) -> bool:
    """Say whether a variant is the default cut short.

    Its runs repeat those of the default as long as they last: counted as runs of their own they would make the noise
    look less than it is, and a test of a difference that can only be nought or a loss would mean nothing.
    """
    return [name for name, _ in variant.changes] == ["patience"]


def trained_on_cross_entropy(variant: Variant) -> bool:
    """Say whether a variant's losses compare with the others'; those of smoothed labels and other losses don't."""
    return all(name not in ("label_smoothing", "loss") for name, _ in variant.changes)


def level(variant: Variant, question: Question) -> float:
    """Return the value of the hyperparameter that a question varies."""
    name = _LEVELS[question]
    return float(dict(variant.changes).get(name, RunConfig.model_fields[name].default))


def levels_of(question: Question) -> list[Variant]:
    """Return the variants with the levels of a question, the default among them, in rising order."""
    return sorted((DEFAULT, *variants_of(question)), key=lambda variant: level(variant, question))


@cache
def comparisons() -> tuple[Comparison, ...]:
    """Return what the assignment asks, in the order of the document."""
    return tuple(_asked())


def _asked() -> Iterator[Comparison]:
    for question, base in (("batch_size", 2.0), ("lr", 10.0)):
        levels = levels_of(question)  # type: ignore[arg-type]
        places = {variant.name: math.log(level(variant, question), base) for variant in levels}  # type: ignore[arg-type]
        yield Comparison(f"{question} trend", question, "trend", trend_weights(places))  # type: ignore[arg-type]
        for place, second in enumerate(levels):
            for first in levels[:place]:
                one, other = (first, second) if second == DEFAULT else (second, first)
                yield _pair(question, one, other)  # type: ignore[arg-type]
    for variant in variants_of("improvements"):
        if not is_shortened(variant):
            yield _pair("improvements", variant, DEFAULT)
    for variant in variants_of("alexnet"):
        yield _pair("alexnet", variant, DEFAULT)
        yield from (_pair("alexnet", variant, other) for other in VARIANTS if other.name == "dropout")


def _pair(question: Question, first: Variant, second: Variant) -> Comparison:
    return Comparison(
        f"{first.name} against {second.name}", question, "pair", pair_weights(first.name, second.name),
        first.name, second.name,
    )  # fmt: skip


def is_tested(comparison: Comparison, measure: Measure) -> bool:
    """Say whether a comparison is made by a measure."""
    if measure == "test accuracy":
        return True
    if measure == "final loss":  # the second planned outcome of the trends
        return comparison.kind == "trend"
    losses_compare = all(trained_on_cross_entropy(v) for v in VARIANTS if v.name in comparison.weights)
    return losses_compare and (measure != "train loss" or comparison.question in _LEVELS)


@dataclass(frozen=True)
class Answers:
    """The claims by measure and comparison's name, and the noise that each measure has between seeds."""

    claims: Mapping[tuple[Measure, str], Claim]
    noise: Mapping[Measure, Noise]
    is_pooled: bool

    def claim(self, measure: Measure, name: str) -> Claim | None:
        """Return what was tested, None where the runs do not allow it."""
        return self.claims.get((measure, name))


def answers(study: Study) -> Answers:
    """Return what the finished runs of ``study`` say to everything that is asked; nothing with a single seed."""
    claims: dict[tuple[Measure, str], Claim] = {}
    noise: dict[Measure, Noise] = {}
    pooled = False
    for family in FAMILIES:
        found = []
        for measure in family:
            fitted = _fitted(study, measure)
            if fitted is None:
                continue
            noise[measure] = fitted.noise
            pooled = fitted.is_pooled
            asked = [comparison for comparison in comparisons() if is_tested(comparison, measure)]
            differences = [(comparison, fitted.contrast(comparison.weights)) for comparison in asked]
            found += [(measure, comparison, d) for comparison, d in differences if d is not None]
        adjusted = holm([difference.p for _, _, difference in found])
        for (measure, comparison, difference), p in zip(found, adjusted, strict=True):
            claims[measure, comparison.name] = Claim(difference, p, comparison.first, comparison.second)
    return Answers(claims, noise, pooled)


def _fitted(study: Study, measure: Measure) -> ConfigurationModel | None:
    value, influence = _MEASURES[measure]
    runs: dict[str, dict[int, RunResult]] = {}
    for variant in VARIANTS:
        if is_shortened(variant) or not (measure == "test accuracy" or trained_on_cross_entropy(variant)):
            continue
        results = study.of(variant)
        usable = {seed: run for seed, run in results.items() if value(run) is not None}
        if usable:
            runs[variant.name] = usable
    if influence is not None:
        runs = _same_images(runs)
    if DEFAULT.name not in runs:
        return None
    try:
        return ConfigurationModel(
            {name: {seed: value(run) or 0.0 for seed, run in of.items()} for name, of in runs.items()},
            influence and {name: {seed: influence(run) for seed, run in of.items()} for name, of in runs.items()},
        )
    except ValueError:  # a single seed
        return None


def _same_images(runs: dict[str, dict[int, RunResult]]) -> dict[str, dict[int, RunResult]]:
    """Leave out the runs that were tested on other images than the first one of the default."""
    first = next(iter(runs.get(DEFAULT.name, {}).values()), None)
    if first is None or first.predictions is None:
        return {}
    labels = first.predictions.labels
    kept = {
        name: {s: run for s, run in of.items() if run.predictions and np.array_equal(run.predictions.labels, labels)}
        for name, of in runs.items()
    }
    return {name: of for name, of in kept.items() if of}


def _log(value: float | None) -> float | None:
    return math.log(value) if value is not None and math.isfinite(value) and value > 0 else None


def final(values: Sequence[float]) -> float:
    """Return the mean of the last three epochs, or of as many as there are."""
    last = values[-FINAL:]
    return sum(last) / len(last)


def _test_losses(run: RunResult) -> NDArray[np.float64] | None:
    if run.predictions is None or not np.isfinite(run.predictions.logits).all():
        return None
    return image_losses(run.predictions.logits, run.predictions.labels)


def _mean_test_loss(run: RunResult) -> float | None:
    losses = _test_losses(run)
    return None if losses is None else _log(float(losses.mean()))


def _share_of_loss(run: RunResult) -> NDArray[np.float64]:
    # What an image adds to the logarithm of the mean loss, to first order.
    losses = _test_losses(run)
    assert losses is not None  # noqa: S101 - its logarithm was taken before
    return np.asarray(losses / losses.mean())


def _accuracy(run: RunResult) -> float | None:
    return None if run.right is None else float(run.right.mean())


def _right(run: RunResult) -> NDArray[np.float64]:
    assert run.right is not None  # noqa: S101
    return run.right.astype(np.float64)


_MEASURES: dict[
    Measure, tuple[Callable[[RunResult], float | None], Callable[[RunResult], NDArray[np.float64]] | None]
] = {
    "best loss": (lambda run: _log(run.best_val_cross_entropy), None),
    "final loss": (lambda run: _log(final([row.val_cross_entropy for row in run.history])), None),
    "train loss": (lambda run: _log(final([row.sample_loss for row in run.history])), None),
    "test loss": (_mean_test_loss, _share_of_loss),
    "test accuracy": (_accuracy, _right),
}
