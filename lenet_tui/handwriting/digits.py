"""From greys to the digits on them: which way of telling ink from paper fits, and where each digit is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage  # type: ignore[import-untyped]

from lenet_tui.handwriting.colour import lightness_of_ink
from lenet_tui.handwriting.lines import printed_lines
from lenet_tui.handwriting.paper import MEDIAN_TO_STANDARD, is_smooth, on_smooth_paper, on_uneven_paper
from lenet_tui.handwriting.pieces import Piece, grouped, of_digits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_CLOSE_UP = 0.65  # of both sides: what is that large, with strokes as broad as these, fills the picture
_BROAD = (0.06, 0.34)  # of the longer side
_SHADOW = (0.28, 0.5)  # strokes as broad as that that are as much at the border as that are no strokes
_IMPULSES = 0.01  # of all pixels
_IMPULSE = 0.2  # of the range from black to white, from the median of its neighbours
_NO_STROKES = "the ink looks like no handwriting; photograph the digit alone, on plain paper"
_CLEAR = 0.75  # of the energy: what is so much lighter, or darker, than the paper, is ink
_LARGE = 100  # pixels a side; on a smaller picture, a thin stroke looks like noise
_NOISY = 0.05  # of the range from black to white, standard deviation


@dataclass(frozen=True, eq=False)
class Digit:
    """Ink (h, w) as shares from 0 to 1, its corner in the working picture, in pixels, and what speaks against it."""

    ink: NDArray[np.float32]
    left: int
    top: int
    doubts: tuple[str, ...] = ()


def digits_on(grey: NDArray[np.float32]) -> list[Digit]:
    """Return the digits on a picture of greys (H, W), in reading order; none where nothing stands out."""
    shares, pieces, doubts = _ink_of(quieted(grey))
    return [_digit(shares, group, doubts) for group in grouped(pieces)]


def thing_on(grey: NDArray[np.float32], *, strokes: bool) -> list[Digit]:
    """Return all ink on a picture of greys (H, W) as one thing; ``strokes``: written, so that shadows can be seen."""
    grey = quieted(grey)
    if not strokes:
        shares, pieces, _ = on_smooth_paper(grey)
        return [_digit(shares, pieces)] if pieces else []
    shares, pieces, doubts = _ink_of(grey)
    return [_digit(shares, pieces, doubts)] if pieces else []


def _ink_of(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], list[Piece], tuple[str, ...]]:
    """Return shares of ink (H, W), the pieces that are strokes, and doubts; the way that fits the picture decides."""
    shares, pieces, paper = on_smooth_paper(grey)
    if pieces and (_is_close_up(pieces) or (_is_plain(pieces) and is_smooth(grey, pieces, paper))):
        return shares, pieces, ()
    result = [(_contrast(grey, strokes), others, strokes) for others, strokes in _both_ways(grey)]
    if result:
        _, shares, strokes = max(result, key=lambda one: one[0])
        return shares, strokes, ()
    return shares, pieces, (_NO_STROKES,)


def _both_ways(grey: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], list[Piece]]]:
    """Yield ink and its pieces as dark on light or light on dark, and as both where that is not clear."""
    light_share = lightness_of_ink(grey)
    light = light_share > 0.5
    clear = abs(light_share - 0.5) > _CLEAR - 0.5
    shares, strokes = on_uneven_paper(grey, light=light)
    if strokes:
        yield shares, strokes
    if not (clear and strokes):
        shares, strokes = on_uneven_paper(grey, light=not light)
        if strokes:
            yield shares, strokes


def _contrast(grey: NDArray[np.float32], pieces: Sequence[Piece]) -> float:
    """Return by how much the pieces on a picture (H, W) differ from what is close to them."""
    ink = _pixels(pieces)
    size = 2 * round(max(piece.breadth for piece in pieces)) + 1
    near = (ndimage.maximum_filter(ink.view(np.uint8), size) > 0) & ~ndimage.binary_dilation(ink, iterations=3)
    return abs(float(np.median(grey[ink])) - float(np.median(grey[near]))) if near.any() else 0.0


def quieted(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the greys (H, W) with strong noise and impulses, if there are any, taken out by medians."""
    for size in (3, 5, 5) if min(grey.shape) >= _LARGE else ():
        middle = ndimage.median_filter(grey, 3)
        away = np.abs(grey - middle)
        if (away > _IMPULSE).mean() <= _IMPULSES and MEDIAN_TO_STANDARD * np.median(away) <= _NOISY:
            break
        grey = middle if size == 3 else ndimage.median_filter(grey, size)
    return grey


def _is_close_up(pieces: Sequence[Piece]) -> bool:
    """Say whether a digit fills the picture, so that no paper is round it to tell it by."""
    largest = max(pieces, key=lambda piece: piece.area)
    height, width = largest.shape
    if largest.height < _CLOSE_UP * height or largest.width < _CLOSE_UP * width or not largest.is_like_strokes:
        return False
    breadth, contact = largest.breadth / max(height, width), largest.contact / (largest.height + largest.width)
    if not _BROAD[0] <= breadth <= _BROAD[1] or (breadth > _SHADOW[0] and contact > _SHADOW[1]):
        return False
    return not printed_lines(largest.whole).any()


def _is_plain(pieces: Sequence[Piece]) -> bool:
    """Say whether there are strokes only, all within the picture, and no printed lines."""
    return (
        len(of_digits(pieces)) == len(pieces)
        and not any(piece.contact or not piece.is_like_strokes for piece in pieces)
        and not printed_lines(_pixels(pieces)).any()
    )


def _pixels(pieces: Sequence[Piece]) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = np.logical_or.reduce([piece.whole for piece in pieces])
    return result


def _digit(shares: NDArray[np.float32], group: Sequence[Piece], doubts: tuple[str, ...] = ()) -> Digit:
    top, bottom = min(piece.top for piece in group), max(piece.bottom for piece in group)
    left, right = min(piece.left for piece in group), max(piece.right for piece in group)
    mask = np.zeros((bottom - top, right - left), dtype=bool)
    for piece in group:
        mask[piece.top - top : piece.bottom - top, piece.left - left : piece.right - left] |= piece.mask
    return Digit(np.where(mask, shares[top:bottom, left:right], 0).astype(np.float32), left, top, doubts)
