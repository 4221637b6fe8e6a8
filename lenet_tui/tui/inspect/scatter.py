"""A map of points in rows of characters, and how a cursor moves on it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Cell = tuple[int, int]  # row from the top, column from the left
CELL_SHAPE = 2  # a cell is taken to be twice as high as wide


@dataclass(frozen=True)
class Scatter:
    """The points at each cell, the visible one first."""

    cells: Mapping[Cell, tuple[int, ...]]
    places: tuple[Cell, ...]

    def beside(self, point: int, right: int, down: int) -> int:
        """Return the point at the nearest cell in a direction, itself where there is none.

        Cells within 45° of the direction come before those further off it.
        """
        row, column = self.places[point]
        best: tuple[bool, float, int] | None = None
        for (other_row, other_column), points in self.cells.items():
            x, y = other_column - column, CELL_SHAPE * (other_row - row)
            along, off = x * right + y * down, abs(x * down) + abs(y * right)
            if along > 0:
                rank = off > along, along * along + off * off, points[0]
                best = rank if best is None or rank < best else best
        return point if best is None else best[2]

    def here(self, point: int) -> tuple[int, ...]:
        """Return the points at the same cell."""
        return self.cells[self.places[point]]

    def nearest(self, row: int, column: int) -> int:
        """Return the first point at the cell that is nearest."""
        cell = min(self.cells, key=lambda cell: (CELL_SHAPE * (cell[0] - row)) ** 2 + (cell[1] - column) ** 2)
        return self.cells[cell][0]


def scatter(x: Sequence[float], y: Sequence[float], first: Sequence[bool], columns: int, rows: int) -> Scatter:
    """Spread points from 0 to 1, ``y`` upwards, over a room of at least 1 × 1; those marked ``first`` are in front."""
    places = tuple((round((1 - up) * (rows - 1)), round(right * (columns - 1))) for right, up in zip(x, y, strict=True))
    cells: dict[Cell, list[int]] = {}
    for point in sorted(range(len(places)), key=lambda point: not first[point]):
        cells.setdefault(places[point], []).append(point)
    return Scatter({cell: tuple(points) for cell, points in cells.items()}, places)
