"""The last line of a screen: the keys that matter there, as many as there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from lenet_tui.tui import keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult

_WORTH = {key.action: key.worth for key in keys.ALL}
_BLANKS, _COMPACT_BLANKS = 3, 2  # around a key and its words
_LINE_BEFORE_PALETTE = 2


def fitting(items: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Return which of the items stay, by place, when each takes so many cells and is worth so much.

    The blank after the last one needs no room. Of equal worth, those on the left stay.
    """
    kept = list(range(len(items)))
    while kept and sum(items[place][0] for place in kept) - 1 > room:
        kept.remove(min(reversed(kept), key=lambda place: items[place][1]))
    return kept


class KeyFooter(Footer):
    """Textual's footer, but what has no room is left out whole, the least important first, instead of cut.

    What is important may hang on what is shown: a screen's ``worth_now`` tells it for some actions.
    """

    _chosen_for = 0  # cells

    def compose(self) -> ComposeResult:
        """Show what there is room for."""
        items = [item for item in super().compose() if isinstance(item, FooterKey)]
        for place in fitting([self._described(item) for item in items], self.screen.size.width):
            yield items[place]

    def on_resize(self, event: events.Resize) -> None:
        """Choose anew."""
        if event.size.width != self._chosen_for and self._bindings_ready:
            self.call_after_refresh(self.recompose)
        self._chosen_for = event.size.width

    def _described(self, item: FooterKey) -> tuple[int, int]:
        blanks = _COMPACT_BLANKS if self.compact else _BLANKS
        blanks += _LINE_BEFORE_PALETTE if item.has_class("-command-palette") else 0
        now: Mapping[str, int] = getattr(self.screen, "worth_now", dict)()
        worth = now.get(item.action, _WORTH.get(item.action, 0))
        return cell_len(item.key_display) + cell_len(item.description) + blanks, worth
