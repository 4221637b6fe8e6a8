"""Choosing the columns of the runs list, and their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from lenet_tui.tui.keys import COLUMNS, bindings
from lenet_tui.tui.runs import columns
from lenet_tui.tui.screens import LabScreen
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

_ALWAYS = ("id", "run")
_TITLE_WIDTH = 14


class _ColumnList(OptionList):
    """An option list whose page keys do nothing where there is no room for a row: Textual's would fail."""

    def action_page_down(self) -> None:
        if self.scrollable_content_region.area:
            super().action_page_down()  # type: ignore[no-untyped-call]

    def action_page_up(self) -> None:
        if self.scrollable_content_region.area:
            super().action_page_up()  # type: ignore[no-untyped-call]


class ColumnsScreen(LabScreen[None], ModalScreen[None]):
    """A list of all columns. ``on_change`` is called with the keys of those that are chosen, () for the usual ones.

    ``usual`` returns the keys of the columns that are shown while none are chosen.
    """

    KEYS = COLUMNS
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)
    DEFAULT_CSS = """
    ColumnsScreen { align: center middle; }
    ColumnsScreen > Vertical {
        width: 76; max-width: 95%; height: 90%; max-height: 44; padding: 1 2;
        background: $surface; border: round $primary;
    }
    ColumnsScreen .question { text-style: bold; margin-bottom: 1; }
    ColumnsScreen OptionList, ColumnsScreen OptionList:focus {
        height: 1fr; min-height: 3; border: none; padding: 0; background: $surface;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    ColumnsScreen .keys { color: $text-muted; margin-top: 1; }
    """

    def __init__(
        self,
        chosen: Sequence[str],
        usual: Callable[[], Sequence[str]],
        on_change: Callable[[tuple[str, ...]], object],
    ) -> None:
        super().__init__()
        self._usual = usual
        self._on_change = on_change
        self._chosen = set(chosen)
        self._keys: list[str] = []
        self._arrange(chosen)

    def compose(self) -> ComposeResult:
        """Show the columns and the keys."""
        with Vertical():
            yield PlainStatic("Columns of the runs list", classes="question")
            yield _ColumnList(*self._options())
            yield PlainStatic("space: show or hide   K J: move   r: the usual ones   esc: close", classes="keys")

    def toggle(self) -> None:
        """Show or hide the column under the cursor."""
        key = self._here()
        if key is not None and key not in _ALWAYS:
            self._chosen ^= {key}
            self._changed(key)

    def move(self, by: int) -> None:
        """Move the column under the cursor."""
        key = self._here()
        if key is None:
            return
        place = self._keys.index(key)
        there = min(max(place + by, 0), len(self._keys) - 1)
        self._keys.insert(there, self._keys.pop(place))
        self._changed(key)

    def reset(self) -> None:
        """Show the usual columns again."""
        self._on_change(())
        chosen = self._usual()
        self._chosen = set(chosen)
        self._arrange(chosen)
        self._show(0)

    def on_option_list_option_selected(self) -> None:
        """Show or hide the column that was clicked, or chosen with enter."""
        self.toggle()

    def _arrange(self, chosen: Sequence[str]) -> None:
        self._keys = list(dict.fromkeys((*chosen, *columns.every())))

    def _here(self) -> str | None:
        row = self.query_one(OptionList).highlighted
        return None if row is None else self._keys[row]

    def _changed(self, key: str) -> None:
        self._show(self._keys.index(key))
        self._on_change(tuple(each for each in self._keys if each in self._chosen))

    def _show(self, row: int) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(self._options())
        options.highlighted = row

    def _options(self) -> list[Option]:
        every = columns.every()
        return [
            Option(
                Content(f"{'✓' if key in self._chosen else ' '} {every[key].title:<{_TITLE_WIDTH}} ")
                + Content(every[key].help).stylize("dim")
            )
            for key in self._keys
        ]
