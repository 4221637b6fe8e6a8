"""How lines are broken into dashes and dots. Pure functions."""

from __future__ import annotations

from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Dot = tuple[int, int]  # from the bottom left, 2 a column and 4 a row of characters


class Stroke(Enum):
    """How a line is drawn: the dots that are set and left out in turn, (0, 0) for an unbroken line."""

    SOLID = (0, 0)
    DASHED = (2, 2)
    DOTTED = (1, 3)


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
