"""What the screens share: keys from the table, the state of the store, and tabs."""

from __future__ import annotations

import inspect
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.screen import Screen, ScreenResultType
from textual.style import Style
from textual.widgets import ContentSwitcher, Static

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lenet_tui.store import Run
    from lenet_tui.tui.key import Key
    from lenet_tui.tui.store_watcher import Snapshot


class LabScreen(Screen[ScreenResultType]):
    """A screen whose keys are those of ``KEYS``, and which may show the state of the store."""

    KEYS: ClassVar[tuple[Key, ...]] = ()

    @property
    def place(self) -> str:
        """The part of the screen that is shown, for keys that work in some places only."""
        return ""

    @property
    def section(self) -> str:
        """The section of help that is shown first."""
        return ""

    def show(self, snapshot: Snapshot, before: Snapshot) -> None:
        """Show a state of the store that differs from the one ``before``."""

    def priorities(self) -> Mapping[str, int]:
        """Return the keys, by id, whose priority in the footer differs now from the table's."""
        return {}

    async def action_press(self, key_id: str) -> None:
        """Call the target of a key."""
        key = next(key for key in self.KEYS if key.id == key_id)
        result = attrgetter(key.target)(self)(*key.parameters)
        if inspect.iscoroutine(result):
            await result

    async def press_if_offered(self, key_id: str) -> None:
        """Call the target of a key, or say that it works elsewhere on this screen."""
        key = next(key for key in self.KEYS if key.id == key_id)
        if self.check_action("press", (key_id,)):
            await self.action_press(key_id)
        else:
            self.notify(f"{key.shown} ({key.label.lower()}) works in: {', '.join(key.places)}", severity="warning")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a key only in the places where it works."""
        key = next((key for key in self.KEYS if action == "press" and parameters == (key.id,)), None)
        return key is None or not key.places or self.place in key.places


class TabScreen(LabScreen[None]):
    """A screen about one run with a title, a line of numbered tabs and what each tab holds.

    ``TABS`` has id and title of each tab; ``TAB_KEY`` is the id of the keys that show them, without the number.
    """

    TABS: ClassVar[tuple[tuple[str, str], ...]] = ()
    TAB_KEY = ""
    DEFAULT_CSS = """
    TabScreen #title {
        height: 1; padding: 0 1; background: $panel; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis;
    }
    TabScreen #tabs { height: 1; padding: 0 1; text-wrap: nowrap; link-style: none; link-color: $text; }
    TabScreen ContentSwitcher { height: 1fr; }
    """

    @property
    def place(self) -> str:
        """The id of the tab that is shown."""
        return self.query_one(ContentSwitcher).current or self.TABS[0][0]

    def headline(self) -> str:
        """Return the title."""
        raise NotImplementedError

    def show_tab(self, number: int) -> None:
        """Show a tab, counted from 0."""
        self.query_one(ContentSwitcher).current = self.TABS[number][0]
        self.show_title()
        self.refresh_bindings()

    def step_tab(self, by: int) -> None:
        """Show the next tab, or the previous one."""
        ids = [name for name, _ in self.TABS]
        self.show_tab((ids.index(self.place) + by) % len(ids))

    def show_title(self) -> None:
        """Show title and tabs."""
        self.query_one("#title", Static).update(self.headline())
        parts: list[Content] = []
        for number, (name, title) in enumerate(self.TABS, start=1):
            press = Style.from_meta({"@click": f"screen.press('{self.TAB_KEY}-{number}')"})
            shown = Content(f" {number} {title} ").stylize("bold reverse" if name == self.place else "")
            parts += [shown.stylize(press), Content(" ")]
        self.query_one("#tabs", Static).update(Content.assemble(*parts))

    def run_in(self, snapshot: Snapshot, run_id: int) -> Run | None:
        """Return the run as it is now; None, and the title says so, when it was deleted."""
        run = snapshot.runs.get(run_id)
        if run is None and snapshot.runs and self.is_mounted:
            self.query_one("#title", Static).update(f"run {run_id} was deleted")
        return run
