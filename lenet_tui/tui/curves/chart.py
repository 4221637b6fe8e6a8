"""Drawing of curves with characters: a `Plot` in, rows of styled characters out. Knows nothing of runs or widgets."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lenet_tui.tui.curves.ticks import LARGEST, epoch_ticks, linear_axis, log_axis, tick_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Point = tuple[float, float]
Dot = tuple[int, int]  # from the bottom left, 2 a column and 4 a row of characters
Cell = tuple[str, str]  # a character of width 1 and the role by which its style is found
Row = tuple[Cell, ...]

BLANK: Cell = (" ", "")
FRAME = "frame"
SHADED = " shaded"  # at the end of a role: the cell lies in the marked range of epochs


class Stroke(Enum):
    """How a line is drawn: the dots that are set and left out in turn, (0, 0) for an unbroken line."""

    SOLID = (0, 0)
    DASHED = (2, 2)
    DOTTED = (1, 3)


@dataclass(frozen=True)
class Line:
    """A curve. A value that isn't finite, or isn't positive on a log axis, leaves a gap."""

    points: tuple[Point, ...]
    stroke: Stroke
    role: str
    under: bool = False  # anything else in the same cell replaces it


@dataclass(frozen=True)
class Mark:
    """A character or short text at a point; a ``tag`` stands right of it, moved up or down to where there is room."""

    at: Point
    text: str
    role: str
    tag: bool = False


@dataclass(frozen=True)
class Plot:
    """What is drawn into one pair of axes, later lines and marks over earlier ones.

    ``y_range`` is that of the values; the axis is widened to round numbers. ``shaded`` is a range of x to set off.
    """

    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    log: bool = False
    percent: bool = False
    shaded: tuple[float, float] | None = None


def text_of(rows: Sequence[Row]) -> list[str]:
    """Return rows without their styles."""
    return ["".join(char for char, _ in row) for row in rows]


@lru_cache(maxsize=32)
def draw(plot: Plot, width: int, height: int) -> tuple[Row, ...]:
    """Return ``height`` rows of ``width`` cells. Axes are left out where there is no room for them."""
    if width < 1 or height < 1:
        return ((BLANK,) * max(0, width),) * max(0, height)
    x_axis = height >= 4
    rows = height - x_axis
    bottom, top, ticks = (log_axis if plot.log else linear_axis)(*plot.y_range, rows)
    step = min((b - a for a, b in pairwise(ticks)), default=1.0)
    labels = [tick_label(tick, tick if plot.log else step, percent=plot.percent) for tick in ticks]
    left = max(map(len, labels)) + 1
    right = max((len(mark.text) for mark in plot.marks if mark.tag), default=0)
    if width - left - right < 16:
        left = 0
    if width - left - right < 8:
        right = 0
    canvas = _Canvas(plot, width - left - right, right, rows, (bottom, top))
    body = canvas.paint()
    if left:
        at_row = {canvas.row(tick): label for tick, label in zip(ticks, labels, strict=True)}
        for number, cells in enumerate(body):
            label = at_row.get(number, "")
            edge = "┤" if label else "│"
            cells[:0] = [(char, FRAME) for char in label.rjust(left - 1) + edge]
    drawn = [tuple(cells) for cells in body]
    if x_axis:
        drawn.append(_epoch_axis(canvas, left, right))
    return tuple(drawn)


def _epoch_axis(canvas: _Canvas, left: int, right: int) -> Row:
    # The labels stand in the axis itself, which saves a row.
    shaded = canvas.shaded_columns()
    line = ["═" if column in shaded else "─" for column in range(canvas.width)]
    taken = 0
    for tick in epoch_ticks(*canvas.plot.x_range, canvas.width):
        label = str(tick)
        start = max(0, min(canvas.column(tick) - (len(label) - 1) // 2, canvas.width - len(label)))
        if start >= taken:
            line[start : start + len(label)] = label
            taken = start + len(label) + 1
    corner = ("epoch" if left > 5 else "").rjust(left - 1) + "└" if left else ""
    return tuple((char, FRAME) for char in corner + "".join(line) + " " * right)


class _Canvas:
    """The inside of the axes, ``width`` columns and ``margin`` more at the right for tags."""

    def __init__(self, plot: Plot, width: int, margin: int, height: int, y_limits: tuple[float, float]) -> None:
        self.plot, self.width, self.margin, self.height = plot, width, margin, height
        self._low, self._high = (math.log10(limit) for limit in y_limits) if plot.log else y_limits
        self._grid = [[BLANK] * (width + margin) for _ in range(height)]
        self._yielding: set[tuple[int, int]] = set()  # row and column of cells that give way to what comes later

    def _x(self, x: float, bins: int) -> int:
        low, high = self.plot.x_range
        return max(0, min(bins - 1, round((x - low) / (high - low) * (bins - 1)))) if high > low else bins // 2

    def _y(self, y: float, bins: int) -> int:
        value = math.log10(y) if self.plot.log else y
        return max(0, min(bins - 1, round((value - self._low) / (self._high - self._low) * (bins - 1))))

    def column(self, x: float) -> int:
        """Return the column, from 0 at the left, that ``x`` falls into."""
        return self._x(x, 2 * self.width) // 2

    def row(self, y: float) -> int:
        """Return the row, from 0 at the top, that ``y`` falls into."""
        return self.height - 1 - self._y(y, 4 * self.height) // 4

    def shaded_columns(self) -> range:
        """Return the columns of the marked range."""
        if self.plot.shaded is None:
            return range(0)
        low, high = (min(max(x, self.plot.x_range[0]), self.plot.x_range[1]) for x in self.plot.shaded)
        return (
            range(self.column(low), self.column(high) + 1) if self.plot.shaded[1] >= self.plot.x_range[0] else range(0)
        )

    def paint(self) -> list[list[Cell]]:
        """Return the rows with all lines and marks."""
        for line in self.plot.lines:
            self._paint_line(line)
        for mark in self.plot.marks:
            if self._drawable(mark.at[1]) and self.plot.x_range[0] <= mark.at[0] <= self.plot.x_range[1]:
                (self._paint_tag if mark.tag else self._paint_mark)(mark)
        for cells in self._grid:
            for column in self.shaded_columns():
                char, role = cells[column]
                cells[column] = (char, role + SHADED)
        return self._grid

    def _paint_line(self, line: Line) -> None:
        dashes = tuple(stroke for piece in self._pieces(line.points) for stroke in strokes(thinned(piece), line.stroke))
        if not dashes:
            return
        for row, text in enumerate(_raster(dashes, self.width, self.height)):
            for column, char in enumerate(text):
                if char != " ":
                    self._paint_dots(row, column, char, line)

    def _paint_dots(self, row: int, column: int, char: str, line: Line) -> None:
        there = self._grid[row][column][0]
        if there != " " and (row, column) not in self._yielding:
            char = chr(ord(there) | ord(char))  # a braille character is its dots, a bit each
        self._grid[row][column] = (char, line.role)
        (self._yielding.add if line.under else self._yielding.discard)((row, column))

    def _pieces(self, points: Sequence[Point]) -> Iterator[list[Dot]]:
        piece: list[Dot] = []
        for x, y in points:
            if self._drawable(y):
                piece.append((self._x(x, 2 * self.width), self._y(y, 4 * self.height)))
            elif piece:
                yield piece
                piece = []
        if piece:
            yield piece

    def _drawable(self, y: float) -> bool:
        return drawable(y, log=self.plot.log)

    def _paint_mark(self, mark: Mark) -> None:
        start = min(self.column(mark.at[0]), self.width - len(mark.text))
        if start >= 0:
            self._grid[self.row(mark.at[1])][start : start + len(mark.text)] = [(char, mark.role) for char in mark.text]

    def _paint_tag(self, mark: Mark) -> None:
        column, row = self.column(mark.at[0]) + 1, self.row(mark.at[1])
        end = column + len(mark.text)
        if end > self.width + self.margin:
            return
        for offset in range(self.height):
            for place in (row - offset, row + offset):
                if 0 <= place < self.height and all(char == " " for char, _ in self._grid[place][column:end]):
                    self._grid[place][column:end] = [(char, mark.role) for char in mark.text]
                    return


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


def drawable(value: float, *, log: bool = False) -> bool:
    """Return whether a value can be drawn on an axis."""
    return math.isfinite(value) and abs(value) < LARGEST and (value > 1 / LARGEST or not log)


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
def _raster(strokes: tuple[tuple[Dot, ...], ...], width: int, height: int) -> tuple[str, ...]:
    """Draw connected dots, 2 a column and 4 a row counted from the bottom left, as rows of braille characters."""
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
    return tuple(row.ljust(width)[:width] for row in rows[:height])
