"""The figures of the study: validation losses by batch size and learning rate, the default's losses, the effects."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lenet_tui import __version__
from lenet_tui.analysis.study.findings import variants_of
from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS
from lenet_tui.analysis.study.prose import alexnet, batch_size, improvements, learning_rate, overfitting
from lenet_tui.reports import style
from lenet_tui.reports.loss import SAMPLE, TRAIN, VALIDATION
from lenet_tui.reports.matplotlib_import import with_defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.analysis.statistics import Contrast
    from lenet_tui.analysis.study.findings import Findings
    from lenet_tui.analysis.study.plan import Question, Study
    from lenet_tui.run.metrics import EpochMetrics

FIGURES = (overfitting.FIGURE, batch_size.FIGURE, learning_rate.FIGURE, improvements.FIGURE, alexnet.FIGURE)
# Okabe & Ito 2008: colour, dashes and marker of a figure's curves, distinct by each of the three.
_DEFAULT = ("#d55e00", "--", "s")
_OTHERS = (("#0072b2", "-", "o"), ("#007a5a", ":", "^"))
_BETTER, _WORSE, _OPEN = "#0072b2", "#d55e00", "#6b6b6b"


@with_defaults
def draw(findings: Findings) -> dict[str, bytes]:
    """Return the PNG of every figure that there are runs for, by the name of its file."""
    drawn: dict[str, bytes] = {}
    if findings.default is None:
        return drawn
    drawn[overfitting.FIGURE] = _default(findings)
    sizes = {name: f"batch size {size}" for name, size in batch_size.SIZES.items()}
    rates = {name: f"learning rate {rate}" for name, rate in learning_rate.RATES.items()}
    drawn[batch_size.FIGURE] = _validation(findings.study, "batch size", sizes)
    drawn[learning_rate.FIGURE] = _validation(findings.study, "learning rate", rates)
    drawn[alexnet.FIGURE] = _validation(findings.study, "network", alexnet.NETWORKS)
    if any(
        findings.effects[variant.name].loss
        for variant in variants_of("improvements")
        if variant.name in findings.effects
    ):
        drawn[improvements.FIGURE] = _effects(findings)
    return drawn


def _default(findings: Findings) -> bytes:
    runs = list(findings.study.of(DEFAULT).values())
    figure, axes = _page("Losses of the default", 4.6)
    curves = (
        ("train, running mean", [_losses(run, lambda row: row.train_loss) for run in runs], TRAIN, "-", "o"),
        ("validation", [_losses(run, lambda row: row.val_loss) for run in runs], VALIDATION, "--", "s"),
        (
            "train sample, evaluation mode",
            [_losses(run, lambda row: row.sample_loss) for run in runs],
            SAMPLE,
            ":",
            "^",
        ),
    )
    for name, values, colour, line, marker in curves:
        _curve(axes, values, name, colour, line, marker)
    onsets = [trend.onset for trend in findings.trends.get(DEFAULT.name, ())]
    for n, onset in enumerate(onsets):
        axes.axvline(
            onset, color=VALIDATION, linewidth=1.2, linestyle=(0, (1, 2)),
            label="lowest smoothed validation loss of each run" if n == 0 else None,
        )  # fmt: skip
    _finish(axes, "loss per image (nats)", 2)
    return _png(figure, "Losses of the default")


def _validation(study: Study, what: str, variants: Mapping[str, str]) -> bytes:
    """Draw the validation loss of the variants named in ``variants``, which are called by its values."""
    figure, axes = _page(f"Validation loss by {what}", 4.6)
    by_name = {variant.name: variant for variant in VARIANTS}
    others = iter(_OTHERS)
    for name, shown in variants.items():
        colour, line, marker = _DEFAULT if name == DEFAULT.name else next(others)
        runs = list(study.of(by_name[name]).values())
        if runs:
            values = [_losses(run, lambda row: row.val_cross_entropy) for run in runs]
            mean = _curve(axes, values, shown, colour, line, marker)
            best = int(np.argmin(mean))
            axes.plot(
                best + 1,
                mean[best],
                "D",
                color="none",
                markeredgecolor=colour,
                markeredgewidth=1.8,
                markersize=10,
                zorder=5,
            )
    _finish(axes, "validation cross-entropy (nats)", 3)
    return _png(figure, f"Validation loss by {what}")


def _effects(findings: Findings) -> bytes:
    """Draw the ratios to the default with their intervals: filled where shown, open where not; AlexNet stands apart."""
    rows = sorted(_ratios(findings, "improvements"), key=lambda row: row[1].difference.mean, reverse=True)
    others = _ratios(findings, "alexnet")  # below a line: another model, not a change of this one
    rows = [*others, *rows]
    figure, axes = _page("Best validation loss relative to the default", 1.3 + 0.36 * len(rows), left=1.75, bottom=0.75)
    for place, (_, contrast) in enumerate(rows):
        d = contrast.difference
        mean, low, high = (math.exp(value) for value in (d.mean, d.low, d.high))
        colour = _OPEN if not contrast.shown else _BETTER if mean < 1 else _WORSE
        axes.plot([low, high], [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
        axes.plot(
            mean, place, "s" if mean > 1 else "o", color=colour, markersize=8,
            markerfacecolor=colour if contrast.shown else "white", markeredgewidth=1.8,
        )  # fmt: skip
    axes.axvline(1, color=style.INK, linewidth=1)
    if others:
        axes.axhline(len(others) - 0.5, color=style.INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], size=10)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.2, 1.5, 2, 3, 5, 7, 8, 9), numticks=15))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("ratio (log scale); left of 1 is a lower loss. Filled: shown at adjusted p < 0.05", size=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    return _png(figure, "Best validation loss relative to the default, with 95 % intervals")


def _ratios(findings: Findings, question: Question) -> list[tuple[str, Contrast]]:
    measured = [
        (variant.name, findings.effects[variant.name].loss)
        for variant in variants_of(question)
        if variant.name in findings.effects
    ]
    return [(name, contrast) for name, contrast in measured if contrast is not None]


def _losses(run: RunResult, pick: Callable[[EpochMetrics], float]) -> NDArray[np.float64]:
    return np.array([pick(row) for row in run.history], dtype=np.float64)


def _curve(
    axes: Axes, values: Sequence[NDArray[np.float64]], name: str, colour: str, line: str, marker: str
) -> NDArray[np.float64]:
    """Draw the mean of curves with a band from the lowest to the highest, and return the mean."""
    count = min(map(len, values))
    table = np.stack([value[:count] for value in values])
    mean: NDArray[np.float64] = table.mean(axis=0)
    epochs = np.arange(1, count + 1)
    if len(values) > 1:
        axes.fill_between(epochs, table.min(axis=0), table.max(axis=0), color=colour, alpha=0.15, lw=0)
    axes.plot(
        epochs,
        mean,
        line,
        color=colour,
        linewidth=2,
        marker=marker,
        markersize=4.8,
        markevery=max(1, count // 20),
        label=name,
    )
    return mean


def _page(title: str, height: float, *, left: float = 0.95, bottom: float = 1.15) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(style.WIDTH, height), dpi=style.DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(
        style.MARGIN / style.WIDTH, 1 - 0.22 / height, title, va="top", size=12, weight="bold", color=style.INK,
        family=style.FONT,
    )  # fmt: skip
    width, top = style.WIDTH - left - style.MARGIN, 0.5
    place = (left / style.WIDTH, bottom / height, width / style.WIDTH, (height - bottom - top) / height)
    return figure, figure.add_axes(place)


def _finish(axes: Axes, label: str, columns: int) -> None:
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(
        LogLocator(subs=(1, 2, 5) if high / low > 10 else (1, 1.5, 2, 3, 4, 5, 6, 8), numticks=12)
    )
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch", size=11)
    axes.set_ylabel(f"{label}\n(log scale)", size=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.legend(
        ncols=columns,
        frameon=False,
        fontsize=9.5,
        handlelength=3.2,
        loc="upper left",
        bbox_to_anchor=(0, -0.16),
        borderaxespad=0,
    )


def _png(figure: Figure, title: str) -> bytes:
    content = io.BytesIO()
    figure.canvas.print_png(  # type: ignore[attr-defined]
        content, metadata={"Title": title, "Software": f"lenet-tui {__version__}"}
    )
    return content.getvalue()
