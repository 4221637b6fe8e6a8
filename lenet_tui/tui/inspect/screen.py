"""Looking into a run: its errors, its t-SNE map, its filters and feature maps, and a canvas to draw on for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.content import Content
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Static

from lenet_tui.tui.details import text as details_text
from lenet_tui.tui.inspect.draw_section import DrawSection
from lenet_tui.tui.inspect.errors_section import ErrorsSection
from lenet_tui.tui.inspect.layers_section import LayersSection
from lenet_tui.tui.inspect.map_section import MapSection
from lenet_tui.tui.inspect.section import NOT_BEGUN, Section
from lenet_tui.tui.keys import INSPECT, bindings
from lenet_tui.tui.widgets.key_footer import KeyFooter
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from lenet_tui.store import Run
    from lenet_tui.tui.inspect.inspector import Inspector
    from lenet_tui.tui.store_watcher import Snapshot

SECTIONS = ("errors", "map", "layers", "draw")
TITLES = ("Errors", "Map", "Filters and feature maps", "Draw")
# Keys that mean something in some sections only.
_ONLY_IN = {
    "matrix": ("errors",),
    "true_class": ("errors",),
    "predicted_class": ("errors",),
    "every_error": ("errors",),
    "choose": ("errors", "map"),
    "next_wrong": ("map",),
    "next_here": ("map",),
    "pen": ("draw",),
    "rub": ("draw",),
    "clear": ("draw",),
    "undo": ("draw",),
    "other_run": ("draw",),
}


class InspectScreen(Screen[None]):
    """One run in four sections. ``others`` may guess a drawing beside it; the first to do so is ``second``."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(INSPECT)

    def __init__(self, inspector: Inspector, run: Run, others: Sequence[Run] = (), second: Run | None = None) -> None:
        super().__init__()
        self._inspector = inspector
        self._run = run
        self._others = others
        self._second = second

    def compose(self) -> ComposeResult:
        """Title, names of the sections, the sections, keys."""
        yield PlainStatic(id="title")
        yield PlainStatic(id="sections")
        with ContentSwitcher(initial=SECTIONS[0]):
            yield ErrorsSection(self._inspector, self._run, id="errors")
            yield MapSection(self._inspector, self._run, id="map")
            yield LayersSection(self._inspector, self._run, id="layers")
            yield DrawSection(self._inspector, self._run, self._others, self._second, id="draw")
        yield KeyFooter(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with the errors."""
        self._show_section(SECTIONS[0])

    # The sections

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
        """The section that is shown."""
        return cast("Section", self.query_one(f"#{self._section}"))

    @property
    def _section(self) -> str:
        return self.query_one(ContentSwitcher).current or SECTIONS[0]

    def _show_section(self, name: str) -> None:
        looked_at = self.current.looked_at
        if looked_at is not None:
            self.layers_section.index = looked_at
        self.query_one(ContentSwitcher).current = name
        self._show_title()
        self.current.focus()
        self._load()
        self.refresh_bindings()

    def _load(self) -> None:
        if self._run.folder is None:
            self.current.tell(NOT_BEGUN)
        else:
            # Only once it is laid out is it known how much is in sight.
            self.call_after_refresh(self.current.load)

    def _show_title(self) -> None:
        self.query_one("#title", Static).update(details_text.headline(self._run))
        parts: list[Content | tuple[str, str]] = []
        for number, (name, title) in enumerate(zip(SECTIONS, TITLES, strict=True), start=1):
            style = "bold reverse" if name == self._section else ""
            shown = Content(f" {number} {title} ").stylize(style)
            parts += [shown.stylize(f"@click=screen.inspect_{number}"), Content(" ")]
        self.query_one("#sections", Static).update(Content.assemble(*parts))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer in each section what can be done in it."""
        return self._section in _ONLY_IN.get(action, SECTIONS)

    def show(self, snapshot: Snapshot, before: Snapshot) -> None:  # noqa: ARG002 - every screen gets both
        """Take what is new of the run: a folder, an epoch, its end."""
        run = snapshot.runs.get(self._run.id)
        if not self.is_mounted:
            return
        if run is None:
            if snapshot.runs:
                self.query_one("#title", Static).update(f"run {self._run.id} was deleted")
            return
        known, self._run = self._run, run
        for section in self.query(Section):
            section.inspected = run
        if (run.state, run.folder, run.epochs_done) != (known.state, known.folder, known.epochs_done):
            self._show_title()
            self._read_again()

    def _read_again(self) -> None:
        for section in self.query(Section):
            section.forget()
        self._load()

    # Keys

    def _go(self, by: int) -> None:
        self._show_section(SECTIONS[(SECTIONS.index(self._section) + by) % len(SECTIONS)])

    def action_inspect_before(self) -> None:
        """Show the section before."""
        self._go(-1)

    def action_inspect_after(self) -> None:
        """Show the next section."""
        self._go(1)

    def action_inspect_1(self) -> None:
        """Show the errors."""
        self._show_section(SECTIONS[0])

    def action_inspect_2(self) -> None:
        """Show the map."""
        self._show_section(SECTIONS[1])

    def action_inspect_3(self) -> None:
        """Show filters and feature maps."""
        self._show_section(SECTIONS[2])

    def action_inspect_4(self) -> None:
        """Show the canvas."""
        self._show_section(SECTIONS[3])

    def action_go_left(self) -> None:
        """Walk to the left."""
        self.current.walk(-1, 0)

    def action_go_right(self) -> None:
        """Walk to the right."""
        self.current.walk(1, 0)

    def action_go_up(self) -> None:
        """Walk up."""
        self.current.walk(0, -1)

    def action_go_down(self) -> None:
        """Walk down."""
        self.current.walk(0, 1)

    def action_page_back(self) -> None:
        """Go a screenful back."""
        self.current.page(-1)

    def action_page_on(self) -> None:
        """Go a screenful on."""
        self.current.page(1)

    def action_matrix(self) -> None:
        """Choose a cell of the confusion matrix."""
        self.errors.matrix()

    def action_choose(self) -> None:
        """Show the images of a cell, or the feature maps of an image."""
        if self._section == "map" or not self.errors.choose():
            self._show_section("layers")

    def action_true_class(self) -> None:
        """Show errors of the next true class."""
        self.errors.next_true()

    def action_predicted_class(self) -> None:
        """Show errors of the next predicted class."""
        self.errors.next_predicted()

    def action_every_error(self) -> None:
        """Show errors of every class."""
        self.errors.filter(None, None)

    def action_next_wrong(self) -> None:
        """Go to the next misclassified image on the map."""
        self.map.next_wrong()

    def action_next_here(self) -> None:
        """Go to the next image at the same place."""
        self.map.next_here()

    def action_pen(self) -> None:
        """Set the pen down, or lift it."""
        self.canvas.pen()

    def action_rub(self) -> None:
        """Take the ink away at the pen."""
        self.canvas.rub()

    def action_clear(self) -> None:
        """Empty the canvas."""
        self.canvas.clear()

    def action_undo(self) -> None:
        """Take the last stroke back."""
        self.canvas.undo()

    def action_other_run(self) -> None:
        """Let another run guess as well."""
        self.canvas.next_other()

    def action_retry(self) -> None:
        """Read the run's files again."""
        self._read_again()

    def action_back(self) -> None:
        """Leave."""
        self.dismiss()
