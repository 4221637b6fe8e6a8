"""What a person does to the table of runs: columns, order and baseline, which are kept; tags; deleting, and undoing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lenet_tui.formatting import counted
from lenet_tui.tui.dialogs.ask import AskText

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from textual.screen import Screen

    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store import Run, Store
    from lenet_tui.tui.lab import Lab
    from lenet_tui.tui.runs.table import RunsList


@dataclass(frozen=True)
class Deleted:
    """A deleted run as it was, its folder in the trash (None where it had no files), and its epochs."""

    run: Run
    place: Path | None
    history: Sequence[EpochMetrics]


class TableController:
    """Acts on ``runs``; messages and dialogs appear on ``screen``, and ``start`` begins what takes long."""

    def __init__(
        self, screen: Screen[None], lab: Lab, runs: RunsList, start: Callable[[Coroutine[Any, Any, object]], None]
    ) -> None:
        self._screen = screen
        self._lab = lab
        self._runs = runs
        self._start = start
        self._deleted: list[list[Deleted]] = []
        chosen = lab.settings
        runs.begin_with(chosen.columns, chosen.sort, chosen.baseline, reverse=chosen.reverse)
        runs.on_sight = lab.watcher.watch_trends
        runs.on_order = self._keep_order

    def _keep_order(self, key: str, reverse: bool) -> None:  # noqa: FBT001 - a callback's two values
        self._lab.keep(sort=key, reverse=reverse)

    # Columns and baseline

    def choose_columns(self) -> None:
        """Choose the columns of the table."""
        from lenet_tui.tui.runs.choose_columns import ColumnsScreen

        def change(keys: tuple[str, ...]) -> None:
            self._runs.set_columns(keys)
            self._lab.keep(columns=list(keys))

        def shown() -> list[str]:
            return [column.key for column in self._runs.shown_columns]

        self._screen.app.push_screen(ColumnsScreen(shown(), shown, change))

    def pin_baseline(self) -> None:
        """Compare all runs with the current one; with none when it is the baseline already."""
        run = self._runs.current
        if run is None:
            self._notify("there is no run to compare with", severity="warning")
            return
        baseline = None if run.id == self._runs.baseline else run.id
        self._runs.set_baseline(baseline)
        self._lab.keep(baseline=baseline)
        if baseline is None:
            self._notify(f"run {run.id} is no longer the baseline")
        else:
            self._notify(f"run {run.id} is the baseline: Δ columns compare with it; B on it again ends that")

    # Tags

    def write_tags(self) -> None:
        """Write the tags of the current run; add to those of all marked runs, or remove."""
        runs = self._runs.chosen
        if not runs:
            self._notify("there is no run to tag", severity="warning")
            return
        if len(runs) == 1:
            (run,) = runs
            label = self._runs.view.label(run)
            question = AskText(f"Tags of run {run.id}, {label}, separated by spaces", " ".join(run.tags))
        else:
            question = AskText(f"Tags of {len(runs)} runs: +name adds, -name removes")

        def answered(text: str | None) -> None:
            if text is not None and (text or len(runs) == 1):
                self._start(self._tag(runs, text.split()))

        self._screen.app.push_screen(question, answered)

    async def _tag(self, runs: Sequence[Run], words: Sequence[str]) -> None:
        def change(store: Store) -> bool:
            for run in runs:
                if len(runs) == 1 and not any(word[0] in "+-" for word in words):
                    store.set_tags(run.id, words)
                    continue
                tags = dict.fromkeys(store.get(run.id).tags)
                for word in words:
                    if word.startswith("-"):
                        tags.pop(word[1:], None)
                    else:
                        tags[word.removeprefix("+")] = None
                store.set_tags(run.id, tags)
            return True

        if await self._lab.ask(change):
            self._notify(f"run {runs[0].id} tagged" if len(runs) == 1 else f"{len(runs)} runs tagged")

    # Deleting

    async def delete(self, runs: Sequence[Run]) -> None:
        """Delete runs, and say how to undo it. An error is shown and does not keep back the others."""
        asked = [await self._lab.ask(lambda store, run=run: _delete(store, run)) for run in runs]  # type: ignore[misc]
        done = [deleted for deleted in asked if deleted is not None]
        if done:
            self._deleted.append(done)
            subject = f"run {done[0].run.id}" if len(done) == 1 else f"{len(done)} runs"
            self._notify(f"{subject} deleted; u undoes it")

    def undo(self) -> None:
        """Restore what was deleted last in this session."""
        if self._deleted:
            self._start(self._restore(self._deleted.pop()))
        else:
            self._notify("nothing was deleted since the app was opened", severity="warning")

    async def _restore(self, deleted: Sequence[Deleted]) -> None:
        restored: list[Run] = []
        for each in reversed(deleted):  # each place in the queue is that from when the run was deleted
            run = await self._lab.ask(
                lambda store, each=each: store.restore(each.run, each.place, each.history)  # type: ignore[misc]
            )
            restored += [run] if run is not None else []
        if restored:
            subject = f"run {restored[0].id}" if len(restored) == 1 else counted(len(restored), "run")
            self._notify(f"{subject} restored")

    def _notify(self, message: str, *, severity: str = "information") -> None:
        self._screen.notify(message, severity=severity)  # type: ignore[arg-type]


def _delete(store: Store, run: Run) -> Deleted:
    run, history = store.get(run.id), store.epochs(run.id)
    if run.waiting and run.folder is None:
        store.remove(run.id)
        return Deleted(run, None, history)
    run, place = store.delete(run.id)
    return Deleted(run, place, history)
