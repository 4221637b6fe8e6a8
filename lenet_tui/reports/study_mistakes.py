"""The study's figures of mistakes: confusions and t-SNE maps, of the default beside the best change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lenet_tui.config import CLASSES
from lenet_tui.data.catalog import CLASS_COLOURS, CLASS_NAMES, DIGITS
from lenet_tui.reports import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lenet_tui.analysis.study.findings import Findings
    from lenet_tui.analysis.study.mistakes import Mistakes
    from lenet_tui.run.embedding import Embedding

_SIDE = 3.35  # inches, of a panel
_COLOURS = "YlOrBr"


def confusions(findings: Findings) -> Figure | None:
    """Draw the errors per run by true and predicted class, the diagonal left out; None without any."""
    groups = [group for group in findings.mistakes[:2] if group.errors]
    if len(groups) < 2:
        return None
    names = CLASS_NAMES.get(findings.study.plan.dataset, DIGITS)
    figure, panels = _pair("Confusions of test images, errors per run", groups, bottom=0.75, left=0.75)
    highest = max(float(group.confusions.max()) for group in groups)
    for place, (axes, group) in enumerate(zip(panels, groups, strict=True)):
        errors = group.confusions
        shown = np.ma.masked_array(errors, mask=np.eye(CLASSES, dtype=bool))
        axes.imshow(shown, cmap=_COLOURS, vmin=0, vmax=highest, aspect="auto")
        for row, column in np.ndindex(errors.shape):
            value = float(errors[row, column])
            if value:
                colour = "white" if value > 0.6 * highest else "black"
                axes.text(column, row, _short(value), ha="center", va="center", size=7.5, color=colour)
        turn = 45 if max(map(len, names)) > 2 else 0
        axes.set_xticks(range(CLASSES), names, size=8.5, rotation=turn, ha="right" if turn else "center")
        axes.set_yticks(range(CLASSES), names if place == 0 else [""] * CLASSES, size=8.5)
        axes.set_xlabel("predicted class", size=10)
        axes.tick_params(length=0)
        axes.spines[:].set_color("#bbbbbb")
    panels[0].set_ylabel("true class", size=10)
    return figure


def maps(findings: Findings) -> Figure | None:
    """Draw the t-SNE maps of the first seed that has one; None without two."""
    groups = [group for group in findings.mistakes[:2] if group.embedding is not None]
    if len(groups) < 2:
        return None
    names = CLASS_NAMES.get(findings.study.plan.dataset, DIGITS)
    figure, panels = _pair("t-SNE of the last hidden layer, test images", groups, bottom=0.3, left=style.MARGIN)
    for axes, group in zip(panels, groups, strict=True):
        if group.embedding is not None:
            _map(axes, group.embedding, names)
    return figure


def _map(axes: Axes, embedding: Embedding, names: tuple[str, ...]) -> None:
    places = np.array([(point.x, point.y) for point in embedding.points])
    true = np.array([point.true for point in embedding.points])
    wrong = np.array([point.is_wrong for point in embedding.points])
    for label in np.unique(true):
        here = places[true == label]
        # Thousands of points make a web page slow; they are drawn as pixels in the SVG.
        axes.scatter(here[:, 0], here[:, 1], s=5, c=CLASS_COLOURS[label], linewidths=0, rasterized=True)
        middle = np.median(here, axis=0)
        nearest = here[np.argmin(((here - middle) ** 2).sum(axis=1))]
        axes.annotate(
            names[label], nearest, ha="center", va="center", size=11, weight="bold", color=style.INK,
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75}, zorder=6,
        )  # fmt: skip
    axes.scatter(places[wrong, 0], places[wrong, 1], s=34, facecolors="none", edgecolors=style.INK, linewidths=0.9)
    axes.text(
        0.0, -0.02, f"○ misclassified: {wrong.sum():,} of {len(places):,}", transform=axes.transAxes, va="top", size=8.5
    )
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.03)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#bbbbbb")


def _pair(title: str, groups: list[Mistakes], *, bottom: float, left: float) -> tuple[Figure, list[Axes]]:
    height, gap = _SIDE + 0.85 + bottom, 0.25
    figure = Figure(figsize=(style.WIDTH, height), dpi=style.DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(
        style.MARGIN / style.WIDTH, 1 - 0.22 / height, title, va="top", size=12, weight="bold", color=style.INK,
        family=style.FONT,
    )  # fmt: skip
    width = (style.WIDTH - left - style.MARGIN - gap) / 2
    panels = []
    for place, group in enumerate(groups):
        axes = figure.add_axes(
            ((left + place * (width + gap)) / style.WIDTH, bottom / height, width / style.WIDTH, _SIDE / height)
        )
        axes.set_title(f"{group.name} ({group.errors:.1f} errors)", size=10.5)
        panels.append(axes)
    return figure, panels


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 9.5 or value == round(value) else f"{value:.1f}"
