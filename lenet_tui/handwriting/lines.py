"""Lines that are printed on paper: straight through the whole picture, or the sides of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LENGTH = 0.2  # of the picture's side: a line goes on for so long without a gap
_AT_BORDER = 0.03  # of the picture's side
_IN_SIGHT = 0.3  # of the line: how much is not hidden by strokes
_THICKEST = 0.035  # of the picture's shorter side
_RISE = 0.01  # of the picture's side: how far a line may rise along `_LENGTH`


def printed_lines(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pixels (H, W) belong to lines across and down the picture and to nothing that crosses them."""
    across, down = _Lines(mask), _Lines(mask.T)
    # Straight strokes alone may be a digit's: a side of a frame begins and ends at other sides.
    return across.pixels(across.framed_by(down)) | down.pixels(down.framed_by(across)).T


class _Lines:
    """Lines across a picture: those from border to border, ``through``, and others, ``inside``: first, last and row."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        width = mask.shape[1]
        self.mask = mask
        self.runs = _runs_down(mask)
        self.thin = mask & (self.runs <= max(2, round(_THICKEST * min(mask.shape))))
        rise, length = max(1, round(_RISE * width)), max(3, round(_LENGTH * width))
        passable = mask | (ndimage.maximum_filter1d(self.thin.view(np.uint8), 2 * rise + 1, axis=0) > 0)
        # Opened by a length, with the line going on beyond the border, and behind the strokes that cross it.
        shortened = ndimage.minimum_filter1d(passable.view(np.uint8), length, axis=1, mode="nearest")
        bands = ndimage.maximum_filter1d(shortened, length, axis=1, mode="nearest") > 0
        self.labels, _ = ndimage.label(bands, structure=np.ones((3, 3)))
        self.through: list[int] = []
        self.inside: dict[int, tuple[int, int, float]] = {}
        self.near = _AT_BORDER * max(mask.shape)
        for own, box in enumerate(ndimage.find_objects(self.labels), start=1):
            first, last = box[1].start, box[1].stop
            seen = (self.thin[box] & (self.labels[box] == own)).any(axis=0).sum()
            if seen < _IN_SIGHT * (last - first):
                continue
            if first <= _AT_BORDER * width and last >= (1 - _AT_BORDER) * width:
                self.through.append(own)
            else:
                self.inside[own] = (first, last, (box[0].start + box[0].stop) / 2)

    def framed_by(self, others: _Lines) -> list[int]:
        """Return those inside that begin and end where ``others``, across them, are."""
        places = [place for _, _, place in others.inside.values()]
        return [
            own
            for own, (first, last, _) in self.inside.items()
            if all(any(abs(end - place) <= self.near for place in places) for end in (first, last))
        ]

    def pixels(self, sides: list[int]) -> NDArray[np.bool_]:
        """Return the pixels of lines through the picture, and of ``sides``, where they are no thicker than those.

        As staves are taken off music: short runs down a line are the line's, longer ones are strokes that cross it.
        """
        near = np.isin(self.labels, self.through + sides)
        if not (near & self.thin).any():
            return np.zeros_like(self.mask)
        thickness = float(np.median(self.runs[self.thin & near]))
        result: NDArray[np.bool_] = near & self.mask & (self.runs <= 2 * thickness + 1)
        return result


def _runs_down(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return for each pixel of ``mask`` how many hang together with it in its column; 0 elsewhere."""
    height = len(mask)
    rows = np.arange(height, dtype=np.int32)[:, np.newaxis]
    above = np.maximum.accumulate(np.where(mask, np.int32(-1), rows), axis=0)
    below = np.minimum.accumulate(np.where(mask, np.int32(height), rows)[::-1], axis=0)[::-1]
    runs: NDArray[np.int32] = np.where(mask, below - above - 1, 0).astype(np.int32)
    return runs
