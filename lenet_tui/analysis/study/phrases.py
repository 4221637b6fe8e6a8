"""Sentences that carry the runs they come from, and numbers written for people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.formatting import counted, p_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lenet_tui.analysis.statistics import Contrast
    from lenet_tui.analysis.study.config_summaries import Spread


@dataclass(frozen=True)
class Sentence:
    """A sentence of the document, the runs that its numbers come from, and what its claim rests on.

    ``p`` is the adjusted p of a difference between configurations that it says to be there, the largest of several, and
    None where it says of none that it is.
    """

    text: str
    runs: tuple[int, ...] = ()
    p: float | None = None


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
    """Join words as a sentence does: ``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def of_runs(count: int, total: int) -> str:
    """Say how many of the runs: ``all 3 runs``, ``none of 3 runs``, ``2 of 3 runs``, ``the one run``."""
    if total == 1:
        return "the one run" if count else "none"
    if count == total:
        return "both runs" if total == 2 else f"all {counted(total, 'run')}"
    return f"none of {counted(total, 'run')}" if count == 0 else f"{count} of {counted(total, 'run')}"


def loss(value: float) -> str:
    """Write a loss with three significant digits, more than seeds agree on: 0.0345, 2.31."""
    if not math.isfinite(value):
        return str(value)
    digits = 2 - math.floor(math.log10(abs(value))) if value else 2
    return f"{value:.{min(5, max(0, digits))}f}"


def gap(value: float) -> str:
    """Write a difference of losses with two significant digits, which is what its spread over seeds supports."""
    return f"{value:#.2g}" if abs(value) < 1 else f"{value:.1f}"


def share(value: float) -> str:
    """Write a share as a percentage to a hundredth, which is one of 10,000 test images."""
    return f"{100 * value:.2f} %"


def ratio(contrast: Contrast) -> str:
    """Write the estimate and interval of a difference of logarithms for a table: ``0.82 (0.74 to 0.91)``."""
    d = contrast.difference
    mean, low, high = (math.exp(value) for value in (d.mean, d.low, d.high))
    digits = 3 if high - low < 0.02 else 2
    return f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def change(contrast: Contrast) -> str:
    """Say how large a difference of logarithms is, as in ``18 % lower than that of``."""
    mean = contrast.difference.mean
    if mean >= math.log(2):
        return f"{math.exp(mean):.1f} times that of"
    size, *_ = _sizes(contrast)
    return f"{size} {'lower' if mean < 0 else 'higher'} than that of"


def again(contrast: Contrast) -> str:
    """The same where the other's name came before: ``18 % lower``, ``2.1 times that``."""
    return change(contrast).removesuffix(" of").removesuffix(" than that")


def rests_on(contrast: Contrast) -> str:
    """Return interval and p of a difference of logarithms that is shown, as they stand in brackets behind it."""
    d = contrast.difference
    result = f"Holm-adjusted {p_value(contrast.adjusted_p)}"
    if d.mean >= math.log(2):
        ends = math.exp(d.low), math.exp(d.high)
        # Rounding never lets the interval of a difference that is shown touch 1.
        digits = next((n for n in (1, 2, 3, 4) if float(f"{ends[0]:.{n}f}") > 1 and ends[1] - ends[0] > 10**-n), 5)
        return f"95 % interval {ends[0]:.{digits}f} to {ends[1]:.{digits}f}, {result}"
    _, low, high = _sizes(contrast)
    return f"95 % interval {low} to {high}, {result}"


def _sizes(contrast: Contrast) -> list[str]:
    d = contrast.difference
    ends = (d.low, d.high) if d.mean >= 0 else (d.high, d.low)
    return percents([100 * abs(math.expm1(value)) for value in (d.mean, *ends)])


def reach(contrast: Contrast) -> str:
    """Say where the interval of a difference of logarithms reaches: ``from 5 % below to 8 % above``."""
    low, high = (100 * math.expm1(value) for value in (contrast.difference.low, contrast.difference.high))
    ends = percents([abs(low), abs(high)])
    if low < 0 < high:
        return f"from {ends[0]} below to {ends[1]} above"
    return f"from {ends[0]} to {ends[1]} above" if low >= 0 else f"from {ends[1]} to {ends[0]} below"


def points(contrast: Contrast) -> str:
    """Say a difference of shares that is shown, in percentage points."""
    d = contrast.difference
    word = "higher" if d.mean > 0 else "lower"
    low, high = sorted(100 * abs(value) for value in (d.low, d.high))
    result = f"Holm-adjusted {p_value(contrast.adjusted_p)}"
    return f"{100 * abs(d.mean):.2f} points {word} (95 % interval {low:.2f} to {high:.2f}, {result})"


def points_briefly(contrast: Contrast) -> str:
    """Say a difference of shares that is shown, without what it rests on: ``0.26 points higher``."""
    mean = contrast.difference.mean
    return f"{100 * abs(mean):.2f} points {'higher' if mean > 0 else 'lower'}"


def signed_points(contrast: Contrast) -> str:
    """Write a difference of shares in percentage points for a table: ``+0.12 (−0.03 to +0.27)``."""
    d = contrast.difference
    # Rounding never lets an interval that leaves out 0 touch it.
    near = min(abs(d.low), abs(d.high)) if d.low * d.high > 0 else 1.0
    digits = next((n for n in (2, 3, 4) if float(f"{100 * near:.{n}f}") > 0), 5)
    low, high = (f"{100 * value:+.{digits}f}".replace("-", "−") for value in (d.low, d.high))
    return f"{100 * d.mean:+.2f} ({low} to {high})".replace("-", "−")


def percents(values: Sequence[float]) -> list[str]:
    """Write percentages with as few digits as their interval supports, but none as zero that isn't."""
    digits = 0 if max(values) - min(values) >= 2 else 1
    return [_percent(value, digits) for value in values]


def _percent(value: float, digits: int) -> str:
    while digits < 6 and value > 0 and float(f"{value:.{digits}f}") == 0:
        digits += 1
    return f"{value:.{digits}f} %"


def minutes(seconds: float) -> str:
    """Write a time: ``42 s``, ``3.5 min``, ``1.2 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def epochs(numbers: Sequence[int]) -> str:
    """Name epochs by their range: ``epoch 7``, ``epochs 5 to 9``."""
    low, high = min(numbers), max(numbers)
    return f"epoch {low}" if low == high else f"epochs {low} to {high}"


def within(values: Spread) -> str:
    """Write a loss with the range of the seeds: ``0.0345 (0.0331 to 0.0358)``."""
    if values.n == 1:
        return loss(values.mean)
    return f"{loss(values.mean)} ({loss(values.low)} to {loss(values.high)})"
