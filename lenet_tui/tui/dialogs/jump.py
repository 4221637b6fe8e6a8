"""Labels over the panels and fields of a screen: the next key goes to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import ModalScreen

from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget


class JumpScreen(ModalScreen[str | None]):
    """Ends with the letter of one of ``targets``; None for any other key."""

    DEFAULT_CSS = """
    JumpScreen { layers: base labels; }
    JumpScreen PlainStatic {
        layer: labels; position: absolute; width: 3; height: 1; background: $accent; color: $background;
        text-style: bold; text-align: center;
    }
    """

    def __init__(self, targets: Mapping[str, Widget]) -> None:
        super().__init__()
        self._targets = targets

    def compose(self) -> ComposeResult:
        """Put each label at the upper left of what it stands for."""
        for letter, widget in self._targets.items():
            label = PlainStatic(letter)
            label.styles.offset = widget.region.offset
            yield label

    def on_key(self, event: events.Key) -> None:
        """End with the letter."""
        event.stop()
        self.dismiss(event.character if event.character in self._targets else None)
