"""Telling ink from paper in a picture of greys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST_GREYS = 0.06  # of the range from black to white, by which ink has to stand out
_NOISE = 4.0  # standard deviations of the paper that are no ink
_FAINTEST = 0.2  # of full ink: JPEG's ringing beside a stroke is fainter than that
_FULL = 90  # the percentile of ink that counts as full
_SPECK = 0.02  # of the largest stroke's pixels: what is smaller is dust
_FRAME = 1 / 20  # of the shorter side: how much of the picture's border is thought to be paper
_SAMPLES = 5_000  # pixels that the paper is estimated from
_MEDIAN_TO_STANDARD = 1.4826  # of a normal distribution


class NoInkError(Exception):
    """Nothing stands out from the paper."""


def ink_of(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much ink is on each pixel, (H, W) from 0 to 1, of greys from 0, black, to 1.

    What most of the border is, is paper. Whatever departs from it to the other side of grey is ink where it is joined
    to something at least half as far from the paper as full ink (hysteresis, J. Canny, "A Computational Approach to
    Edge Detection", 1986), and not as small as dust. All else is 0. Raises `NoInkError` where there is none.
    """
    paper, noise = _paper(grey)
    ink = grey - paper
    beyond = np.where(np.abs(ink) > _NOISE * noise, ink, 0)
    if (np.minimum(beyond, 0) ** 2).sum() > (np.maximum(beyond, 0) ** 2).sum():
        ink = -ink
    lowest = _NOISE * noise
    above = ink[ink > max(lowest, _FEWEST_GREYS)]
    if not above.size:
        raise NoInkError
    full = float(np.percentile(above, _FULL))
    kept = joined(ink > max(lowest, _FAINTEST * full), ink > full / 2)
    return np.where(kept, np.clip(ink / full, 0, 1), 0).astype(np.float32)


def joined(mask: NDArray[np.bool_], seeds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return those pieces of ``mask`` (H, W) that hold one of ``seeds`` and are no dust.

    A piece is what hangs together by sides or corners.
    """
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    seeded = np.zeros(len(sizes), dtype=bool)
    seeded[labels[mask & seeds]] = True
    if not seeded.any():
        return np.zeros(mask.shape, dtype=bool)
    wanted = seeded & (sizes >= _SPECK * sizes[seeded].max())
    kept: NDArray[np.bool_] = wanted[labels]
    return kept


def _paper(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Return the paper's grey at each pixel (H, W) and the standard deviation of its noise.

    A surface of second degree, which is how light falls off, is fitted to the border, and then again to all that is
    near it. The median of deviations stands for the standard one, since what is left of ink would spoil that.
    """
    step = max(1, round((grey.size / _SAMPLES) ** 0.5))
    sample, terms = grey[::step, ::step], _terms(*grey.shape)
    some = terms[::step, ::step]
    frame = max(1, round(_FRAME * min(sample.shape)))
    border = np.ones(sample.shape, dtype=bool)
    border[frame:-frame, frame:-frame] = False

    surface: NDArray[np.float64] = np.full(sample.shape, np.median(sample[border]), dtype=np.float64)
    weights: NDArray[np.float64] = np.zeros(terms.shape[-1])
    for candidates in (border, border, np.ones_like(border), np.ones_like(border)):
        away = np.abs(sample - surface)
        noise = _MEDIAN_TO_STANDARD * float(np.median(away[border]))
        paper = candidates & (away <= max(_NOISE * noise, _FEWEST_GREYS))
        weights = np.linalg.lstsq(some[paper].astype(np.float64), sample[paper].astype(np.float64), rcond=None)[0]
        surface = np.asarray(some @ weights)
    noise = _MEDIAN_TO_STANDARD * float(np.median(np.abs(sample - surface)[paper]))
    return (terms @ weights).astype(np.float32), noise


def _terms(height: int, width: int) -> NDArray[np.float32]:
    """Return 1, x, y, xy, x², y² at each pixel, (H, W, 6), with x and y from -1 to 1."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1).astype(np.float32)
