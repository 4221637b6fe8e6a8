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
from lenet_tui.tui.details.heat_colours import DARK, HeatColours

NAMED_ERRORS = 8
_GAP = 3
_HIGHEST = 5  # rows of a cell
_SHARE_WIDTH = 6  # columns of a cell that has room for its share
_RECALL = 7  # columns of the share at the end of a row


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


def table(
    confusion: Confusion,
    width: int,
    height: int = 0,
    cursor: tuple[int, int] | None = None,
    colours: HeatColours = DARK,
) -> Text:
    """Return accuracy, table and worst errors as text for ``width`` columns; the cell at ``cursor`` is highlighted.

    Cells are as large as ``height`` lets them be; from two rows on they have their share of the row in them. The list
    of errors stands beside the table where ``width`` has room for it.
    """
    split = "test set" if confusion.split == "test" else "validation set (the run is not finished)"
    total, right = confusion.total, confusion.right
    share = percent(right / total) if total else "–"
    head = Text(f"{split}: accuracy {share}, {right:,} of {total:,} right", style="bold")
    errors = [Text(confusion.text_of(mistake)) for mistake in confusion.worst()]
    errors.insert(0, Text("most frequent errors [in brackets]" if errors else "no errors", style="bold"))
    beside = max(error.cell_len for error in errors) + _GAP
    rows = height - 4  # without the head, and the names of the columns
    matrix = _matrix(confusion, width - beside, rows, cursor, colours)
    lines = [head, Text()]
    if max(line.cell_len for line in matrix) + beside <= width:
        if len(matrix) >= len(errors) + len(colours.errors) + 5:
            errors += _scale(colours)
        lines += _side_by_side(matrix, errors)
    else:
        below = _in_columns(errors, width)
        lines += [*_matrix(confusion, width, rows - len(below) - 1, cursor, colours), Text(), *below]
    return Text("\n", no_wrap=True, overflow="crop").join(lines)


def _matrix(
    confusion: Confusion, width: int, height: int, cursor: tuple[int, int] | None, colours: HeatColours
) -> list[Text]:
    """Return the table with its two lines of headings, its cells as large as ``width`` and ``height`` allow."""
    named = {(mistake.true, mistake.predicted) for mistake in confusion.worst()}
    cells = [
        [_cell(count, (true, predicted) in named) for predicted, count in enumerate(row)]
        for true, row in enumerate(confusion.counts)
    ]
    longest = max(len(cell) for row in cells for cell in row)
    labels, recall_width = _labels(confusion.names), _RECALL
    label_width = max(map(len, labels))
    room = width - label_width - recall_width
    if room < CLASSES * (longest + 1):  # long names go first, then the share at the end of the rows
        labels, label_width = [str(index) for index in range(CLASSES)], 4
        room = width - label_width - recall_width
    if room < CLASSES * (longest + 1):
        room, recall_width = width - label_width, 0
    high = min(_HIGHEST, max(1, height // CLASSES))
    wanted = max(longest + 3, _SHARE_WIDTH, 2 * high + 2)
    size = max(longest + 1, min(wanted, room // CLASSES))
    high = high if size >= _SHARE_WIDTH else 1
    lines = [
        Text(f"{'true':<{label_width}} predicted", style="dim"),
        Text(" " * label_width + "".join(_placed(f"{n} ", longest, size) for n in range(CLASSES)), style="bold"),
    ]
    for true, row in enumerate(confusion.counts):
        block = [Text(" " * label_width) for _ in range(high)]
        middle, total = (high - 1) // 2, sum(row)
        block[middle] = Text().append(f"{labels[true]:<{label_width}}", "bold")
        for predicted, count in enumerate(row):
            part = count / total if total else 0.0
            style = colours.style(part, right=predicted == true)
            style = f"bold {style}".strip() if (true, predicted) in named else style
            style = colours.cursor if (true, predicted) == cursor else style
            texts = dict.fromkeys(range(high), " " * size)
            texts[middle] = _placed(cells[true][predicted], longest, size)
            if high > 1 and count:
                texts[middle + 1] = _placed(percent(part, 0 if part >= 0.1 else 1, "% "), longest, size)
            for line, text in texts.items():
                block[line].append(text, style)
        if recall_width:
            recall = f"{row[true] / total:.1%}" if total else "–"
            block[middle].append(f"{recall:>{recall_width}}", "dim")
        lines += block
    return lines


def _placed(text: str, longest: int, size: int) -> str:
    """Return a text flush right with those of its column, which stand in the middle of their cells."""
    block = f"{text:>{longest}}"
    left = size - (size - len(block)) // 2 if len(block) < size else size
    return f"{block:>{left}}".ljust(size)[:size] if size > longest + 1 else f"{text:>{size}}"


def _scale(colours: HeatColours) -> list[Text]:
    """Return what the colours of errors stand for, nothing where there are none."""
    steps = [(least, style) for least, style in colours.errors if " on " in style]
    if not steps:
        return []
    lines = [Text(), Text("errors, share of the true class", style="bold")]
    for least, style in steps:
        words = f"{percent(least, 0 if least >= 0.01 else 1)} and more" if least else "less"
        lines.append(Text.assemble(("    ", style), f" {words}"))
    return lines


def _labels(names: tuple[str, ...]) -> list[str]:
    if all(name == str(index) for index, name in enumerate(names)):
        return [f"{name:<4}" for name in names]
    return [f"{index} {name}" for index, name in enumerate(names)]


def _cell(count: int, named: bool) -> str:  # noqa: FBT001 - private
    return "· " if not count else f"[{count}]" if named else f"{count} "


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
