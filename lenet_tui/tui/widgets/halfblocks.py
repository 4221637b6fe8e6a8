"""Pictures as text: two pixels in each cell, the upper half block's colour above its ground."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lenet_tui.errors import LabError
from lenet_tui.host.safe_files import MB, read_own

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

# Few colours and clean paper make runs of equal cells, hence few bytes over a slow link.
COLOURS = 32
NEARLY_WHITE = 236
# Ours have 100 kB and less than two million pixels.
MOST_BYTES = 20 * MB
MOST_PIXELS = 20_000_000


@dataclass(frozen=True)
class Blocks:
    """A picture scaled to ``width`` × ``height`` cells: (height * 2) rows of ``width`` RGB pixels, three bytes each.

    The last row may be missing; the lower halves of its cells are then the screen's ground.
    """

    width: int
    height: int
    pixels: bytes

    def strip(self, row: int) -> Strip:
        """Return one row of cells."""
        size = 3 * self.width
        upper = self.pixels[2 * row * size : (2 * row + 1) * size]
        lower = self.pixels[(2 * row + 1) * size : (2 * row + 2) * size]
        segments, start = [], 0
        for column in range(1, self.width + 1):
            at, first = 3 * column, 3 * start
            pair = upper[first : first + 3], lower[first : first + 3]
            if column == self.width or (upper[at : at + 3], lower[at : at + 3]) != pair:
                segments.append(_segment(*pair, column - start))
                start = column
        return Strip(segments, self.width)


@lru_cache(4096)
def _segment(upper: bytes, lower: bytes, count: int) -> Segment:
    if not lower:
        return Segment("▀" * count, Style.parse(f"#{upper.hex()}"))
    ground = f"#{lower.hex()}"
    if upper == lower:
        return Segment(" " * count, Style.parse(f"on {ground}"))
    return Segment("▀" * count, Style.parse(f"#{upper.hex()} on {ground}"))


def fitted(picture_size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """Return the (width, height) in cells, at least 1 × 1, in which a picture fills the room and keeps its shape.

    A cell is taken to be twice as high as wide, so that half of one is a square.
    """
    width, height = picture_size
    scale = min(columns / width, 2 * rows / height)
    return max(1, round(width * scale)), max(1, round(height * scale / 2))


def read(path: Path) -> Image.Image:
    """Return a run's picture, RGB. Raises FileNotFoundError, and `LabError` when it is too large or damaged."""
    from PIL import Image, UnidentifiedImageError

    content = read_own(path, MOST_BYTES)
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
            width, height = opened.size
            if width * height > MOST_PIXELS:
                raise LabError(f"{path.name} cannot be shown: {width:,} × {height:,} pixels are more than a run draws")
            return opened.convert("RGB")
    except UnidentifiedImageError:
        raise LabError(f"{path.name} cannot be shown: it is not a PNG picture") from None
    except Image.DecompressionBombError:
        raise LabError(f"{path.name} cannot be shown: it has more pixels than a run draws") from None
    except (OSError, ValueError, SyntaxError, OverflowError, MemoryError) as error:  # damaged
        raise LabError(f"{path.name} cannot be shown: {error}") from None


def load(path: Path, columns: int, rows: int) -> Blocks:
    """Read a picture and scale it to fit. Slow: not for the event loop. Raises as `read`."""
    from PIL import Image

    picture = read(path)
    width, height = fitted(picture.size, columns, rows)
    picture = picture.resize((width, 2 * height), Image.Resampling.LANCZOS)
    picture = picture.point([255 if value > NEARLY_WHITE else value for value in range(256)] * 3)
    picture = picture.quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
    return Blocks(width, height, picture.tobytes())
