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
    return _UNPRINTABLE.sub(lambda result: " " if result[0] in "\t\n\r" else _REPLACEMENT, text)


def shown(text: str, longest: int = 200) -> str:
    """Return a text from disk as `printable` does, cut to ``longest`` characters."""
    text = printable(text[: longest + 1])
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: ``1 thread``, ``2 threads``, ``10,000 runs``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


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
