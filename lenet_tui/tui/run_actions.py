"""What can be done with the runs that are chosen in the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from lenet_tui.errors import LabError
from lenet_tui.tui.dialogs.ask import AskText, Confirm
from lenet_tui.tui.pictures import run_pictures
from lenet_tui.tui.runs import columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.screen import Screen

    from lenet_tui.store import Run, Store
    from lenet_tui.tui.app import LabApp
    from lenet_tui.tui.form.panel import RunForm
    from lenet_tui.tui.runs.table import RunsList
    from lenet_tui.tui.settings import Settings
    from lenet_tui.tui.store_watcher import Snapshot

    class _Base(Screen[None]):
        """The screen this is mixed into."""

        _settings: Settings
        _following: bool
        _to_resume: set[int]  # runs that are stopping still

        @property
        def lab(self) -> LabApp: ...
        @property
        def runs(self) -> RunsList: ...
        @property
        def form(self) -> RunForm: ...
else:
    _Base = object

_SHOWN = 8


class RunActions(_Base):
    """The commands on runs, by the names of the key table."""

    async def _each(self, verb: str, question: Callable[[Store, Run], object], runs: list[Run]) -> None:
        """Do something with each run; who refuses is told, and does not keep the others from it.

        Where ``question`` returns None there is nothing to tell.
        """
        done = [run for run in runs if await self.lab.ask(lambda store, run=run: question(store, run)) is not None]  # type: ignore[misc]
        if len(done) == 1:
            self.notify(f"run {done[0].id} {verb}")
        elif done:
            self.notify(f"{len(done)} runs {verb}")

    def _chosen(self, doing: str) -> list[Run]:
        self._following = False  # who does something with a run wants to see what becomes of it
        runs = self.runs.chosen
        if not runs:
            self.notify(f"there is no run to {doing}", severity="warning")
        return runs

    async def action_stop(self) -> None:
        """Stop what runs or waits."""
        runs = self._chosen("stop")
        if len(runs) > 1:
            runs = [run for run in runs if run.waiting or run.state == "running"]
        self._to_resume.difference_update(run.id for run in runs)
        await self._each("will stop", lambda store, run: store.request_stop(run.id), runs)

    async def action_again(self) -> None:
        """Resume what is stopped, try again what failed; what is stopping still, as soon as it has stopped."""
        runs = self._chosen("resume")
        if len(runs) > 1:
            runs = [run for run in runs if run.state in ("failed", "stopped") or run.is_stop_requested]
        await self._again(runs)

    async def _again(self, runs: list[Run]) -> None:
        stopping: list[int] = []

        def again(store: Store, run: Run) -> Run | None:
            now = store.get(run.id)  # the list may be a moment behind
            if now.is_stop_requested:
                stopping.append(now.id)
                return None
            return store.retry(now.id) if now.state == "failed" else store.resume(now.id)

        await self._each("queued again", again, runs)
        if stopping:
            # A run draws its pictures before it has stopped. Who is told to ask again then does so too early, or reads
            # "is stopping" beside a list that says "stopped" by now.
            self._to_resume.update(stopping)
            who = f"run {stopping[0]} is" if len(stopping) == 1 else f"{len(stopping)} runs are"
            self.notify(f"{who} stopping still; queued again as soon as stopped")

    def resume_what_stopped(self, snapshot: Snapshot) -> None:
        """Resume the runs that were to be resumed when they were stopping still, and have stopped now."""
        runs = [snapshot.runs[number] for number in sorted(self._to_resume & snapshot.runs.keys())]
        self._to_resume = {run.id for run in runs if run.state == "running"}
        if stopped := [run for run in runs if run.state == "stopped"]:
            self.run_worker(self._again(stopped))

    async def action_earlier(self) -> None:
        """Let the current run start earlier."""
        await self._move(-1)

    async def action_later(self) -> None:
        """Let the current run start later."""
        await self._move(1)

    async def _move(self, by: int) -> None:
        run = self.runs.current
        if run is None or run.place is None:
            self.notify("only a run that waits can be moved", severity="warning")
            return
        place = max(1, run.place + by)
        await self.lab.ask(lambda store: store.move(run.id, place))

    async def action_drain(self) -> None:
        """Let nothing start, or let the queue go on."""
        paused = not self.lab.snapshot.paused

        def turn(store: Store) -> bool:
            store.set_paused(paused)
            return True

        if await self.lab.ask(turn):
            self.notify(
                "the queue is paused: what runs goes on to its end, nothing starts" if paused else "the queue goes on",
            )

    # What takes long is a worker's; which runs it is about is settled at once, before a key that was pressed right
    # after can change it.

    def action_delete(self) -> None:
        """Delete the chosen runs, after asking."""
        chosen = self._chosen("delete")
        runs = [run for run in chosen if run.state != "running"]
        if not runs:
            if chosen:
                who = f"run {chosen[0].id} is" if len(chosen) == 1 else "these runs are"
                self.notify(f"{who} running; x stops, and what has stopped can be deleted", severity="warning")
            return
        lines = [f"{run.id}  {columns.name(run)}  {columns.state(run)}" for run in runs[:_SHOWN]]
        lines += [f"and {len(runs) - _SHOWN} more"] if len(runs) > _SHOWN else []
        question = "Delete this run?" if len(runs) == 1 else f"Delete these {len(runs)} runs?"
        if len(runs) < len(chosen):
            lines.append(f"{len(chosen) - len(runs)} more that are running stay")
        lines += ["", "Folders go to the trash in the private folder .lenet-tui."]

        def answered(yes: bool | None) -> None:  # noqa: FBT001 - Textual calls it so
            if yes:
                self._delete(runs)

        self.app.push_screen(Confirm(question, lines), answered)

    @work
    async def _delete(self, runs: list[Run]) -> None:
        def delete(store: Store, run: Run) -> object:
            if run.waiting and run.folder is None:
                return store.remove(run.id)
            return store.delete(run.id)

        await self._each("deleted", delete, runs)

    def action_note(self) -> None:
        """Write a note on the current run."""
        run = self.runs.current
        if run is None:
            return

        def answered(note: str | None) -> None:
            if note is not None:
                self._note(run, note)

        self.app.push_screen(AskText(f"Note on run {run.id}, {columns.name(run)}", run.note), answered)

    @work
    async def _note(self, run: Run, note: str) -> None:
        def keep(store: Store) -> bool:
            store.set_note(run.id, note)
            return True

        await self.lab.ask(keep)

    def action_clone(self) -> None:
        """Copy the current run's settings into the form."""
        run = self.runs.current
        if run is not None:
            try:
                config = run.config
            except LabError as error:  # of another version
                self.notify(str(error), severity="error")
                return
            self.form.display = True
            self.form.load(config)
            self.form.focus_first()
            self.notify(f"the form has the settings of run {run.id}")

    def action_details(self) -> None:
        """Show all that is known of the current run."""
        run = self.runs.current
        if run is not None:
            from lenet_tui.tui.details.screen import DetailsScreen

            epochs = self.lab.snapshot.epochs.get(run.id, ())
            self.app.push_screen(DetailsScreen(self.lab.root, run, epochs, self._settings.pictures))

    def action_compare(self) -> None:
        """Put the marked runs side by side."""
        from lenet_tui.tui.compare.screen import MAX_RUNS, CompareScreen

        runs = self.runs.marked
        if len(runs) < 2:
            missing = "one run is marked" if runs else "no run is marked"
            self.notify(
                f"{missing}: space marks a run, a all that are listed; b then compares them with the first one marked",
                severity="warning",
            )
        elif len(runs) > MAX_RUNS:
            self.notify(f"{len(runs)} runs are marked; at most {MAX_RUNS} can be compared", severity="warning")
        else:
            self.app.push_screen(CompareScreen(self.lab.root, runs))

    def action_pictures(self) -> None:
        """Show the current run's pictures."""
        run = self.runs.current
        if run is not None:
            run_pictures.view(self, self.lab.root, run, self._settings.pictures)

    def action_inspect(self) -> None:
        """Look into the current run; a marked one guesses drawings beside it."""
        run = self.runs.current
        if run is None:
            return
        from lenet_tui.tui.inspect.screen import InspectScreen

        marked = [other for other in self.runs.marked if other.id != run.id]
        latest = sorted(self.lab.snapshot.runs.values(), key=lambda other: -other.id)
        others = {other.id: other for other in (*marked, *latest) if other.folder and other.epochs_done}
        able = [other for other in others.values() if other.id != run.id]
        second = able[0] if able and able[0] in marked else None
        self.app.push_screen(InspectScreen(self.lab.inspector, run, able, second))

    def action_export(self) -> None:
        """Write the three pictures of the chosen runs into their folders."""
        self._export(self._chosen("export"))

    @work(group="export")
    async def _export(self, runs: list[Run]) -> None:
        for run in runs:
            await run_pictures.draw(self, self.lab.root, run)

    def action_csv(self) -> None:
        """Write the marked runs, or all that are listed, into a CSV file."""
        runs = list(self.runs.marked or self.runs.listed)
        if runs:
            self._csv(runs)
        else:
            self.notify("there is no run to write", severity="warning")

    @work
    async def _csv(self, runs: list[Run]) -> None:
        from lenet_tui.tui.runs import export

        path = await self.lab.ask(lambda _: export.write_csv(self.lab.root, runs))
        if path:
            self.notify(f"{len(runs)} runs: {_relative(path, self.lab.root)}", title="written")


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
