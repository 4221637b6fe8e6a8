"""Drawing of curves with characters: a `Plot` in, rows of styled characters out. Knows nothing of runs or widgets."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from lenet_tui.tui.curves.raster import Dot, Stroke, raster, strokes, thinned
from lenet_tui.tui.curves.ticks import LARGEST, Axis, epoch_ticks, linear_axis, log_axis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Point = tuple[float, float]
Cell = tuple[str, str]  # a character of width 1 and the role by which its style is found
Row = tuple[Cell, ...]

BLANK: Cell = (" ", "")
FRAME, GRID, CURSOR = "frame", "grid", "cursor"
# At the end of a role: the cell lies in the marked range of epochs, in the column of the cursor, in the band of a run.
SHADED, AT_CURSOR, IN_BAND = " shaded", " cursor", " band"
X_TITLE = "epoch"
_ROOM_FOR_GRID = 5  # rows


@dataclass(frozen=True)
class Line:
    """A curve. A value that isn't finite, or isn't positive on a log axis, leaves a gap."""

    points: tuple[Point, ...]
    stroke: Stroke
    role: str
    under: bool = False  # anything else in the same cell replaces it


@dataclass(frozen=True)
class Band:
    """The area between two curves of the same x, in the colour of ``number``."""

    low: tuple[Point, ...]
    high: tuple[Point, ...]
    number: int


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

    ``y_range`` is that of the values; the axis is widened so that its ticks are even. ``shaded`` is a range of x to set
    off, ``planned`` the epoch that the run is to reach.
    """

    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    log: bool = False
    percent: bool = False
    shaded: tuple[float, float] | None = None
    bands: tuple[Band, ...] = ()
    planned: int | None = None


@dataclass(frozen=True)
class Frame:
    """Where things are in a drawing: columns left and right of the axes, columns and rows within them."""

    left: int
    width: int
    right: int
    rows: int
    axis: Axis


def text_of(rows: Sequence[Row]) -> list[str]:
    """Return rows without their styles."""
    return ["".join(char for char, _ in row) for row in rows]


def frame_of(plot: Plot, width: int, height: int) -> Frame:
    """Return how a drawing is divided. Axes are left out where there is no room for them."""
    rows = height - (height >= 4)
    axis = log_axis(*plot.y_range, rows) if plot.log else linear_axis(*plot.y_range, rows, percent=plot.percent)
    left = max(len(X_TITLE), *(len(label) for _, label in axis.ticks), 0) + 1
    right = max((len(mark.text) for mark in plot.marks if mark.tag), default=0)
    if width - left - right < 16:
        left = 0
    if width - left - right < 8:
        right = 0
    low, high = plot.y_range
    if not left and high > low:  # without labels nothing needs to be even
        axis = Axis(low, high, ())
    return Frame(left, width - left - right, right, rows, axis)


@lru_cache(maxsize=32)
def draw(plot: Plot, width: int, height: int) -> tuple[Row, ...]:
    """Return ``height`` rows of ``width`` cells."""
    if width < 1 or height < 1:
        return ((BLANK,) * max(0, width),) * max(0, height)
    frame = frame_of(plot, width, height)
    canvas = _Canvas(plot, frame)
    body = canvas.paint()
    if frame.left:
        at_row = {canvas.row(tick): label for tick, label in frame.axis.ticks}
        for number, cells in enumerate(body):
            label = at_row.get(number, "")
            edge = "┤" if label else "│"
            cells[:0] = [(char, FRAME) for char in label.rjust(frame.left - 1) + edge]
    drawn = [tuple(cells) for cells in body]
    if height > frame.rows:
        drawn.append(_epoch_axis(canvas))
    return tuple(drawn)


def epoch_at(plot: Plot, width: int, height: int, column: int) -> float | None:
    """Return the x that stands in a column of a drawing, None beside its axes."""
    frame = frame_of(plot, width, height)
    low, high = plot.x_range
    place = column - frame.left
    return low + (high - low) * place / max(1, frame.width - 1) if 0 <= place < frame.width else None


def with_cursor(rows: Sequence[Row], plot: Plot, x: float) -> tuple[Row, ...]:
    """Return the rows of a drawing with a line at ``x``; as they are when that is not in sight."""
    low, high = plot.x_range
    if not rows or not rows[0] or not low <= x <= high:
        return tuple(rows)
    frame = frame_of(plot, len(rows[0]), len(rows))
    column = frame.left + _Canvas(plot, frame).column(x)

    def crossed(cells: Row) -> Row:
        char, role = cells[column]
        free = char == " " or role.startswith(GRID)
        return (*cells[:column], ("│" if free else char, (CURSOR if free else role) + AT_CURSOR), *cells[column + 1 :])

    return tuple(crossed(row) for row in rows)


def _epoch_axis(canvas: _Canvas) -> Row:
    # The labels stand in the axis itself, which saves a row.
    frame, plot = canvas.frame, canvas.plot
    shaded = canvas.shaded_columns()
    line = ["═" if column in shaded else "─" for column in range(frame.width)]
    end, last = frame.width, _planned(plot, frame.width)
    if last:
        where = canvas.column(min(float(plot.planned or 0), plot.x_range[1])) + 1
        end = max(0, min(where, frame.width) - len(last))
        line[end : end + len(last)] = last
    taken = 0
    for tick in epoch_ticks(*plot.x_range, frame.width):
        label = str(tick)
        start = max(0, min(canvas.column(tick) - (len(label) - 1) // 2, frame.width - len(label)))
        if start >= taken and (not last or start + len(label) < end or start > end + len(last)):
            line[start : start + len(label)] = label
            taken = start + len(label) + 1
    corner = X_TITLE.rjust(frame.left - 1) + "└" if frame.left else ""
    return tuple((char, FRAME) for char in corner + "".join(line) + " " * frame.right)


def _planned(plot: Plot, width: int) -> str:
    """Return the words at the epoch that the run is to reach, after ▸ where that is out of sight."""
    if plot.planned is None or plot.planned < plot.x_range[0]:
        return ""
    sign = "▸" if plot.planned > plot.x_range[1] else ""
    long, short = f"{sign}{plot.planned} planned", f"{sign}{plot.planned}"
    return long if width >= 5 * len(long) else short if width >= 3 * len(short) else ""


class _Canvas:
    """The inside of the axes, and the margin at the right for tags."""

    def __init__(self, plot: Plot, frame: Frame) -> None:
        self.plot, self.frame = plot, frame
        self._width, self._height = frame.width, frame.rows
        limits = frame.axis.low, frame.axis.high
        self._low, self._high = (math.log10(limit) for limit in limits) if plot.log else limits
        self._grid = [[BLANK] * (frame.width + frame.right) for _ in range(frame.rows)]
        self._yielding: set[tuple[int, int]] = set()  # row and column of cells that give way to what comes later

    def _x(self, x: float, bins: int) -> int:
        low, high = self.plot.x_range
        return max(0, min(bins - 1, round((x - low) / (high - low) * (bins - 1)))) if high > low else bins // 2

    def _y(self, y: float, bins: int) -> int:
        value = math.log10(y) if self.plot.log else y
        return max(0, min(bins - 1, round((value - self._low) / (self._high - self._low) * (bins - 1))))

    def column(self, x: float) -> int:
        """Return the column, from 0 at the left, that ``x`` falls into."""
        return self._x(x, 2 * self._width) // 2

    def row(self, y: float) -> int:
        """Return the row, from 0 at the top, that ``y`` falls into."""
        return self._height - 1 - self._y(y, 4 * self._height) // 4

    def shaded_columns(self) -> range:
        """Return the columns of the marked range."""
        if self.plot.shaded is None or self.plot.shaded[1] < self.plot.x_range[0]:
            return range(0)
        low, high = (min(max(x, self.plot.x_range[0]), self.plot.x_range[1]) for x in self.plot.shaded)
        return range(self.column(low), self.column(high) + 1)

    def paint(self) -> list[list[Cell]]:
        """Return the rows with all lines and marks."""
        for line in self.plot.lines:
            self._paint_line(line)
        for mark in self.plot.marks:
            if self._drawable(mark.at[1]) and self.plot.x_range[0] <= mark.at[0] <= self.plot.x_range[1]:
                (self._paint_tag if mark.tag else self._paint_mark)(mark)
        if self._height >= _ROOM_FOR_GRID:
            self._paint_grid()
        for band in self.plot.bands:
            self._paint_band(band)
        shaded = self.shaded_columns()
        for cells in self._grid:
            for column in shaded:
                char, role = cells[column]
                cells[column] = (char, role + SHADED)
        return self._grid

    def _paint_grid(self) -> None:
        """Dot what is blank in the rows and columns of the ticks."""
        across = {self.row(tick) for tick, _ in self.frame.axis.ticks}
        up = {self.column(tick) for tick in epoch_ticks(*self.plot.x_range, self._width)}
        for row, cells in enumerate(self._grid):
            for column in range(1, self._width, 2) if row in across else up:
                # Not beside a line, where dots would look like dashes of it.
                if all(cell == BLANK or cell[1] == GRID for cell in cells[max(0, column - 1) : column + 2]):
                    cells[column] = ("·", GRID)

    def _paint_band(self, band: Band) -> None:
        low, high = self.plot.x_range
        for column in range(self._width):
            x = low + (high - low) * column / max(1, self._width - 1)
            ends = between(band.low, x), between(band.high, x)
            if ends[0] is not None and ends[1] is not None and all(self._drawable(y) for y in ends if y is not None):
                for row in range(self.row(ends[1]), self.row(ends[0]) + 1):
                    char, role = self._grid[row][column]
                    self._grid[row][column] = (char, role.partition(IN_BAND)[0] + f"{IN_BAND}{band.number}")

    def _paint_line(self, line: Line) -> None:
        dashes = tuple(stroke for piece in self._pieces(line.points) for stroke in strokes(thinned(piece), line.stroke))
        if not dashes:
            return
        for row, column, char in raster(dashes, self._width, self._height):
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
                piece.append((self._x(x, 2 * self._width), self._y(y, 4 * self._height)))
            elif piece:
                yield piece
                piece = []
        if piece:
            yield piece

    def _drawable(self, y: float) -> bool:
        return drawable(y, log=self.plot.log)

    def _paint_mark(self, mark: Mark) -> None:
        start = min(self.column(mark.at[0]), self._width - len(mark.text))
        if start >= 0:
            self._grid[self.row(mark.at[1])][start : start + len(mark.text)] = [(char, mark.role) for char in mark.text]

    def _paint_tag(self, mark: Mark) -> None:
        column, row = self.column(mark.at[0]) + 1, self.row(mark.at[1])
        end = column + len(mark.text)
        if end > self._width + self.frame.right:
            return
        for offset in range(self._height):
            for place in (row - offset, row + offset):
                if 0 <= place < self._height and all(char == " " for char, _ in self._grid[place][column:end]):
                    self._grid[place][column:end] = [(char, mark.role) for char in mark.text]
                    return


def between(points: Sequence[Point], x: float) -> float | None:
    """Return the value of a line of rising ``points`` at ``x``; None before its first and after its last point."""
    if not points or not points[0][0] <= x <= points[-1][0]:
        return None
    place = bisect_right(points, x, key=lambda point: point[0])
    if place == len(points):
        return points[-1][1]
    a, b = points[place - 1], points[place]
    return a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0])


def drawable(value: float, *, log: bool = False) -> bool:
    """Return whether a value can be drawn on an axis."""
    return math.isfinite(value) and abs(value) < LARGEST and (value > 1 / LARGEST or not log)
