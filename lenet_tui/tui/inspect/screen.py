"""Inspecting a run: its errors, its t-SNE map, its filters and feature maps, and a canvas to draw on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.widgets import ContentSwitcher

from lenet_tui.tui.details import text as details_text
from lenet_tui.tui.inspect.draw_section import DrawSection
from lenet_tui.tui.inspect.errors_section import ErrorsSection
from lenet_tui.tui.inspect.layers_section import LayersSection
from lenet_tui.tui.inspect.map_section import MapSection
from lenet_tui.tui.inspect.section import NOT_BEGUN, Section
from lenet_tui.tui.keys import INSPECT, bindings
from lenet_tui.tui.screens import TabScreen
from lenet_tui.tui.widgets.key_footer import KeyFooter
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from lenet_tui.store import Run
    from lenet_tui.tui.inspect.inspector import Inspector
    from lenet_tui.tui.store_watcher import Snapshot


class InspectScreen(TabScreen):
    """One run in four tabs. ``others`` can also predict a drawing; the first of them to do so is ``second``."""

    TABS = (("errors", "Errors"), ("map", "Map"), ("layers", "Filters and feature maps"), ("draw", "Draw"))
    TAB_KEY = "inspect"
    KEYS = INSPECT
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, inspector: Inspector, run: Run, others: Sequence[Run] = (), second: Run | None = None) -> None:
        super().__init__()
        self._inspector = inspector
        self._run = run
        self._others = others
        self._second = second

    def compose(self) -> ComposeResult:
        """Title, names of the tabs, the tabs, keys."""
        yield PlainStatic(id="title")
        yield PlainStatic(id="tabs")
        with ContentSwitcher(initial="errors"):
            yield ErrorsSection(self._inspector, self._run, id="errors")
            yield MapSection(self._inspector, self._run, id="map")
            yield LayersSection(self._inspector, self._run, id="layers")
            yield DrawSection(self._inspector, self._run, self._others, self._second, id="draw")
        yield KeyFooter(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with the errors."""
        self.show_tab(0)

    # The tabs

    @property
    def errors(self) -> ErrorsSection:
        """The misclassified images."""
        return self.query_one(ErrorsSection)

    @property
    def map(self) -> MapSection:
        """The t-SNE map."""
        return self.query_one(MapSection)

    @property
    def layers_section(self) -> LayersSection:
        """Filters and feature maps."""
        return self.query_one(LayersSection)

    @property
    def canvas(self) -> DrawSection:
        """The canvas."""
        return self.query_one(DrawSection)

    @property
    def current(self) -> Section:
        """The tab that is shown."""
        return cast("Section", self.query_one(f"#{self.place}"))

    def headline(self) -> str:
        """Return number, folder and state of the run."""
        return details_text.headline(self._run)

    def show_tab(self, number: int) -> None:
        """Show a tab; feature maps are those of the image that was shown last."""
        looked_at = self.current.looked_at
        if looked_at is not None:
            self.layers_section.index = looked_at
        super().show_tab(number)
        self.current.focus()
        self._load()

    def _load(self) -> None:
        if self._run.folder is None:
            self.current.show_status(NOT_BEGUN)
        else:
            # After the layout, when the size is known.
            self.call_after_refresh(self.current.load)

    def show(self, snapshot: Snapshot, before: Snapshot) -> None:  # noqa: ARG002 - every screen gets both
        """Show what is new of the run: a folder, an epoch, its end."""
        run = self.run_in(snapshot, self._run.id)
        if run is None or not self.is_mounted:
            return
        last, self._run = self._run, run
        for section in self.query(Section):
            section.inspected = run
        if (run.state, run.folder, run.epochs_done) != (last.state, last.folder, last.epochs_done):
            self.show_title()
            self.read_again()

    # Keys

    def read_again(self) -> None:
        """Read the run's files again."""
        for section in self.query(Section):
            section.forget()
        self._load()

    def choose(self) -> None:
        """Show the images of a cell, or the feature maps of an image."""
        if self.place == "map" or not self.errors.choose():
            self.show_tab(2)
