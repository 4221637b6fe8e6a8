"""What to do when a data set is missing: download it, copy it from a folder, or use the digits instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rich.text import Text
from textual import work
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, ProgressBar, Static

from lenet_tui.config import DATASET_TITLES
from lenet_tui.errors import UsageError
from lenet_tui.host.folders import expanded
from lenet_tui.tui import subprocesses
from lenet_tui.tui.keys import MISSING_DATA, bindings
from lenet_tui.tui.screens import LabScreen
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from textual.app import App, ComposeResult
    from textual.binding import BindingType
    from textual.worker import Worker

    from lenet_tui.config import DatasetName

Answer = Literal["ready", "digits", "later"]


async def ensure_dataset(app: App[Any], dataset: DatasetName) -> DatasetName | None:
    """Return the data set to train on, once it is on this machine: ``dataset``, or the digits instead of it.

    Asks what to do when it is missing; None, and a message, when the person declines. Call it in a worker.
    """
    from lenet_tui.data import is_here

    if is_here(dataset):
        return dataset
    answer = await app.push_screen_wait(GetDataScreen(dataset))
    if answer == "later":
        app.notify(f"nothing was queued: {DATASET_TITLES[dataset]} is not on this machine", severity="warning")
        return None
    return "digits" if answer == "digits" else dataset


class GetDataScreen(LabScreen[Answer], ModalScreen[Answer]):
    """Ends with "ready" when the data set is in the cache, "digits" to use those instead, "later" for neither."""

    CSS_PATH = "get_data.tcss"
    KEYS = MISSING_DATA
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)
    AUTO_FOCUS = ""

    def __init__(self, dataset: DatasetName = "mnist") -> None:
        super().__init__()
        self._dataset = dataset
        self._at_work: Worker[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being downloaded or copied."""
        return self._at_work is not None and not self._at_work.is_finished

    def compose(self) -> ComposeResult:
        """Show what is missing, the choices, and room for their progress."""
        title = DATASET_TITLES[self._dataset]
        size = " (12 MB)" if self._dataset == "mnist" else ""
        with Vertical():
            yield PlainStatic(f"{title} is not on this machine yet.", id="question")
            choices = Text()
            for key, what in (
                ("d", f"download it{size}; all roots share it"),
                ("f", "copy it from a folder with its four files, packed or not"),
                ("u", "use digits instead: 1,797 small images, always available"),
                ("esc", "not now"),
            ):
                choices.append(f"{key:>4}  ", "bold").append(f"{what}\n")
            choices.rstrip()
            yield PlainStatic(choices, id="choices")
            yield Input(placeholder="/path/to/the/folder   enter: copy", id="folder", compact=True)
            yield ProgressBar(id="bar", show_eta=True)
            yield PlainStatic(id="status")

    def on_mount(self) -> None:
        """Show only what there is."""
        for name in ("#folder", "#bar", "#status"):
            self.query_one(name).display = False

    def download(self) -> None:
        """Fetch the data set, with a bar."""
        if not self.busy:
            self._ask_for_folder(asking=False)
            self.query_one("#bar").display = True
            self.query_one(ProgressBar).update(total=None, progress=0)
            self._show_status("asking the mirrors…   esc: cancel")
            self._at_work = self._work("get", self._dataset, "--json", "--json-progress")

    def ask_for_folder(self) -> None:
        """Ask for a folder."""
        if not self.busy:
            self._ask_for_folder(asking=True)

    def use_digits(self) -> None:
        """Use the small data set."""
        if not self.busy:
            self.dismiss("digits")

    def cancel(self) -> None:
        """Cancel the work; else close the line for the folder; else close the dialog."""
        if self.busy and self._at_work is not None:
            self._at_work.cancel()
            self.query_one("#bar").display = False
            self._show_status("cancelled")
        elif self.query_one("#folder").display:
            self._ask_for_folder(asking=False)
        else:
            self.dismiss("later")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Copy the files of the folder."""
        if event.value.strip() and not self.busy:
            try:
                folder = expanded(Path(event.value.strip())).absolute()
            except UsageError as error:
                self._show_status(str(error))
                return
            self._show_status(f"reading {folder}…   esc: cancel")
            self._at_work = self._work("import", self._dataset, str(folder), "--json")

    def _ask_for_folder(self, *, asking: bool) -> None:
        line = self.query_one("#folder", Input)
        line.display = asking
        if asking:
            line.focus()
        else:
            self.set_focus(None)

    def _show_status(self, text: str) -> None:
        line = self.query_one("#status", Static)
        line.update(text)
        line.display = bool(text)

    @work(exclusive=True)
    async def _work(self, *words: str) -> None:
        ended = await subprocesses.run("lenet_tui", "data", *words, on_line=self._show_progress)
        self.query_one("#bar").display = False
        if ended.code == 0:
            self.dismiss("ready")
        else:
            self._show_status(f"✗ {_for_people(ended.complaint)}")

    def _show_progress(self, line: str) -> None:
        """Show a line of progress; other lines are left for the end."""
        event = parse_progress(line)
        if isinstance(event, str):
            self._show_status(f"{event}   esc: cancel")
        elif event is not None:
            what, done, total = event
            self.query_one(ProgressBar).update(total=total, progress=done)
            size = f"{done / 1e6:.1f} of {total / 1e6:.1f} MB" if total else f"{done / 1e6:.1f} MB" if done else ""
            self._show_status(f"{what}  {size}   esc: cancel")


def parse_progress(line: str) -> tuple[str, int, int | None] | str | None:
    """Return the progress in a line of ``data get --json-progress``.

    That is (file, bytes done, bytes in all or None), a notice, or None for any other line.
    """
    try:
        event = json.loads(line)
        if "notice" in event:
            return str(event["notice"])
        total = event["total"]
        return str(event["what"]), int(event["done"]), None if total is None else int(total)
    except (KeyError, TypeError, ValueError):
        return None


def _for_people(complaint: str) -> str:
    """Return an error of the command line without its flags, which are keys here."""
    return complaint.partition("; ways on:")[0]
