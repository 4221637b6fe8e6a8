"""A run's three pictures in the terminal."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import work
from textual.app import SuspendNotSupported
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from lenet_tui.errors import LabError
from lenet_tui.formatting import counted, printable
from lenet_tui.host import ssh
from lenet_tui.run.folder import PICTURES
from lenet_tui.tui.curves.charts import Curve
from lenet_tui.tui.curves.panel import CurvesPanel
from lenet_tui.tui.details import text as details_text
from lenet_tui.tui.inspect import images as planes
from lenet_tui.tui.keys import PICTURE_TITLES, PICTURES_KEYS, bindings
from lenet_tui.tui.pictures import ask_terminal, read_run
from lenet_tui.tui.pictures.views import BlocksView, DrawnView
from lenet_tui.tui.runs import export
from lenet_tui.tui.screens import LabScreen
from lenet_tui.tui.widgets import halfblocks
from lenet_tui.tui.widgets.key_footer import KeyFooter
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Resize

    from lenet_tui.run.embedding import Embedding
    from lenet_tui.store import Run
    from lenet_tui.tui.details.confusion_table import Confusion
    from lenet_tui.tui.store_watcher import Snapshot
    from lenet_tui.tui.widgets.halfblocks import Blocks

    Drawing = Curve | Confusion | tuple[Embedding, Sequence[str]]
    Place = Literal["matrix", "chart", "map", "png", "text"]

ZOOMS = (1, 2, 4, 8)
READABLE_WIDTH = 360  # cells; below that, half blocks cannot show the numbers in the pictures
_ROWS_AROUND = 5  # of a PNG: title, names, two of hints, keys
_LEAD = 11  # cells of what stands before the command, and of the margins
_SHOWN, _NO_ANSWER = 0, 4  # exit codes of `show_pixels`
_MATRIX, _LOSS, _ = range(len(PICTURES))


class PicturesScreen(LabScreen[None]):
    """The pictures of a run, one at a time, drawn in the terminal's cells; a key shows the PNG file instead.

    Where a drawing's data is missing, the PNG takes its place. With ``mode`` "pixels" the terminal is asked, once and
    when the PNG is wanted, whether it can show sixels or kitty's graphics.
    """

    CSS_PATH = "screen.tcss"
    KEYS = PICTURES_KEYS
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, folder: Path, mode: Literal["blocks", "pixels"] = "blocks", run: Run | None = None) -> None:
        super().__init__()
        self._folder = folder
        self._run = run
        self._mode = mode
        self._index = 0
        self._zoom = 0
        self._wants_png = False
        self._no_pixels = ""  # why, where it is known
        self._place: Place = "text"
        self._drawing = False
        self._drawn: dict[int, Drawing] = {}

    @property
    def path(self) -> Path:
        """The PNG file of the picture that is shown."""
        return self._folder / PICTURES[self._index]

    @property
    def can_show(self) -> bool:
        """Whether the terminal has colours enough for a PNG."""
        return planes.has_colours(self.app)

    @property
    def place(self) -> str:
        """Which drawing is shown, ``png`` or ``text``, for keys that work with some of them only."""
        return self._place

    @property
    def chart(self) -> CurvesPanel:
        """The drawing of the loss."""
        return self.query_one(CurvesPanel)

    def compose(self) -> ComposeResult:
        """Title, names of the pictures, the one that is shown or a text in its place, hints, keys."""
        yield PlainStatic(id="title")
        yield PlainStatic(id="tabs")
        yield DrawnView()
        yield CurvesPanel()
        with ScrollableContainer(id="view"):
            yield BlocksView()
            yield PlainStatic(id="words")
        yield PlainStatic(id="hint")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Say that the first picture is being read."""
        self._show_titles()
        self._show_text("reading…")

    def on_resize(self, _event: Resize) -> None:
        """Fit the picture to the room there is."""
        self.call_after_refresh(self._load)

    def show(self, snapshot: Snapshot, before: Snapshot) -> None:  # noqa: ARG002 - every screen gets both
        """Draw what is new of the run: another epoch, its end."""
        last = self._run
        run = snapshot.runs.get(last.id) if last is not None else None
        if last is None or run is None or not self.is_mounted:
            return
        self._run = run
        if (run.epochs_done, run.state) != (last.epochs_done, last.state):
            self._drawn = {}
            self._show_titles()
            self._load()

    # What is shown

    @property
    def _view(self) -> ScrollableContainer:
        return self.query_one("#view", ScrollableContainer)

    def _show_titles(self) -> None:
        title = details_text.headline(self._run) if self._run else printable(self._folder.name)
        self.query_one("#title", Static).update(title)
        parts: list[Content] = []
        for number, name in enumerate(PICTURE_TITLES, start=1):
            press = Style.from_meta({"@click": f"screen.press('picture-{number}')"})
            style = "bold reverse" if number == self._index + 1 else ""
            parts += [Content(f" {number} {name} ").stylize(style).stylize(press), Content(" ")]
        self.query_one("#tabs", Static).update(Content.assemble(*parts))

    @work(exclusive=True)
    async def _load(self) -> None:
        index, reason = self._index, ""
        if not self._wants_png:
            try:
                if index not in self._drawn:
                    self._drawn[index] = await self._read(index)
                self._show_drawing(index, self._drawn[index])
                return
            except LabError as error:
                reason = str(error)
        await self._load_png(reason)

    async def _read(self, index: int) -> Drawing:
        if index == _MATRIX:
            return await read_run.confusion(self._folder)
        if index == _LOSS:
            return await read_run.curve(self._folder, self._run)
        return await read_run.embedding(self._folder)

    def _show_drawing(self, index: int, drawing: Drawing) -> None:
        if isinstance(drawing, Curve):
            self.chart.show([drawing], "")
            self._show_only(self.chart, "chart")
        else:
            view = self.query_one(DrawnView)
            view.show(drawing)
            self._show_only(view, "matrix" if index == _MATRIX else "map")
        self._show_hint()

    async def _load_png(self, reason: str) -> None:
        path, zoom = self.path, ZOOMS[self._zoom]
        if not self.can_show and await asyncio.to_thread(path.is_file):
            why = f"{reason}\n\n" if reason else ""
            self._show_text(f"{why}This terminal has too few colours for {path.name}.\n\n{elsewhere(path)}")
            return
        self._show_only(self._view, "png")
        # One column less, for a scroll bar to come without making the picture too large.
        columns, rows = (self.size.width - 1) * zoom, (self.size.height - _ROWS_AROUND) * zoom
        try:
            picture = await asyncio.to_thread(halfblocks.load, path, max(1, columns), max(1, rows))
        except FileNotFoundError:
            self._show_text(self._missing(reason))
            return
        except LabError as error:
            self._show_text(f"{error}\n\nPress e to draw it again from the run's files.")
            return
        self.query_one(BlocksView).show(picture)
        self.query_one("#words").display = False
        self._show_hint(reason or self._no_pixels or "enter: the drawing", self._zoom_hint(picture))

    def _show_text(self, words: str) -> None:
        self._show_only(self._view, "text")
        self.query_one(BlocksView).show(None)
        self.query_one("#words", Static).update(words)
        self.query_one("#words").display = True
        self.query_one("#hint", Static).update("")

    def _show_only(self, shown: DrawnView | CurvesPanel | ScrollableContainer, place: Place) -> None:
        for widget in (self.query_one(DrawnView), self.chart, self._view):
            widget.display = widget is shown
        if self._place != place:
            self._place = place
            self.set_class(place == "png", "-png")
            self.refresh_bindings()
        if shown is not self.query_one(DrawnView):
            shown.focus()

    def _missing(self, reason: str) -> str:
        if self._drawing:
            return "drawing…"
        if not self._folder.is_dir():
            return f"The folder {self._folder} does not exist any more."
        why = f"{reason[:1].upper()}{reason[1:]}.\n\n" if reason else ""
        return f"{why}{self.path.name} does not exist yet.\n\nPress e to draw the pictures of the epochs that are done."

    def _zoom_hint(self, picture: Blocks) -> str:
        moving = "arrows move, " if self._zoom else ""
        if picture.width >= READABLE_WIDTH:
            return f"{moving}z shows the whole picture"
        return f"{moving}z zooms: letters need {READABLE_WIDTH} columns, now {picture.width}"

    def _show_hint(self, *parts: str) -> None:
        """Show what is to be said, the most important first, and how the file is copied."""
        command = ssh.copy_command(self.path)
        lead = "copy it: " if len(command) + _LEAD <= self.size.width else ""
        whole = "  ·  ".join(parts)
        above = [whole if len(whole) <= self.size.width - 2 else parts[0]] if parts else []
        self.query_one("#hint", Static).update("\n".join([*above, lead + command]))

    # Keys

    def show_picture(self, number: int) -> None:
        """Show a picture whole, counted from 0."""
        self._index, self._zoom = number % len(PICTURES), 0
        self._view.scroll_home(animate=False)
        self._show_titles()
        self._load()

    def step(self, by: int) -> None:
        """Show the next or the previous picture, or move in an enlarged one."""
        if self._zoom:
            self._view.scroll_relative(x=8 * by, animate=False)
        else:
            self.show_picture(self._index + by)

    def zoom(self) -> None:
        """Show the PNG larger, or whole again."""
        shown = self.query_one(BlocksView).picture
        if shown is not None:
            self._zoom = 0 if shown.width >= READABLE_WIDTH else (self._zoom + 1) % len(ZOOMS)
            self._load()

    def draw(self) -> None:
        """Draw the pictures again, in another process, even if the screen is left."""
        if not self._drawing:
            self.app.run_worker(self._draw(), group="draw")

    async def _draw(self) -> None:
        self._drawing = True
        self.app.notify("drawing the three pictures…")
        try:
            result = await export.export(self._folder)
        finally:
            self._drawing = False
        if result.error:
            self.app.notify(result.error, severity="error")
        else:
            left_out = [f"{name}: {reason}" for name, reason in result.skipped.items()]
            written = f"wrote {counted(len(result.paths), 'picture')} into {self._folder}"
            self.app.notify("\n".join([written, *left_out]))
        if self.is_running:
            self._drawn = {}
            self._load()

    def toggle_png(self) -> None:
        """Show the PNG, in pixels where the terminal can and in half blocks elsewhere, or the drawing again."""
        if self._wants_png:
            self._wants_png, self._zoom = False, 0
        elif not self.path.is_file():
            self.notify(f"{self.path.name} does not exist yet; e draws it", severity="warning")
            return
        elif self._show_in_pixels():
            return
        else:
            self._wants_png = True
        self._load()

    def _show_in_pixels(self) -> bool:
        """Run a program that shows the PNG in pixels until a key is pressed; return whether it could."""
        if self._mode != "pixels" or self._no_pixels or not self.can_show:
            return False
        command = [sys.executable, "-m", "lenet_tui.tui.pictures.show_pixels", str(self.path.absolute())]
        try:
            with self.app.suspend():
                code = subprocess.run(command, cwd="/", check=False).returncode  # noqa: S603 - this very program
        except SuspendNotSupported:
            code = None
        self.refresh(layout=True)
        if code == _SHOWN:
            return True
        if code == _NO_ANSWER:
            self._no_pixels = f"the terminal did not say within {ask_terminal.SECONDS:g} s if it shows pixels"
        else:
            self._no_pixels = "this terminal shows no pixels"
        return False


def elsewhere(path: Path) -> str:
    """Return where a picture is and how to copy it."""
    return f"It is here:\n{path.absolute()}\n\nOn your own machine, this copies it:\n{ssh.copy_command(path)}"
