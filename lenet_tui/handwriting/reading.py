"""From a picture's file to the digits on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.handwriting.colour import as_greys
from lenet_tui.handwriting.digits import Digit, digits_on, thing_on
from lenet_tui.handwriting.files import read_colours

if TYPE_CHECKING:
    from pathlib import Path

MOST_DIGITS = 20
_WIDEST = 1.55  # of its height: one of 200 of MNIST's images is wider
_SMALLEST = 10  # pixels: what is smaller than half of what it is scaled to is made up


@dataclass(frozen=True, eq=False)
class Handwriting:
    """What is on a picture of ``width`` × ``height`` working pixels; and what a person should know of it."""

    digits: tuple[Digit, ...]
    width: int
    height: int
    warnings: tuple[str, ...] = ()


def read(path: Path, dataset: str = "mnist") -> Handwriting:
    """Return the handwriting on a picture: each digit for data sets of digits, else all ink as one thing.

    Dark on light and light on dark, shadows, edges, thumbs, printed lines and colours are separated from ink by the
    picture. Raises `UsageError` and `LabError` as `read_colours` does, and `LabError` when there is no ink, or so much
    that it is a text.
    """
    grey = as_greys(read_colours(path))
    height, width = grey.shape
    if dataset in ("mnist", "digits"):
        result = [_with_doubts(digit) for digit in digits_on(grey)]
    else:
        result = thing_on(grey, strokes=dataset == "kmnist")
    if not result:
        raise LabError(f"{printable(str(path))} is blank: nothing on it stands out from its paper")
    if len(result) > MOST_DIGITS:
        raise LabError(
            f"{printable(str(path))} has {len(result)} separate marks, too many to be digits; cut the digits out"
        )
    several = (f"{len(result)} digits, each answered on its own, from left to right",) if len(result) > 1 else ()
    return Handwriting(tuple(result), width, height, several)


def _with_doubts(digit: Digit) -> Digit:
    height, width = digit.ink.shape
    doubts = list(digit.doubts)
    if width > _WIDEST * height:
        doubts.append("the ink is wider than a digit; digits that touch are read as one, so leave room between them")
    if max(height, width) < _SMALLEST:
        doubts.append(f"the ink is only {max(height, width)} pixels large; photograph the digit from nearer")
    return Digit(digit.ink, digit.left, digit.top, tuple(doubts))
