"""The line to filter the runs with: it completes fields and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.suggester import Suggester
from textual.widgets import Input

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType


class _Completer(Suggester):
    def __init__(self, complete: Callable[[str], str | None]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        return self.complete(value)


class FilterInput(Input):
    """A line whose text ``complete`` completes; tab or → takes what it suggests."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", show=False)]

    def __init__(self, complete: Callable[[str], str | None], *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(
            placeholder="lr=0.01  state:finished  batch_size>=32  words   tab: complete  esc: all",
            suggester=_Completer(complete),
            id=id,
            compact=True,
        )

    def action_complete(self) -> None:
        """Take the suggestion or, where there is none, go to the next part of the screen."""
        completed = self.suggester.complete(self.value) if isinstance(self.suggester, _Completer) else None
        if completed and self.cursor_at_end:
            self.value = completed
            self.cursor_position = len(completed)
        else:
            self.screen.focus_next()
