"""From the colours of a picture to greys in which the ink stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow has it
_SMALL = 40  # pixels a side, for a rough look at the paper
_WINDOW = 0.4  # of the picture's side: the window of the median there, in which ink is the lesser part
_FEWEST = 0.25  # of how far the colours of ink and paper are apart: what their greys have to keep of it
_PAPER = 0.7  # the grey of paper where colours are made greys


def as_greys(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return greys (H, W) from 0 to 1 of colours (H, W, 3), or of greys (H, W, 1).

    They are the lightness, unless ink and paper are nearly as light as each other: then how far a colour is from the
    paper's along the line on which the colours of ink and paper lie, the first principal component.
    """
    if colours.shape[-1] == 1:
        return colours[..., 0]
    grey: NDArray[np.float32] = (colours @ _LUMA).astype(np.float32)
    paper, away = _away_from_paper(colours)
    spread = np.einsum("yxc,yxd->cd", away, away)
    if len(_LUMA) * _LUMA @ spread @ _LUMA >= _FEWEST * np.trace(spread):
        return grey
    axis = np.linalg.eigh(spread)[1][:, -1]
    along = away @ axis
    if (along**3).sum() > 0:
        axis = -axis  # so that ink is darker
    along_axis: NDArray[np.float32] = (_PAPER + (colours - paper) @ axis).astype(np.float32)
    return along_axis.clip(0, 1)


def lightness_of_ink(grey: NDArray[np.float32]) -> float:
    """Return how much of what is narrow on a picture (H, W) is lighter than what is round it, as a share of energy."""
    _, away = _away_from_paper(grey[..., np.newaxis])
    light, dark = float((np.maximum(away, 0) ** 2).sum()), float((np.minimum(away, 0) ** 2).sum())
    return light / (light + dark) if light + dark > 0 else 0.5


def _away_from_paper(colours: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the paper's colour (C,) and how far a small picture's pixels are from what is round them, (h, w, C)."""
    step = max(1, max(colours.shape) // _SMALL)
    small = ndimage.uniform_filter(colours, (step, step, 1))[step // 2 :: step, step // 2 :: step]
    window = [max(3, round(_WINDOW * side)) for side in small.shape[:2]]
    away = small.astype(np.float64) - ndimage.median_filter(small, size=(*window, 1))
    noise = 1.4826 * np.median(np.abs(away), axis=(0, 1))
    return np.median(small, axis=(0, 1)), np.where((np.abs(away) > 4 * noise).any(axis=-1, keepdims=True), away, 0)
