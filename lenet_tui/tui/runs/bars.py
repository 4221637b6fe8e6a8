"""Progress and losses as rows of characters."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVELS = "▁▂▃▄▅▆▇█"


def progress_bar(share: float, width: int) -> str:
    """Return a bar of ``width`` cells, ``━━━───`` for a half; full only when ``share`` is 1."""
    full = min(int(share * width), width) if share < 1 else width
    return "━" * full + "─" * (width - full)


def sparkline(values: Sequence[float], width: int) -> str:
    """Return losses as a line of at most ``width`` bars, on a logarithmic scale; what is not finite is a gap.

    Of many values, each bar shows the mean of the values that fall on it.
    """
    if not values or width < 1:
        return ""
    count = min(len(values), width)
    edges = [round(index * len(values) / count) for index in range(count + 1)]
    means = [_mean_log(values[first:last]) for first, last in itertools.pairwise(edges)]
    finite = [mean for mean in means if mean is not None]
    if not finite:
        return " " * count
    low, span = min(finite), max(finite) - min(finite)
    return "".join(" " if mean is None else _LEVELS[_level(mean, low, span)] for mean in means)


def _level(value: float, low: float, span: float) -> int:
    return round((value - low) / span * (len(_LEVELS) - 1)) if span > 0 else 0


def _mean_log(values: Sequence[float]) -> float | None:
    logs = [math.log(max(value, 1e-12)) for value in values if math.isfinite(value)]
    return math.fsum(logs) / len(logs) if logs else None
