"""Runs side by side: what differs between them, their results, and which differences are significant."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.containers import VerticalScroll
from textual.widgets import Static

from lenet_tui.differences import Differences
from lenet_tui.errors import LabError
from lenet_tui.formatting import counted
from lenet_tui.tui import subprocesses
from lenet_tui.tui.compare import text as comparison_text
from lenet_tui.tui.curves.panel import CurvesPanel
from lenet_tui.tui.curves.selection import MOST_OVERLAID
from lenet_tui.tui.keys import COMPARE, bindings
from lenet_tui.tui.pictures import read_run
from lenet_tui.tui.screens import LabScreen
from lenet_tui.tui.widgets.key_footer import KeyFooter
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Resize

    from lenet_tui.store import Run
    from lenet_tui.tui.store_watcher import Snapshot

MAX_RUNS = 100
_ROOM_FOR_CURVES = 36  # lines
FILES = ("comparison.png", "comparison.csv", "comparison.md")


class CompareScreen(LabScreen[None]):
    """A comparison, made by the command of that name. The first of ``runs`` is the baseline."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "VerticalScroll"
    KEYS = COMPARE
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, root: Path, runs: Sequence[Run]) -> None:
        super().__init__()
        self._root = root.absolute()
        self._ids = [run.id for run in runs]
        self._runs = list(runs)
        self._states = [run.state for run in runs]
        self._curves_wanted: bool | None = None  # None until the person decides
        self._document: comparison_text.Document | None = None

    @property
    def folder(self) -> Path:
        """Where files are written."""
        return self._root / "study"

    def compose(self) -> ComposeResult:
        """Title, comparison, paths, keys."""
        yield PlainStatic(id="title")
        yield CurvesPanel(id="curves")
        with VerticalScroll():
            yield PlainStatic(id="comparison")
        yield PlainStatic(f"w writes {', '.join(FILES)} into study/ in {self._root}", id="where")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Begin to compare."""
        numbers = ", ".join(map(str, self._ids))
        self.query_one("#title", Static).update(f"Comparison of {counted(len(self._ids), 'run')}: {numbers}")
        self.query_one("#comparison", Static).update("\ncomparing…")
        self.compare()
        self.read_curves()

    @property
    def curves(self) -> CurvesPanel:
        """The chart with the curves of the runs."""
        return self.query_one(CurvesPanel)

    def toggle_curves(self) -> None:
        """Show the curves, or leave the room to the tables."""
        self._curves_wanted = not self.curves.display
        self.curves.display = self._curves_wanted

    @work(exclusive=True, group="curves")
    async def read_curves(self) -> None:
        """Show the val and train loss of the runs under what differs between them."""
        differences = Differences()
        differences.update({run.id: run for run in self._runs})
        shown = []
        for run in self._runs[:MOST_OVERLAID]:
            with contextlib.suppress(LabError):  # no epoch is done, or the folder is gone: the comparison says it
                read = await read_run.curve(self._root / str(run.folder), run)
                shown.append(replace(read, label=f"{run.id} {differences.label(run.id)}"))
        self.curves.show(shown, "")

    def show(self, snapshot: Snapshot, before: Snapshot) -> None:  # noqa: ARG002 - every screen gets both
        """Compare again when the state of a run changes."""
        states = [snapshot.runs[run_id].state for run_id in self._ids if run_id in snapshot.runs]
        if self.is_mounted and len(states) == len(self._ids) and states != self._states:
            self._states = states
            self._runs = [snapshot.runs[run_id] for run_id in self._ids]
            self.compare()
            self.read_curves()

    def on_resize(self, _event: Resize) -> None:
        """Fit the tables to the room there is, and show the curves where they leave enough of it."""
        if self._curves_wanted is None:
            self.curves.display = self.size.height >= _ROOM_FOR_CURVES
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        if self._document is not None:
            width = self.query_one(VerticalScroll).scrollable_content_region.width
            self.query_one("#comparison", Static).update(comparison_text.render(self._document, width))

    @work(exclusive=True, group="compare")
    async def compare(self) -> None:
        """Compare the runs as they are now."""
        ended = await self._run()
        try:
            if ended.code:
                raise LabError(ended.complaint)
            self._document = comparison_text.parse(ended.output)
            self._show()
        except LabError as error:
            self._document = None
            self.query_one("#comparison", Static).update(f"\n{error}")

    def write_files(self) -> None:
        """Write picture, table and Markdown into the folder ``study`` of the root, even if the screen is left."""
        self.app.run_worker(self._write_files(), group="write-comparison", exclusive=True)

    async def _write_files(self) -> None:
        try:
            await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        except OSError as error:
            self.app.notify(f"cannot make {self.folder}: {error.strerror}", severity="error")
            return
        self._show_files("writing…")
        picture, table, text = (str(self.folder / name) for name in FILES)
        ended = await self._run("--picture", picture, "--csv", table, "--markdown", text)
        if ended.code:
            self.app.notify(ended.complaint, title="the comparison", severity="error")
            self._show_files(
                "nothing was written" if not self.folder.joinpath(FILES[0]).exists() else "the files are unchanged"
            )
        else:
            written = f"wrote {', '.join(FILES)} into {self.folder}"
            self._show_files(written)
            if not self.is_current:
                self.app.notify(written)

    async def _run(self, *more: str) -> subprocesses.Ended:
        words = [*map(str, self._ids), "--root", str(self._root), *more]
        return await subprocesses.run("lenet_tui", "compare", *words, "--json")

    def _show_files(self, words: str) -> None:
        if self.is_running:  # it may have been left
            self.query_one("#where", Static).update(words)
