"""Small images and feature maps as rows of cells: half blocks in colour, characters by brightness without. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lenet_tui.tui.widgets.halfblocks import Blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import App
    from textual.widget import Widget

RAMP = " ░▒▓█"
BELOW = " ·-=%"  # for what is below 0, by how far
_GREYS = 31  # steps, for runs of equal cells and few bytes
_COLOURS = 24  # steps on each side of 0
# From 0 to the largest value and to the smallest: neutral like the ground, then further and further from it.
_DARK = (
    ((24, 24, 26), (112, 54, 10), (226, 128, 34), (255, 220, 156)),
    ((24, 24, 26), (20, 64, 118), (52, 134, 222), (164, 214, 255)),
)
_LIGHT = (
    ((246, 246, 246), (252, 206, 152), (228, 118, 28), (122, 46, 4)),
    ((246, 246, 246), (176, 210, 238), (70, 140, 200), (8, 62, 126)),
)
# Of 16 colours, in the values that Rich takes for them, for what is above and below 0.
_FEW_DARK, _FEW_LIGHT = ("#ffff55", "#5555ff"), ("#aa5500", "#0000aa")
_MARK = b"\xff\x40\x40"
_GAMMA = 0.6  # so that what is far below the largest can be seen too
_LARGEST_SCALE = 4

Tile = list[Strip]


@dataclass(frozen=True)
class Palette:
    """How images are painted: in ``colours`` that fit a ``light`` or a dark ground, else in characters.

    The characters of what is above and below 0 have two colours where ``few`` of them are there.
    """

    colours: bool
    light: bool = False
    few: bool = False

    @property
    def signs(self) -> tuple[str, str]:
        """The styles of characters above and below 0."""
        return ("", "") if not self.few else _FEW_LIGHT if self.light else _FEW_DARK


def has_colours(app: App[object]) -> bool:
    """Return whether the terminal has colours enough for pictures."""
    return not app.no_color and app.console.color_system in ("256", "truecolor")


def palette_of(widget: Widget) -> Palette:
    """Return how images are painted where a widget is shown."""
    few = not widget.app.no_color and widget.app.console.color_system == "standard"
    return Palette(has_colours(widget.app), widget.background_colors[1].brightness > 0.5, few)


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


def signed(values: bytes, width: int, palette: Palette) -> Tile:
    """Return rows of ``width`` signed bytes in diverging colours, or other characters for what is below 0."""
    if palette.colours:
        colour = partial(_diverging, light=palette.light)
        return _strips(b"".join(map(colour, values)), width)
    return [_characters([_mean(*pair) for pair in row], palette) for row in _pairs(values, width)]


def scale(palette: Palette, half: int) -> Strip:
    """Return the colours from the smallest value over 0 to the largest, ``half`` cells on each side; or characters."""
    if not palette.colours:
        above, below = palette.signs
        return Strip([Segment(BELOW[:0:-1], Style.parse(below)), Segment(RAMP, Style.parse(above))])
    steps = [round(127 * step / half) for step in range(-half, half + 1)]
    grounds = [_diverging(step % 256, light=palette.light).hex() for step in steps]
    text = ("0" if step == 0 else " " for step in steps)
    return Strip([Segment(char, Style.parse(f"on #{ground}")) for char, ground in zip(text, grounds, strict=True)])


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
    return bytes([round(round(value * _GREYS / 255) * 255 / _GREYS)] * 3)


@lru_cache(512)
def _diverging(byte: int, *, light: bool) -> bytes:
    value = number(byte)
    stops = (_LIGHT if light else _DARK)[value < 0]
    share = round((abs(value) / 127) ** _GAMMA * _COLOURS) / _COLOURS
    place = min(1.0, share) * (len(stops) - 1)
    first = min(int(place), len(stops) - 2)
    return bytes(round(a + (b - a) * (place - first)) for a, b in zip(stops[first], stops[first + 1], strict=True))


def _mean(top: int, bottom: int) -> int:
    return (number(top) + number(bottom)) // 2


def _characters(values: Sequence[int], palette: Palette) -> Strip:
    """Return a row of values as characters, their sign as a colour where there are a few."""
    styles = [Style.parse(style) for style in palette.signs]
    return Strip([Segment(_sign(value), styles[value < 0]) for value in values], len(values)).simplify()


def _character(top: int, bottom: int) -> str:
    if abs(top - bottom) > 127:
        return "▀" if top > bottom else "▄"
    return RAMP[(top + bottom) * len(RAMP) // 511]


def _sign(value: int) -> str:
    steps = RAMP if value >= 0 else BELOW
    return steps[round((abs(value) / 128) ** _GAMMA * (len(steps) - 1))]
