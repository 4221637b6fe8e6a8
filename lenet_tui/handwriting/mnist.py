"""Ink as a network sees it: prepared the way MNIST was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 28
BOX = 20  # pixels, of MNIST alone: the images of the other data sets fill their 28


def prepare(image: NDArray[Any], dataset: str) -> NDArray[np.uint8]:
    """Return a picture (H, W) as `as_mnist` does, but as large as ``dataset`` shows its things."""
    return as_mnist(image, BOX if dataset == "mnist" else SIDE)


def as_mnist(image: NDArray[Any], box: int = BOX) -> NDArray[np.uint8]:
    """Return a picture of any size (H, W), ink high and paper 0, as MNIST would have it: (28, 28) uint8, ink 255.

    The rectangle of what is above 0 is scaled, its aspect kept, to fit 20×20 (``box``) with anti-aliasing, which makes
    greys, and put into 28×28 so that its centre of mass is in the middle (Y. LeCun, L. Bottou, Y. Bengio and
    P. Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, section III.A). The darkest ink
    becomes 255, as in nearly all of MNIST, so that thin strokes don't fade when they are scaled down. Paper without
    ink stays all 0.
    """
    ink = _cut_out(np.clip(np.asarray(image, dtype=np.float32), 0, None))
    framed = np.zeros((SIDE, SIDE), dtype=np.float32)
    if ink.size:
        square = np.zeros((max(ink.shape), max(ink.shape)), dtype=np.float32)  # so that both axes are scaled alike
        _put(ink, square, [(side - own) // 2 for side, own in zip(square.shape, ink.shape, strict=True)])
        scaled = np.asarray(Image.fromarray(square).resize((box, box), Image.Resampling.HAMMING)).clip(0)
        ink = _cut_out(scaled * (255 / scaled.max()))
        _put(ink, framed, [_corner(ink.sum(axis=1)), _corner(ink.sum(axis=0))])
    return np.rint(framed).astype(np.uint8)


def _cut_out(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rectangle of what is above 0; nothing, (0, 0), where there is none."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        return ink[:0, :0]
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _put(ink: NDArray[np.float32], ground: NDArray[np.float32], corner: list[int]) -> None:
    top, left = corner
    ground[top : top + ink.shape[0], left : left + ink.shape[1]] = ink


def _corner(mass: NDArray[np.float32]) -> int:
    """Return where along one axis the scaled ink begins, so that its centre of mass is that of the 28 pixels."""
    centre = float((mass * np.arange(len(mass))).sum() / mass.sum())
    return min(max(round(SIDE / 2 - centre), 0), SIDE - len(mass))
