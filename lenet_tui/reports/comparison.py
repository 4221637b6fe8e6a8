"""The picture of a comparison: validation loss per epoch of every configuration, the lowest ones marked."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lenet_tui import __version__
from lenet_tui.errors import NotDrawable
from lenet_tui.formatting import counted
from lenet_tui.reports import style
from lenet_tui.reports.loss import LOG_FROM, LOSS_NAMES
from lenet_tui.reports.matplotlib_import import with_defaults

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from lenet_tui.analysis.comparison.compare import Comparison
    from lenet_tui.analysis.comparison.groups import Group

# Okabe & Ito 2008 without the yellow, which is too pale for a line on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#1a1a1a")
DASHES: tuple[tuple[float, ...], ...] = ((), (6, 2), (2, 1.5), (8, 2, 1.5, 2), (10, 3), (4, 1, 1, 1, 1, 1))
MARKERS = "osD^vPXp*h<>"
TRAIN_UP_TO = 3  # groups; of more, train curves only hide the others
LONG_LABEL = 42  # characters, beyond which a legend has no room for two columns
_TRAIN_DASH = (1.0, 1.5)
_LEGEND_ROW = 0.24  # inches
_BODY = 4.6  # inches of axes with their labels


@with_defaults
def draw(comparison: Comparison) -> bytes:
    """Return the PNG of the groups' losses. Raises `NotDrawable` when no epoch has a finite validation loss.

    A group is distinct by colour, dashes and marker, so that grey prints and any eyes can: a line through the means
    of its runs, a band from their lowest to their highest. With up to three groups the losses on the sample of
    training images, measured like validation, are dotted. Losses are plain cross-entropies where runs were trained
    with different losses, and then train curves, which aren't, are left out.
    """
    groups = comparison.groups
    column, name = _loss(comparison)
    with_train = len(groups) <= TRAIN_UP_TO and column == "val_loss"
    longest = max(len(group.label) for group in groups)
    columns = min(2, len(groups)) if longest <= LONG_LABEL else 1
    rows = math.ceil((len(groups) + with_train) / columns)
    heading, below = 0.65, 0.75 + _LEGEND_ROW * rows
    height = heading + _BODY + below
    figure = Figure(figsize=(style.WIDTH, height), dpi=style.DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.95 / style.WIDTH, below / height, 6.8 / style.WIDTH, _BODY / height))

    drawn = [_group(axes, number, group, column) for number, group in enumerate(groups)]
    if with_train:
        drawn += [_train(axes, number, group) for number, group in enumerate(groups)]
        axes.plot(
            [], [], color=style.PALE, dashes=_TRAIN_DASH, linewidth=1.3, label="train sample, same colours and markers"
        )
    values = np.concatenate(drawn)
    if not np.isfinite(values).any():
        raise NotDrawable("no epoch has a finite validation loss")
    _scale(axes, values[np.isfinite(values)])
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch", size=11)
    axes.set_ylabel(f"validation loss: {name}" + (", log scale" if axes.get_yscale() == "log" else ""), size=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.legend(
        ncols=columns, frameon=False, fontsize=9.5, handlelength=4.5, loc="upper left",
        bbox_to_anchor=(0, -0.55 / _BODY), borderaxespad=0,
    )  # fmt: skip
    many = any(len(group.runs) > 1 for group in groups)
    title = f"Validation loss of {counted(sum(len(group.runs) for group in groups), 'run')}"
    message = f"large marker: epoch of lowest validation loss{' of each run' if many else ''}" + (
        "; line: mean of the runs, as far as all of them got; band: lowest to highest" if many else ""
    )
    for text, size, weight, colour, top in (
        (title, 12, "bold", style.INK, 0.14), (message, 8.5, "normal", style.PALE, 0.38),
    ):  # fmt: skip
        figure.text(
            style.MARGIN / style.WIDTH, 1 - top / height, text, va="top", size=size, weight=weight, color=colour,
            family=style.FONT, parse_math=False,
        )  # fmt: skip
    content = io.BytesIO()
    canvas.print_png(  # type: ignore[no-untyped-call]
        content,
        metadata={
            "Title": f"{title}: {'; '.join(group.label for group in groups)}",
            "Software": f"lenet-tui {__version__}",
            "lenet-tui:runs": ", ".join(str(run.run_id) for group in groups for run in group.runs),
        },
    )
    return content.getvalue()


def look(number: int) -> tuple[str, tuple[float, ...], str]:
    """Return colour, dashes and marker of the nth group; no two of the first eighty-four are alike in all three."""
    return COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)], MARKERS[number % len(MARKERS)]


def _group(axes: Axes, number: int, group: Group, column: str) -> NDArray[np.float64]:
    colour, dashes, marker = look(number)
    epochs, values = _curves(group, column)
    mean, low, high = _band(values)
    seeds = f" ({counted(len(group.runs), 'run')})" if len(group.runs) > 1 else ""
    axes.plot(
        epochs, mean, color=colour, dashes=dashes, linewidth=1.8, marker=marker, markersize=4.5,
        markevery=max(1, len(epochs) // 10), label=group.label + seeds, zorder=3,
    )  # fmt: skip
    if len(values) > 1:
        axes.fill_between(epochs, low, high, color=colour, alpha=0.13, linewidth=0, zorder=1)
    for run in group.runs:
        if run.best is not None:
            axes.plot(
                run.best.epoch, getattr(run.best, column), marker, color="white", markeredgecolor=colour,
                markeredgewidth=1.8, markersize=9, zorder=5,
            )  # fmt: skip
    return values.ravel()


def _train(axes: Axes, number: int, group: Group) -> NDArray[np.float64]:
    epochs, values = _curves(group, "sample_loss")
    colour, _, marker = look(number)
    axes.plot(
        epochs, _band(values)[0], color=colour, dashes=_TRAIN_DASH, linewidth=1.3, marker=marker, markersize=3,
        markevery=max(1, len(epochs) // 10), zorder=2,
    )  # fmt: skip
    return values.ravel()


def _curves(group: Group, column: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the epochs that any run of the group has, and (runs, epochs) losses, nan where a run has none."""
    epochs = sorted({row.epoch for run in group.runs for row in run.history})
    place = {epoch: index for index, epoch in enumerate(epochs)}
    values = np.full((len(group.runs), len(epochs)), np.nan)
    for number, run in enumerate(group.runs):
        for row in run.history:
            loss = getattr(row, column)
            values[number, place[row.epoch]] = loss if math.isfinite(loss) else math.nan
    return np.array(epochs), values


def _band(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean, lowest and highest of (runs, epochs) losses, (3, epochs); nan where not every run has one.

    A mean over fewer runs would jump where one of them ends.
    """
    whole = np.isfinite(values).all(axis=0)
    result = np.stack([values.mean(axis=0), values.min(axis=0), values.max(axis=0)])
    return np.where(whole, result, np.nan)


def _scale(axes: Axes, values: NDArray[np.float64]) -> None:
    low, high = float(values.min()), float(values.max())
    if low > 0 and high / low >= LOG_FROM:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.15, high * 1.15)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 1e4 else (1,), numticks=12))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        span = (high - low) or abs(high) or 1.0
        axes.set_ylim(low - 0.06 * span, high + 0.06 * span)


def _loss(comparison: Comparison) -> tuple[str, str]:
    """Return which column of the epochs is drawn and what it is called."""
    configs = [run.config for group in comparison.groups for run in group.runs]
    if len({(config.loss, config.label_smoothing) for config in configs}) > 1:
        return "val_cross_entropy", "plain cross-entropy per image (nats)"
    return "val_loss", ("label-smoothed " if configs[0].label_smoothing else "") + LOSS_NAMES[configs[0].loss]
