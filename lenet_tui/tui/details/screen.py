"""Everything about one run: configuration, result, epochs, confusion matrix, log."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.containers import Vertical, VerticalScroll
from textual.widgets import ContentSwitcher, DataTable, Static

from lenet_tui.errors import LabError
from lenet_tui.tui import subprocesses
from lenet_tui.tui.details import confusion_table, heat_colours, layer_table
from lenet_tui.tui.details import text as details_text
from lenet_tui.tui.keys import DETAILS, bindings
from lenet_tui.tui.pictures import run_pictures
from lenet_tui.tui.screens import TabScreen
from lenet_tui.tui.widgets.key_footer import KeyFooter
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Literal

    from rich.table import Table
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Resize

    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store import Run
    from lenet_tui.tui.details.confusion_table import Confusion
    from lenet_tui.tui.store_watcher import Snapshot

_LOG_SECONDS = 1.0
_WIDE = 150  # columns from which result and layers stand beside the configuration


class EpochsTable(DataTable[Text]):
    """All metrics of each epoch, with marks for lowest val loss and the best epoch."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", header_height=2, cell_padding=0)
        self._rows: list[tuple[str, ...]] = []
        for heading, width in details_text.EPOCH_COLUMNS:
            self.add_column(Text(heading, justify="right"), key=heading, width=width)

    def show(self, epochs: Sequence[EpochMetrics], *, running: bool) -> None:
        """Update the table row by row, so that cursor and scroll position stay.

        A cursor at the end stays at the end, where the table of a ``running`` run also begins.
        """
        rows = details_text.epoch_rows(epochs)
        if len(rows) < len(self._rows):
            self.clear()
            self._rows = []
        at_end = self.cursor_row >= len(self._rows) - 1 if self._rows else running
        for index, row in enumerate(rows):
            if index >= len(self._rows):
                self.add_row(*(Text(cell, justify="right") for cell in row), key=str(index))
            elif row != self._rows[index]:
                for (heading, _), cell in zip(details_text.EPOCH_COLUMNS, row, strict=True):
                    self.update_cell(str(index), heading, Text(cell, justify="right"))
        if at_end and len(rows) > len(self._rows):
            self.move_cursor(row=len(rows) - 1)
        self._rows = rows


class DetailsScreen(TabScreen):
    """One run in six tabs. `update_run` keeps it up to date while the run goes on."""

    CSS_PATH = "screen.tcss"
    TABS = (
        *(("configuration", "Configuration"), ("result", "Result"), ("epochs", "Epochs")),
        *(("confusion", "Confusion"), ("log", "Log"), ("layers", "Layers")),  # as wide as 80 columns
    )
    TAB_KEY = "section"
    KEYS = DETAILS
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(
        self, root: Path, run: Run, epochs: Sequence[EpochMetrics], pictures: Literal["blocks", "pixels"] = "blocks"
    ) -> None:
        super().__init__()
        self._pictures = pictures
        self._root = root
        self._run = run
        self._epochs = tuple(epochs)
        self._everything = False
        self._files: details_text.FolderFiles | None = None
        self._confusion: Confusion | str = "reading…"
        self._confusion_stamp: tuple[int, int] | None = None
        self._log_stamp: tuple[int, int] | None = None
        self._layers: Table | None = None

    @property
    def folder(self) -> Path | None:
        """The run's folder, None before it has one."""
        return None if self._run.folder is None else self._root / self._run.folder

    def compose(self) -> ComposeResult:
        """Title, names of the tabs, the tabs, keys."""
        yield PlainStatic(id="title")
        yield PlainStatic(id="tabs")
        with ContentSwitcher(initial="configuration"):
            for name in ("configuration", "result"):
                with VerticalScroll(id=name):
                    yield PlainStatic()
            with Vertical(id="epochs"):
                yield EpochsTable()
                yield PlainStatic(details_text.LEGEND, id="legend")
            for name in ("confusion", "log", "layers"):
                with VerticalScroll(id=name):
                    yield PlainStatic()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Fill the tabs and begin to read the folder."""
        self._show_configuration()
        self._show_result()
        self._show_epochs()
        self.show_tab(0)
        self._read_folder()
        self.set_interval(_LOG_SECONDS, self._follow_log)
        self.app.theme_changed_signal.subscribe(self, lambda _: self._show_confusion())

    # What changes while the run goes on

    def update_run(self, run: Run, epochs: Sequence[EpochMetrics]) -> None:
        """Show what is new of the run. Call it as often as something may have changed."""
        before, self._run = self._run, run
        if not self.is_mounted:
            self._epochs = tuple(epochs)
            return
        if tuple(epochs) != self._epochs:
            self._epochs = tuple(epochs)
            self._show_epochs()
        if _without_pulse(run) == _without_pulse(before):
            return
        if run.config_json != before.config_json:
            self._show_configuration()
        self.show_title()
        self._show_result()
        if (run.state, run.folder, run.device) != (before.state, before.folder, before.device):
            self._read_folder()
            self._read_tab()

    def show(self, snapshot: Snapshot, before: Snapshot) -> None:  # noqa: ARG002 - every screen gets both
        """Show what is new of this run."""
        run = self.run_in(snapshot, self._run.id)
        if run is not None:
            self.update_run(run, snapshot.epochs.get(run.id, self._epochs))

    # Tabs

    def headline(self) -> str:
        """Return number, folder and state of the run."""
        return details_text.headline(self._run)

    def show_tab(self, number: int) -> None:
        """Show a tab, and read the file that it shows."""
        super().show_tab(number)
        self.query_one(EpochsTable if self.place == "epochs" else f"#{self.place}").focus()
        self._read_tab()

    def _read_tab(self) -> None:
        if self.place == "confusion":
            self._read_confusion()
        if self.place == "log":
            self._read_log()
        if self.place == "layers":
            self._read_layers()

    def _show_configuration(self) -> None:
        shown = details_text.configuration(self._run, everything=self._everything)
        if self.size.width >= _WIDE:
            result = details_text.result(self._run, self._root, self._files)
            shown = details_text.side_by_side(shown, self._layers, result)
        self.query_one("#configuration Static", Static).update(shown)

    def _show_result(self) -> None:
        self.query_one("#result Static", Static).update(details_text.result(self._run, self._root, self._files))
        if self.size.width >= _WIDE:
            self._show_configuration()

    def _show_epochs(self) -> None:
        self.query_one(EpochsTable).show(self._epochs, running=self._run.state == "running")

    def _show_confusion(self) -> None:
        pane = self.query_one("#confusion", VerticalScroll)
        shown = self._confusion
        if not isinstance(shown, str):
            size = pane.content_size
            text = confusion_table.table(shown, size.width, size.height, colours=heat_colours.of(pane))
            self.query_one("#confusion Static", Static).update(text)
        else:
            self.query_one("#confusion Static", Static).update(shown)

    def on_resize(self, _event: Resize) -> None:
        """Fit what is shown to the room there is."""
        self._show_configuration()
        self.call_after_refresh(self._show_confusion)

    # Reading the folder, outside the event loop

    @work(exclusive=True, group="folder")
    async def _read_folder(self) -> None:
        folder = self.folder
        if folder is not None:
            self._files = await asyncio.to_thread(details_text.look, folder)
            self._show_result()
            self._read_layers()

    @work(exclusive=True, group="layers")
    async def _read_layers(self) -> None:
        folder = self.folder
        shown: Table | str = "The run has not started; it has no weights yet."
        self._layers = None
        if folder is not None:
            try:
                network = await asyncio.to_thread(layer_table.read, folder, self._run.config)
                shown = self._layers = layer_table.table(network)
            except LabError as error:
                shown = str(error)
        self.query_one("#layers Static", Static).update(shown)
        self._show_configuration()

    @work(exclusive=True, group="confusion")
    async def _read_confusion(self) -> None:
        folder = self.folder
        stamp = None if folder is None else await asyncio.to_thread(_stamp, folder / "predictions.npz")
        if folder is None or stamp is None:
            self._confusion, self._confusion_stamp = self._no_predictions(), None
        elif stamp != self._confusion_stamp:
            if isinstance(self._confusion, str):
                self._confusion = "reading…"
                self._show_confusion()
            ended = await subprocesses.run("lenet_tui.tui.details.read_predictions", str(folder.absolute()))
            try:
                if not ended.output:
                    raise LabError(f"the predictions could not be read: {ended.complaint}")
                self._confusion, self._confusion_stamp = confusion_table.parse(ended.output), stamp
            except LabError as error:
                self._confusion, self._confusion_stamp = str(error), None
        self._show_confusion()

    def _no_predictions(self) -> str:
        folder = self.folder
        if folder is None:
            return "The run has not started; the confusion matrix is there when it ends."
        if not folder.is_dir():
            return f"The folder {folder} does not exist any more."
        if self._run.waiting or self._run.state == "running":
            return "The confusion matrix is there when the run ends."
        return f"There is no predictions.npz in {folder}: the run ended before its evaluation."

    def _follow_log(self) -> None:
        if self.place == "log" and self.is_current and self._run.state == "running":
            self._read_log()

    @work(exclusive=True, group="log")
    async def _read_log(self) -> None:
        folder = self.folder
        if folder is None:
            self._show_log("The run has not started; it has no log yet.")
            return
        path = folder / "log.txt"
        stamp = await asyncio.to_thread(_stamp, path)
        if stamp is not None and stamp == self._log_stamp:
            return
        self._log_stamp = stamp
        try:
            text = await asyncio.to_thread(details_text.last_lines, path)
            self._show_log(text or f"{path} is empty.")
        except FileNotFoundError:
            self._show_log(f"There is no {path}.")
        except LabError as error:
            self._show_log(str(error))

    def _show_log(self, text: str) -> None:
        pane = self.query_one("#log", VerticalScroll)
        at_end = pane.scroll_offset.y >= pane.max_scroll_y
        self.query_one("#log Static", Static).update(text)
        if at_end:
            pane.scroll_end(animate=False)

    # Keys

    def toggle_all(self) -> None:
        """Show every hyperparameter, or only those that differ."""
        self._everything = not self._everything
        self._show_configuration()

    def show_pictures(self) -> None:
        """Show the run's pictures."""
        run_pictures.view(self, self._root, self._run, self._pictures)

    def export(self) -> None:
        """Write the three pictures into the run's folder, even if the screen is left."""
        self.app.run_worker(run_pictures.draw(self.app, self._root, [self._run]), group="export")


def _without_pulse(run: Run) -> Run:
    """Return the run without what changes every second and is not shown here."""
    return replace(run, heartbeat=None, progress=None)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when the file does; None when it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
