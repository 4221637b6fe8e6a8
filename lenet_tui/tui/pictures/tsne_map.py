"""The t-SNE map in rows of characters: each is the class of an image, in the colour that it has in t-SNE.png."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lenet_tui.config import CLASSES
from lenet_tui.formatting import counted
from lenet_tui.tui.inspect import images
from lenet_tui.tui.inspect.scatter import scatter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.run.embedding import Embedding

GAP = 2
_LEAST_MAP = 40  # columns; where there are not so many beside the legend, the map stands alone
_CAVEAT = "Neighbourhoods carry meaning; the axes, distances between clusters and their sizes do not."


def heading(embedding: Embedding) -> str:
    """Return ``t-SNE of 2,000 test images, 31 misclassified (reversed)``."""
    wrong = sum(point.is_wrong for point in embedding.points)
    split = "test" if embedding.split == "test" else "validation"
    marked = " (reversed)" if wrong else ""
    return f"t-SNE of {counted(len(embedding.points), f'{split} image')}, {wrong:,} misclassified{marked}"


def rows(
    embedding: Embedding, names: Sequence[str], shades: Sequence[Style], width: int, height: int
) -> Sequence[Strip]:
    """Return the map and, where there is room beside it, how many images of each class it has."""
    legend = _legend(embedding, names, shades, height)
    wide = max(strip.cell_length for strip in legend)
    beside = width - wide - GAP
    if beside < _LEAST_MAP:
        return _map(embedding, shades, width, height)
    return images.beside([_map(embedding, shades, beside, height), legend], GAP)


def _map(embedding: Embedding, shades: Sequence[Style], width: int, height: int) -> list[Strip]:
    points = embedding.points
    x, y = _unit([point.x for point in points]), _unit([point.y for point in points])
    spread = scatter(x, y, [point.is_wrong for point in points], width, height)
    lines = []
    for row in range(height):
        segments = []
        for column in range(width):
            here = [points[number] for number in spread.cells.get((row, column), ())]
            if not here:
                segments.append(Segment(" "))
                continue
            # An error is always seen; of others, the class that most images here have.
            label = here[0].true if here[0].is_wrong else Counter(p.true for p in here).most_common(1)[0][0]
            style = shades[label] + Style(reverse=True) if here[0].is_wrong else shades[label]
            segments.append(Segment(str(label), style))
        lines.append(Strip(segments, width).simplify())
    return lines


def _unit(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.5 for value in values]


def _legend(embedding: Embedding, names: Sequence[str], shades: Sequence[Style], height: int) -> list[Strip]:
    count = Counter(point.true for point in embedding.points)
    wrong = Counter(point.true for point in embedding.points if point.is_wrong)
    are_digits = all(name == str(label) for label, name in enumerate(names))
    longest = 5 if are_digits else max(5, *(len(name) + 2 for name in names))
    head = f"{'class':<{longest}} images wrong"
    lines = [Strip([Segment(head, Style(bold=True))])]
    for label in range(CLASSES):
        text = f"{'' if are_digits else names[label]:<{longest - 2}} {count[label]:>6,} {wrong[label] or '·':>5}"
        lines.append(Strip([Segment(f"{label} ", shades[label] + Style(bold=True)), Segment(text)]))
    caveat = textwrap.wrap(_CAVEAT, len(head))
    if height > len(lines) + len(caveat):
        lines += [Strip([]), *(Strip([Segment(line, Style(dim=True))]) for line in caveat)]
    return lines[:height]
