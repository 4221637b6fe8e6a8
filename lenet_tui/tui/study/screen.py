"""The homework study: what it queues, its progress, and its discussion."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.containers import VerticalScroll
from textual.widgets import ContentSwitcher, Static

from lenet_tui.analysis.study.plan import Plan
from lenet_tui.errors import LabError
from lenet_tui.formatting import counted
from lenet_tui.host.safe_files import MB, read_own
from lenet_tui.runner.estimate import seconds_for
from lenet_tui.tui import subprocesses
from lenet_tui.tui.keys import STUDY, bindings
from lenet_tui.tui.screens import LabScreen
from lenet_tui.tui.study import homework
from lenet_tui.tui.widgets import plain_text
from lenet_tui.tui.widgets.document import Document
from lenet_tui.tui.widgets.key_footer import KeyFooter
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Resize

    from lenet_tui.config import DatasetName
    from lenet_tui.tui.lab import Lab
    from lenet_tui.tui.store_watcher import Snapshot
    from lenet_tui.tui.study.homework import StudyProgress

AUTO_SECONDS = 60.0  # between automatic updates: each takes a core from training for seconds
_LOOK_SECONDS = 5.0
_MOST_BYTES = MB  # the discussion of the largest study has a twentieth of it
_ROOM_FOR_CONTENTS = 120
_QUEUEING, _WRITING = "queueing…", "writing the discussion…"


class StudyScreen(LabScreen[None]):
    """The plan of the study, or its discussion."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = ""
    KEYS = STUDY
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        self._root = lab.root.absolute()
        self._stored_plan: Plan | None = None
        self._plan = Plan()  # what the plan's page shows
        self._progress: StudyProgress | None = (
            None  # of the plan shown or, from the discussion, of the study in the store
        )
        self._doing = ""
        self._is_announced = False  # that the runs are queued, while the command still writes the documents
        self._offered: tuple[str, ...] = ()
        self._written_from: frozenset[int] | None = None  # the finished runs in the discussion
        self._updated_at = -AUTO_SECONDS
        self._stamp: tuple[int, int] | None = None

    @property
    def path(self) -> Path:
        """Where the discussion is."""
        return self._root / "study" / "homework" / "discussion.md"

    @property
    def place(self) -> str:
        """The page that is shown, plan or discussion."""
        return self.query_one(ContentSwitcher).current or "plan"

    @property
    def _study(self) -> Plan:
        """The plan that is shown or, on the discussion's page, that of the study in the store."""
        return self._plan if self.place == "plan" or self._stored_plan is None else self._stored_plan

    def compose(self) -> ComposeResult:
        """Plan, progress, plan or discussion page, path, keys."""
        yield PlainStatic(id="title")
        yield PlainStatic(id="progress")
        with ContentSwitcher(initial="plan"):
            with VerticalScroll(id="plan"):
                yield PlainStatic()
            yield Document(id="discussion", show_table_of_contents=False)
        yield PlainStatic(id="where")
        yield KeyFooter()

    async def on_mount(self) -> None:
        """Show the discussion if there is a study, else the plan."""
        snapshot = self._lab.snapshot
        self._stored_plan = homework.stored_plan(snapshot.runs.values())
        self._plan = self._stored_plan or Plan()
        there = await asyncio.to_thread(self.path.is_file)
        self._show_page("discussion" if there or self._stored_plan else "plan")
        if there and self._stored_plan:
            self._written_from = await asyncio.to_thread(self._runs_in_the_file)
        self._read()
        self.set_interval(_LOOK_SECONDS, self._update_by_itself)

    def show(self, snapshot: Snapshot, before: Snapshot) -> None:
        """Show what is new of the study's runs."""
        if not self.is_mounted:
            return
        if snapshot.runs.keys() != before.runs.keys():
            self._stored_plan = homework.stored_plan(snapshot.runs.values())
        self._update()
        self._update_by_itself()

    def priorities(self) -> dict[str, int]:
        """Offer to queue where a run is missing, and to write where one is finished."""
        state = self._progress
        if state is None:
            return {}
        can_queue, can_write = bool(state.missing), bool(state.finished)
        keys = {"queue-study": can_queue and not self._doing, "update-study": can_write and not self._doing}
        return {name: 0 for name, is_offered in keys.items() if not is_offered}

    # What is shown

    def _show_page(self, page: str) -> None:
        self.query_one(ContentSwitcher).current = page
        (self.query_one("#plan") if page == "plan" else self.query_one(Document).document).focus()
        self._update()
        self.refresh_bindings()

    def _update(self) -> None:
        if not self.is_attached:  # left while a process was running
            return
        snapshot, plan = self._lab.snapshot, self._study
        state = self._progress = homework.study_progress(plan, snapshot)
        if self._doing == _QUEUEING and not state.missing:  # the command goes on, and writes the documents
            self._doing = _WRITING
            self._is_announced = True
            self._announce(state.count("queued", "running", "interrupted"))
            return
        self.query_one("#title", Static).update(f"Homework study · {homework.title(plan)}")
        lines = [homework.progress_text(state, paused=snapshot.paused), *state.running]
        self.query_one("#progress", Static).update("\n".join(lines))
        doing = f"{self._doing}   " if self._doing else ""
        self.query_one("#where", Static).update(
            f"{doing}study/homework/discussion.md and discussion.html, in {self._root}"
        )
        if self.place == "plan":
            missing = state.missing
            seconds, without = homework.estimate(
                missing, lambda configs: seconds_for(configs, snapshot.queue, snapshot.speeds, snapshot.capacity)
            )
            self.query_one("#plan Static", Static).update(homework.explanation(state, seconds, without))
        offered = tuple(self.priorities())
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    def _announce(self, count: int) -> None:
        """Say how many runs are queued, and show the page where their results will be."""
        paused = "; the queue is paused" if self._lab.snapshot.paused else ""
        self.notify(f"queued {counted(count, 'run')}{paused}")
        if self.is_attached:
            self._show_page("discussion")

    def on_resize(self, event: Resize) -> None:
        """Show the contents where there is room."""
        self.query_one(Document).show_table_of_contents = event.size.width >= _ROOM_FOR_CONTENTS

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        """Show the discussion when its file has changed."""
        try:
            stamp, text = await asyncio.to_thread(_read_if_new, self.path, self._stamp)
        except FileNotFoundError:
            stamp, text = (0, 0), _NOT_YET
        except (LabError, OSError, UnicodeDecodeError) as error:
            stamp, text = (
                (0, 1),
                f"The discussion cannot be read:\n\n```\n{error}\n```",
            )  # as it is: a path may look like Markdown
        if text is None or stamp == self._stamp:
            return
        self._stamp = stamp
        document = self.query_one(Document)
        place = document.scroll_offset.y
        await document.document.update(plain_text.lines(text))
        self.call_after_refresh(document.scroll_to, y=place, animate=False)

    # Queueing and writing, in other processes

    def queue(self) -> None:
        """Queue what is missing of the plan."""
        if not self._doing or (self._progress is not None and not self._progress.missing):
            # The app's worker, not the screen's: it goes on when the screen is left at once.
            self.app.run_worker(self._queue(self._plan), group="study")

    async def _queue(self, plan: Plan) -> None:
        from lenet_tui.tui.dialogs.get_data import ensure_dataset

        if self._progress is not None and not self._progress.missing:
            self.notify("every run of this study exists already")
            self._show_page("discussion")
            return
        dataset = await ensure_dataset(self.app, cast("DatasetName", plan.dataset))
        if dataset is None:
            return
        if dataset != plan.dataset:
            plan = self._plan = Plan(plan.seeds, plan.epochs, dataset)
        self._is_announced = False
        output = await self._run(_QUEUEING, plan)
        if output is not None:
            if not self._is_announced:
                self._announce(_queued(output))
            self._lab.watcher.look()
            if self.is_attached:
                self._read()

    @work(group="study")
    async def update_discussion(self) -> None:
        """Write the discussion from the runs that are finished now."""
        if self._doing or self._progress is None:
            return
        if len(self._progress.missing) == len(self._progress.runs):  # an empty document would replace another
            self.notify("this study has no run yet; press p for its plan", severity="warning")
            return
        self._updated_at = time.monotonic()
        self._written_from = self._progress.finished
        if await self._run(_WRITING, self._study, "--no-queue") is not None:
            self._read()

    def _update_by_itself(self) -> None:
        """Update when another run is finished, at most every so often."""
        state = self._progress
        if self._lab.settings.quiet or self._doing or state is None or self.place != "discussion" or not state.finished:
            return
        due = time.monotonic() - self._updated_at >= AUTO_SECONDS or state.is_over
        if due and state.finished != self._written_from:
            self.update_discussion()

    async def _run(self, doing: str, plan: Plan, *more: str) -> str | None:
        """Run the command and return its output; None after an error, which is shown."""
        self._doing = doing
        self._update()
        words = ("--seeds", str(plan.seeds), "--epochs", str(plan.epochs), "--dataset", plan.dataset, *more)
        try:
            ended = await subprocesses.run(
                "lenet_tui", "study", "homework", "--root", str(self._root), *words, "--json"
            )
        finally:
            self._doing = ""
            self._update()
        if ended.code:
            self.notify(ended.complaint, title="the study", severity="error")
            return None
        return ended.output

    def _runs_in_the_file(self) -> frozenset[int]:
        """Return the finished runs that were finished before the discussion was written."""
        state, runs = self._progress, self._lab.snapshot.runs
        written = self.path.stat().st_mtime
        ends = {run_id: runs[run_id].finished_at for run_id in state.finished} if state else {}
        return frozenset(run_id for run_id, end in ends.items() if end is None or end.timestamp() <= written)

    # Keys

    def _change(self, plan: Plan) -> None:
        self._plan = plan
        self._update()

    def change_seeds(self, by: int) -> None:
        """Plan more seeds, or fewer."""
        self._change(homework.with_seeds(self._plan, by))

    def change_epochs(self, by: int) -> None:
        """Plan more epochs, or fewer."""
        self._change(homework.with_epochs(self._plan, by))

    def change_dataset(self) -> None:
        """Plan the next data set."""
        self._change(homework.with_next_dataset(self._plan))

    def toggle_plan(self) -> None:
        """Show the plan, or the discussion."""
        self._show_page("discussion" if self.place == "plan" else "plan")

    def toggle_contents(self) -> None:
        """Show the table of contents, or hide it."""
        document = self.query_one(Document)
        document.show_table_of_contents = not document.show_table_of_contents


SCREEN = StudyScreen
_NOT_YET = """\
# No discussion yet

It is written when the first runs of the study finish, and again after every further run. **u** writes it now, **p**
shows the plan of the study.
"""


def _read_if_new(path: Path, last: tuple[int, int] | None) -> tuple[tuple[int, int], str | None]:
    """Return what changes when a file does, and its text unless it is the ``last`` one."""
    status = path.stat()
    stamp = status.st_mtime_ns, status.st_size
    return stamp, None if stamp == last else read_own(path, _MOST_BYTES).decode()


def _queued(output: str) -> int:
    try:
        return len(json.loads(output)["queued"])
    except (KeyError, TypeError, ValueError):
        return 0
