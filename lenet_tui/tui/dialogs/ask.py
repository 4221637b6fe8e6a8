"""Small questions: yes or no, and a line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType


class Confirm(ModalScreen[bool]):
    """A question that is answered with y or n."""

    CSS_PATH = "ask.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("y", "answer(True)", "Yes"),
        ("n,escape,q", "answer(False)", "No"),
    ]

    def __init__(self, question: str, lines: Sequence[str] = ()) -> None:
        super().__init__()
        self._question = question
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Show the question, its subject and the keys."""
        with Vertical():
            yield PlainStatic(self._question, classes="question")
            for line in self._lines:
                yield PlainStatic(line)
            yield PlainStatic("y: yes   n: no", classes="keys")

    def action_answer(self, answer: bool) -> None:  # noqa: FBT001 - Textual calls it so
        """End with the answer."""
        self.dismiss(answer)


class AskText(ModalScreen[str | None]):
    """A line of text to be written; None when cancelled."""

    CSS_PATH = "ask.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)", "Cancel")]

    def __init__(self, question: str, text: str = "") -> None:
        super().__init__()
        self._question = question
        self._text = text

    def compose(self) -> ComposeResult:
        """Show the question and the line as it is now."""
        with Vertical():
            yield PlainStatic(self._question, classes="question")
            yield Input(self._text, compact=True, select_on_focus=False)
            yield PlainStatic("enter: save   esc: cancel", classes="keys")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """End with the text."""
        self.dismiss(event.value.strip())
