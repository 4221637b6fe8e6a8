"""Every key and what it does, made from the table that the bindings are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from lenet_tui.tui.keys import Key

_INTRODUCTION = (
    "Fill in the form and press ^r: the run waits in the queue, and a background process trains it. "
    "It goes on when you quit the app or lose the connection. Lists with commas (batch 16,32,64) queue several runs. "
    "e writes the three pictures of a run; its details (enter) show where they are."
)


_ROOM_FOR_NAMES = 100


class HelpScreen(ModalScreen[None]):
    """The help. It scrolls, and any of its keys closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,f1", "dismiss", "Close")]

    def __init__(self, keys: Sequence[Key], remapped: Mapping[str, str]) -> None:
        super().__init__()
        self._keys = keys
        self._remapped = remapped

    def compose(self) -> ComposeResult:
        """Show the keys by section, with their names where there is room."""
        names = self.app.size.width >= _ROOM_FOR_NAMES
        with VerticalScroll():
            yield PlainStatic(Text(_INTRODUCTION))
            for section in dict.fromkeys(key.section for key in self._keys):
                yield PlainStatic(Text(f"\n{section}", style="bold"))
                yield PlainStatic(
                    table([key for key in self._keys if key.section == section], self._remapped, names=names)
                )
            yield PlainStatic(
                Text(
                    "\nTo change keys, use these names in the table [keys] of settings.toml; see docs/settings.md.",
                    style="dim",
                )
            )


def table(keys: Sequence[Key], remapped: Mapping[str, str], *, names: bool) -> Table:
    """Return a table of keys; ``remapped`` has those changed in the settings, by id."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=9, style="bold", no_wrap=True)
    grid.add_column(ratio=1)
    if names:
        grid.add_column(style="dim", no_wrap=True)
    for key in keys:
        shown = remapped.get(key.id) or key.shown
        grid.add_row(*([shown, key.help, key.id] if names else [shown, key.help]))
    return grid
