"""The last line of a screen: the keys that matter there, as many as there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from lenet_tui.tui import keys
from lenet_tui.tui.screens import LabScreen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult

_PRIORITIES = {key.action: key.priority for key in keys.ALL}
_BLANKS, _COMPACT_BLANKS = 3, 2  # around a key and its words
_LINE_BEFORE_PALETTE = 2
_LEAST = 1  # the priority of what is in the footer at all


def fitting(items: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Return which of the items stay, by place, each given as its cells and its priority.

    The blank after the last one needs no room. Of equal priority, those on the left stay.
    """
    kept = list(range(len(items)))
    while kept and sum(items[place][0] for place in kept) - 1 > room:
        kept.remove(min(reversed(kept), key=lambda place: items[place][1]))
    return kept


class KeyFooter(Footer):
    """Textual's footer, but what has no room is left out whole, the least important first, instead of cut.

    Priorities come from the table of keys; `LabScreen.priorities` may change some; 0 hides a key.
    """

    _chosen_for = 0  # cells
    _now: Mapping[str, int] = {}

    def compose(self) -> ComposeResult:
        """Show what there is room for."""
        screen = self.screen
        changed = screen.priorities() if isinstance(screen, LabScreen) else {}
        self._now = {f"press('{key_id}')": priority for key_id, priority in changed.items()}
        items = [
            item
            for item in super().compose()
            if isinstance(item, FooterKey) and self._now.get(item.action, _LEAST) >= _LEAST
        ]
        for place in fitting([self._size_and_priority(item) for item in items], self.screen.size.width):
            yield items[place]

    def on_resize(self, event: events.Resize) -> None:
        """Choose again."""
        if event.size.width != self._chosen_for and self._bindings_ready:
            self.call_after_refresh(self.recompose)
        self._chosen_for = event.size.width

    def _size_and_priority(self, item: FooterKey) -> tuple[int, int]:
        blanks = _COMPACT_BLANKS if self.compact else _BLANKS
        blanks += _LINE_BEFORE_PALETTE if item.has_class("-command-palette") else 0
        priority = self._now.get(item.action, _PRIORITIES.get(item.action, 0))
        return cell_len(item.key_display) + cell_len(item.description) + blanks, priority
