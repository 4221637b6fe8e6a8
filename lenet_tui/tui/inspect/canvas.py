"""A canvas of 28 × 28 pixels that is drawn on with a round, soft pen. Pure."""

from __future__ import annotations

import math

from lenet_tui.inspection.messages import SIDE

Point = tuple[float, float]  # to the right and down, in pixels; pixel n reaches from n to n + 1
_FULL = 0.7  # pixels from the middle of the stroke, up to where ink is full
_EDGE = 1.0  # pixels over which it fades; strokes are then about as thick as MNIST's
_ERASER = 1.8
_STEPS_KEPT = 200


class Canvas:
    """Ink, 0 to 255, and the way back to what it was before each stroke."""

    def __init__(self) -> None:
        self._ink = bytearray(SIDE * SIDE)
        self._before: list[bytes] = []

    @property
    def ink(self) -> bytes:
        """The pixels, row by row."""
        return bytes(self._ink)

    def begin(self) -> None:
        """Keep what is there, for `undo`. Call it before a stroke."""
        self._before = [*self._before[-_STEPS_KEPT:], self.ink]

    def stroke(self, start: Point, end: Point) -> None:
        """Draw from ``start`` to ``end``."""
        for pixel, distance in _near(start, end, _FULL + _EDGE):
            value = round(255 * min(1.0, (_FULL + _EDGE - distance) / _EDGE))
            self._ink[pixel] = max(self._ink[pixel], value)

    def erase(self, start: Point, end: Point) -> None:
        """Erase the ink from ``start`` to ``end``."""
        for pixel, _ in _near(start, end, _ERASER):
            self._ink[pixel] = 0

    def clear(self) -> None:
        """Erase all ink."""
        if any(self._ink):
            self.begin()
            self._ink = bytearray(SIDE * SIDE)

    def undo(self) -> bool:
        """Go back to before the last stroke that changed something; return whether there was one."""
        while self._before:
            before = self._before.pop()
            if before != self.ink:
                self._ink = bytearray(before)
                return True
        return False


def _near(start: Point, end: Point, reach: float) -> list[tuple[int, float]]:
    """Return the pixels whose middle is less than ``reach`` from a line, with their distance."""
    columns = _span(start[0], end[0], reach)
    pixels = []
    for row in _span(start[1], end[1], reach):
        for column in columns:
            distance = _distance((column + 0.5, row + 0.5), start, end)
            if distance < reach:
                pixels.append((row * SIDE + column, distance))
    return pixels


def _span(first: float, last: float, reach: float) -> range:
    return range(max(0, math.floor(min(first, last) - reach)), min(SIDE, math.ceil(max(first, last) + reach)))


def _distance(point: Point, start: Point, end: Point) -> float:
    x, y = end[0] - start[0], end[1] - start[1]
    length = x * x + y * y
    along = 0.0 if not length else ((point[0] - start[0]) * x + (point[1] - start[1]) * y) / length
    along = min(1.0, max(0.0, along))
    return math.hypot(point[0] - start[0] - along * x, point[1] - start[1] - along * y)
