"""Every key and what it does, made from the table that the bindings are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from lenet_tui.tui.keys import Key

_INTRODUCTION = (
    "Fill in the form and press ^r: the run waits in the queue, and a background process works on it. "
    "It goes on when you leave the app or lose the connection. Comma lists, as in batch 16,32,64, queue several runs. "
    "e writes the three pictures of a run; its details (enter) say where they are."
)


class HelpScreen(ModalScreen[None]):
    """The help. It scrolls, and any of its keys closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,f1", "dismiss", "Close")]

    def __init__(self, keys: Sequence[Key], remapped: Mapping[str, str]) -> None:
        super().__init__()
        self._keys = keys
        self._remapped = remapped

    def compose(self) -> ComposeResult:
        """Show the keys by section."""
        with VerticalScroll():
            yield Static(Text(_INTRODUCTION))
            yield Static(help_text(self._keys, self._remapped))
            yield Static(Text("The names on the right are for the table [keys] of settings.toml.", style="dim"))


def help_text(keys: Sequence[Key], remapped: Mapping[str, str]) -> Text:
    """Return the table of keys; ``remapped`` has those that the settings changed, by name."""
    text = Text()
    for section in dict.fromkeys(key.section for key in keys):
        text.append(f"\n{section}\n", style="bold")
        for key in keys:
            if key.section == section:
                shown = remapped.get(key.id) or key.shown_as or key.keys.split(",")[0]
                text.append(f"  {shown:<8}", style="bold")
                text.append(f"{key.help:<68} ")
                text.append(f"{key.id}\n", style="dim")
    return text
