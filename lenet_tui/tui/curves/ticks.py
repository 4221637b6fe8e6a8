"""Round limits and few, short labels for the axes of a chart. Pure functions."""

from __future__ import annotations

import math

LARGEST = 1e300  # beyond it the span of an axis could overflow
SMALLEST = 1e-280  # below it a step could underflow


def steps_from(least: float) -> float:
    """Return the smallest of … 0.1, 0.2, 0.5, 1, 2, 5, 10 … that is no smaller than ``least`` > 0."""
    power = math.floor(math.log10(least))
    for exponent in (power, power + 1):
        for factor in (1, 2, 5):
            step = _power(factor, exponent)
            if step >= least * (1 - 1e-9):
                return step
    return 10.0 ** (power + 2)


def linear_axis(low: float, high: float, rows: int) -> tuple[float, float, list[float]]:
    """Return limits that enclose ``low`` to ``high`` in whole steps, and the ticks, for an axis of ``rows`` rows."""
    if high - low <= 1e-9 * max(abs(low), abs(high), SMALLEST):
        margin = abs(high) / 10 if abs(high) > SMALLEST else 0.5
        low, high = low - margin, high + margin
    step = steps_from((high - low) / max(1, min(8, rows // 2)))
    ticks = _multiples(low, high, step)
    fine = _multiples(low, high, steps_from(step / 2.5))
    inside = [tick for tick in ticks if fine[0] <= tick <= fine[-1]]
    return (fine[0], fine[-1], inside) if len(inside) > 1 else (ticks[0], ticks[-1], ticks)


def _multiples(low: float, high: float, step: float) -> list[float]:
    # From the last one at or below low to the first one at or above high.
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    # Dividing by the inverse gives 0.3 where multiplying gives 0.30000000000000004.
    inverse = round(1 / step) if step < 1 and 1 / step < 1e15 else 0
    return [n / inverse if inverse else n * step for n in range(first, last + 1)]


def log_axis(low: float, high: float, rows: int) -> tuple[float, float, list[float]]:
    """Return round limits that enclose ``low`` > 0 to ``high``, and the ticks: 1, 2, 5 or 1 times powers of ten."""
    exponents = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    limits = [_power(factor, n) for n in exponents for factor in (1, 1.5, 2, 3, 4, 5, 7)]
    bottom = max(limit for limit in limits if limit <= low * (1 + 1e-9))
    top = min(limit for limit in limits if limit >= high * (1 - 1e-9) and limit > bottom)
    decades = [_power(1, n) for n in exponents if bottom <= _power(1, n) <= top]
    fine = [tick for n in exponents for tick in (_power(1, n), _power(2, n), _power(5, n)) if bottom <= tick <= top]
    most = max(2, rows // 2)
    for ticks in (fine, decades[:: -(-len(decades) // most)] if decades else []):
        if 2 <= len(ticks) <= most:
            return bottom, top, ticks
    return bottom, top, [bottom, top]


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
    """Return whole epochs to label on an axis of ``columns`` columns: round, apart, with the first when it fits."""
    first, last = math.ceil(low), math.floor(high)
    if first > last or columns < 1:
        return []
    room = len(str(last)) + 7
    step = max(1, round(steps_from(max(1.0, (high - low) * room / columns))))
    ticks = list(range(-(-first // step) * step, last + 1, step))
    gap = room * (high - low) / columns
    if not ticks or ticks[0] - first >= gap:
        ticks.insert(0, first)
    return ticks
