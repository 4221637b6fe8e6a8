"""Runs that differ in their seed only, as one curve: their mean, between the lowest and the highest. Pure functions."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING

from lenet_tui.run.metrics import EpochMetrics
from lenet_tui.tui.curves.charts import smoothed, solid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.tui.curves.chart import Point
    from lenet_tui.tui.curves.charts import Curve, Metric

_SEED = re.compile(r"_seed\d+(\.\d+$)?|[ ·,]*\bseed \d+")
_MEANS = tuple(field.name for field in fields(EpochMetrics))[1:]


def grouped(curves: Sequence[Curve]) -> tuple[Curve, ...]:
    """Return the curves with those of one configuration replaced by their mean, at the place of the first.

    The mean goes as far as every run that has an epoch. A run of a seed that is there already is another member.
    """
    groups: dict[object, list[Curve]] = {}
    for curve in curves:
        groups.setdefault(curve.group or curve.run_id, []).append(curve)
    return tuple(_mean(tuple(group)) for group in groups.values())


@lru_cache(maxsize=32)
def _mean(group: tuple[Curve, ...]) -> Curve:
    members = tuple(curve for curve in group if curve.epochs)
    if len(members) < 2:
        return group[0] if not members else members[0]
    rows = zip(*(member.epochs for member in members), strict=False)
    means = tuple(
        EpochMetrics(row[0].epoch, *(sum(getattr(one, name) for one in row) / len(row) for name in _MEANS))
        for row in rows
    )
    first = members[0]
    name = _SEED.sub("", first.label.removeprefix(str(first.run_id))).strip(" ·,")
    label = f"{name}{' · ' * bool(name)}mean of {len(members)} seeds"
    return replace(
        first,
        label=label,
        epochs=means,
        total_epochs=max(member.total_epochs for member in members),
        partial=None,
        at_work=any(member.at_work for member in members),
        is_baseline=any(member.is_baseline for member in members),
        steps=_mean_steps(members),
        members=members,
    )


def _mean_steps(members: Sequence[Curve]) -> tuple[Point, ...] | None:
    """Return the mean within the epochs, as far as the runs have the same steps; None where not all were read."""
    steps = [member.steps for member in members]
    if any(points is None for points in steps):
        return None
    columns = zip(*(points for points in steps if points is not None), strict=False)
    alike = takewhile(lambda column: len({x for x, _ in column}) == 1, columns)
    return tuple((column[0][0], sum(y for _, y in column) / len(column)) for column in alike)


def limits(curve: Curve, metric: Metric, smoothing: float) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """Return the lowest and the highest of the solid lines of a mean's members, at each of its epochs."""
    lines = [smoothed(solid(member, metric), smoothing) for member in curve.members]
    columns = list(zip(*lines, strict=False))[: len(curve.epochs)]
    low = tuple((column[0][0], min(y for _, y in column)) for column in columns)
    return low, tuple((column[0][0], max(y for _, y in column)) for column in columns)
