"""Even ticks with round, short labels for the axes of a chart. Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass

LARGEST = 1e300  # beyond it the span of an axis could overflow
SMALLEST = 1e-280  # below it a step could underflow
_DOTS = 4  # a row of characters
_MOST_LABELS = 9
_ROUNDING = 1e-9
_NEAR_ZERO = 1 / 8  # of the highest value: an axis that begins lower than this begins at 0


@dataclass(frozen=True)
class Axis:
    """A vertical axis: the values at its lowest and its highest dot, and the ticks between, the same rows apart."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]


def steps_from(least: float) -> float:
    """Return the smallest of … 0.1, 0.2, 0.5, 1, 2, 5, 10 … that is no smaller than ``least`` > 0."""
    power = math.floor(math.log10(least))
    for exponent in (power, power + 1):
        for factor in (1, 2, 5):
            step = _power(factor, exponent)
            if step >= least * (1 - _ROUNDING):
                return step
    return 10.0 ** (power + 2)


def linear_axis(low: float, high: float, rows: int, *, percent: bool = False) -> Axis:
    """Return the axis that encloses ``low`` to ``high`` most closely, each tick a whole number of rows above the last.

    Shares, which are shown as ``percent``, have no tick above 1.
    """
    if high - low <= _ROUNDING * max(abs(low), abs(high), SMALLEST):
        margin = abs(high) / 10 if abs(high) > SMALLEST else 0.5
        low, high = low - margin, high + margin
    if 0 < low < high * _NEAR_ZERO:
        low = 0.0
    axes = [axis for apart in _rows_apart(rows) if (axis := _linear(low, high, rows, apart, percent=percent))]
    return min(axes, key=lambda axis: axis.high - axis.low) if axes else Axis(low, high, ())


def _linear(low: float, high: float, rows: int, apart: int, *, percent: bool) -> Axis | None:
    dots = rows * _DOTS
    step = steps_from((high - low) / dots * (apart * _DOTS))
    for _ in range(4):
        unit = step / (apart * _DOTS)  # of a dot
        first = math.floor(low / unit + _ROUNDING)
        top = unit * (first + dots - 1)
        if top >= high - (high - low) * _ROUNDING:
            values = [_multiple(n, step) for n in _multiples(first, dots, apart * _DOTS)]
            values = [value for value in values if not percent or value <= 1 + _ROUNDING]
            labels = [tick_label(value, step, percent=percent) for value in values]
            return Axis(first * unit, top, tuple(zip(values, labels, strict=True))) if len(values) > 1 else None
        step = steps_from(step * 1.5)
    return None


def _multiples(first: int, count: int, of: int) -> range:
    """Return by what ``of`` is multiplied to give a number from ``first`` to before ``first + count``."""
    return range(-(-first // of), -(-(first + count) // of))


def _rows_apart(rows: int) -> range:
    least = max(2 if rows > 4 else 1, -(-rows // _MOST_LABELS))
    return range(least, least + 4)


def _multiple(n: int, step: float) -> float:
    # Dividing by the inverse gives 0.3 where multiplying gives 0.30000000000000004.
    inverse = round(1 / step) if step < 1 and 1 / step < 1e15 else 0
    return n / inverse if inverse else n * step


def log_axis(low: float, high: float, rows: int) -> Axis:
    """Return the logarithmic axis for ``low`` > 0 to ``high``: each tick is 2, 4, 10, 100 … times the one before.

    Where the range is too narrow for that, the ticks are not round.
    """
    if math.log10(high) - math.log10(low) < _ROUNDING:
        low, high = low / 1.5, high * 1.5
    bottom, top = math.log10(low), math.log10(high)
    axes = []
    for ratio in (2, 4, 10, *(10**n for n in range(2, 600, max(1, round(top - bottom) // 40 + 1)))):
        anchor = math.floor(bottom) if ratio < 10 else 0
        for apart in _rows_apart(rows):
            unit = math.log10(ratio) / (apart * _DOTS)
            first = math.floor((bottom - anchor) / unit + _ROUNDING)
            start, end = anchor + first * unit, anchor + (first + rows * _DOTS - 1) * unit
            numbers = _multiples(first, rows * _DOTS, apart * _DOTS)
            if end >= top - _ROUNDING and len(numbers) > 1:
                axes.append((end - start, start, end, [(anchor, ratio, n) for n in numbers]))
    if axes:
        _, start, end, ticks = min(axes, key=lambda axis: axis[0])
        values = [10.0**anchor * float(ratio) ** n for anchor, ratio, n in ticks]
        if (end - start) < 2 * (top - bottom) and 10.0**start > 0 and end < 300:
            return Axis(10.0**start, 10.0**end, tuple((value, _significant(value, 4)) for value in values))
    apart = _rows_apart(rows)[0]
    unit = (top - bottom) / max(1.0, rows - 1 / _DOTS)
    values = [10 ** (bottom + n * unit) for n in range(0, rows, apart)]
    return Axis(low, high, tuple((value, _significant(value, 3)) for value in values))


def _significant(value: float, digits: int) -> str:
    text = f"{value:.{digits}g}"
    if 1e-4 <= value < 1e4:
        return text
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def _power(factor: float, exponent: int) -> float:
    return factor * 10.0**exponent if exponent >= 0 else factor / 10.0**-exponent


def tick_label(value: float, step: float, *, percent: bool = False) -> str:
    """Return ``value`` as short as ``step``, the distance to the next tick, allows: 0.05, 20k, 2e-5, 97.5%."""
    if percent:
        value, step = 100 * value, 100 * step
    if value == 0:
        text = "0"
    elif abs(value) >= 1e6 or step < 1e-4:
        digits = max(0, math.floor(math.log10(abs(value)) + 1e-9) - math.floor(math.log10(step) + 1e-9))
        mantissa, _, exponent = f"{value:.{min(digits, 4)}e}".partition("e")
        text = f"{mantissa}e{int(exponent)}"
    elif abs(value) >= 1e4 and value % 100 == 0:
        text = f"{value / 1000:g}k"
    else:
        text = f"{value:.{max(0, math.ceil(-math.log10(step) - 1e-9))}f}"
    return text + "%" if percent else text


def epoch_ticks(low: float, high: float, columns: int) -> list[int]:
    """Return whole epochs to label on an axis of ``columns`` columns: round, and the same number of epochs apart."""
    first, last = math.ceil(low), math.floor(high)
    if first > last or columns < 1:
        return []
    room = len(str(last)) + 6
    step = max(1, round(steps_from(max(1.0, (high - low) * room / columns))))
    return list(range(-(-first // step) * step, last + 1, step)) or [first]
