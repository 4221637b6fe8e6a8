"""What can be done with runs: queue those of the form, and all that a key does with the chosen ones."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.formatting import counted
from lenet_tui.store.wording import state
from lenet_tui.tui.dialogs.ask import AskText, Confirm
from lenet_tui.tui.form import duplicates
from lenet_tui.tui.pictures import run_pictures
from lenet_tui.tui.runs import columns
from lenet_tui.tui.runs.table_controller import TableController

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from textual.screen import Screen

    from lenet_tui.store import Run, Store
    from lenet_tui.tui.form.panel import RunForm
    from lenet_tui.tui.lab import Lab
    from lenet_tui.tui.runs.table import RunsList
    from lenet_tui.tui.store_watcher import Snapshot

_SHOWN = 8


class RunController:
    """Acts on the runs chosen in ``runs``; messages and dialogs appear on ``screen``.

    ``following`` is whether the list selects the run that trains, whichever it is.
    """

    def __init__(self, screen: Screen[None], lab: Lab, runs: RunsList, form: RunForm) -> None:
        self._screen = screen
        self._lab = lab
        self._runs = runs
        self._form = form
        self._to_resume: set[int] = set()  # runs that are still stopping
        self.following = True
        self.table = TableController(screen, lab, runs, self._start)

    def update(self, snapshot: Snapshot) -> None:
        """Follow the run that trains, and resume what was to be resumed once it had stopped."""
        if self.following:
            self._select_running(snapshot)
        runs = [snapshot.runs[number] for number in sorted(self._to_resume & snapshot.runs.keys())]
        self._to_resume = {run.id for run in runs if run.state == "running"}
        if stopped := [run for run in runs if run.state == "stopped"]:
            self._start(self._resume(stopped))

    # Queueing

    def queue(self, configs: tuple[RunConfig, ...]) -> None:
        """Queue runs of these configurations, after asking for missing data and about duplicates."""
        release = self._lab.hold_keys()  # the next key may be for a dialog

        async def queue() -> None:
            try:
                await self._queue(configs)
            finally:
                release()

        self._start(queue())

    async def _queue(self, configs: tuple[RunConfig, ...]) -> None:
        wanted = await self._with_datasets(configs)
        if not wanted or not await self._confirm_duplicates(wanted):
            return
        added = await self._lab.ask(lambda store: self._add(store, wanted))
        if added:
            runs, note = added
            first, last = runs[0], runs[-1]
            names = f"run {first.id}, place {first.place} in the queue"
            if len(runs) > 1:
                names = f"runs {first.id}–{last.id}, places {first.place}–{last.place} in the queue"
            paused = "; the queue is paused, p continues it" if self._lab.snapshot.paused else ""
            self._notify(f"queued {names}{paused}{note and f'; {note}'}")
            if not self._lab.snapshot.running:
                self.following = True

    async def _with_datasets(self, configs: tuple[RunConfig, ...]) -> tuple[RunConfig, ...]:
        """Return the configurations with data sets that are on this machine; none when the person declines."""
        from lenet_tui.tui.dialogs.get_data import ensure_dataset

        for dataset in dict.fromkeys(config.dataset for config in configs):
            available = await ensure_dataset(self._screen.app, dataset)
            if available is None:
                return ()
            if available != dataset:
                configs = tuple(_on_digits(config) if config.dataset == dataset else config for config in configs)
        return configs

    async def _confirm_duplicates(self, configs: tuple[RunConfig, ...]) -> bool:
        """Ask whether to train again what was trained already; true when nothing was."""
        others = tuple(self._lab.snapshot.runs.values())
        question = await asyncio.to_thread(lambda: duplicates.question(configs, duplicates.latest(others)))
        if not question:
            return True
        return await self._screen.app.push_screen_wait(Confirm(question))

    def _add(self, store: Store, configs: tuple[RunConfig, ...]) -> tuple[list[Run], str]:
        """Queue, and return the runs with a note on their duplicates."""
        # The last snapshot and what was queued since; reading all of a large store would take long.
        before = {**self._lab.snapshot.runs, **{run.id: run for run in store.queue()}}
        queued = store.add(configs)
        return queued, duplicates.after_queueing(queued, tuple(before.values()), self._lab.root)

    # Changing runs

    async def stop(self) -> None:
        """Stop what runs or waits."""
        runs = self._chosen("stop")
        if len(runs) > 1:
            runs = [run for run in runs if run.waiting or run.state == "running"]
        self._to_resume.difference_update(run.id for run in runs)
        await self._each("will stop", lambda store, run: store.request_stop(run.id), runs)

    async def resume(self) -> None:
        """Resume stopped runs, retry failed ones; those that are still stopping as soon as they have stopped."""
        runs = self._chosen("resume")
        if len(runs) > 1:
            runs = [run for run in runs if run.state in ("failed", "stopped") or run.is_stop_requested]
        await self._resume(runs)

    async def _resume(self, runs: list[Run]) -> None:
        stopping: list[int] = []

        def again(store: Store, run: Run) -> Run | None:
            now = store.get(run.id)  # the list may be a moment behind
            if now.is_stop_requested:
                stopping.append(now.id)
                return None
            return store.retry(now.id) if now.state == "failed" else store.resume(now.id)

        await self._each("queued again", again, runs)
        if stopping:
            # A run draws its pictures before it has stopped, so that asking again would come too early.
            self._to_resume.update(stopping)
            subject = f"run {stopping[0]} is" if len(stopping) == 1 else f"{len(stopping)} runs are"
            self._notify(f"{subject} still stopping; queued again as soon as stopped")

    async def move(self, by: int) -> None:
        """Start the current run later by so many places, or earlier."""
        run = self._runs.current
        if run is None or run.place is None:
            self._notify("only a waiting run can be moved", severity="warning")
            return

        def move(store: Store) -> Run:
            now = store.get(run.id).place or 1  # the list may still show the place before the last move
            return store.move(run.id, max(1, now + by))

        await self._lab.ask(move)

    async def toggle_pause(self) -> None:
        """Pause the queue, or continue it."""
        paused = not self._lab.snapshot.paused

        def pause(store: Store) -> bool:
            store.set_paused(paused)
            return True

        if await self._lab.ask(pause):
            self._notify("the queue is paused; running runs finish" if paused else "the queue is active")

    # What takes long is a worker's; runs are chosen and dialogs opened at once, before the next key can be pressed.

    def delete(self) -> None:
        """Delete the chosen runs, after asking."""
        chosen = self._chosen("delete")
        runs = [run for run in chosen if run.state != "running"]
        if not runs:
            if chosen:
                subject = f"run {chosen[0].id} is" if len(chosen) == 1 else "these runs are"
                self._notify(f"{subject} running; stop first (x), then delete", severity="warning")
            return
        lines = [f"{run.id}  {columns.name(run)}  {state(run)}" for run in runs[:_SHOWN]]
        lines += [f"and {len(runs) - _SHOWN} more"] if len(runs) > _SHOWN else []
        question = "Delete this run?" if len(runs) == 1 else f"Delete these {len(runs)} runs?"
        if running := len(chosen) - len(runs):
            lines.append(f"{counted(running, 'run')} still running: not deleted")
        lines += ["", "Folders go to the trash in .lenet-tui; u undoes it."]

        def answered(yes: bool | None) -> None:  # noqa: FBT001 - Textual calls it so
            if yes:
                self._start(self.table.delete(runs))

        self._screen.app.push_screen(Confirm(question, lines), answered)

    def write_note(self) -> None:
        """Write a note on the current run."""
        run = self._runs.current
        if run is None:
            return

        def answered(note: str | None) -> None:
            if note is not None:
                self._start(self._lab.ask(lambda store: store.set_note(run.id, note)))

        self._screen.app.push_screen(AskText(f"Note on run {run.id}, {self._runs.view.label(run)}", run.note), answered)

    def clone(self) -> None:
        """Copy the current run's configuration into the form."""
        run = self._runs.current
        if run is not None:
            try:
                config = run.config
            except LabError as error:  # of another version
                self._notify(str(error), severity="error")
                return
            self._form.remove_class("-off")
            self._form.load(config)
            self._form.focus_first()
            self._notify(f"the form has the configuration of run {run.id}")

    # Showing runs

    def follow(self) -> None:
        """Select the run that trains, and whichever trains next."""
        self.following = True
        self._select_running(self._lab.snapshot)
        self._notify("following the running run" if self._lab.snapshot.running else "idle; the next run is followed")

    def _select_running(self, snapshot: Snapshot) -> None:
        current = self._runs.current
        if snapshot.running and (current is None or current.state != "running"):
            self._runs.go_to(snapshot.running[0].id, by_person=False)

    def show_details(self) -> None:
        """Show everything about the current run."""
        run = self._runs.current
        if run is not None:
            from lenet_tui.tui.details.screen import DetailsScreen

            epochs = self._lab.snapshot.epochs.get(run.id, ())
            self._push(DetailsScreen(self._lab.root, run, epochs, self._lab.settings.pictures))

    def compare(self) -> None:
        """Compare the marked runs."""
        from lenet_tui.tui.compare.screen import MAX_RUNS, CompareScreen

        runs = self._runs.marked
        if len(runs) < 2:
            missing = "only one run is marked" if runs else "no run is marked"
            self._notify(f"{missing}: mark runs with space, or all with a, then press b", severity="warning")
        elif len(runs) > MAX_RUNS:
            self._notify(f"{len(runs)} runs are marked; at most {MAX_RUNS} can be compared", severity="warning")
        else:
            self._push(CompareScreen(self._lab.root, runs))

    def show_pictures(self) -> None:
        """Show the current run's pictures."""
        run = self._runs.current
        if run is not None:
            run_pictures.view(self._screen, self._lab.root, run, self._lab.settings.pictures)

    def inspect(self) -> None:
        """Inspect the current run; a marked one predicts drawings beside it."""
        run = self._runs.current
        if run is None:
            return
        from lenet_tui.tui.inspect.screen import InspectScreen

        marked = [other for other in self._runs.marked if other.id != run.id]
        latest = sorted(self._lab.snapshot.runs.values(), key=lambda other: -other.id)
        others = {other.id: other for other in (*marked, *latest) if other.folder and other.epochs_done}
        able = [other for other in others.values() if other.id != run.id]
        second = able[0] if able and able[0] in marked else None
        self._push(InspectScreen(self._lab.inspector, run, able, second))

    # Writing files

    def export(self) -> None:
        """Write the three pictures of the chosen runs into their folders."""
        self._start(run_pictures.draw(self._screen.app, self._lab.root, self._chosen("export")), group="export")

    def write_csv(self) -> None:
        """Write the marked runs, or all that are listed, into a CSV file."""
        runs = list(self._runs.marked or self._runs.listed)
        if runs:
            self._start(self._write_csv(runs))
        else:
            self._notify("there is no run to write", severity="warning")

    async def _write_csv(self, runs: list[Run]) -> None:
        from lenet_tui.tui.runs import export

        path = await self._lab.ask(lambda _: export.write_csv(self._lab.root, runs))
        if path:
            self._notify(f"{counted(len(runs), 'run')}: {_relative(path, self._lab.root)}", title="written")

    # What the commands share

    async def _each(self, verb: str, command: Callable[[Store, Run], object], runs: list[Run]) -> None:
        """Do something with each run and show of how many; an error is shown and does not keep back the others.

        A run for which ``command`` returns None does not count.
        """
        done = [run for run in runs if await self._lab.ask(lambda store, run=run: command(store, run)) is not None]  # type: ignore[misc]
        if done:
            self._notify(f"run {done[0].id} {verb}" if len(done) == 1 else f"{len(done)} runs {verb}")

    def _chosen(self, verb: str) -> list[Run]:
        self.following = False  # the person wants to see what happens to these runs
        runs = self._runs.chosen
        if not runs:
            self._notify(f"there is no run to {verb}", severity="warning")
        elif self._runs.hidden:
            self._notify(
                f"{counted(self._runs.hidden, 'marked run')} hidden by the filter: left out", severity="warning"
            )
        return runs

    def _notify(self, message: str, *, title: str = "", severity: str = "information") -> None:
        self._screen.notify(message, title=title, severity=severity)  # type: ignore[arg-type]

    def _push(self, screen: Screen[None]) -> None:
        self._screen.app.push_screen(screen)

    def _start(self, work: Coroutine[Any, Any, object], group: str = "default") -> None:
        self._screen.run_worker(work, group=group)


def _on_digits(config: RunConfig) -> RunConfig:
    return RunConfig(
        **{name: value for name, value in config.changed().items() if name != "val_size"} | {"dataset": "digits"}
    )


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
