"""What the curves panel draws: runs and options in, a `Plot` out. Pure functions."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from lenet_tui.tui.curves.chart import Band, Line, Mark, Plot, Point, drawable
from lenet_tui.tui.curves.charts import CHARTS, best, dashed, is_log, smooth, smoothed, solid
from lenet_tui.tui.curves.raster import Stroke
from lenet_tui.tui.curves.seeds import grouped, limits
from lenet_tui.tui.curves.view import visible_epochs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.tui.curves.charts import Curve, Metric, Options

COLOURS = 9  # how many runs have a colour of their own
MOST_TRAIN_CURVES = 3  # of more runs than this only the current one's train curve is drawn


def colours_of(curves: Sequence[Curve]) -> dict[int, int]:
    """Return the number of each run's colour: the same whatever else is shown, unless two runs would share one."""
    taken: dict[int, int] = {}
    for run_id in sorted({curve.run_id for curve in curves}):
        choices = [(run_id + n) % COLOURS for n in range(COLOURS)]
        taken[run_id] = next((colour for colour in choices if colour not in taken.values()), choices[0])
    return taken


def drawn_curves(curves: Sequence[Curve], options: Options) -> tuple[Curve, ...]:
    """Return what is drawn of these runs, the current one first."""
    return grouped(curves) if options.seeds else tuple(curves)


def trouble(curve: Curve) -> str:
    """Return where a loss stopped being a number, ``diverged in epoch 3: train loss nan``; "" when none did."""
    for row in curve.epochs:
        for name, value in (("train", row.train_loss), ("val", row.val_loss)):
            if not math.isfinite(value):
                return f"diverged in epoch {row.epoch}: {name} loss {value:g}"
    if curve.partial and not math.isfinite(curve.partial[1]):
        return f"diverging in epoch {math.floor(curve.partial[0]) + 1}: train loss {curve.partial[1]:g}"
    return ""


@lru_cache(maxsize=16)
def overfitting(epochs: tuple[EpochMetrics, ...]) -> tuple[int, int] | None:
    """Return the first and last epoch of the region in which a run overfits, None when it doesn't."""
    from lenet_tui.analysis.overfitting import overfitting_region

    region = overfitting_region(epochs)
    return (region.first, region.last) if region else None


def trained(curves: Sequence[Curve], options: Options) -> Sequence[Curve]:
    """Return the curves whose train figures are drawn too."""
    if not options.train:
        return ()
    return curves if len(curves) <= MOST_TRAIN_CURVES else curves[:1]


def plot_of(curves: Sequence[Curve], metric: Metric, options: Options) -> Plot:
    """Return the plot of one metric; ``curves[0]`` is the current run and lies over the others."""
    view = visible_epochs(curves, options)
    log = is_log(metric, options)
    colours = colours_of(curves)
    lines: list[Line] = []
    ends: list[Line] = []  # a solid line for each curve, to put the numbers at
    marks: list[Mark] = []
    bands: list[Band] = []
    for curve in reversed(curves):
        colour = colours[curve.run_id]
        points = solid(curve, metric)
        if curve in trained(curves, options):
            lines += _dashed_lines(curve, metric, options, f"train{colour}")
        if curve.members and metric != "steps":
            low, high = limits(curve, metric, options.smoothing)
            bands.append(Band(_clipped(low, view), _clipped(high, view), colour))
            lines += [Line(edge, Stroke.DOTTED, f"run{colour}", under=True) for edge in (low, high)]
        ends.append(Line(smoothed(points, options.smoothing), Stroke.SOLID, f"run{colour}"))
        lines += ends[-1:] if points else []
        chosen = best(curve, metric)
        # On the value itself, also where the line is smooth.
        marks += [Mark(point, "◆", f"best{colour}") for point in points if chosen and point[0] == chosen.epoch]
    if options.smoothing and curves:
        raw = [solid(curves[0], metric), *([dashed(curves[0], metric)] if options.train else [])]
        lines[:0] = [Line(points, Stroke.DOTTED, "shadow", under=True) for points in raw if points]
    if len(curves) > 1:
        marks += _tags(curves, ends[::-1], view, colours, log=log)
    lines = [Line(_clipped(line.points, view), line.stroke, line.role, line.under) for line in lines]
    seen = [y for line in lines for _, y in line.points if drawable(y, log=log)]
    seen += [mark.at[1] for mark in marks if view[0] <= mark.at[0] <= view[1] and drawable(mark.at[1], log=log)]
    planned = curves[0].total_epochs if curves else 0
    return Plot(
        lines=tuple(lines),
        marks=tuple(marks),
        x_range=view if view[1] > view[0] else (view[0] - 0.5, view[1] + 0.5),
        y_range=(min(seen), max(seen)) if seen else (0.1, 1.0),
        log=log,
        percent=CHARTS[metric].percent,
        shaded=overfitting(curves[0].epochs) if curves and curves[0].epochs and metric == "loss" else None,
        bands=tuple(bands),
        planned=planned if curves and (not curves[0].epochs or curves[0].epochs[-1].epoch < planned) else None,
    )


def _dashed_lines(curve: Curve, metric: Metric, options: Options, role: str) -> list[Line]:
    points = dashed(curve, metric)
    train = smoothed(points, options.smoothing)
    lines = [Line(train, Stroke.DASHED, role)] if train else []
    if curve.partial and metric == "loss" and train and curve.partial[0] > train[-1][0]:
        # Drawn apart: the curve so far needn't be drawn again at every step.
        tail = smooth([*(y for _, y in points), curve.partial[1]], options.smoothing)[-1]
        lines.append(Line((train[-1], (curve.partial[0], tail)), Stroke.DASHED, role))
    return lines


def _tags(
    curves: Sequence[Curve],
    lines: Sequence[Line],
    view: tuple[float, float],
    colours: dict[int, int],
    *,
    log: bool,
) -> list[Mark]:
    """Return each run's number at the end of its validation curve and once along it, each at another place."""
    tags = []
    for place, (curve, line) in enumerate(zip(curves, lines, strict=True), start=1):
        role = f"run{colours[curve.run_id]}"
        points = [point for point in _clipped(line.points, view) if drawable(point[1], log=log)]
        if not points:
            continue
        at = points[0][0] + (points[-1][0] - points[0][0]) * place / (len(curves) + 1)
        along = next((_between(a, b, at) for a, b in pairwise(points) if a[0] <= at < b[0]), None)
        if along:
            tags.append(Mark(along, curve.number, role))
        tags.append(Mark(points[-1], curve.number + " base" * curve.is_baseline, role, tag=True))
    return tags


def _between(a: Point, b: Point, x: float) -> Point:
    share = (x - a[0]) / (b[0] - a[0])
    return x, a[1] + (b[1] - a[1]) * share


def _clipped(points: Sequence[Point], view: tuple[float, float]) -> tuple[Point, ...]:
    """Return the points within ``view`` and, where a line crosses its border, the point there."""
    if not points or (view[0] <= points[0][0] and points[-1][0] <= view[1]):
        return tuple(points)
    kept: list[Point] = []
    for n, point in enumerate(points):
        previous = points[n - 1] if n else point
        kept += [_between(previous, point, border) for border in view if previous[0] < border < point[0]]
        if view[0] <= point[0] <= view[1]:
            kept.append(point)
    return tuple(kept)
