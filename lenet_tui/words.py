"""Small words of messages for people."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: ``1 thread``, ``2 threads``, ``10,000 runs``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
