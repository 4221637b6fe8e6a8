"""What the curves panel draws: runs and options in, a `Plot` out. Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from lenet_tui.run import metrics
from lenet_tui.tui.curves.chart import Line, Mark, Plot, Point, Stroke, drawable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.run.metrics import EpochMetrics

Metric = Literal["loss", "accuracy"]
Shown = Literal["loss", "accuracy", "both"]

COLOURS = 9  # how many runs have a colour of their own
SMOOTHINGS = (0.0, 0.6, 0.9)
MOST_TRAIN_CURVES = 3  # of more runs than this only the current one's train curve is drawn
ROOMY = 30  # epochs that the axis has from the start, if the run is to have as many
LEAST_SPAN = 2.0  # epochs


@dataclass(frozen=True)
class Curve:
    """One run. ``partial`` is where it is while an epoch runs: (7.43, its train loss so far)."""

    run_id: int
    label: str
    epochs: tuple[EpochMetrics, ...]
    total_epochs: int
    partial: tuple[float, float] | None = None


@dataclass(frozen=True)
class Options:
    """How the curves are shown. ``zoom`` is the first and the last epoch to show, None for all."""

    shown: Shown = "loss"
    log: bool = False
    smoothing: float = 0.0
    zoom: tuple[float, float] | None = None


def smooth(values: Sequence[float], weight: float) -> list[float]:
    """Return the exponential moving average, debiased as in Adam (Kingma & Ba 2015, §3), so that it begins at the data.

    A value that isn't finite stays as it is and the average goes on after it.
    """
    if not weight:
        return list(values)
    total, count = 0.0, 0
    result = []
    for value in values:
        if math.isfinite(value):
            total = weight * total + (1 - weight) * value
            count += 1
            result.append(total / (1 - weight**count))
        else:
            result.append(value)
    return result


def colours_of(curves: Sequence[Curve]) -> dict[int, int]:
    """Return the number of each run's colour: the same whatever else is shown, unless two runs would share one."""
    taken: dict[int, int] = {}
    for run_id in sorted({curve.run_id for curve in curves}):
        choices = [(run_id + n) % COLOURS for n in range(COLOURS)]
        taken[run_id] = next((colour for colour in choices if colour not in taken.values()), choices[0])
    return taken


def extent(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return the first and last epoch of the whole axis. It grows by doubling, so that it seldom moves."""
    last = 1
    for curve in curves:
        done = curve.epochs[-1].epoch if curve.epochs else 0
        reached = max(done, math.ceil(curve.partial[0]) if curve.partial else 0)
        room = ROOMY
        while room < reached:
            room *= 2
        last = max(last, reached, min(curve.total_epochs, room))
    return 1.0, float(last)


def visible_epochs(curves: Sequence[Curve], options: Options) -> tuple[float, float]:
    """Return the first and last epoch that is shown."""
    return fitted(options.zoom, extent(curves)) if options.zoom else extent(curves)


def fitted(view: tuple[float, float], whole: tuple[float, float]) -> tuple[float, float]:
    """Return ``view`` moved and, where it must be, narrowed to lie in ``whole``."""
    span = min(view[1] - view[0], whole[1] - whole[0])
    low = min(max(view[0], whole[0]), whole[1] - span)
    return low, low + span


def zoomed(view: tuple[float, float], whole: tuple[float, float], factor: float) -> tuple[float, float] | None:
    """Return ``view`` made ``factor`` times as wide around its middle, in whole epochs; None when that shows all."""
    span = max(LEAST_SPAN, float(round((view[1] - view[0]) * factor)))
    if span >= whole[1] - whole[0]:
        return None
    low = float(round((view[0] + view[1] - span) / 2))
    return fitted((low, low + span), whole)


def panned(view: tuple[float, float], whole: tuple[float, float], share: float) -> tuple[float, float]:
    """Return ``view`` moved by a share of its width, at least an epoch."""
    step = math.copysign(max(1, round(abs(share) * (view[1] - view[0]))), share)
    return fitted((view[0] + step, view[1] + step), whole)


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


def trained(curves: Sequence[Curve]) -> Sequence[Curve]:
    """Return the curves whose train figures are drawn too."""
    return curves if len(curves) <= MOST_TRAIN_CURVES else curves[:1]


def plot_of(curves: Sequence[Curve], metric: Metric, options: Options) -> Plot:
    """Return the plot of one metric; ``curves[0]`` is the current run and lies over the others."""
    view = visible_epochs(curves, options)
    log = options.log and metric == "loss"
    colours = colours_of(curves)
    lines: list[Line] = []
    marks: list[Mark] = []
    for curve in reversed(curves):
        val = _smoothed(curve, f"val_{metric}", options)
        if curve in trained(curves):
            lines += _train_lines(curve, metric, options, f"train{colours[curve.run_id]}")
        lines.append(Line(val, Stroke.SOLID, f"run{colours[curve.run_id]}"))
        marks += _marks(curve, val, f"best{colours[curve.run_id]}")
    if options.smoothing and curves:
        raw = [_points(curves[0], f"{part}_{metric}") for part in ("train", "val")]
        lines[:0] = [Line(points, Stroke.DOTTED, "shadow", under=True) for points in raw]
    if len(curves) > 1:
        marks += _tags(curves, [line for line in lines if line.role.startswith("run")][::-1], view, colours, log=log)
    lines = [Line(_clipped(line.points, view), line.stroke, line.role, line.under) for line in lines]
    seen = [y for line in lines for _, y in line.points if drawable(y, log=log)]
    return Plot(
        lines=tuple(lines),
        marks=tuple(marks),
        x_range=view if view[1] > view[0] else (view[0] - 0.5, view[1] + 0.5),
        y_range=(min(seen), max(seen)) if seen else (0.1, 1.0),
        log=log,
        percent=metric == "accuracy",
        shaded=overfitting(curves[0].epochs) if curves and curves[0].epochs else None,
    )


def _points(curve: Curve, name: str) -> tuple[Point, ...]:
    return tuple((float(row.epoch), getattr(row, name)) for row in curve.epochs)


def _smoothed(curve: Curve, name: str, options: Options) -> tuple[Point, ...]:
    points = _points(curve, name)
    return tuple(zip([x for x, _ in points], smooth([y for _, y in points], options.smoothing), strict=True))


def _train_lines(curve: Curve, metric: Metric, options: Options, role: str) -> list[Line]:
    train = _smoothed(curve, f"train_{metric}", options)
    lines = [Line(train, Stroke.DASHED, role)]
    if curve.partial and metric == "loss" and train and curve.partial[0] > train[-1][0]:
        # Drawn apart: the curve so far needn't be drawn again at every step.
        values = [row.train_loss for row in curve.epochs]
        tail = smooth([*values, curve.partial[1]], options.smoothing)[-1]
        lines.append(Line((train[-1], (curve.partial[0], tail)), Stroke.DASHED, role))
    return lines


def _marks(curve: Curve, val: tuple[Point, ...], role: str) -> list[Mark]:
    best = metrics.best(curve.epochs)
    return [Mark(point, "◆", role) for point in val if best and point[0] == best.epoch]


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
            tags.append(Mark(along, str(curve.run_id), role))
        tags.append(Mark(points[-1], str(curve.run_id), role, tag=True))
    return tags


def _between(a: Point, b: Point, x: float) -> Point:
    share = (x - a[0]) / (b[0] - a[0])
    return x, a[1] + (b[1] - a[1]) * share


def _clipped(points: Sequence[Point], view: tuple[float, float]) -> tuple[Point, ...]:
    """Return the points within ``view`` and, where a line crosses its border, the point there."""
    kept: list[Point] = []
    for n, point in enumerate(points):
        previous = points[n - 1] if n else point
        kept += [_between(previous, point, border) for border in view if previous[0] < border < point[0]]
        if view[0] <= point[0] <= view[1]:
            kept.append(point)
    return tuple(kept)
