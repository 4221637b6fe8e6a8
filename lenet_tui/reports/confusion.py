"""``confusion.png``: which classes are predicted as which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, to_rgba

from lenet_tui.config import CLASSES
from lenet_tui.reports import style
from lenet_tui.reports.matplotlib_import import with_defaults

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from lenet_tui.run.folder import RunRecord
    from lenet_tui.run.predictions import Predictions

# The same scale in every picture, so that two runs can be laid side by side.
ERROR_SHARES = LogNorm(0.0005, 0.3, clip=True)
ERROR_COLOURS = "YlOrBr"
RIGHT_COLOURS = "Blues"
NO_ERROR = "#fafafa"
EVEN_LUMINANCE = 0.179  # of a ground on which black and white stand out alike, 4.6 to 1 (WCAG 2)
NAMED_ERRORS = 5
SCALE_WIDTH = 1.2  # inches, for the colour bar and its labels


def confusion_matrix(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the (10, 10) counts of images by true class (row) and predicted class (column)."""
    return np.bincount(labels * CLASSES + predicted, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


@with_defaults
def draw(record: RunRecord, predictions: Predictions) -> bytes:
    """Return the PNG of the run's confusion matrix.

    Errors have a colour scale of their own, logarithmic, because beside a diagonal of 99 % they would all be white.
    """
    counts = confusion_matrix(predictions.labels, predictions.predicted)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = style.class_names(record)
    long_names = max(map(len, names)) > 3
    left, bottom = (1.25, 1.05) if long_names else (0.8, 0.65)
    side = style.WIDTH - left - SCALE_WIDTH
    accuracy = style.unbroken(f"accuracy {100 * predictions.accuracy:.2f} %")
    count = style.unbroken(f"n = {len(predictions.labels):,}")
    page = style.Page(
        record,
        f"Confusion matrix, {style.split_name(predictions)}: {accuracy}, {count}",
        height=bottom + side + 0.15,
        caption=_caption(counts, names),
    )
    axes = page.axes(left, bottom, side, side)
    colours = _colours(shares)
    axes.imshow(colours)
    for row, column in np.ndindex(counts.shape):
        _write_cell(axes, counts, row, column, colours[row, column])

    axes.set_xticks(range(CLASSES), names, size=10)
    if long_names:
        axes.tick_params(axis="x", rotation=35)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(CLASSES), names, size=10)
    axes.set_xlabel("predicted class", size=11)
    axes.set_ylabel("true class", size=11)
    axes.set_xticks(np.arange(CLASSES + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(CLASSES + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)

    scale = page.figure.colorbar(
        ScalarMappable(ERROR_SHARES, ERROR_COLOURS), cax=page.axes(left + side + 0.12, bottom, 0.16, side), extend="max"
    )
    scale.set_ticks([0.001, 0.003, 0.01, 0.03, 0.1, 0.3], labels=["0.1 %", "0.3 %", "1 %", "3 %", "10 %", "30 %"])
    scale.ax.tick_params(labelsize=8.5)
    scale.ax.minorticks_off()
    scale.set_label("errors, share of the true class (log scale)", size=9)
    return page.png()


def _write_cell(axes: Axes, counts: NDArray[np.int64], row: int, column: int, ground: NDArray[np.float64]) -> None:
    count, total = int(counts[row, column]), int(counts[row].sum())
    colour = style.PALE if count == 0 else "black" if _luminance(ground) > EVEN_LUMINANCE else "white"
    share = f"{100 * count / total:.1f} %" if total else "–"
    axes.text(
        column, row - 0.13, f"{count:,}", ha="center", va="center", size=10 if count else 8.5,
        weight="bold" if count else "normal", color=colour,
    )  # fmt: skip
    axes.text(
        column, row + 0.22, share if count or not total else "0 %", ha="center", va="center", size=7.5, color=colour
    )


def _colours(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (10, 10, 4) colours: right answers on a linear scale, errors on a logarithmic one of their own."""
    colours = colormaps[ERROR_COLOURS](ERROR_SHARES(shares))
    colours[shares == 0] = to_rgba(NO_ERROR)
    diagonal = np.arange(CLASSES)
    colours[diagonal, diagonal] = colormaps[RIGHT_COLOURS](0.1 + 0.4 * shares[diagonal, diagonal])
    return np.asarray(colours)


def _luminance(colour: NDArray[np.float64]) -> float:
    return float(colour[:3] ** 2.2 @ (0.2126, 0.7152, 0.0722))  # relative luminance, WCAG 2


def _caption(counts: NDArray[np.int64], names: tuple[str, ...]) -> str:
    errors = counts - np.diag(np.diag(counts))
    order = np.argsort(-errors, axis=None, kind="stable")[:NAMED_ERRORS]
    worst = [
        style.unbroken(f"true {names[row]}, predicted {names[column]} ({errors[row, column]:,}×)")
        for row, column in zip(*np.unravel_index(order, errors.shape), strict=True)
        if errors[row, column]
    ]
    text = f"Most frequent errors: {', '.join(worst)}." if worst else "No errors."
    return f"{text} Percentages are shares of the true class, the row."
