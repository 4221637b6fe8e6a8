"""Telling ink from paper in a picture of greys: by a smooth surface, or by what is lightest round each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage  # type: ignore[import-untyped]

from lenet_tui.handwriting.lines import printed_lines
from lenet_tui.handwriting.pieces import Piece, of_digits, pieces_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_GREYS = 0.06  # of the range from black to white, by which ink has to stand out
_NOISE = 4.0  # standard deviations of the paper that are no ink
_CLOSED_NOISE = 5.5  # the same, where the paper is what is lightest
_FAINTEST = 0.2  # of full ink: JPEG's ringing beside a stroke is fainter than that
_DARKEST = 99.9  # the percentile of a picture's pixels that is ink, however small a digit is
_BROADER = 2.5  # times the broadest stroke: where two meet, they are broader than one
_LEAST = 0.01  # of the longer side: what is no larger is a corner of something
_UNEVEN = 0.03  # of the pixels beside ink: how many may be no paper
_FULL = 90  # the percentile of ink that counts as full
_FRAME = 1 / 20  # of the shorter side: how much of the picture's border is thought to be paper
_SAMPLES = 5_000  # pixels that the paper is estimated from
MEDIAN_TO_STANDARD = 1.4826  # of a normal distribution
_WINDOW = 0.25  # of the longer side: no stroke is as broad, and a shadow or a thumb is broader


def on_smooth_paper(
    grey: NDArray[np.float32],
) -> tuple[NDArray[np.float32], list[Piece], NDArray[np.float32]]:
    """Return the ink of greys (H, W), as shares from 0 to 1, its pieces, and the paper, where light changes smoothly.

    What most of the border is, is paper. Whatever departs from it to the other side of grey is ink where it is joined
    to something at least half as far from the paper as full ink (hysteresis, J. Canny, "A Computational Approach to
    Edge Detection", 1986), and not as small as dust. There are no pieces where nothing stands out.
    """
    paper, noise = _surface(grey)
    ink = grey - paper
    beyond = np.where(np.abs(ink) > _NOISE * noise, ink, 0)
    if (np.minimum(beyond, 0) ** 2).sum() > (np.maximum(beyond, 0) ** 2).sum():
        ink = -ink
    return *_strokes(ink, _NOISE * noise), paper


def is_smooth(grey: NDArray[np.float32], pieces: list[Piece], paper: NDArray[np.float32]) -> bool:
    """Say whether what a picture (H, W) has beside its ``pieces`` is the smooth surface that was taken for paper."""
    beside = np.ones(grey.shape, dtype=bool)
    for piece in pieces:
        beside[piece.box] &= ~piece.mask
    beside = ndimage.binary_erosion(beside, iterations=2)
    away = np.abs(ndimage.uniform_filter(grey, 5) - paper)[beside]
    return bool((away > FEWEST_GREYS).mean() <= _UNEVEN) if away.size else True


def on_uneven_paper(grey: NDArray[np.float32], *, light: bool = False) -> tuple[NDArray[np.float32], list[Piece]]:
    """Return ink and its pieces where paper has shadows, edges, thumbs or lines; ``light``: of ink lighter than paper.

    The paper at a pixel is what a closing leaves there (J. Serra, "Image Analysis and Mathematical Morphology", 1982):
    what is dark and narrow is ink, the rest is another ground. Narrow is a quarter of the picture, and once the
    breadth of the strokes is known, little more than that, which follows curved edges closely. Ink is measured by what
    share of the paper's light it takes, which a shadow does not change.
    """
    grey = 1 - grey if light else grey
    widest = _WINDOW * max(grey.shape)
    shares, pieces = _after_closing(grey, widest)
    if pieces:
        window = _BROADER * max(piece.breadth for piece in pieces)
        if window < widest:
            shares, pieces = _after_closing(grey, window)
    return shares, pieces


def _after_closing(grey: NDArray[np.float32], window: float) -> tuple[NDArray[np.float32], list[Piece]]:
    smooth = ndimage.median_filter(grey, 3)  # which keeps edges, where a mean would leave their outlines
    noise = float(MEDIAN_TO_STANDARD * np.median(np.abs(grey - smooth))) * 1.06
    paper = ndimage.grey_closing(smooth, size=max(3, round(window)))
    ink = 1 - grey / np.maximum(paper, FEWEST_GREYS)
    least = max(_CLOSED_NOISE * noise, FEWEST_GREYS) / max(float(np.median(paper)), FEWEST_GREYS)
    least = max(least, _FAINTEST * float(np.percentile(ink, _DARKEST)))
    unlined = np.where(printed_lines(ink > least), 0, ink).astype(np.float32)
    _, pieces = _strokes(unlined, least)
    if of_digits(pieces):
        ink = unlined
    else:  # a digit of straight lines
        _, pieces = _strokes(ink, least)
    shares, pieces = _strokes(without(ink, pieces, of_digits(pieces)), least)
    return shares, [piece for piece in of_digits(pieces) if piece.longer > _LEAST * max(grey.shape)]


def without(ink: NDArray[np.float32], pieces: list[Piece], kept: list[Piece]) -> NDArray[np.float32]:
    """Return the ink (H, W) without those of ``pieces`` that are not kept, nor their soft edges."""
    dropped = np.zeros(ink.shape, dtype=bool)
    for piece in pieces:
        if not any(piece is one for one in kept):
            dropped[piece.box] |= piece.mask
    return np.where(ndimage.binary_dilation(dropped, iterations=2), 0, ink).astype(np.float32) if dropped.any() else ink


def _strokes(ink: NDArray[np.float32], least: float) -> tuple[NDArray[np.float32], list[Piece]]:
    above = ink[ink > max(least, FEWEST_GREYS)]
    if not above.size:
        return np.zeros_like(ink), []
    full = float(np.percentile(above, _FULL))
    shares = np.clip(ink / full, 0, 1).astype(np.float32)
    return shares, pieces_of(ink > max(least, _FAINTEST * full), ink > full / 2)


def _surface(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
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
        noise = MEDIAN_TO_STANDARD * float(np.median(away[border]))
        paper = candidates & (away <= max(_NOISE * noise, FEWEST_GREYS))
        weights = np.linalg.lstsq(some[paper].astype(np.float64), sample[paper].astype(np.float64), rcond=None)[0]
        surface = np.asarray(some @ weights)
    noise = MEDIAN_TO_STANDARD * float(np.median(np.abs(sample - surface)[paper]))
    return (terms @ weights).astype(np.float32), noise


def _terms(height: int, width: int) -> NDArray[np.float32]:
    """Return 1, x, y, xy, x², y² at each pixel, (H, W, 6), with x and y from -1 to 1."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1).astype(np.float32)
