"""Pictures of handwriting, and what a network sees of them: prepared the way MNIST was."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lenet_tui.errors import LabError, UsageError
from lenet_tui.ink import NoInkError, ink_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIDE = 28
BOX = 20  # pixels, of MNIST alone: the images of the other data sets fill their 28
MOST_PIXELS = 64_000_000
WORKING_SIDE = 1024  # pixels; a digit of a fiftieth of the picture's height still has the 20 that it is scaled to


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


def read(path: Path) -> NDArray[np.float32]:
    """Return the ink of a PNG or JPEG picture: (H, W) from 0, paper, to 1, at most 1,024 pixels a side.

    Dark on light and light on dark are told apart by the picture's border. The paper's grey, which may change
    smoothly from one side to the other, its noise and dust become exactly 0; the soft edges of strokes stay. Raises
    `UsageError` when there is no such file, and `LabError` when it is no such picture, when it has more than 64 million
    pixels, and when no ink is on it.
    """
    try:
        return ink_of(_grey(path))
    except NoInkError:
        raise LabError(f"{path} is blank: nothing on it stands out from its border") from None


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


def _grey(path: Path) -> NDArray[np.float32]:
    """Return a picture's greys (H, W) from 0, black, to 1, the way up it was taken, reduced to the working size."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about size, which we look at ourselves, and about odd metadata
            with Image.open(path, formats=("PNG", "JPEG")) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise _too_large(path)
                if opened.format != "PNG":  # a JPEG, or what phones make of several in one file
                    opened.draft(None, (WORKING_SIDE, WORKING_SIDE))  # let the decoder leave pixels out
                opened.load()
                return _reduced(ImageOps.exif_transpose(opened))
    except Image.DecompressionBombError:
        raise _too_large(path) from None
    except UnidentifiedImageError:
        raise LabError(f"{path} is neither a PNG nor a JPEG picture") from None
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UsageError(f"{path} is no picture: {error.strerror}") from None
    except OSError as error:
        # The system says why a file cannot be read; Pillow's own words are about the picture in it.
        if error.errno is not None:
            raise LabError(f"cannot read {path}: {error.strerror}") from None
        raise LabError(f"{path} is damaged: {error}") from None
    except (ValueError, SyntaxError, EOFError) as error:  # Pillow says damaged files in all these ways
        raise LabError(f"{path} is damaged: {error}") from None


def _too_large(path: Path) -> LabError:
    return LabError(f"{path} has more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller, or cut it out")


def _reduced(picture: Image.Image) -> NDArray[np.float32]:
    factor = -(-max(picture.size) // WORKING_SIDE)
    if picture.mode.startswith(("I", "F")):  # 16 bits a pixel
        deep = np.asarray(picture, dtype=np.float32)
        picture = Image.fromarray(deep * np.float32(1 / max(65535.0, float(deep.max()))))
        return np.asarray(picture.reduce(factor), dtype=np.float32)
    if picture.has_transparency_data:
        return _on_ground(np.asarray(picture.convert("RGBA").reduce(factor).convert("RGBA")))
    picture = picture if picture.mode == "L" else picture.convert("RGB").convert("L")
    return np.asarray(picture.reduce(factor), dtype=np.float32) / np.float32(255)


def _on_ground(rgba: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the greys of a picture (H, W, 4) on the ground that was meant.

    That is its own at the border where that is opaque; else white under ink that is dark on the whole, black under
    light ink.
    """
    grey = rgba[..., :3] @ np.array([0.299, 0.587, 0.114]) / 255  # ITU-R BT.601, as Pillow has it
    alpha = rgba[..., 3] / 255.0
    border = np.ones(alpha.shape, dtype=bool)
    border[1:-1, 1:-1] = False
    opaque = border & (alpha > 0.5)
    if 2 * opaque.sum() > border.sum():
        ground = float(np.median(grey[opaque]))
    else:
        ground = 1.0 if (grey * alpha).sum() <= 0.5 * alpha.sum() else 0.0
    found: NDArray[np.float32] = (alpha * grey + (1 - alpha) * ground).astype(np.float32)
    return found
