"""Whether a difference is more than noise: intervals, paired tests, and corrections for testing many times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95  # of every interval; a difference is shown when its adjusted p is below 1 - LEVEL
_ROUNDING = 1e-12  # of the largest value: what least squares leave of nothing


@dataclass(frozen=True)
class Estimate:
    """A mean of ``n`` values with the 95 % interval from ``low`` to ``high``, both None where one value has none."""

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class McNemar:
    """How many images only the first and only the second run recognised, and the exact two-sided p."""

    only_first: int
    only_second: int
    p: float


@dataclass(frozen=True)
class Difference:
    """A mean difference, first minus second, of ``n`` replicates, with its 95 % interval and two-sided p."""

    mean: float
    low: float
    high: float
    p: float
    n: int


@dataclass(frozen=True)
class Contrast:
    """A variant's difference to the baseline, and its p adjusted for the variants that were tested beside it."""

    difference: Difference
    adjusted_p: float

    @property
    def shown(self) -> bool:
        """Whether the measurements show a difference; when not, they don't show that there is none either."""
        return self.adjusted_p < 1 - LEVEL


def mean_interval(values: Iterable[float]) -> Estimate:
    """Return the mean of independent values and its interval by Student's t.

    Raises ValueError when there are no values or one isn't finite.
    """
    sample = np.array(list(values), dtype=np.float64)
    if sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError("a mean needs at least one value, and only finite ones")
    mean, count = float(sample.mean()), len(sample)
    if count == 1:
        return Estimate(mean, None, None, 1)
    half = _quantile(count - 1) * float(sample.std(ddof=1)) / math.sqrt(count)
    return Estimate(mean, mean - half, mean + half, count)


def mcnemar(first_right: ArrayLike, second_right: ArrayLike) -> McNemar:
    """Compare two classifiers by the images that only one of them recognised, both (N,) bool of the same images.

    Were they equally good, each such image would be the first's or the second's with probability ½ (McNemar 1947,
    "Note on the sampling error of the difference between correlated proportions or percentages"); p is the exact
    binomial one. It speaks of these two sets of weights, not of what another seed would give. Raises ValueError when
    the shapes differ.
    """
    first, second = np.asarray(first_right, dtype=bool), np.asarray(second_right, dtype=bool)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"{first.shape} and {second.shape} are not about the same images")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    either = only_first + only_second
    p = float(stats.binomtest(only_first, either, 0.5).pvalue) if either else 1.0
    return McNemar(only_first, only_second, p)


def paired_difference(first: ArrayLike, second: ArrayLike) -> Difference:
    """Compare two configurations by what S replicates of each say of N images, (S, N) each: right (0 or 1) or a loss.

    Row s of both has the same seed, column i the same image; seeds and images both count as random. A, B and E are the
    mean squares of the differences by seeds, by images, and of the rest. The variance of the mean difference is
    (A + max(B - E, 0)) / (S N), as in the comparison of two methods by several readers of the same cases (Dorfman,
    Berbaum & Metz 1992), with the degrees of freedom of Hillis 2007 ("A comparison of denominator degrees of freedom
    methods for multiple observer ROC analysis", Statistics in Medicine 26). A bootstrap of seeds and images (Owen 2007,
    "The pigeonhole bootstrap") estimates the same variance, but with few seeds it is far off. A counts as no less than
    E, which it can be by chance only: three seeds that happen to agree do not prove precision. In simulations the test
    is wrong in 1 to 3 % of cases instead of 5 % where seeds hardly matter, and in 5 % where they do.

    Raises ValueError when the shapes differ, a value isn't finite, or S is 1, for which `mcnemar` is there.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.ndim != 2 or one.shape != other.shape or one.shape[1] < 2:
        raise ValueError(f"{one.shape} and {other.shape} are not about the same seeds and images")
    if len(one) < 2:
        raise ValueError("one seed says nothing about others; mcnemar compares single runs")
    differences = one - other
    if not np.isfinite(differences).all():
        raise ValueError("not all values are finite")
    seeds, images = differences.shape
    of_seeds, of_images, left = mean_squares(differences)
    freedom = images - 1.0
    if of_seeds > 0:
        freedom = min(freedom, (seeds - 1) * (1 + max(of_images - left, 0.0) / of_seeds) ** 2)
    error = math.sqrt((max(of_seeds, left) + max(of_images - left, 0.0)) / (seeds * images))
    return student(float(differences.mean()), error, freedom, seeds)


def mean_squares(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean squares of the two-way analysis of variance of (S, N) values: of rows, columns, and the rest."""
    rows, columns = values.shape
    of_rows = values.mean(axis=1, keepdims=True) - values.mean()
    of_columns = values.mean(axis=0, keepdims=True) - values.mean()
    rest = values - values.mean() - of_rows - of_columns
    return (
        columns * float((of_rows**2).sum()) / (rows - 1),
        rows * float((of_columns**2).sum()) / (columns - 1),
        float((rest**2).sum()) / ((rows - 1) * (columns - 1)),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for being tested together, in the order given.

    Holm 1979, "A simple sequentially rejective multiple test procedure": the smallest times their number, the next
    times one less, …, none below the one before it or above 1. Calling those below 5 % shown is wrong about any of them
    with probability 5 % at most.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def block_contrasts(values: Mapping[str, Mapping[int, float]], baseline: str) -> dict[str, Contrast]:
    """Return each variant's difference to the baseline, from ``values[variant][seed]``, in the order of ``values``.

    The model is value ~ variant + seed: randomised blocks, since runs of the same seed share initial weights and order
    of images. It is fitted by least squares, so that a missing run costs no more than itself; in complete blocks the
    differences are those of the means. The residual variance of all variants together gives the standard errors,
    because three seeds alone say little about their own noise; it assumes that this noise is equally large in every
    variant. Interval and p are Student's with the residual degrees of freedom, unadjusted; `Contrast.adjusted_p` is
    Holm's over the family.
    Losses are given as logarithms, since their noise is proportional: exp(mean) is then a ratio.

    ``n`` is the variant's number of values. Variants without values, and those that no chain of shared seeds joins to
    the baseline, can't be compared and are left out. Raises ValueError when the baseline has no values, a value isn't
    finite, or no residual degrees of freedom are left, as with one seed.
    """
    cells = _joined(values, baseline)
    if not cells:
        raise ValueError(f"the baseline {baseline} has no values")
    others = [variant for variant in values if variant != baseline and any(variant == cell[0] for cell in cells)]
    seeds = sorted({seed for _, seed in cells})
    observed = np.array([values[variant][seed] for variant, seed in cells], dtype=np.float64)
    if not np.isfinite(observed).all():
        raise ValueError("not all values are finite")
    freedom = len(cells) - len(seeds) - len(others)
    if others and freedom < 1:
        raise ValueError("one seed, or too few shared ones, say nothing about noise")

    design = np.array(
        [
            [float(variant == other) for other in others] + [float(seed == column) for column in seeds]
            for variant, seed in cells
        ]
    )
    effects, *_ = np.linalg.lstsq(design, observed, rcond=None)
    rounding = _ROUNDING * float(np.abs(observed).max())
    residuals = observed - design @ effects
    variance = float(residuals @ residuals) / freedom if others and np.abs(residuals).max() > rounding else 0.0
    unscaled = np.diag(np.linalg.inv(design.T @ design))
    result = {
        variant: student(
            float(effects[index]) if abs(effects[index]) > rounding else 0.0,
            math.sqrt(variance * float(unscaled[index])),
            freedom,
            sum(variant == cell[0] for cell in cells),
        )
        for index, variant in enumerate(others)
    }
    adjusted = holm([difference.p for difference in result.values()])
    return {variant: Contrast(result[variant], p) for variant, p in zip(result, adjusted, strict=True)}


def _joined(values: Mapping[str, Mapping[int, float]], baseline: str) -> list[tuple[str, int]]:
    """Return the (variant, seed) of every value that shared seeds join to the baseline's."""
    seeds = set(values[baseline])
    variants: set[str] = set()
    while more := {variant for variant in values if variant not in variants and seeds & set(values[variant])}:
        variants |= more
        seeds |= {seed for variant in more for seed in values[variant]}
    return [(variant, seed) for variant in values if variant in variants for seed in values[variant]]


def student(mean: float, error: float, freedom: float, count: int) -> Difference:
    """Return a difference of standard error ``error`` with Student's interval and p; ``freedom`` may be infinite."""
    if error == 0:  # nothing varied, so nothing but the difference itself is left to go by
        return Difference(mean, mean, mean, 1.0 if mean == 0 else 0.0, count)
    half = _quantile(freedom) * error
    p = 2 * float(stats.t.sf(abs(mean) / error, freedom))
    return Difference(mean, mean - half, mean + half, p, count)


def _quantile(freedom: float) -> float:
    return float(stats.t.ppf((1 + LEVEL) / 2, freedom))
