"""Small images and feature maps as rows of cells: half blocks in colour, characters by brightness without. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip

from lenet_tui.tui.widgets.halfblocks import Blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import App

RAMP = " ░▒▓█"
BELOW = " ·-=%"  # for what is below 0, by how far
_STEP = 17  # so many greys are one, for runs of equal cells and few bytes
_ZERO, _POSITIVE, _NEGATIVE = (24, 24, 24), (255, 158, 60), (80, 160, 255)
_MARK = b"\xff\x40\x40"
_GAMMA = 0.6  # so that what is far below the largest can be seen too
_LARGEST_SCALE = 4

Tile = list[Strip]


def has_colours(app: App[object]) -> bool:
    """Return whether the terminal has colours enough for pictures."""
    return not app.no_color and app.console.color_system in ("256", "truecolor")


def grey(pixels: bytes, width: int, *, colours: bool, marked: Sequence[int] = ()) -> Tile:
    """Return rows of ``width`` bytes, ink high, as half as many rows of cells. Pixels ``marked`` stand out."""
    if colours:
        content = bytearray(b"".join(map(_grey, pixels)))
        for pixel in marked:
            content[3 * pixel : 3 * pixel + 3] = _MARK
        return _strips(bytes(content), width)
    lines = [[_character(top, bottom) for top, bottom in pair] for pair in _pairs(pixels, width)]
    for pixel in marked:
        row, column = divmod(pixel, width)
        lines[row // 2][column] = "+"
    return [Strip([Segment("".join(line))], width) for line in lines]


def signed(values: bytes, width: int, *, colours: bool) -> Tile:
    """Return rows of ``width`` signed bytes in two colours, or other characters for what is below 0."""
    if colours:
        return _strips(b"".join(map(_two_sided, values)), width)
    return [
        Strip([Segment("".join(_sign((number(top) + number(bottom)) // 2) for top, bottom in pair))], width)
        for pair in _pairs(values, width)
    ]


def number(byte: int) -> int:
    """Return what an unsigned byte is as a signed one."""
    return byte - 256 if byte > 127 else byte


def enlarged(values: bytes, width: int, factor: int) -> bytes:
    """Return an image with each pixel ``factor`` times as wide and high."""
    rows = [values[start : start + width] for start in range(0, len(values), width)]
    return b"".join(bytes(value for value in row for _ in range(factor)) * factor for row in rows)


def halved(values: bytes, width: int, *, is_signed: bool = False) -> bytes:
    """Return an image of half the width and height, rounded up: means of up to four pixels."""
    read = number if is_signed else int
    height = len(values) // width
    means = bytearray()
    for row in range(0, height, 2):
        for column in range(0, width, 2):
            part = [
                read(values[y * width + x])
                for y in range(row, min(row + 2, height))
                for x in range(column, min(column + 2, width))
            ]
            means.append((sum(part) // len(part)) % 256)
    return bytes(means)


@dataclass(frozen=True)
class Tiling:
    """How tiles are laid out: ``scale`` times as large, 0 for half; ``across`` beside and ``down`` below each other."""

    scale: int
    across: int
    down: int

    @property
    def count(self) -> int:
        """How many fit at once."""
        return self.across * self.down


def tiling(count: int, width: int, height: int, columns: int, rows: int) -> Tiling:
    """Return the largest scale at which ``count`` tiles of ``width`` × ``height`` pixels fit into the room.

    Where not even halves of them do, as many as fit are shown at once, of small tiles at their full size.
    """
    for scale in range(_LARGEST_SCALE, -1, -1):
        layout = _at(scale, width, height, columns, rows)
        if layout.count >= count:
            return layout
    return _at(0 if width > 14 else 1, width, height, columns, rows)


def beside(tiles: Sequence[Tile], gap: int) -> Tile:
    """Return tiles beside each other; one that is lower than others has blank lines below."""
    widths = [max((strip.cell_length for strip in tile), default=0) for tile in tiles]
    return [
        Strip.join(strip.adjust_cell_length(width + gap) for strip, width in zip(row, widths, strict=True))
        for row in zip_longest(*tiles, fillvalue=Strip([]))
    ]


def _at(scale: int, width: int, height: int, columns: int, rows: int) -> Tiling:
    wide = width * scale if scale else -(-width // 2)
    high = -(-(height * scale if scale else -(-height // 2)) // 2)
    return Tiling(scale, max(1, (columns + 1) // (wide + 1)), max(1, (rows + 1) // (high + 1)))


def _strips(content: bytes, width: int) -> Tile:
    rows = len(content) // (3 * width)
    picture = Blocks(width, -(-rows // 2), content)
    return [picture.strip(row) for row in range(picture.height)]


def _pairs(values: bytes, width: int) -> list[list[tuple[int, int]]]:
    """Return for each row of cells the values above each other; below the last row of an odd number it counts twice."""
    rows = [values[start : start + width] for start in range(0, len(values), width)]
    return [list(zip(rows[n], rows[min(n + 1, len(rows) - 1)], strict=True)) for n in range(0, len(rows), 2)]


@lru_cache(256)
def _grey(value: int) -> bytes:
    return bytes([value // _STEP * _STEP] * 3)


@lru_cache(256)
def _two_sided(byte: int) -> bytes:
    value = number(byte)
    end = _POSITIVE if value > 0 else _NEGATIVE
    share = round((abs(value) / 127) ** _GAMMA * 15) / 15
    return bytes(round(low + (high - low) * share) for low, high in zip(_ZERO, end, strict=True))


def _character(top: int, bottom: int) -> str:
    if abs(top - bottom) > 127:
        return "▀" if top > bottom else "▄"
    return RAMP[(top + bottom) * len(RAMP) // 511]


def _sign(value: int) -> str:
    steps = RAMP if value >= 0 else BELOW
    return steps[round((abs(value) / 128) ** _GAMMA * (len(steps) - 1))]
