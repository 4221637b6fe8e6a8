"""Queueing what the form made: once its images are there, and only after asking where it is on record already."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work

from lenet_tui.config import DATASET_TITLES, RunConfig
from lenet_tui.tui.dialogs.ask import Confirm
from lenet_tui.tui.form import duplicates

if TYPE_CHECKING:
    from textual.screen import Screen

    from lenet_tui.store import Run, Store
    from lenet_tui.tui.app import LabApp

    class _Base(Screen[None]):
        """The screen this is mixed into."""

        _following: bool

        @property
        def lab(self) -> LabApp: ...
else:
    _Base = object


class Queueing(_Base):
    """What comes of ``^r``."""

    @work
    async def queue(self, configs: tuple[RunConfig, ...]) -> None:
        """Queue runs of these configurations, and tell their numbers and places."""
        wanted = await self._with_images(configs)
        if not wanted or not await self._is_meant(wanted):
            return
        added = await self.lab.ask(lambda store: self._add(store, wanted))
        if added:
            runs, twin = added
            first, last = runs[0], runs[-1]
            names = f"run {first.id}, place {first.place} in the queue"
            if len(runs) > 1:
                names = f"runs {first.id}–{last.id}, places {first.place}–{last.place} in the queue"
            paused = "; the queue is paused, p lets it go on" if self.lab.snapshot.paused else ""
            self.notify(f"queued {names}{paused}{twin and f'; {twin}'}")
            if not self.lab.snapshot.running:
                self._following = True

    async def _with_images(self, configs: tuple[RunConfig, ...]) -> tuple[RunConfig, ...]:
        """Return the configurations with data sets that are here, once they are; none where the person waits."""
        from lenet_tui.data import is_here

        for dataset in dict.fromkeys(config.dataset for config in configs):
            if not is_here(dataset):
                from lenet_tui.tui.dialogs.get_data import GetDataScreen

                answer = await self.app.push_screen_wait(GetDataScreen(dataset))
                if answer == "later":
                    self.notify(f"nothing was queued: {DATASET_TITLES[dataset]} is not here", severity="warning")
                    return ()
                if answer == "digits":
                    configs = tuple(_on_digits(config) if config.dataset == dataset else config for config in configs)
        return configs

    async def _is_meant(self, configs: tuple[RunConfig, ...]) -> bool:
        """Ask whether to train again what is on record already; true where it isn't."""
        known = tuple(self.lab.snapshot.runs.values())
        question = await asyncio.to_thread(lambda: duplicates.question(configs, duplicates.latest(known)))
        if not question:
            return True
        return await self.app.push_screen_wait(Confirm(question))

    def _add(self, store: Store, configs: tuple[RunConfig, ...]) -> tuple[list[Run], str]:
        """Queue, and return the runs with what there is to say of others that have their settings."""
        # All that was seen, and what may have been queued since; reading all of a large store would take long.
        before = {**self.lab.snapshot.runs, **{run.id: run for run in store.queue()}}
        queued = store.add(configs)
        return queued, duplicates.after_queueing(queued, tuple(before.values()), self.lab.root)


def _on_digits(config: RunConfig) -> RunConfig:
    return RunConfig(
        **{name: value for name, value in config.changed().items() if name != "val_size"} | {"dataset": "digits"}
    )
