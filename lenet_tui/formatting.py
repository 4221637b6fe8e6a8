"""Numbers, counts and texts as people read them."""

from __future__ import annotations

import math
import re

# Control characters, which a terminal obeys (C0, DEL, C1); the line and paragraph separators; marks that reverse the
# direction of text; halves of a surrogate pair, which stand for bytes that are not UTF-8 and cannot be written out.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Return a text from disk or from a command line as one line that a terminal can show and cannot obey.

    Line breaks and tabs become spaces; control characters, marks that reverse the direction of text and what is not
    Unicode become U+FFFD.
    """
    return _UNPRINTABLE.sub(lambda match: " " if match[0] in "\t\n\r" else _REPLACEMENT, text)


def shown(text: str, longest: int = 200) -> str:
    """Return a text from disk as `printable` does, cut to ``longest`` characters."""
    text = printable(text[: longest + 1])
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 thread``, ``2 threads``, ``10,000 runs``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {plural or f'{noun}s'}"


def confidence(share: float) -> str:
    """Return a probability, ``98 %`` or ``99.7 %``; only certainty itself is ``100 %``."""
    if share < 0.995 or share == 1:
        return f"{100 * share:.0f} %"
    return f"{min(100 * share, 99.9):.1f} %"


def p_value(p: float) -> str:
    """Write a p-value so that rounding never carries it over the level: ``p = 0.034``, ``p < 0.001``."""
    if p < 0.001:
        return "p < 0.001"
    if p < 0.05:
        return f"p = {p:.3f}" if float(f"{p:.3f}") < 0.05 else f"p = {math.floor(p * 1e4) / 1e4:.4f}"
    return f"p = {p:.2f}" if p >= 0.055 else f"p = {p:.3f}"


def loss(value: float | None) -> str:
    """Return a loss with four decimals, ``0.0412``, or two figures where those say little; "" for None."""
    if value is None:
        return ""
    return f"{value:.4f}" if value == 0 or 0.001 <= abs(value) < 1000 else f"{value:.2g}"


def percent(share: float | None, digits: int = 2, unit: str = " %") -> str:
    """Return a share of 1 as ``98.91 %``; "" for None, and what is not finite as it is."""
    if share is None:
        return ""
    return f"{100 * share:.{digits}f}{unit}" if math.isfinite(share) else str(share)


def duration(seconds: float | None) -> str:
    """Return a measured duration: ``0:26``, ``12:05``, ``3:00:10``; "?" for None or what is not finite."""
    if seconds is None or not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def estimate(seconds: float | None) -> str:
    """Return an estimated duration in two figures: ``26 s``, ``4 min``, ``2.5 h``; "?" for None."""
    if seconds is None or not math.isfinite(seconds):
        return "?"
    if seconds < 99.5:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    if hours < 9.95:
        return f"{hours:.1f} h"
    return f"{round(hours, 1 - int(math.log10(hours))):,.0f} h"


def time_left(seconds: float | None) -> str:
    """Return ``about 4 min left``, or "estimating…" for None."""
    return "estimating…" if seconds is None else f"about {estimate(seconds)} left"


def speed(images_per_second: float) -> str:
    """Return a speed in two figures: ``950 images/s``, ``2.8k images/s``, ``28k images/s``."""
    if images_per_second < 999.5:
        return f"{images_per_second:.0f} images/s"
    thousands = images_per_second / 1000
    return f"{thousands:.1f}k images/s" if thousands < 9.95 else f"{thousands:,.0f}k images/s"
