"""Reading a picture from a file that may be anything: huge, damaged, no picture, no file."""

from __future__ import annotations

import logging
import os
import stat
import struct
import warnings
import zlib
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

from lenet_tui.errors import LabError, UsageError
from lenet_tui.formatting import printable

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MOST_PIXELS = 64_000_000
MOST_BYTES = 512_000_000  # 64 million pixels of three 16-bit colours have 384
WORKING_SIDE = 640  # pixels; a digit of a thirtieth of the picture's height still has the 20 that it is scaled to
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
# Pillow says that a file is damaged in all these ways, besides OSError.
_DAMAGED = (
    ValueError,
    TypeError,
    LookupError,
    SyntaxError,
    EOFError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    AssertionError,
    struct.error,
    zlib.error,
)
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF = {b"avif", b"avis"}
_SHALLOW = 0.5  # of the whole range: what gets no lighter is scaled up

logging.getLogger("PIL").setLevel(logging.CRITICAL)  # it logs oddities of files to stderr, beside our one line


def read_colours(path: Path) -> NDArray[np.float32]:
    """Return a picture's colours (H, W, 3), or greys (H, W, 1), from 0, black, to 1, the way up it was taken.

    At most 640 pixels a side; of several pictures in a file, the first. Raises `UsageError` when there is no such
    file, and `LabError` when it is not a picture that can be read, or too large: one line, that shows the path as
    `printable` does.
    """
    shown = printable(str(path))
    try:
        with _regular_file(path, shown) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about size, which we look at ourselves, and about odd metadata
            _refuse_by_name(file, shown)
            with Image.open(file, formats=(*FORMATS, *(("AVIF",) if features.check("avif") else ()))) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise _too_large(shown)
                if opened.format in ("JPEG", "MPO"):  # MPO is what phones make of several in one file
                    opened.draft(None, (WORKING_SIDE, WORKING_SIDE))  # let the decoder leave pixels out
                opened.load()
                return _in_whole_range(_reduced(_turned(opened)))
    except Image.DecompressionBombError:
        raise _too_large(shown) from None
    except UnidentifiedImageError:
        raise LabError(f"{shown} is not a picture that can be read: {_listed(FORMATS)} can") from None
    except MemoryError:
        raise LabError(f"{shown} needs more memory than there is; make it smaller, or cut the digit out") from None
    except OSError as error:
        # The system says why a file cannot be read; Pillow's own words are about the picture in it.
        if error.errno is not None:
            raise LabError(f"cannot read {shown}: {error.strerror}") from None
        raise LabError(f"{shown} is damaged: {printable(str(error))}") from None
    except _DAMAGED as error:
        raise LabError(f"{shown} is damaged: {printable(str(error)) or type(error).__name__}") from None


def _regular_file(path: Path, shown: str) -> IO[bytes]:
    """Open a file without waiting for another end of a pipe."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{shown} is not a picture: {error.strerror}") from None
    except ValueError:  # a NUL byte in the name
        raise UsageError(f"{shown} is not a picture: no file has such a name") from None
    file = os.fdopen(number, "rb") if stat.S_ISREG(os.fstat(number).st_mode) else None
    if file is None:
        kind = "a directory" if stat.S_ISDIR(os.fstat(number).st_mode) else "no regular file"
        os.close(number)
        raise UsageError(f"{shown} is not a picture: it is {kind}")
    if os.fstat(number).st_size > MOST_BYTES:
        file.close()
        raise LabError(f"{shown} has more than {MOST_BYTES // 1_000_000} MB; make it smaller, or cut the digit out")
    return file


def _refuse_by_name(file: IO[bytes], shown: str) -> None:
    """Raise `LabError` for kinds of pictures that are recognised but cannot be read."""
    start = file.read(32)
    file.seek(0)
    brands = {start[8:12], *(start[at : at + 4] for at in range(16, 32, 4))} if start[4:8] == b"ftyp" else set()
    if brands & _AVIF:
        if not features.check("avif"):
            raise LabError(f"{shown} is an AVIF picture, which cannot be read here; save it as JPEG or PNG")
    elif brands & _HEIF:
        raise LabError(
            f"{shown} is a HEIC picture, which cannot be read; save it as JPEG or PNG "
            "(iPhone: Settings, Camera, Formats, Most Compatible)"
        )
    elif start.startswith(b"%PDF"):
        raise LabError(f"{shown} is a PDF, which cannot be read; save its page as JPEG or PNG")


def _too_large(shown: str) -> LabError:
    return LabError(f"{shown} has more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller, or cut it out")


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _turned(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except (OSError, *_DAMAGED):  # what is written beside a picture may be damaged where the picture is not
        return picture


def _reduced(picture: Image.Image) -> NDArray[np.float32]:
    factor = -(-max(picture.size) // WORKING_SIDE)
    if picture.mode.startswith(("I", "F")):  # 16 or 32 bits a pixel
        picture = picture.convert("I") if picture.mode.startswith("I;16") else picture
        return _scaled(np.asarray(picture.convert("F").reduce(factor), dtype=np.float32))[..., np.newaxis]
    if picture.has_transparency_data:
        return _on_ground(np.asarray(picture.convert("RGBA").reduce(factor).convert("RGBA")))
    if picture.mode == "LAB":  # Pillow cannot convert it; its first channel is the lightness
        picture = picture.getchannel(0)
    picture = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    pixels = np.asarray(picture.reduce(factor), dtype=np.float32) / np.float32(255)
    return pixels.reshape(*pixels.shape[:2], -1)


def _scaled(deep: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return deep greys from 0 to 1, by the fewest bits that hold them all: cameras store 10, 12 or 14 in 16."""
    finite = np.isfinite(deep)
    if not finite.any():
        return np.zeros_like(deep)
    deep = np.where(finite, deep, np.median(deep[finite])).astype(np.float64)
    lowest, highest = float(deep.min()), float(deep.max())
    if lowest < 0:
        deep, highest = deep - lowest, highest - lowest
    whole = 1.0 if highest <= 1 else 2.0 ** np.ceil(np.log2(highest + 1)) - 1
    return (deep / max(whole, highest)).astype(np.float32)


def _in_whole_range(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the colours of a picture that is dark all over as light as they can be."""
    highest = float(colours.max(initial=0))
    return colours / np.float32(highest) if 0 < highest < _SHALLOW else colours


def _on_ground(rgba: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the colours (H, W, 3) of a picture (H, W, 4) on the ground that was meant.

    That is its own at the border where that is opaque; else white under ink that is dark on the whole, black under
    light ink.
    """
    colours, alpha = rgba[..., :3] / 255.0, rgba[..., 3:] / 255.0
    border = np.ones(alpha.shape[:2], dtype=bool)
    border[1:-1, 1:-1] = False
    opaque = border & (alpha[..., 0] > 0.5)
    if 2 * opaque.sum() > border.sum():
        ground = np.median(colours[opaque], axis=0)
    else:
        ground = np.full(3, 1.0 if (colours * alpha).sum() <= 0.5 * 3 * alpha.sum() else 0.0)
    result: NDArray[np.float32] = (alpha * colours + (1 - alpha) * ground).astype(np.float32)
    return result
