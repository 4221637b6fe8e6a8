"""What to do when a data set is not here: fetch it, take it from a folder, or use the small one that always is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

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
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.worker import Worker

    from lenet_tui.config import DatasetName

Answer = Literal["ready", "digits", "later"]


class GetDataScreen(ModalScreen[Answer]):
    """Ends with "ready" when the data set is in the cache, "digits" when those shall do, "later" for neither."""

    CSS_PATH = "get_data.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(MISSING_DATA)
    AUTO_FOCUS = ""

    def __init__(self, dataset: DatasetName = "mnist") -> None:
        super().__init__()
        self._dataset = dataset
        self._at_work: Worker[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being fetched or copied."""
        return self._at_work is not None and not self._at_work.is_finished

    def compose(self) -> ComposeResult:
        """Show what is missing, the ways on, and room for what comes of them."""
        title = DATASET_TITLES[self._dataset]
        size = " (12 MB)" if self._dataset == "mnist" else ""
        with Vertical():
            yield PlainStatic(f"{title} is not on this machine yet.", id="question")
            choices = Text()
            for key, what in (
                ("d", f"download it{size}; every folder of runs shares it"),
                ("f", "take it from a folder that has its four files, packed or not"),
                ("u", "use digits instead: 1,797 small images that are always here"),
                ("esc", "decide later"),
            ):
                choices.append(f"{key:>4}  ", "bold").append(f"{what}\n")
            choices.rstrip()
            yield PlainStatic(choices, id="choices")
            yield Input(placeholder="/path/to/the/folder   enter takes it", id="folder", compact=True)
            yield ProgressBar(id="bar", show_eta=True)
            yield PlainStatic(id="told")

    def on_mount(self) -> None:
        """Show only what there is."""
        for name in ("#folder", "#bar", "#told"):
            self.query_one(name).display = False

    def action_download(self) -> None:
        """Fetch the data set, with a bar."""
        if not self.busy:
            self._ask_for_folder(asking=False)
            self.query_one("#bar").display = True
            self.query_one(ProgressBar).update(total=None, progress=0)
            self._tell("asking the mirrors…   esc cancels")
            self._at_work = self._work("get", self._dataset, "--json", "--json-progress")

    def action_folder(self) -> None:
        """Ask for a folder."""
        if not self.busy:
            self._ask_for_folder(asking=True)

    def action_digits(self) -> None:
        """Use the small data set."""
        if not self.busy:
            self.dismiss("digits")

    def action_away(self) -> None:
        """Cancel what is going on; else close the line for the folder; else decide later."""
        if self.busy and self._at_work is not None:
            self._at_work.cancel()
            self.query_one("#bar").display = False
            self._tell("cancelled")
        elif self.query_one("#folder").display:
            self._ask_for_folder(asking=False)
        else:
            self.dismiss("later")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Copy the files of the folder that was written down."""
        if event.value.strip() and not self.busy:
            try:
                folder = expanded(Path(event.value.strip())).absolute()
            except UsageError as error:
                self._tell(str(error))
                return
            self._tell(f"reading {folder}…   esc cancels")
            self._at_work = self._work("import", self._dataset, str(folder), "--json")

    def _ask_for_folder(self, *, asking: bool) -> None:
        line = self.query_one("#folder", Input)
        line.display = asking
        if asking:
            line.focus()
        else:
            self.set_focus(None)

    def _tell(self, words: str) -> None:
        told = self.query_one("#told", Static)
        told.update(words)
        told.display = bool(words)

    @work(exclusive=True)
    async def _work(self, *words: str) -> None:
        ended = await subprocesses.run("lenet_tui", "data", *words, on_line=self._hear)
        self.query_one("#bar").display = False
        if ended.code == 0:
            self.dismiss("ready")
        else:
            self._tell(f"✗ {_for_people(ended.complaint)}")

    def _hear(self, line: str) -> None:
        """Show a line of progress; other lines are for whoever reads the whole output."""
        told = parse_progress(line)
        if isinstance(told, str):
            self._tell(f"{told}   esc cancels")
        elif told is not None:
            what, done, total = told
            self.query_one(ProgressBar).update(total=total, progress=done)
            size = f"{done / 1e6:.1f} of {total / 1e6:.1f} MB" if total else f"{done / 1e6:.1f} MB" if done else ""
            self._tell(f"{what}  {size}   esc cancels")


def parse_progress(line: str) -> tuple[str, int, int | None] | str | None:
    """Return what a line of ``data get --json-progress`` tells.

    That is (file, bytes done, bytes in all or None), a notice in words, or None where it is no such line.
    """
    try:
        told = json.loads(line)
        if "notice" in told:
            return str(told["notice"])
        total = told["total"]
        return str(told["what"]), int(told["done"]), None if total is None else int(total)
    except (KeyError, TypeError, ValueError):
        return None


def _for_people(complaint: str) -> str:
    """Return a complaint of the command line without the ways on that are flags; here they are keys."""
    return complaint.partition("; ways on:")[0]
