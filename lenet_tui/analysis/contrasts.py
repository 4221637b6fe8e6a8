"""Differences between configurations, from one model of all of them together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lenet_tui.analysis.statistics import Difference, student

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Cell = tuple[str, int]  # a configuration with a seed

WELCH_FROM = 5  # seeds, from which each configuration can tell its own noise
_ROUNDING = 1e-12  # of the largest value: what least squares leave of nothing
_ESTIMABLE = 1e-8


@dataclass(frozen=True)
class Noise:
    """The noise between seeds that is left after configuration and seed.

    ``deviation`` is the standard deviation over all configurations, in units of the values, with ``freedom`` degrees
    of freedom; ``seeds`` counts the seeds.
    """

    deviation: float
    freedom: float
    seeds: int


class ConfigurationModel:
    """The model value ~ configuration + seed, fitted once to all configurations of a study.

    ``values[configuration][seed]`` are finite numbers; losses are given as logarithms, because their noise is
    proportional. Runs of one seed share initial weights and order of images, so seeds are blocks. It is fitted by least
    squares: a missing run costs no more than itself.

    Up to four seeds the residual variance of all configurations together gives the standard errors, which takes their
    noise as equally large. From five seeds on every configuration has its own, and a contrast has the degrees of
    freedom of Welch 1947 and Satterthwaite 1946: configurations differ in their noise, and one that is noisier than
    the others would be called different far too often (simulated: in 17 to 25 % of studies instead of 5 %).

    ``influences[configuration][seed]``, (N,) each, are what single images add to a value: whether an image was
    recognised, for the share of those that were. With them the images count as drawn at random too, by the model of
    Obuchowski & Rockette 1995 in the notation of Hillis 2007 ("A comparison of denominator degrees of freedom methods
    for multiple observer ROC analysis"): seeds are its readers, images its cases, configurations its treatments. The
    variance of a contrast is what the seeds give, plus the covariance over images between runs of different seeds
    where that is positive; the degrees of freedom are Hillis's. `Noise` is without the images.

    Raises ValueError when nothing is left to estimate noise from, as with one seed.
    """

    def __init__(
        self,
        values: Mapping[str, Mapping[int, float]],
        influences: Mapping[str, Mapping[int, NDArray[np.floating]]] | None = None,
    ) -> None:
        self._cells: list[Cell] = [(name, seed) for name in values for seed in values[name]]
        names = sorted({name for name, _ in self._cells})
        seeds = sorted({seed for _, seed in self._cells})
        observed = np.array([values[name][seed] for name, seed in self._cells], dtype=np.float64)
        if not np.isfinite(observed).all():
            raise ValueError("not all values are finite")
        self._names = names
        self._design = np.array(
            [
                [float(name == own) for name in names] + [float(seed == other) for other in seeds]
                for own, seed in self._cells
            ]
        )
        self._inverse = np.linalg.pinv(self._design)  # (columns, cells)
        left = np.eye(len(observed)) - self._design @ self._inverse
        leverage_left = np.diag(left)
        self.freedom = float(round(leverage_left.sum()))
        if self.freedom < 1:
            raise ValueError("one seed, or too few shared ones, say nothing about noise")
        residuals = left @ observed
        rounding = _ROUNDING * float(np.abs(observed).max())
        residuals[np.abs(residuals) <= rounding] = 0.0
        self._rounding = rounding
        self._observed = observed
        pooled = float(residuals @ residuals) / self.freedom
        self.noise = Noise(math.sqrt(pooled), self.freedom, len(seeds))
        places = {name: [n for n, (own, _) in enumerate(self._cells) if own == name] for name in names}
        self._own = {name: float(leverage_left[places[name]].sum()) for name in names}
        self.is_pooled = len(seeds) < WELCH_FROM
        self._variance = {
            name: pooled
            if self.is_pooled or self._own[name] < 1
            else float((residuals[places[name]] ** 2).sum()) / self._own[name]
            for name in names
        }
        self._covariance = None if influences is None else self._image_covariance(influences)

    def contrast(self, weights: Mapping[str, float]) -> Difference | None:
        """Return the sum of ``weights`` times the configurations' means, with 95 % interval and unadjusted p.

        ``weights`` add up to 0. None when a configuration has no values, or shares no seed with the others, not even
        by way of further ones. ``n`` is the smallest number of seeds among them.
        """
        row = np.array([weights.get(name, 0.0) for name in self._names] + [0.0] * self.noise.seeds)
        own = self._inverse.T @ row  # weights of the cells
        counts = [sum(name == other for name, _ in self._cells) for other in weights]
        if not set(weights) <= set(self._names) or np.abs(self._design.T @ own - row).max() > _ESTIMABLE:
            return None
        mean = float(own @ self._observed)
        mean = 0.0 if abs(mean) <= self._rounding else mean
        parts: dict[str, float] = dict.fromkeys(self._names, 0.0)
        for weight, (name, _) in zip(own, self._cells, strict=True):
            parts[name] += float(weight * weight) * self._variance[name]
        variance = sum(parts.values())
        freedom = self._freedom(parts, variance)
        images = self._of_images(own)
        if images > 0 and variance > 0:
            freedom *= ((variance + images) / variance) ** 2
        elif images > 0:
            freedom = math.inf
        return student(mean, math.sqrt(variance + images), freedom, min(counts))

    def _freedom(self, parts: Mapping[str, float], variance: float) -> float:
        if self.is_pooled or variance == 0:
            return self.freedom
        spread = sum(
            part * part / (self._own[name] if self._own[name] >= 1 else self.freedom) for name, part in parts.items()
        )
        return min(self.freedom, variance * variance / spread)

    def _of_images(self, own: NDArray[np.float64]) -> float:
        if self._covariance is None:
            return 0.0
        seeds = len({seed for weight, (_, seed) in zip(own, self._cells, strict=True) if abs(weight) > _ESTIMABLE})
        return max(float(own @ self._covariance @ own) * seeds / (seeds - 1), 0.0) if seeds > 1 else 0.0

    def _image_covariance(self, influences: Mapping[str, Mapping[int, NDArray[np.floating]]]) -> NDArray[np.float64]:
        """Return the covariance of two cells' values over images, 0 where they have the same seed."""
        table = np.stack([influences[name][seed] for name, seed in self._cells]).astype(np.float64)
        table -= table.mean(axis=1, keepdims=True)
        images = table.shape[1]
        covariance: NDArray[np.float64] = table @ table.T / (images - 1) / images
        seeds = np.array([seed for _, seed in self._cells])
        covariance[seeds[:, None] == seeds[None, :]] = 0.0
        return covariance


def trend_weights(levels: Mapping[str, float]) -> dict[str, float]:
    """Return the weights of the least-squares slope over the levels of configurations, by name.

    Give levels on the scale that the trend is linear in, for example as logarithms. Raises ValueError for fewer than
    two different levels.
    """
    mean = sum(levels.values()) / len(levels) if levels else 0.0
    square = sum((level - mean) ** 2 for level in levels.values())
    if square == 0:
        raise ValueError("a trend needs two different levels")
    return {name: (level - mean) / square for name, level in levels.items()}


def pair_weights(name: str, baseline: str) -> dict[str, float]:
    """Return the weights of a difference: the configuration ``name`` less ``baseline``."""
    return {name: 1.0, baseline: -1.0}


def mean_difference(differences: Sequence[float]) -> Difference | None:
    """Return the mean of differences within runs, one a seed, by Student's t; None for fewer than two."""
    sample = np.array(differences, dtype=np.float64)
    if len(sample) < 2 or not np.isfinite(sample).all():
        return None
    return student(
        float(sample.mean()), float(sample.std(ddof=1)) / math.sqrt(len(sample)), len(sample) - 1, len(sample)
    )
