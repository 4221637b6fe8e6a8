"""What hangs together on a picture: strokes, what is no stroke of a digit, and which strokes make one digit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_SPECK = 0.02  # of the largest stroke's pixels: what is smaller is dust
_EIGHT = np.ones((3, 3), dtype=bool)  # neighbours by sides and by corners
_BROADEST = 0.5  # of its longer side: the broadest stroke of a digit
_FILLED = (0.35, 0.75)  # strokes broader than the first leave more of their rectangle empty than the second
_CONTACT = 0.25  # of its circumference: a digit that is cut off touches the border with less
_INNER = 0.3  # of its height: what a frame has inside
_ONE_DIGIT = 0.12  # of the tallest piece's height: strokes of one digit are no further apart
_TOUCHING = 0.04  # of the tallest piece's height: digits beside each other are further apart
_NEARBY = 0.3  # of the tallest piece's height: what is too small to be a digit belongs to one so near
_AS_TALL = 0.6  # of the other's height
_PART = 0.4  # of the tallest digit's height: what is lower is part of a digit, or none


@dataclass(frozen=True, eq=False)
class Piece:
    """Pixels that hang together: ``mask`` (h, w) of the rectangle ``box`` of a picture of ``shape``."""

    box: tuple[slice, slice]
    mask: NDArray[np.bool_]
    shape: tuple[int, ...]

    @property
    def whole(self) -> NDArray[np.bool_]:
        """The pixels of the whole picture (H, W) that belong to it."""
        whole = np.zeros(self.shape, dtype=bool)
        whole[self.box] = self.mask
        return whole

    @property
    def top(self) -> int:
        """The first row."""
        return int(self.box[0].start)

    @property
    def bottom(self) -> int:
        """The row after the last."""
        return int(self.box[0].stop)

    @property
    def left(self) -> int:
        """The first column."""
        return int(self.box[1].start)

    @property
    def right(self) -> int:
        """The column after the last."""
        return int(self.box[1].stop)

    @property
    def height(self) -> int:
        """Rows from the first to the last."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns from the first to the last."""
        return self.right - self.left

    @property
    def longer(self) -> int:
        """The longer side of the rectangle."""
        return max(self.height, self.width)

    @property
    def area(self) -> int:
        """Pixels of it."""
        return int(self.mask.sum())

    @property
    def breadth(self) -> float:
        """The breadth of its broadest stroke, in pixels: what is cut off by the picture's border goes on there."""
        return 2 * float(ndimage.distance_transform_edt(np.pad(self.mask, 1)).max())

    @property
    def contact(self) -> int:
        """How many of its pixels are at the picture's border."""
        height, width = self.shape
        count = 0
        for line, touches in (
            (self.mask[0], self.top == 0),
            (self.mask[-1], self.bottom == height),
            (self.mask[:, 0], self.left == 0),
            (self.mask[:, -1], self.right == width),
        ):
            count += int(line.sum()) if touches else 0
        return count

    @property
    def is_like_strokes(self) -> bool:
        """Say whether it is no blob: a sheet, a table, a thumb."""
        share = self.breadth / self.longer
        return share <= _FILLED[0] or (share <= _BROADEST and self.area <= _FILLED[1] * self.mask.size)

    @property
    def is_cut_off(self) -> bool:
        """Say whether too much of it is at the picture's border for a digit."""
        return self.contact > _CONTACT * (self.height + self.width)


def pieces_of(mask: NDArray[np.bool_], seeds: NDArray[np.bool_] | None = None) -> list[Piece]:
    """Return what hangs together in ``mask`` (H, W) by sides or corners, holds one of ``seeds``, and is no dust."""
    labels, count = ndimage.label(mask, structure=_EIGHT)
    if not count:
        return []
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    wanted = np.ones(count + 1, dtype=bool)
    if seeds is not None:
        wanted[:] = False
        wanted[labels[mask & seeds]] = True
    wanted[0] = False
    if not wanted.any():
        return []
    wanted &= sizes >= _SPECK * sizes[wanted].max()
    boxes = ndimage.find_objects(labels)
    return [Piece(boxes[own - 1], labels[boxes[own - 1]] == own, mask.shape) for own in np.flatnonzero(wanted)]


def of_digits(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces without frames round the others, and without what reaches in from the border."""
    inner = [piece for piece in pieces if not _is_frame(piece, pieces)]
    inside = [piece for piece in inner if not piece.contact and piece.is_like_strokes]
    tallest = max((piece.longer for piece in inside), default=0)
    return [
        piece
        for piece in inner
        if not piece.contact
        or (piece.is_like_strokes and not piece.is_cut_off and (2 * tallest < piece.longer or not inside))
    ]


def grouped(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """Return the pieces of each digit, in rows from above, and in each row from left to right."""
    pieces = list(pieces)
    if not pieces:
        return []
    near = _ONE_DIGIT * max(piece.longer for piece in pieces)
    groups: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: -piece.area):
        touched = [group for group in groups if any(_belong(piece, other, near) for other in group)]
        groups = [group for group in groups if group not in touched]
        groups.append([piece, *(other for group in touched for other in group)])
    tallest = max(_height(group) for group in groups)
    digits = [group for group in groups if _height(group) >= _PART * tallest]
    return _in_reading_order(digits)


def _is_frame(piece: Piece, pieces: Sequence[Piece]) -> bool:
    """Say whether a piece goes round another that is large enough to be what is meant."""
    within = [
        other
        for other in pieces
        if other is not piece
        and other.height >= _INNER * piece.height
        and other.top > piece.top
        and other.bottom < piece.bottom
        and other.left > piece.left
        and other.right < piece.right
    ]
    if not within:
        return False
    filled = ndimage.binary_fill_holes(piece.mask)
    return any(
        filled[
            other.top - piece.top : other.bottom - piece.top, other.left - piece.left : other.right - piece.left
        ].all()
        for other in within
    )


def _belong(first: Piece, second: Piece, near: float) -> bool:
    """Say whether two pieces are strokes of one digit: not beside each other and as tall, unless all but touching."""
    across = max(first.left, second.left) - min(first.right, second.right)
    down = max(first.top, second.top) - min(first.bottom, second.bottom)
    lower, taller = sorted((first.height, second.height))
    if across >= 0 and lower >= _AS_TALL * taller:
        near *= _TOUCHING / _ONE_DIGIT
    elif max(min(first.longer, second.longer), lower) < _PART * taller:
        near *= _NEARBY / _ONE_DIGIT
    return max(across, 0) ** 2 + max(down, 0) ** 2 <= near**2


def _height(group: Sequence[Piece]) -> int:
    return max(piece.bottom for piece in group) - min(piece.top for piece in group)


def _in_reading_order(groups: list[list[Piece]]) -> list[list[Piece]]:
    rows: list[list[list[Piece]]] = []
    bottom = 0.0
    for group in sorted(groups, key=lambda group: min(piece.top for piece in group)):
        top, height = min(piece.top for piece in group), _height(group)
        if not rows or top + height / 2 > bottom:
            rows.append([])
            bottom = top + height
        rows[-1].append(group)
    return [group for row in rows for group in sorted(row, key=lambda group: min(piece.left for piece in group))]
