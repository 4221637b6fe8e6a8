"""``loss.png``: train and validation loss per epoch, the lowest one, and where the run overfits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lenet_tui.analysis.overfitting import overfitting_region
from lenet_tui.errors import NotDrawable
from lenet_tui.formatting import percent
from lenet_tui.reports import style
from lenet_tui.reports.matplotlib_import import with_defaults
from lenet_tui.run import metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from lenet_tui.config import RunConfig
    from lenet_tui.run.folder import RunRecord
    from lenet_tui.run.metrics import EpochMetrics

TRAIN, VALIDATION, SAMPLE, SHADE = "#0072b2", "#d55e00", "#6b6b6b", "#fbe3d0"  # the first two: Okabe & Ito 2008
LOG_FROM = 10.0  # ratio of highest to lowest loss from which a linear axis squeezes the late epochs
MARKERS_UP_TO = 40  # epochs; beyond, markers are thinned out

LOSS_NAMES = {
    "cross_entropy": "cross-entropy per image (nats)",
    "nll": "negative log-likelihood per image (nats)",
    "mse": "squared error per image (one-hot targets)",
    "focal": "focal loss, γ = 2, per image (nats)",
}


@with_defaults
def draw(record: RunRecord, history: Sequence[EpochMetrics]) -> bytes:
    """Return the PNG of the run's loss curves. Raises `NotDrawable` when no epoch is done."""
    if not history:
        raise NotDrawable("there is no epoch in metrics.csv")
    region = overfitting_region(history)
    best = metrics.best(history)
    epochs = np.array([row.epoch for row in history])
    curves = [
        ("train, running mean over the epoch", [row.train_loss for row in history], TRAIN, "-", "o", 2.0),
        ("validation", [row.val_loss for row in history], VALIDATION, "--", "s", 2.0),
        ("train sample, measured like validation", [row.sample_loss for row in history], SAMPLE, ":", "^", 1.2),
    ]
    page = style.Page(record, _heading(record, history), height=5.0, caption=_caption(history))
    axes = page.axes(1.0, 1.35, 6.75, 3.55)

    for name, values, colour, line, marker, width in curves:
        axes.plot(
            epochs, values, line, color=colour, linewidth=width, marker=marker, markersize=2.4 * width,
            markevery=max(1, len(epochs) // MARKERS_UP_TO), label=name,
        )  # fmt: skip
    if best is not None:
        axes.plot(
            best.epoch, best.val_loss, "D", color="none", markeredgecolor=style.INK, markeredgewidth=1.8, markersize=11,
            zorder=5, label=f"lowest validation loss: {best.val_loss:.4g}, epoch {best.epoch}",
        )  # fmt: skip
    else:
        axes.text(0.5, 0.5, "no epoch has a finite validation loss", transform=axes.transAxes, ha="center", size=12)
    if region is not None:
        axes.axvspan(
            region.first, region.last, color=SHADE, zorder=0, lw=0, label=f"overfitting from epoch {region.first}"
        )
        axes.axvline(region.first, color=VALIDATION, linewidth=0.8, linestyle=(0, (1, 2)))
        axes.annotate(
            "overfitting", (region.last, 1), xycoords=("data", "axes fraction"), xytext=(-4, -5),
            textcoords="offset points", ha="right", va="top", size=10, style="italic", color="#8a3c00",
        )  # fmt: skip
    axes.legend(
        ncols=2, frameon=False, fontsize=9.5, handlelength=3.2, loc="upper left", bbox_to_anchor=(0, -0.15),
        borderaxespad=0,
    )  # fmt: skip

    _scale(axes, np.array([values for _, values, *_ in curves]))
    margin = max(0.4, 0.015 * float(np.ptp(epochs)))
    axes.set_xlim(epochs[0] - margin, epochs[-1] + margin)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch", size=11)
    axes.set_ylabel(_loss_name(record.config) + ("\n(log scale)" if axes.get_yscale() == "log" else ""), size=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    return page.png()


def _heading(record: RunRecord, history: Sequence[EpochMetrics]) -> str:
    done, wanted = history[-1].epoch, record.config.epochs
    if done >= wanted:
        return "Train and validation loss"
    early = record.summary is not None and record.summary.stopped_early
    return f"Train and validation loss, {done} of {wanted} epochs done" + (" (early stopping)" if early else "")


def _caption(history: Sequence[EpochMetrics]) -> str:
    selected = metrics.selected(history)
    text = (
        f"Tested weights: epoch {selected.epoch}, of highest validation accuracy ({percent(selected.val_accuracy)}). "
        if selected
        else ""
    )
    return text + _gaps(history)


def _gaps(history: Sequence[EpochMetrics]) -> str:
    odd = [row.epoch for row in history if not np.isfinite([row.train_loss, row.val_loss, row.sample_loss]).all()]
    if not odd:
        return ""
    where = f"epoch {odd[0]}" if len(odd) == 1 else f"{len(odd)} epochs, the first of them {odd[0]}"
    return f"Curves have gaps where a loss is infinite or not a number: {where}."


def _loss_name(config: RunConfig) -> str:
    name = LOSS_NAMES[config.loss]
    return f"label-smoothed {name}" if config.label_smoothing else name


def _scale(axes: Axes, values: NDArray[np.float64]) -> None:
    """Choose the y axis: logarithmic where a linear one would squeeze the late epochs, with room for a word on top."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        axes.set_yticks([])
        return
    low, high = float(finite.min()), float(finite.max())
    if low > 0 and high / low >= LOG_FROM:
        axes.set_yscale("log")
        decades = np.log10(high / low)
        axes.set_ylim(low * 10 ** (-0.04 * decades), high * 10 ** (0.1 * decades))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 4 else (1,), numticks=12))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        span = (high - low) or abs(high) or 1.0
        axes.set_ylim(min(0.0, low) if low < span else low - 0.05 * span, high + 0.12 * span)
