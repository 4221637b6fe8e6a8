"""The messages of this session, the latest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from textual.app import ComposeResult
    from textual.binding import BindingType

_SIGNS = {"information": " ", "warning": "!", "error": "✗"}


@dataclass(frozen=True)
class ShownMessage:
    """A message that was shown, and when."""

    moment: datetime
    text: str
    severity: str


class MessagesScreen(ModalScreen[None]):
    """The list. It scrolls."""

    DEFAULT_CSS = """
    MessagesScreen { align: center middle; }
    MessagesScreen > Vertical {
        width: 110; max-width: 100%; height: auto; max-height: 100%; background: $surface; border: round $primary;
        padding: 0 1; border-title-style: bold;
    }
    MessagesScreen VerticalScroll { height: auto; max-height: 100%; }
    MessagesScreen .error { color: $text-error; }
    MessagesScreen .warning { color: $text-warning; }
    """
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,N", "dismiss(None)", "Close")]

    def __init__(self, messages: Sequence[ShownMessage]) -> None:
        super().__init__()
        self._messages = messages

    def compose(self) -> ComposeResult:
        """Show time and text of each."""
        with Vertical() as box:
            box.border_title = "Messages"
            box.border_subtitle = "esc closes"
            with VerticalScroll():
                if not self._messages:
                    yield PlainStatic("no message yet")
                for message in reversed(self._messages):
                    line = f"{message.moment:%H:%M:%S} {_SIGNS[message.severity]} {message.text}"
                    yield PlainStatic(Content(line), classes=message.severity)
