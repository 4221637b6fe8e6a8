"""Every key of a screen and what it does, made from the table that the bindings are made from. Enter runs one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from lenet_tui.tui.key import Key

_INTRODUCTION = (
    "Fill in the form and press ^r: the run waits in the queue, and a background process trains it. "
    "It goes on when you quit the app or lose the connection. Lists with commas (batch 16,32,64) queue several runs."
)
_FOOT = "enter: do it   /: search   esc: close   keys can be changed: docs/settings.md"
_ROOM_FOR_NAMES = 100


class HelpScreen(ModalScreen[str | None]):
    """The keys by section, and a line to search in them. Ends with the id of the key to run, or None.

    ``section`` is shown first: it is the one of the panel that has the focus. ``remapped`` has the keys that were
    changed in the settings, by id.
    """

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "back", "Close"),
        ("q,question_mark,f1", "dismiss(None)", "Close"),
        ("slash", "search", "Search"),
    ]

    def __init__(self, keys: Sequence[Key], remapped: Mapping[str, str], section: str = "") -> None:
        super().__init__()
        sections = sorted(dict.fromkeys(key.section for key in keys), key=lambda name: name != section)
        self._sections = {name: [key for key in keys if key.section == name] for name in sections}
        self._remapped = remapped

    def compose(self) -> ComposeResult:
        """Show what the app is for, the keys, and how to use this."""
        with Vertical():
            yield PlainStatic(_INTRODUCTION)
            yield Input(placeholder="words to search for", compact=True)
            yield OptionList(*self._options(""), compact=True)
            yield PlainStatic(_FOOT, classes="foot")

    def on_mount(self) -> None:
        """Hide the line to search with until it is wanted."""
        self.query_one(Input).display = False
        self._highlight_first()

    def _options(self, text: str) -> list[Option]:
        names = self.app.size.width >= _ROOM_FOR_NAMES
        words = text.lower().split()
        options = []
        for section, keys in self._sections.items():
            found = [key for key in keys if all(word in self._searched(key) for word in words)]
            if found:
                options.append(Option(Text(section, style="bold"), disabled=True))
                options += [Option(self._row(key, names=names), id=key.id) for key in found]
        return options or [Option("no key matches", disabled=True)]

    def _searched(self, key: Key) -> str:
        return f"{self._shown(key)} {key.label} {key.help} {key.id} {key.section}".lower()

    def _shown(self, key: Key) -> str:
        return self._remapped.get(key.id) or key.shown

    def _row(self, key: Key, *, names: bool) -> Table:
        grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
        grid.add_column(width=9, style="bold", no_wrap=True)
        grid.add_column(ratio=1)
        if names:
            grid.add_column(style="dim", no_wrap=True)
        grid.add_row(*[self._shown(key), key.help, key.id][: 3 if names else 2])
        return grid

    def _highlight_first(self, text: str = "") -> None:
        """Highlight the first key, or the first whose name has the words that are searched for."""
        options, words = self.query_one(OptionList), text.lower().split()
        names = {key.id: f"{key.label} {key.id}".lower() for keys in self._sections.values() for key in keys}
        places = [place for place, option in enumerate(options.options) if not option.disabled]
        named = [place for place in places if all(word in names[str(options.options[place].id)] for word in words)]
        options.highlighted = next(iter(named or places), None)
        if options.highlighted in places[:1]:
            options.scroll_to(y=0, animate=False, immediate=True)  # the section's title is above it

    def action_search(self) -> None:
        """Show the line to search with."""
        self.query_one(Input).display = True
        self.set_focus(self.query_one(Input))

    def action_back(self) -> None:
        """Leave the search, or else the help."""
        search = self.query_one(Input)
        if not search.display:
            self.dismiss(None)
            return
        search.value = ""
        search.display = False
        self.set_focus(self.query_one(OptionList))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the keys that match."""
        self.query_one(OptionList).set_options(self._options(event.value))
        self._highlight_first(event.value)

    def on_input_submitted(self) -> None:
        """Run the key that is highlighted."""
        self.query_one(OptionList).action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """End with the key."""
        self.dismiss(event.option_id)
