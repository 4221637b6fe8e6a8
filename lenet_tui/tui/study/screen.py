"""The homework study: what it queues, how far it is, and the discussion that comes of it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Static

from lenet_tui.analysis.study.plan import Plan
from lenet_tui.config import DATASET_TITLES
from lenet_tui.errors import LabError
from lenet_tui.formatting import counted
from lenet_tui.host.safe_files import MB, read_own
from lenet_tui.runner.estimate import seconds_for
from lenet_tui.tui import subprocesses
from lenet_tui.tui.keys import STUDY, bindings
from lenet_tui.tui.study import homework
from lenet_tui.tui.widgets import plain_text
from lenet_tui.tui.widgets.document import Document
from lenet_tui.tui.widgets.key_footer import KeyFooter
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Resize

    from lenet_tui.config import DatasetName
    from lenet_tui.tui.app import LabApp
    from lenet_tui.tui.store_watcher import Snapshot
    from lenet_tui.tui.study.homework import StudyProgress

AUTO_SECONDS = 60.0  # between updates that nobody asked for: each takes seconds of a core from training
_LOOK_SECONDS = 5.0
_MOST_BYTES = MB  # the discussion of the largest study has a twentieth of it
_ROOM_FOR_CONTENTS = 120
_OF_THE_PLAN = ("queue_study", "more_seeds", "fewer_seeds", "more_epochs", "fewer_epochs", "study_dataset")


class StudyScreen(Screen[None]):
    """The plan of the study, or its discussion. ``is_here`` says whether a data set is on this machine."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = bindings(STUDY)

    def __init__(self, root: Path, is_here: Callable[[DatasetName], bool], *, quiet: bool = False) -> None:
        super().__init__()
        self._root = root.absolute()
        self._is_here = is_here
        self._quiet = quiet
        self._on_record: Plan | None = None
        self._plan = Plan()  # what the plan's page shows
        self._progress: StudyProgress | None = None  # of the plan's page or, from the discussion, of what is on record
        self._doing = ""
        self._written_from: frozenset[int] | None = None  # the finished runs that the discussion knows
        self._updated_at = -AUTO_SECONDS
        self._stamp: tuple[int, int] | None = None

    @property
    def path(self) -> Path:
        """Where the discussion is."""
        return self._root / "study" / "homework" / "discussion.md"

    @property
    def _lab(self) -> LabApp:
        return cast("LabApp", self.app)

    @property
    def _page(self) -> str:
        return self.query_one(ContentSwitcher).current or "plan"

    @property
    def _study(self) -> Plan:
        """The plan that is meant: on the plan's page what it shows, else what is on record."""
        return self._plan if self._page == "plan" or self._on_record is None else self._on_record

    def compose(self) -> ComposeResult:
        """What is meant, how far it is, plan or discussion, where that is, keys."""
        yield PlainStatic(id="title")
        yield PlainStatic(id="progress")
        with ContentSwitcher(initial="plan"):
            with VerticalScroll(id="plan"):
                yield PlainStatic()
            yield Document(id="discussion", show_table_of_contents=False)
        yield PlainStatic(id="where")
        yield KeyFooter()

    async def on_mount(self) -> None:
        """Show the discussion where there is a study, else what one would be."""
        snapshot = self._lab.snapshot
        self._on_record = homework.plan_on_record(snapshot.runs.values())
        self._plan = self._on_record or Plan()
        there = await asyncio.to_thread(self.path.is_file)
        self._turn_to("discussion" if there or self._on_record else "plan")
        if there and self._on_record:
            self._written_from = await asyncio.to_thread(self._known_to_the_file)
        self._read()
        self.set_interval(_LOOK_SECONDS, self._update_by_itself)

    def show(self, snapshot: Snapshot, before: Snapshot) -> None:
        """Take what is new of the study's runs from what was seen in the store."""
        if not self.is_mounted:
            return
        if snapshot.runs.keys() != before.runs.keys():
            self._on_record = homework.plan_on_record(snapshot.runs.values())
        self._tell()
        self._update_by_itself()

    # What is shown

    def _turn_to(self, page: str) -> None:
        self.query_one(ContentSwitcher).current = page
        (self.query_one("#plan") if page == "plan" else self.query_one(Document).document).focus()
        self._tell()
        self.refresh_bindings()

    def _tell(self) -> None:
        if not self.is_attached:  # left while a process was at work
            return
        snapshot, plan = self._lab.snapshot, self._study
        found = self._progress = homework.study_progress(plan, snapshot)
        self.query_one("#title", Static).update(f"Homework study · {homework.title(plan)}")
        lines = [homework.progress(found, paused=snapshot.paused), *found.running]
        self.query_one("#progress", Static).update("\n".join(lines))
        doing = f"{self._doing}   " if self._doing else ""
        self.query_one("#where", Static).update(
            f"{doing}study/homework/discussion.md and discussion.html, in {self._root}"
        )
        if self._page == "plan":
            missing = found.missing
            seconds, without = homework.with_known_pace(
                missing, lambda configs: seconds_for(configs, snapshot.queue, snapshot.speeds, snapshot.capacity)
            )
            self.query_one("#plan Static", Static).update(homework.explanation(found, seconds, without))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer what changes the plan on its page, and what the discussion is asked for on the other."""
        if action in _OF_THE_PLAN:
            return self._page == "plan"
        return action not in ("contents", "update_study") or self._page == "discussion"

    def on_resize(self, event: Resize) -> None:
        """Show the contents where there is room."""
        self.query_one(Document).show_table_of_contents = event.size.width >= _ROOM_FOR_CONTENTS

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        """Show the discussion where its file is another than the one that is shown."""
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

    # Queueing and writing, in processes of their own

    def action_queue_study(self) -> None:
        """Queue what is missing of the plan."""
        if not self._doing:
            # The app's work, not the screen's: who leaves at once has queued it all the same.
            self.app.run_worker(self._queue(self._plan), group="study")

    async def _queue(self, plan: Plan) -> None:
        if self._progress is not None and not self._progress.missing:
            self.notify("every run of this study is on record already")
            self._turn_to("discussion")
            return
        dataset = cast("DatasetName", plan.dataset)
        if not self._is_here(dataset):
            from lenet_tui.tui.dialogs.get_data import GetDataScreen

            answer = await self.app.push_screen_wait(GetDataScreen(dataset))
            if answer == "later":
                self.notify(f"nothing was queued: {DATASET_TITLES[dataset]} is not here", severity="warning")
                return
            if answer == "digits":
                plan = self._plan = Plan(plan.seeds, plan.epochs, "digits")
        output = await self._run("queueing…", plan)
        if output is not None:
            paused = "; the queue is paused" if self._lab.snapshot.paused else ""
            self.notify(f"queued {counted(_queued(output), 'run')}{paused}")
            self._lab.watcher.look()
            if self.is_attached:
                self._turn_to("discussion")
                self._read()

    @work(group="study")
    async def action_update_study(self) -> None:
        """Write the discussion from the runs that are finished now."""
        if self._doing or self._progress is None:
            return
        if len(self._progress.missing) == len(self._progress.runs):  # a document of nothing would replace another
            self.notify("no run of this study is on record; p shows what it queues", severity="warning")
            return
        self._updated_at = time.monotonic()
        self._written_from = self._progress.finished
        if await self._run("writing the discussion…", self._study, "--no-queue") is not None:
            self._read()

    def _update_by_itself(self) -> None:
        """Update when another run is finished, at most every so often."""
        found = self._progress
        if self._quiet or self._doing or found is None or self._page != "discussion" or not found.finished:
            return
        due = time.monotonic() - self._updated_at >= AUTO_SECONDS or found.is_over
        if due and found.finished != self._written_from:
            self.action_update_study()

    async def _run(self, doing: str, plan: Plan, *more: str) -> str | None:
        """Run the command and return what it said; None where it failed, which is told."""
        self._doing = doing
        self._tell()
        words = ("--seeds", str(plan.seeds), "--epochs", str(plan.epochs), "--dataset", plan.dataset, *more)
        try:
            ended = await subprocesses.run(
                "lenet_tui", "study", "homework", "--root", str(self._root), *words, "--json"
            )
        finally:
            self._doing = ""
            self._tell()
        if ended.code:
            self.notify(ended.complaint, title="the study", severity="error")
            return None
        return ended.output

    def _known_to_the_file(self) -> frozenset[int]:
        """Return the finished runs that were finished before the discussion was written."""
        found, runs = self._progress, self._lab.snapshot.runs
        written = self.path.stat().st_mtime
        ends = {run_id: runs[run_id].finished_at for run_id in found.finished} if found else {}
        return frozenset(run_id for run_id, end in ends.items() if end is None or end.timestamp() <= written)

    # Keys

    def _change(self, plan: Plan) -> None:
        self._plan = plan
        self._tell()

    def action_more_seeds(self) -> None:
        """Train every arm once more."""
        self._change(homework.with_seeds(self._plan, 1))

    def action_fewer_seeds(self) -> None:
        """Train every arm once less."""
        self._change(homework.with_seeds(self._plan, -1))

    def action_more_epochs(self) -> None:
        """Train for more epochs."""
        self._change(homework.with_epochs(self._plan, 1))

    def action_fewer_epochs(self) -> None:
        """Train for fewer epochs."""
        self._change(homework.with_epochs(self._plan, -1))

    def action_study_dataset(self) -> None:
        """Train on other images."""
        self._change(homework.with_next_dataset(self._plan))

    def action_plan(self) -> None:
        """Show the plan, or the discussion."""
        self._turn_to("discussion" if self._page == "plan" else "plan")

    def action_contents(self) -> None:
        """Show the table of contents, or hide it."""
        document = self.query_one(Document)
        document.show_table_of_contents = not document.show_table_of_contents

    def action_back(self) -> None:
        """Leave."""
        self.dismiss()


_NOT_YET = """\
# No discussion yet

It is written when the first runs of the study are finished, and grows with every further one. **u** writes it at once,
**p** shows what the study queues.
"""


def _read_if_new(path: Path, known: tuple[int, int] | None) -> tuple[tuple[int, int], str | None]:
    """Return what changes when a file does, and its text unless that is ``known`` already."""
    found = path.stat()
    stamp = found.st_mtime_ns, found.st_size
    return stamp, None if stamp == known else read_own(path, _MOST_BYTES).decode()


def _queued(output: str) -> int:
    try:
        return len(json.loads(output)["queued"])
    except (KeyError, TypeError, ValueError):
        return 0
