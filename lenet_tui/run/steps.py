"""The train loss within the epochs, thinned, and its form in ``steps.csv``. A run is complete without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.run.metrics import MAX_EPOCHS

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = "epoch,step,steps,train_loss\n"
_MOST_STEPS = 10**9  # of an epoch
MOST_OF_A_RUN, MOST_OF_AN_EPOCH, LEAST_OF_AN_EPOCH = 4000, 100, 8

Point = tuple[int, int, int, float]  # epoch and step, both from 1, steps of the epoch, mean loss since the point before


def points_an_epoch(epochs: int) -> int:
    """Return how many points an epoch of a run has on record."""
    return min(MOST_OF_AN_EPOCH, max(LEAST_OF_AN_EPOCH, MOST_OF_A_RUN // epochs))


def to_csv(points: Sequence[Point]) -> str:
    """Return the lines of ``points``, without the header."""
    return "".join(f"{epoch},{step},{steps},{loss:.6g}\n" for epoch, step, steps, loss in points)


def from_csv(text: str) -> list[Point]:
    """Read the text of a ``steps.csv``. Raises `LabError` naming the line that cannot be read.

    A last line without its end is left out: its process died, or is about to write the rest.
    """
    lines = text.split("\n")[:-1]
    if not lines or lines[0] + "\n" != HEADER:
        raise LabError(f"line 1: expected {HEADER.strip()}")
    points: list[Point] = []
    before = (0, 0)
    for number, line in enumerate(lines[1:], start=2):
        try:
            epoch, step, steps, loss = line.split(",")
            point = (int(epoch), int(step), int(steps), float(loss))
        except ValueError:
            raise LabError(f"line {number}: expected {HEADER.strip()}") from None
        if not (before < point[:2] and 0 < point[0] <= MAX_EPOCHS and 0 < point[1] <= point[2] <= _MOST_STEPS):
            raise LabError(f"line {number}: epoch {str(epoch)[:9]}, step {str(step)[:9]} does not belong there")
        before = point[:2]
        points.append(point)
    return points
