"""Small words of messages for people."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: ``1 thread``, ``2 threads``, ``10,000 runs``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def confidence(share: float) -> str:
    """Return a probability, ``98 %`` or ``99.7 %``; only certainty itself is ``100 %``."""
    if share < 0.995 or share == 1:
        return f"{100 * share:.0f} %"
    return f"{min(100 * share, 99.9):.1f} %"
