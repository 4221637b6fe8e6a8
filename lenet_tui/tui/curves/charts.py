"""The charts to choose from, and the values of a run in each of them. Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from lenet_tui import formatting
from lenet_tui.run import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.tui.curves.chart import Point
    from lenet_tui.tui.curves.raster import Marks

Metric = Literal["loss", "accuracy", "steps", "lr", "speed", "gap"]
METRICS: tuple[Metric, ...] = get_args(Metric)
SMOOTHINGS = (0.0, 0.6, 0.9)


@dataclass(frozen=True)
class Curve:
    """One run. ``partial`` is where it is while an epoch runs: (7.43, its train loss so far).

    ``images`` is how many it trains on an epoch, 0 when that is not known; runs of one ``group`` differ in the seed
    only. ``steps`` is its train loss within the epochs, None until that was read, and ``no_steps`` why there is none in
    its ``folder``. ``is_read`` is whether its
    epochs have been read. ``members`` are the runs that the curve is the mean of.
    """

    run_id: int
    label: str
    epochs: tuple[EpochMetrics, ...]
    total_epochs: int
    partial: tuple[float, float] | None = None
    at_work: bool = False
    images: int = 0
    group: str = ""
    is_baseline: bool = False
    folder: str = ""
    steps: tuple[Point, ...] | None = None
    no_steps: str = ""
    is_read: bool = True
    members: tuple[Curve, ...] = ()

    @property
    def number(self) -> str:
        """The number of the run, or of the runs, as it stands at the curve."""
        if not self.members:
            return str(self.run_id)
        numbers = sorted(member.run_id for member in self.members)
        adjacent = numbers[-1] - numbers[0] == len(numbers) - 1
        return f"{numbers[0]}–{numbers[-1]}" if adjacent else f"{numbers[0]}+{len(numbers) - 1}"


@dataclass(frozen=True)
class Options:
    """How the curves are shown.

    ``second`` is the chart beside ``shown``; "auto" is one where the panel is wide. ``zoom`` is the first and the last
    epoch to show, None for all; ``planned`` shows those to come too. ``seeds`` is whether the runs of one configuration
    are shown as their mean and range.
    """

    shown: Metric = "loss"
    second: Metric | Literal["auto", "none"] = "auto"
    log: bool = False
    smoothing: float = 0.0
    zoom: tuple[float, float] | None = None
    planned: bool = False
    train: bool = True
    seeds: bool = False
    marks: Marks = "braille"


@dataclass(frozen=True)
class Chart:
    """What a chart shows: ``solid`` and ``dashed`` name its two lines, the second "" where there is one only."""

    title: str
    solid: str
    dashed: str
    format: Callable[[float], str]
    can_log: bool = False
    percent: bool = False


def _plain(value: float) -> str:
    return f"{value:.3g}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _signed(value: float) -> str:
    return f"{value:+.4f}"


CHARTS: dict[Metric, Chart] = {
    "loss": Chart("loss", "val", "train", formatting.loss, can_log=True),
    "accuracy": Chart("accuracy", "val", "train", formatting.percent, percent=True),
    "steps": Chart("train loss by step", "train", "", formatting.loss, can_log=True),
    "lr": Chart("learning rate", "learning rate", "", _plain, can_log=True),
    "speed": Chart("images/s", "images/s", "", _whole),
    "gap": Chart("gap (val loss − train loss)", "gap", "", _signed),
}


def is_log(metric: Metric, options: Options) -> bool:
    """Return whether a chart has a logarithmic axis."""
    return options.log and CHARTS[metric].can_log


def title_of(metric: Metric, options: Options) -> str:
    """Return what the values of a chart are."""
    return CHARTS[metric].title + (" (log)" if is_log(metric, options) else "")


def format_value(metric: Metric, value: float | None) -> str:
    """Return a value of a chart, – for none."""
    if value is None:
        return "–"
    return CHARTS[metric].format(value) if math.isfinite(value) else f"{value:g}"


def solid(curve: Curve, metric: Metric) -> tuple[Point, ...]:
    """Return the points of a run's solid line: (epoch, value)."""
    if metric == "steps":
        return curve.steps or ()
    return tuple((float(row.epoch), _value(curve, row, metric)) for row in curve.epochs)


def dashed(curve: Curve, metric: Metric) -> tuple[Point, ...]:
    """Return the points of a run's dashed line; none where the chart has no such line."""
    if metric == "loss":
        return tuple((float(row.epoch), row.train_loss) for row in curve.epochs)
    if metric == "accuracy":
        return tuple((float(row.epoch), row.train_accuracy) for row in curve.epochs)
    return ()


def _value(curve: Curve, row: EpochMetrics, metric: Metric) -> float:
    if metric == "loss":
        return row.val_loss
    if metric == "accuracy":
        return row.val_accuracy
    if metric == "lr":
        return row.lr
    if metric == "gap":
        return row.val_loss - row.train_loss
    return curve.images / row.seconds if curve.images and row.seconds > 0 else math.nan


def best(curve: Curve, metric: Metric) -> EpochMetrics | None:
    """Return the epoch to mark: of lowest val loss, or the best epoch by val acc."""
    if metric == "loss":
        return metrics.best(curve.epochs)
    return metrics.selected(curve.epochs) if metric == "accuracy" else None


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


def smoothed(points: Sequence[Point], weight: float) -> tuple[Point, ...]:
    """Return points with smooth values."""
    return tuple(zip([x for x, _ in points], smooth([y for _, y in points], weight), strict=True))
