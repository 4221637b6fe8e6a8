"""A confusion matrix as text: counts, their share of the true class as background, the most frequent errors named.

It works without colour too: right answers are on the diagonal, "·" is none, and the errors that are named beside the
table have brackets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rich.text import Text

from lenet_tui.config import CLASSES
from lenet_tui.errors import LabError
from lenet_tui.formatting import counted, percent, printable

NAMED_ERRORS = 8
# Lowest share of the row, background, text on it. Errors are far rarer than right answers, so their steps are finer.
_ERROR_COLOURS = (
    (0.3, "#8c2d04", "#ffffff"),
    (0.1, "#cc4c02", "#ffffff"),
    (0.03, "#ec7014", "#000000"),
    (0.01, "#fe9929", "#000000"),
    (0.003, "#fec44f", "#000000"),
    (0.0, "#fff7bc", "#000000"),
)
_RIGHT_COLOURS = ((0.95, "#6baed6", "#000000"), (0.8, "#9ecae1", "#000000"), (0.0, "#deebf7", "#000000"))
_CURSOR = "bold reverse #d75fd7"
_GAP = 3


class Mistake(NamedTuple):
    """How many ``times`` images of the class ``true`` were predicted as ``predicted``; both by number."""

    true: int
    predicted: int
    times: int


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: ``counts[true][predicted]`` images of ``split``, and the names of the ten classes."""

    split: Literal["test", "validation"]
    counts: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]

    @property
    def total(self) -> int:
        """Number of images."""
        return sum(map(sum, self.counts))

    @property
    def right(self) -> int:
        """Number of images whose predicted class is the true one."""
        return sum(self.counts[index][index] for index in range(CLASSES))

    def worst(self, limit: int = NAMED_ERRORS) -> list[Mistake]:
        """Return the most frequent errors, at most ``limit`` of them; among equals in order of the true class."""
        mistakes = [
            Mistake(true, predicted, count)
            for true, row in enumerate(self.counts)
            for predicted, count in enumerate(row)
            if count and true != predicted
        ]
        return sorted(mistakes, key=lambda mistake: -mistake.times)[:limit]

    def text_of(self, mistake: Mistake) -> str:
        """Return ``true 4, predicted 9: 7 times``."""
        times = "once" if mistake.times == 1 else counted(mistake.times, "time")
        return f"true {self.names[mistake.true]}, predicted {self.names[mistake.predicted]}: {times}"


def parse(text: str) -> Confusion:
    """Read what `read_predictions` prints. Raises `LabError` with the reason where it has none."""
    try:
        document = json.loads(text)
        if "error" in document:
            raise LabError(document["error"])
        counts = tuple(tuple(map(int, row)) for row in document["counts"])
        confusion = Confusion(document["split"], counts, tuple(printable(str(name)) for name in document["names"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise LabError(f"the predictions could not be read: {error}") from None
    if [len(row) for row in counts] != [CLASSES] * CLASSES or len(confusion.names) != CLASSES:
        raise LabError("the predictions could not be read: they do not have ten classes")
    return confusion


def table(confusion: Confusion, width: int, height: int = 0, cursor: tuple[int, int] | None = None) -> Text:
    """Return accuracy, table and worst errors as text for ``width`` columns; the cell at ``cursor`` is highlighted.

    Cells have a second line with their share of the row where ``height`` has room for it; the list of errors stands
    beside the table where ``width`` has.
    """
    split = "test set" if confusion.split == "test" else "validation set (the run is not finished)"
    total, right = confusion.total, confusion.right
    share = percent(right / total) if total else "–"
    head = Text(f"{split}: accuracy {share}, {right:,} of {total:,} right", style="bold")
    errors = [Text(confusion.text_of(mistake)) for mistake in confusion.worst()]
    errors.insert(0, Text("most frequent errors [in brackets]" if errors else "no errors", style="bold"))
    beside = max(error.cell_len for error in errors) + _GAP
    matrix = _matrix(confusion, width, cursor, tall=height >= 2 * CLASSES + 4)
    lines = [head, Text()]
    if max(line.cell_len for line in matrix) + beside <= width:
        lines += _side_by_side(matrix, errors)
    else:
        lines += [*matrix, Text(), *_in_columns(errors, width)]
    return Text("\n", no_wrap=True, overflow="crop").join(lines)


def _matrix(confusion: Confusion, width: int, cursor: tuple[int, int] | None, *, tall: bool) -> list[Text]:
    named = {(mistake.true, mistake.predicted) for mistake in confusion.worst()}
    cells = [
        [_cell(count, (true, predicted) in named) for predicted, count in enumerate(row)]
        for true, row in enumerate(confusion.counts)
    ]
    longest = max(len(cell) for row in cells for cell in row)
    labels = _labels(confusion.names)
    label_width, recall_width = max(map(len, labels)), 7
    room = width - label_width - recall_width
    if room < CLASSES * (longest + 1):  # long names go first, then the share at the end of the rows
        labels, label_width = [str(index) for index in range(CLASSES)], 4
        room = width - label_width - recall_width
    if room < CLASSES * (longest + 1):
        room, recall_width = width - label_width, 0
    least = max(longest, 5 if tall else 3) + 1
    size = max(longest + 1, min(least + 2, room // CLASSES))
    lines = [
        Text(f"{'true':<{label_width}} predicted", style="dim"),
        Text(" " * label_width + "".join(f"{index:>{size - 1}} " for index in range(CLASSES)), style="bold"),
    ]
    for true, row in enumerate(confusion.counts):
        first, second = Text().append(f"{labels[true]:<{label_width}}", "bold"), Text(" " * label_width)
        total = sum(row)
        for predicted, count in enumerate(row):
            part = count / total if total else 0.0
            style = _style(part, right=predicted == true, named=(true, predicted) in named)
            style = _CURSOR if (true, predicted) == cursor else style
            first.append(f"{cells[true][predicted]:>{size}}", style)
            second.append(f"{percent(part, 0 if part >= 0.1 else 1, '% ') if count else '':>{size}}", style)
        if recall_width:
            first.append(f"{row[true] / total:>{recall_width}.1%}" if total else f"{'–':>{recall_width}}", "dim")
        lines += [first, second] if tall and size > 5 else [first]
    return lines


def _labels(names: tuple[str, ...]) -> list[str]:
    if all(name == str(index) for index, name in enumerate(names)):
        return [f"{name:<4}" for name in names]
    return [f"{index} {name}" for index, name in enumerate(names)]


def _cell(count: int, named: bool) -> str:  # noqa: FBT001 - private
    return "·" if not count else f"[{count}]" if named else f"{count} "


def _style(share: float, *, right: bool, named: bool) -> str:
    if not share:
        return "dim"
    steps = _RIGHT_COLOURS if right else _ERROR_COLOURS
    ground, ink = next((ground, ink) for low, ground, ink in steps if share >= low)
    return f"{'bold ' if named else ''}{ink} on {ground}"


def _side_by_side(left: list[Text], right: list[Text]) -> list[Text]:
    width = max(line.cell_len for line in left) + _GAP
    lines = []
    for index in range(max(len(left), len(right) + 2)):
        line = left[index].copy() if index < len(left) else Text()
        error = right[index - 2] if 0 <= index - 2 < len(right) else None
        if error is not None:
            line.append(" " * (width - line.cell_len))
            line.append_text(error)
        lines.append(line)
    return lines


def _in_columns(errors: list[Text], width: int) -> list[Text]:
    """Return heading and errors, in as many columns as fit."""
    head, rest = errors[0], errors[1:]
    if not rest:
        return [head]
    each = max(error.cell_len for error in rest) + _GAP
    columns = max(1, min(len(rest), (width + _GAP) // each))
    rows = -(-len(rest) // columns)
    lines = [head]
    for row in range(rows):
        line = Text()
        for error in rest[row::rows]:
            line.append_text(error)
            line.append(" " * (each - error.cell_len))
        line.rstrip()
        lines.append(line)
    return lines
