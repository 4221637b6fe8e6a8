"""A run's three pictures in the terminal."""

from __future__ import annotations

import asyncio
import platform
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import work
from textual.app import SuspendNotSupported
from textual.containers import ScrollableContainer
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from lenet_tui.errors import LabError
from lenet_tui.formatting import counted
from lenet_tui.host.folders import user_name
from lenet_tui.run.folder import PICTURES
from lenet_tui.tui.inspect import images as planes
from lenet_tui.tui.keys import PICTURES_KEYS, bindings
from lenet_tui.tui.runs import export
from lenet_tui.tui.screens import LabScreen
from lenet_tui.tui.widgets import halfblocks
from lenet_tui.tui.widgets.key_footer import KeyFooter
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Resize
    from textual.geometry import Size

    from lenet_tui.tui.widgets.halfblocks import Blocks

ZOOMS = (1, 2, 4, 8)
_LEAD = 11  # cells of what stands before the command, and of the margins
READABLE_WIDTH = 360  # cells; below that, half blocks cannot show the numbers in the pictures


class BlocksView(Widget):
    """A picture in half blocks."""

    DEFAULT_CSS = "BlocksView { width: auto; height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self.picture: Blocks | None = None

    def show(self, picture: Blocks | None) -> None:
        """Show another picture."""
        self.picture = picture
        self.display = picture is not None
        self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 - the picture decides
        """Return its width in cells."""
        return self.picture.width if self.picture else 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return its height in cells."""
        return self.picture.height if self.picture else 0

    def render_line(self, y: int) -> Strip:
        """Return one row of cells."""
        if self.picture is None or y >= self.picture.height:
            return Strip.blank(self.size.width, self.rich_style)
        return self.picture.strip(y)


class PicturesScreen(LabScreen[None]):
    """The pictures in a run's folder, one at a time.

    ``mode`` "pixels" also offers each picture in full, where the terminal shows sixels or kitty's graphics.
    """

    CSS_PATH = "screen.tcss"
    KEYS = PICTURES_KEYS
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, folder: Path, mode: Literal["blocks", "pixels"] = "blocks") -> None:
        super().__init__()
        self._folder = folder
        self._mode = mode
        self._index = 0
        self._zoom = 0
        self._drawing = False

    @property
    def path(self) -> Path:
        """The picture that is shown."""
        return self._folder / PICTURES[self._index]

    @property
    def can_show(self) -> bool:
        """Whether the terminal has colours enough for a picture."""
        return planes.has_colours(self.app)

    def compose(self) -> ComposeResult:
        """Path, picture or text in its place, hints, keys."""
        yield PlainStatic(id="title")
        with ScrollableContainer(id="view"):
            yield BlocksView()
            yield PlainStatic(id="words")
        yield PlainStatic(id="hint")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show the first picture as soon as there is a size to fit it into."""
        self._view.focus()
        self.query_one(BlocksView).display = False

    def on_resize(self, _event: Resize) -> None:
        """Fit the picture to the room there is."""
        self.call_after_refresh(self._load)

    @property
    def _view(self) -> ScrollableContainer:
        return self.query_one("#view", ScrollableContainer)

    @work(exclusive=True)
    async def _load(self) -> None:
        path, zoom = self.path, ZOOMS[self._zoom]
        self.query_one("#title", Static).update(f"{self._index + 1}/{len(PICTURES)}  {path.absolute()}")
        if not self.can_show and await asyncio.to_thread(path.is_file):
            self._show_text(f"This terminal has too few colours for pictures.\n\n{elsewhere(path)}")
            return
        # One column and row less, for scroll bars to come without making the picture too large.
        columns, rows = (self._view.container_size.width - 1) * zoom, (self._view.container_size.height) * zoom
        try:
            picture = await asyncio.to_thread(halfblocks.load, path, max(1, columns), max(1, rows))
        except FileNotFoundError:
            self._show_text(self._missing())
            return
        except LabError as error:
            self._show_text(f"{error}\n\nPress e to draw it again from the run's files.")
            return
        self.query_one(BlocksView).show(picture)
        self.query_one("#words").display = False
        self.query_one("#hint", Static).update(self._hint(picture))

    def _show_text(self, words: str) -> None:
        self.query_one(BlocksView).show(None)
        self.query_one("#words", Static).update(words)
        self.query_one("#words").display = True
        self.query_one("#hint", Static).update("")

    def _missing(self) -> str:
        if self._drawing:
            return "drawing…"
        if not self._folder.is_dir():
            return f"The folder {self._folder} does not exist any more."
        return f"{self.path.name} does not exist yet.\n\nPress e to draw the pictures of the epochs that are done."

    def _hint(self, picture: Blocks) -> str:
        moving = "arrows move, " if self._zoom else ""
        if picture.width >= READABLE_WIDTH:
            hint = f"{moving}z shows the whole picture"
        else:
            hint = f"{moving}z zooms; text is readable from {READABLE_WIDTH} columns; now {picture.width}"
        command = copy_command(self.path)
        lead = "copy it: " if len(command) + _LEAD <= self.size.width else ""
        return f"{hint}\n{lead}{command}"

    @property
    def place(self) -> str:
        """How pictures are shown, since pixels are offered only where the settings ask for them."""
        return self._mode

    def show_picture(self, number: int) -> None:
        """Show a picture whole, counted from 0."""
        self._index, self._zoom = number % len(PICTURES), 0
        self._view.scroll_home(animate=False)
        self._load()

    def step(self, by: int) -> None:
        """Show the next or the previous picture, or move in an enlarged one."""
        if self._zoom:
            self._view.scroll_relative(x=8 * by, animate=False)
        else:
            self.show_picture(self._index + by)

    def zoom(self) -> None:
        """Show the picture larger, or whole again."""
        shown = self.query_one(BlocksView).picture
        if shown is not None:
            self._zoom = 0 if shown.width >= READABLE_WIDTH else (self._zoom + 1) % len(ZOOMS)
            self._load()

    @work(exclusive=True, group="draw")
    async def draw(self) -> None:
        """Draw the pictures again, in another process."""
        self._drawing = True
        self.notify("drawing the three pictures…")
        try:
            result = await export.export(self._folder)
        finally:
            self._drawing = False
        if result.error:
            self.notify(result.error, severity="error")
        else:
            left_out = [f"{name}: {reason}" for name, reason in result.skipped.items()]
            self.notify("\n".join([f"wrote {counted(len(result.paths), 'picture')}", *left_out]))
        self._load()

    def show_in_pixels(self) -> None:
        """Run a program that shows the picture in pixels, until a key is pressed."""
        if self.query_one(BlocksView).picture is None:
            self.notify(f"{self.path.name} does not exist yet; e draws it", severity="warning")
            return
        command = [sys.executable, "-m", "lenet_tui.tui.pictures.show_pixels", str(self.path.absolute())]
        try:
            with self.app.suspend():
                subprocess.run(command, cwd="/", check=False)  # noqa: S603 - this very program
        except SuspendNotSupported:
            self.notify("this terminal does not let the app run another program", severity="warning")
        self.refresh(layout=True)


def copy_command(path: Path) -> str:
    """Return the command that copies a file from here to another machine's folder."""
    target = f"{user_name()}@{platform.node()}:{path.absolute()}"
    return f"scp {shlex.quote(target)} ."


def elsewhere(path: Path) -> str:
    """Return where a picture is and how to copy it."""
    return f"It is here:\n{path.absolute()}\n\nOn your own machine, this copies it:\n{copy_command(path)}"
