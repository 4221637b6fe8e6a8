"""Lines as braille characters, and the same lines for fonts that have none. Knows nothing of axes."""

from __future__ import annotations

import threading
from enum import Enum
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Dot = tuple[int, int]  # from the bottom left, 2 a column and 4 a row of characters
Marks = Literal["braille", "blocks", "ascii"]

_BRAILLE = range(0x2801, 0x2900)
_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"  # by the bits upper left 1, upper right 2, lower left 4, lower right 8
_QUARTERS = (0x03, 0x18, 0x44, 0xA0)  # the dots of a braille character in each of them
# What else a plain font may not have.
_PLAIN = str.maketrans("◆▸·┤│└─═━┊", "@>.||+-=-:")
_ASCII_STROKES = {"train": "o", "shadow": "`"}  # by the first letters of a role; any other line is of stars


class Stroke(Enum):
    """How a line is drawn: the dots that are set and left out in turn, (0, 0) for an unbroken line."""

    SOLID = (0, 0)
    DASHED = (2, 2)
    DOTTED = (1, 3)


def in_marks(char: str, role: str, marks: Marks) -> str:
    """Return a character of a braille chart as a chart of ``marks`` has it."""
    if marks == "braille":
        return char
    if ord(char) in _BRAILLE:
        if marks == "ascii":
            return next((stroke for name, stroke in _ASCII_STROKES.items() if role.startswith(name)), "*")
        dots = ord(char) - 0x2800
        return _QUADRANTS[sum(1 << place for place, quarter in enumerate(_QUARTERS) if dots & quarter)]
    return char.translate(_PLAIN) if marks == "ascii" else char


def thinned(piece: list[Dot]) -> list[Dot]:
    """Return at most four dots a column: where it is entered, its lowest, its highest, where it is left."""
    if len(piece) < 3:
        return piece
    kept: list[Dot] = []
    column: list[Dot] = []
    for dot in [*piece, (-1, 0)]:
        if column and dot[0] != column[0][0]:
            among = [column[0], min(column), max(column), column[-1]]
            kept += [among[0], *(b for a, b in pairwise(among) if a != b)]
            column = []
        column.append(dot)
    return kept


def strokes(piece: list[Dot], stroke: Stroke) -> Iterator[tuple[Dot, ...]]:
    """Cut a line into what is set of it: by columns where it is flat and by rows where it is steep.

    Places on the screen decide, not the way along the line, so that the dashes of lines that lie close together
    don't fill each other's gaps.
    """
    on, off = stroke.value
    if not on or len(piece) == 1:
        yield tuple(piece)
        return
    dash: list[Dot] = []
    for (x0, y0), (x1, y1) in pairwise(piece):
        length = max(abs(x1 - x0), abs(y1 - y0))
        for n in range(length):
            x, y = x0 + round((x1 - x0) * n / length), y0 + round((y1 - y0) * n / length)
            if (x if abs(x1 - x0) >= abs(y1 - y0) else y) % (on + off) < on:
                dash.append((x, y))
            elif dash:
                yield tuple(dash)
                dash = []
    if dash:
        yield tuple(dash)


_one_at_a_time = threading.Lock()  # the library has one figure for the whole process


def warm_up() -> None:
    """Import the drawing library, which takes a while; may be called from any thread."""
    with _one_at_a_time:
        _library()


@cache
def _library() -> Any:
    import plotext

    plotext.terminal.limit(False, False)  # noqa: FBT003 - the library's way to say that a plot may be of any size
    figure = plotext.figure
    figure.clear()
    figure.axes(False)  # noqa: FBT003
    figure.legend(False)  # noqa: FBT003
    figure.theme("colorless")
    for axis in (0, 1):
        figure.ruler(axis).frequency(0)
        figure.ruler(axis).alignment(lim="edge")
    return figure


@lru_cache(maxsize=512)
def raster(strokes: tuple[tuple[Dot, ...], ...], width: int, height: int) -> tuple[tuple[int, int, str], ...]:
    """Draw connected dots: row, from the top, column and braille character of each cell that is not blank."""
    with _one_at_a_time:
        figure = _library()
        figure.clear.data()
        figure.plot_size(width, height)
        figure.ruler(0).lim(0, 2 * width)
        figure.ruler(1).lim(0, 4 * height)
        xs = [x + 0.5 for stroke in strokes for x, _ in stroke]
        ys = [y + 0.5 for stroke in strokes for _, y in stroke]
        signal = figure.signal(xs, ys, marker="braille").lines()
        start = 0
        for stroke in strokes:
            signal.line(start, False)  # noqa: FBT003
            start += len(stroke)
        figure.draw(signal)
        rows = figure.build().string(colorless=True).split("\n")
    return tuple(
        (row, column, char)
        for row, text in enumerate(rows[:height])
        for column, char in enumerate(text[:width])
        if char != " "
    )
