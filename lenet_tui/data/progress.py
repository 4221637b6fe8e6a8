"""How fetching tells what it does, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Someone who wants to know how fetching goes. Called from the thread that fetches."""

    def step(self, what: str, done: int, total: int | None) -> None:
        """``done`` of ``total`` bytes of ``what`` are here; ``total`` is None while it is unknown."""

    def notice(self, message: str) -> None:
        """Something that a person should know: a damaged cache, a mirror that gives no answer."""


class Quiet:
    """A `Progress` that shows nothing."""

    def step(self, what: str, done: int, total: int | None) -> None:
        """Show nothing."""

    def notice(self, message: str) -> None:
        """Show nothing."""


QUIET = Quiet()
