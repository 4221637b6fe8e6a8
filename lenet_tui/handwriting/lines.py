"""Lines that are printed on paper: straight through the whole picture, or side by side through most of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LENGTH = 0.35  # of the picture's side: a line goes on for so long without a gap
_MOST = 0.6  # of the picture's side: how long lines are that do not reach both borders
_AT_BORDER = 0.03  # of the picture's side
_IN_SIGHT = 0.3  # of the picture's side: how much of a line is not hidden by strokes
_THICKEST = 0.035  # of the picture's shorter side
_RISE = 0.01  # of the picture's side: how far a line may rise along `_LENGTH`


def printed_lines(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pixels (H, W) belong to lines across and down the picture and to nothing that crosses them."""
    return _across(mask) | _across(mask.T).T


def _across(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of lines across the picture where these are no thicker than such lines are.

    As staves are taken off music: short runs down a line are the line's, longer ones are strokes that cross it.
    """
    width = mask.shape[1]
    runs = _runs_down(mask)
    thin = mask & (runs <= max(2, round(_THICKEST * min(mask.shape))))
    nothing = np.zeros_like(mask)
    if not thin.any():
        return nothing
    rise, length = max(1, round(_RISE * width)), max(3, round(_LENGTH * width))
    passable = mask | (ndimage.maximum_filter1d(thin.view(np.uint8), 2 * rise + 1, axis=0) > 0)
    # Opened by a length, with the line going on beyond the border, and behind the strokes that cross it.
    shortened = ndimage.minimum_filter1d(passable.view(np.uint8), length, axis=1, mode="nearest")
    bands = ndimage.maximum_filter1d(shortened, length, axis=1, mode="nearest") > 0
    labels, _ = ndimage.label(bands, structure=np.ones((3, 3)))
    through, long = [], []
    for own, box in enumerate(ndimage.find_objects(labels), start=1):
        seen = (thin[box] & (labels[box] == own)).any(axis=0).sum()
        if seen < _IN_SIGHT * width:
            continue
        if box[1].start <= _AT_BORDER * width and box[1].stop >= (1 - _AT_BORDER) * width:
            through.append(own)
        elif seen >= _MOST * width:
            long.append(own)
    lines = through + (long if len(through) + len(long) > 1 else [])
    if not lines:
        return nothing
    near = np.isin(labels, lines)
    thickness = float(np.median(runs[thin & near]))
    return near & mask & (runs <= 2 * thickness + 1)


def _runs_down(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return for each pixel of ``mask`` how many hang together with it in its column; 0 elsewhere."""
    height = len(mask)
    rows = np.arange(height, dtype=np.int32)[:, np.newaxis]
    above = np.maximum.accumulate(np.where(mask, np.int32(-1), rows), axis=0)
    below = np.minimum.accumulate(np.where(mask, np.int32(height), rows)[::-1], axis=0)[::-1]
    runs: NDArray[np.int32] = np.where(mask, below - above - 1, 0).astype(np.int32)
    return runs
