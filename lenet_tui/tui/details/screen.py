"""Everything about one run: configuration, result, epochs, confusion matrix, log."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Static

from lenet_tui.errors import LabError
from lenet_tui.tui import subprocesses
from lenet_tui.tui.details import confusion_table
from lenet_tui.tui.details import text as details_text
from lenet_tui.tui.details.epochs_table import EpochsTable
from lenet_tui.tui.keys import DETAILS, bindings
from lenet_tui.tui.pictures import run_pictures
from lenet_tui.tui.widgets.key_footer import KeyFooter
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Literal

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Resize

    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store import Run
    from lenet_tui.tui.details.confusion_table import Confusion
    from lenet_tui.tui.store_watcher import Snapshot

SECTIONS = ("configuration", "result", "epochs", "confusion", "log")
TITLES = ("Configuration", "Result", "Epochs", "Confusion matrix", "Log")
_LOG_SECONDS = 1.0


class DetailsScreen(Screen[None]):
    """One run in five sections. `update_run` keeps it true while the run goes on."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(DETAILS)

    def __init__(
        self, root: Path, run: Run, epochs: Sequence[EpochMetrics], pictures: Literal["blocks", "pixels"] = "blocks"
    ) -> None:
        super().__init__()
        self._pictures = pictures
        self._root = root
        self._run = run
        self._epochs = tuple(epochs)
        self._everything = False
        self._found: details_text.Found | None = None
        self._confusion: Confusion | str = "reading…"
        self._confusion_stamp: tuple[int, int] | None = None
        self._log_stamp: tuple[int, int] | None = None

    @property
    def folder(self) -> Path | None:
        """The run's folder, None before it has one."""
        return None if self._run.folder is None else self._root / self._run.folder

    def compose(self) -> ComposeResult:
        """Title, names of the sections, the sections, keys."""
        yield PlainStatic(id="title")
        yield PlainStatic(id="sections")
        with ContentSwitcher(initial=SECTIONS[0]):
            for name in ("configuration", "result"):
                with VerticalScroll(id=name):
                    yield PlainStatic()
            with Vertical(id="epochs"):
                yield EpochsTable()
                yield PlainStatic(details_text.LEGEND, id="legend")
            for name in ("confusion", "log"):
                with VerticalScroll(id=name):
                    yield PlainStatic()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Fill the sections and begin to read the folder."""
        self._show_configuration()
        self._show_result()
        self._show_epochs()
        self._show_section(SECTIONS[0])
        self._read_folder()
        self.set_interval(_LOG_SECONDS, self._follow_log)

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
        self._show_title()
        self._show_result()
        if (run.state, run.folder, run.device) != (before.state, before.folder, before.device):
            self._read_folder()
            if self._section in ("confusion", "log"):
                self._show_section(self._section)

    def show(self, snapshot: Snapshot, before: Snapshot) -> None:  # noqa: ARG002 - every screen gets both
        """Take what is new of this run from what was seen in the store."""
        run = snapshot.runs.get(self._run.id)
        if run is not None:
            self.update_run(run, snapshot.epochs.get(run.id, self._epochs))
        elif snapshot.runs and self.is_mounted:
            self.query_one("#title", Static).update(f"run {self._run.id} was deleted")

    # Sections

    @property
    def _section(self) -> str:
        return self.query_one(ContentSwitcher).current or SECTIONS[0]

    def _show_section(self, name: str) -> None:
        self.query_one(ContentSwitcher).current = name
        self._show_title()
        self.query_one(EpochsTable if name == "epochs" else f"#{name}").focus()
        if name == "confusion":
            self._read_confusion()
        if name == "log":
            self._read_log()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer all settings only where settings are."""
        return action != "toggle_all" or self._section == "configuration"

    def _show_title(self) -> None:
        self.query_one("#title", Static).update(details_text.headline(self._run))
        parts: list[Content | tuple[str, str]] = []
        for number, (name, title) in enumerate(zip(SECTIONS, TITLES, strict=True), start=1):
            style = "bold reverse" if name == self._section else ""
            shown = Content(f" {number} {title} ").stylize(style)
            parts += [shown.stylize(f"@click=screen.section_{number}"), Content(" ")]
        self.query_one("#sections", Static).update(Content.assemble(*parts))

    def _show_configuration(self) -> None:
        shown = details_text.configuration(self._run, everything=self._everything)
        self.query_one("#configuration Static", Static).update(shown)

    def _show_result(self) -> None:
        self.query_one("#result Static", Static).update(details_text.result(self._run, self._root, self._found))

    def _show_epochs(self) -> None:
        self.query_one(EpochsTable).show(self._epochs, running=self._run.state == "running")

    def _show_confusion(self) -> None:
        pane = self.query_one("#confusion", VerticalScroll)
        shown = self._confusion
        if not isinstance(shown, str):
            size = pane.content_size
            self.query_one("#confusion Static", Static).update(confusion_table.table(shown, size.width, size.height))
        else:
            self.query_one("#confusion Static", Static).update(shown)

    def on_resize(self, _event: Resize) -> None:
        """Fit the matrix to the room there is."""
        self.call_after_refresh(self._show_confusion)

    # Reading the folder, never in the way of the keys

    @work(exclusive=True, group="folder")
    async def _read_folder(self) -> None:
        folder = self.folder
        if folder is not None:
            self._found = await asyncio.to_thread(details_text.look, folder)
            self._show_result()

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
            return "The run has not begun; its confusion matrix comes when it ends."
        if not folder.is_dir():
            return f"The folder {folder} is not there any more."
        if self._run.waiting or self._run.state == "running":
            return "The confusion matrix comes when the run has ended."
        return f"There is no predictions.npz in {folder}: the run ended before its network was tried."

    def _follow_log(self) -> None:
        if self._section == "log" and self.is_current and self._run.state == "running":
            self._read_log()

    @work(exclusive=True, group="log")
    async def _read_log(self) -> None:
        folder = self.folder
        if folder is None:
            self._tell_log("The run has not begun; it has no log yet.")
            return
        path = folder / "log.txt"
        stamp = await asyncio.to_thread(_stamp, path)
        if stamp is not None and stamp == self._log_stamp:
            return
        self._log_stamp = stamp
        try:
            text = await asyncio.to_thread(details_text.last_lines, path)
            self._tell_log(text or f"{path} is empty.")
        except FileNotFoundError:
            self._tell_log(f"There is no {path}.")
        except LabError as error:
            self._tell_log(str(error))

    def _tell_log(self, text: str) -> None:
        pane = self.query_one("#log", VerticalScroll)
        at_end = pane.scroll_offset.y >= pane.max_scroll_y
        self.query_one("#log Static", Static).update(text)
        if at_end:
            pane.scroll_end(animate=False)

    # Keys

    def _go(self, by: int) -> None:
        self._show_section(SECTIONS[(SECTIONS.index(self._section) + by) % len(SECTIONS)])

    def action_section_before(self) -> None:
        """Show the section before."""
        self._go(-1)

    def action_section_after(self) -> None:
        """Show the next section."""
        self._go(1)

    def action_section_1(self) -> None:
        """Show the configuration."""
        self._show_section(SECTIONS[0])

    def action_section_2(self) -> None:
        """Show the result."""
        self._show_section(SECTIONS[1])

    def action_section_3(self) -> None:
        """Show the epochs."""
        self._show_section(SECTIONS[2])

    def action_section_4(self) -> None:
        """Show the confusion matrix."""
        self._show_section(SECTIONS[3])

    def action_section_5(self) -> None:
        """Show the log."""
        self._show_section(SECTIONS[4])

    def action_toggle_all(self) -> None:
        """Show every setting, or only what differs."""
        self._everything = not self._everything
        self._show_configuration()

    def action_pictures(self) -> None:
        """Show the run's pictures."""
        run_pictures.view(self, self._root, self._run, self._pictures)

    @work(group="export")
    async def action_export(self) -> None:
        """Write the three pictures into the run's folder."""
        await run_pictures.draw(self, self._root, self._run)

    def action_back(self) -> None:
        """Leave."""
        self.dismiss()


def _without_pulse(run: Run) -> Run:
    """Return the run without what changes every second and is not shown here."""
    return replace(run, heartbeat=None, progress=None)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when the file does; None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
