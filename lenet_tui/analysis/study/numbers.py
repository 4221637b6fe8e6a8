"""Numbers, lists and run numbers as the documents write them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lenet_tui.formatting import counted, p_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lenet_tui.analysis.statistics import Difference
    from lenet_tui.analysis.study.config_summaries import Spread


def cited(runs: Iterable[int]) -> str:
    """Name runs by number, neighbours as a range: ``run 7``, ``runs 1, 4–6``."""
    numbers = sorted(set(runs))
    parts: list[str] = []
    start = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
            first, last = numbers[start], numbers[end - 1]
            parts.append(
                str(first) if first == last else f"{first}, {last}" if last == first + 1 else f"{first}–{last}"
            )
            start = end
    return f"{'run' if len(numbers) == 1 else 'runs'} {', '.join(parts)}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words as a sentence does: ``a``, ``a and b``, ``a, b and c``; none for no words."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def loss(value: float) -> str:
    """Write a loss with three significant digits, more than seeds agree on: 0.0345, 2.31."""
    if not math.isfinite(value):
        return str(value)
    digits = 2 - math.floor(math.log10(abs(value))) if value else 2
    return f"{value:.{min(5, max(0, digits))}f}"


def share(value: float) -> str:
    """Write a share as a percentage to a hundredth, which is one of 10,000 test images."""
    return f"{100 * value:.2f} %"


def whole_percent(value: float) -> str:
    """Write a share as a percentage without decimals."""
    return f"{100 * value:.0f} %"


def ratio(difference: Difference) -> str:
    """Write a difference of logarithms with its interval: ``−18 % (−26 to −9)``, ``×2.2 (1.9 to 2.6)``."""
    mean, low, high = difference.mean, difference.low, difference.high
    if mean >= math.log(2):
        ends = [math.exp(value) for value in (mean, low, high)]
        digits = _digits(ends[1:], equal=1.0, least=1)
        return "×{} ({} to {})".format(*(f"{value:.{digits}f}" for value in ends))
    changes = [100 * math.expm1(value) for value in (mean, low, high)]
    digits = _digits(changes[1:], equal=0.0, least=0)
    return "{} % ({} to {})".format(*(_signed(value, digits) for value in changes))


def points(difference: Difference) -> str:
    """Write a difference of shares in percentage points with its interval: ``+0.12 (−0.03 to +0.27)``."""
    values = [100 * value for value in (difference.mean, difference.low, difference.high)]
    digits = _digits(values[1:], equal=0.0, least=2)
    return "{} ({} to {})".format(*(_signed(value, digits) for value in values))


def amount(difference: Difference) -> str:
    """Write a difference as it is, with its interval, to two digits: ``−0.0073 (−0.0091 to −0.0055)``."""
    values = (difference.mean, difference.low, difference.high)
    largest = max(map(abs, values))
    least = 1 if largest >= 10 else 1 - math.floor(math.log10(largest)) if largest else 0
    digits = _digits(values[1:], equal=0.0, least=max(0, least))
    return "{} ({} to {})".format(*(_signed(value, digits) for value in values))


def p_text(value: float) -> str:
    """Write an adjusted p: ``p = 0.03``, ``p < 0.001``."""
    return p_value(value)


def minutes(seconds: float) -> str:
    """Write a time: ``42 s``, ``3.5 min``, ``1.2 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def epochs(values: Spread) -> str:
    """Name epochs by their range over seeds: ``7``, ``5 to 9``."""
    return f"{values.low:.0f}" if values.low == values.high else f"{values.low:.0f} to {values.high:.0f}"


def within(values: Spread) -> str:
    """Write a loss with the range of the seeds: ``0.0345 (0.0331 to 0.0358)``."""
    if values.n == 1:
        return loss(values.mean)
    return f"{loss(values.mean)} ({loss(values.low)} to {loss(values.high)})"


def seeds_text(seeds: Sequence[int]) -> str:
    """Name seeds: ``seed 0``, ``seeds 0, 1 and 2``."""
    return f"seed{'' if len(seeds) == 1 else 's'} {listed([str(seed) for seed in seeds])}"


def count_text(count: int, thing: str) -> str:
    """Write a number with its noun: ``1 run``, ``3 runs``."""
    return counted(count, thing)


def _digits(ends: Sequence[float], *, equal: float, least: int) -> int:
    """Return the decimals with which an interval that leaves out equality does not touch it when rounded."""
    low, high = ends
    if not low <= equal <= high:
        near = min(abs(low - equal), abs(high - equal))
        while least < 6 and round(near, least) == 0:
            least += 1
    return least


def _signed(value: float, digits: int) -> str:
    text = f"{value:+.{digits}f}"
    return text.replace("-", "−") if float(text) else text[1:]
