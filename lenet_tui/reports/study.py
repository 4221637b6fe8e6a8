"""The figures of the study: losses by epoch and by update, what each change brings, mistakes and t-SNE maps."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lenet_tui import __version__
from lenet_tui.analysis.study.comparisons import level, levels_of, variants_of
from lenet_tui.analysis.study.document import FIGURES
from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS
from lenet_tui.reports import study_mistakes, style
from lenet_tui.reports.loss import SAMPLE, SHADE, TRAIN, VALIDATION
from lenet_tui.reports.matplotlib_import import with_defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.analysis.study.claims import Claim
    from lenet_tui.analysis.study.findings import Findings
    from lenet_tui.analysis.study.plan import Question, Study, Variant
    from lenet_tui.run.metrics import EpochMetrics

_NETWORKS = {DEFAULT.name: "LeNet", "dropout": "LeNet, dropout 0.3", "AlexNet": "AlexNet, dropout 0.5"}
# Okabe & Ito 2008: colour, dashes and marker of a figure's curves, distinct by each of the three.
_DEFAULT = ("#d55e00", "--", "s")
_OTHERS = (("#0072b2", "-", "o"), ("#007a5a", ":", "^"))
_LOWER, _HIGHER, _OPEN = "#0072b2", "#d55e00", "#6b6b6b"


@dataclass(frozen=True)
class Picture:
    """A figure as a PNG, to print and for Markdown, and as an SVG, for the web page."""

    png: bytes
    svg: bytes


@with_defaults
def draw(findings: Findings) -> dict[str, Picture]:
    """Return every figure that there are runs for, by the name of its PNG file."""
    if findings.default is None:
        return {}
    batch_sizes = {v.name: f"batch size {level(v, 'batch_size'):g}" for v in levels_of("batch_size")}
    rates = {v.name: f"learning rate {level(v, 'lr'):g}" for v in levels_of("lr")}
    drawn: dict[str, Figure | None] = {
        "loss": _default(findings),
        "batch": _validation(findings.study, "batch size", batch_sizes, updates=True),
        "rate": _validation(findings.study, "learning rate", rates),
        "improve": _effects(findings) if findings.claims_of("improvements", "best loss") else None,
        "alexnet": _validation(findings.study, "network", _NETWORKS),
        "mistakes": study_mistakes.confusions(findings),
        "maps": study_mistakes.maps(findings),
    }
    return {FIGURES[key]: _picture(figure) for key, figure in drawn.items() if figure is not None}


def _default(findings: Findings) -> Figure:
    runs = list(findings.study.of(DEFAULT).values())
    figure, (axes,) = _page("Losses of the default configuration", 4.6)
    curves = (
        ("train, running mean", [_losses(run, lambda row: row.train_loss) for run in runs], TRAIN, "-", "o"),
        ("validation", [_losses(run, lambda row: row.val_loss) for run in runs], VALIDATION, "--", "s"),
        (
            "train sample, measured like validation",
            [_losses(run, lambda row: row.sample_loss) for run in runs],
            SAMPLE,
            ":",
            "^",
        ),
    )
    for name, values, colour, line, marker in curves:
        _curve(axes, values, name, colour, line, marker)
    rise = findings.overfit.get(DEFAULT.name)
    if rise is not None:
        if rise.found and rise.region:
            axes.axvspan(rise.region.first, rise.region.last, color=SHADE, zorder=0, lw=0, label="overfitting")
        axes.axvline(
            rise.lowest, color=VALIDATION, linewidth=1.2, linestyle=(0, (1, 2)), label="lowest smoothed validation loss"
        )
    _scale(axes, "loss per image (nats)")
    _legend(axes, 2)
    return figure


def _validation(study: Study, what: str, names: Mapping[str, str], *, updates: bool = False) -> Figure:
    """Draw the validation loss of the variants named in ``names``, by epoch and, with ``updates``, by update too."""
    figure, panels = _page(f"Validation loss by {what}", 4.6, panels=2 if updates else 1)
    by_name: dict[str, Variant] = {variant.name: variant for variant in VARIANTS}
    others = iter(_OTHERS)
    for name, shown in names.items():
        colour, line, marker = _DEFAULT if name == DEFAULT.name else next(others)
        runs = list(study.of(by_name[name]).values())
        if not runs:
            continue
        values = [_losses(run, lambda row: row.val_cross_entropy) for run in runs]
        steps = -(-runs[0].record.dataset.train // runs[0].config.batch_size)
        for axes, each in zip(panels, (1, steps), strict=False):
            mean = _curve(axes, values, shown, colour, line, marker, each)
            lowest = int(np.argmin(mean))
            axes.plot(
                each * (lowest + 1), mean[lowest], "D", color="none", markeredgecolor=colour, markeredgewidth=1.8,
                markersize=10, zorder=5,
            )  # fmt: skip
    _scale(panels[0], "validation cross-entropy (nats)")
    if updates:
        _scale(panels[1], "", "update")
        panels[1].set_xscale("log")
        panels[1].set_ylim(panels[0].get_ylim())
        panels[1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    _legend(panels[0], 3)
    return figure


def _effects(findings: Findings) -> Figure:
    """Draw the changes against the default with their intervals, of the loss and of test accuracy."""
    losses, accuracies = _changes(findings, "best loss"), _changes(findings, "test accuracy")
    own = [name for name in accuracies if name in {variant.name for variant in variants_of("improvements")}]
    own.sort(key=lambda name: losses[name].difference.mean if name in losses else math.inf, reverse=True)
    apart = [name for name in accuracies if name not in own]  # another model, not a change of this one
    rows = [*apart, *own]
    height = 1.45 + 0.36 * len(rows)
    figure, panels = _page("Change against the default configuration", height, panels=2, left=1.75, bottom=0.85)
    for axes, measured, in_percent in ((panels[0], losses, False), (panels[1], accuracies, True)):
        for place, name in enumerate(rows):
            if name not in measured:
                axes.text(0.02, place, "not compared", transform=axes.get_yaxis_transform(), va="center", size=8.5)
                continue
            claim = measured[name]
            write = (lambda value: 100 * value) if in_percent else (lambda value: 100 * math.expm1(value))
            mean, low, high = (
                write(value) for value in (claim.difference.mean, claim.difference.low, claim.difference.high)
            )
            good = claim.higher if in_percent else claim.lower
            colour = _OPEN if not claim.is_significant else _LOWER if good else _HIGHER
            axes.plot([low, high], [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
            axes.plot(
                mean, place, "o", color=colour, markersize=7.5, markeredgewidth=1.8,
                markerfacecolor=colour if claim.is_significant else "white",
            )  # fmt: skip
        axes.axvline(0, color=style.INK, linewidth=1)
        if apart:
            axes.axhline(len(apart) - 0.5, color=style.INK, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", color="#dddddd", linewidth=0.7)
        axes.set_axisbelow(True)
    panels[0].set_yticks(range(len(rows)), rows, size=10)
    panels[1].set_yticks(range(len(rows)), [""] * len(rows))
    panels[0].set_xlabel("lowest val loss (%)\nleft is better; filled: significant", size=9.5)
    panels[1].set_xlabel("test accuracy (points)\nright is better; filled: significant", size=9.5)
    return figure


def _changes(findings: Findings, measure: str) -> dict[str, Claim]:
    questions: tuple[Question, ...] = ("improvements", "alexnet")
    return {
        name: claim
        for question in questions
        for name, claim in findings.claims_of(question, measure).items()  # type: ignore[arg-type]
    }


def _losses(run: RunResult, pick: Callable[[EpochMetrics], float]) -> NDArray[np.float64]:
    return np.array([pick(row) for row in run.history], dtype=np.float64)


def _curve(
    axes: Axes, values: Sequence[NDArray[np.float64]], name: str, colour: str, line: str, marker: str, each: int = 1
) -> NDArray[np.float64]:
    """Draw the mean of curves with a band from the lowest to the highest, a point every ``each``; return the mean."""
    count = min(map(len, values))
    table = np.stack([value[:count] for value in values])
    mean: NDArray[np.float64] = table.mean(axis=0)
    places = each * np.arange(1, count + 1)
    if len(values) > 1:
        axes.fill_between(places, table.min(axis=0), table.max(axis=0), color=colour, alpha=0.15, lw=0)
    axes.plot(
        places, mean, line, color=colour, linewidth=2, marker=marker, markersize=4.8, markevery=max(1, count // 20),
        label=name,
    )  # fmt: skip
    return mean


def _page(
    title: str, height: float, *, panels: int = 1, left: float = 0.95, bottom: float = 1.15
) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(style.WIDTH, height), dpi=style.DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(
        style.MARGIN / style.WIDTH, 1 - 0.22 / height, title, va="top", size=12, weight="bold", color=style.INK,
        family=style.FONT,
    )  # fmt: skip
    gap, top = 0.35, 0.5
    width = (style.WIDTH - left - style.MARGIN - gap * (panels - 1)) / panels
    return figure, [
        figure.add_axes(
            (
                (left + panel * (width + gap)) / style.WIDTH,
                bottom / height,
                width / style.WIDTH,
                (height - bottom - top) / height,
            )
        )
        for panel in range(panels)
    ]


def _scale(axes: Axes, label: str, x_label: str = "epoch") -> None:
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(
        LogLocator(subs=(1, 2, 5) if high / low > 10 else (1, 1.5, 2, 3, 4, 5, 6, 8), numticks=12)
    )
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if label else ""))
    if x_label == "epoch":
        axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    axes.set_xlabel(x_label if label else f"{x_label} (log scale)", size=11)
    if label:
        axes.set_ylabel(f"{label}\n(log scale)", size=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)


def _legend(axes: Axes, columns: int) -> None:
    axes.legend(
        ncols=columns, frameon=False, fontsize=9.5, handlelength=3.2, loc="upper left", bbox_to_anchor=(0, -0.16),
        borderaxespad=0,
    )  # fmt: skip


def _picture(figure: Figure) -> Picture:
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", dpi=style.DPI, metadata={"Software": f"lenet-tui {__version__}"})
    # Otherwise the identifiers within are random, and the same runs give another file each time.
    with matplotlib.rc_context({"svg.hashsalt": "lenet-tui"}):
        figure.savefig(svg, format="svg", dpi=style.DPI, metadata={"Date": None})
    return Picture(png.getvalue(), svg.getvalue())
