"""The study as a table of arms and seeds, and which run on record stands in each of its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.analysis.study.plan import ARMS, Arm, Plan, identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lenet_tui.config import RunConfig
    from lenet_tui.run.folder import State

# Which of several runs of one configuration the study takes: the one that is, or will be, finished first.
_PREFERENCE: tuple[State, ...] = ("finished", "running", "interrupted", "queued", "stopped", "failed")


@dataclass(frozen=True)
class OnRecord:
    """A run as the study has to know it to find its place: its number, state and configuration."""

    run_id: int
    state: State
    config: RunConfig


@dataclass(frozen=True)
class Cell:
    """One run that the study wants, and the one on record that it is, if there is any."""

    arm: Arm
    config: RunConfig
    run: OnRecord | None

    @property
    def seed(self) -> int:
        """The seed that it is trained with."""
        return self.config.seed


def cells(plan: Plan, runs: Iterable[OnRecord]) -> list[Cell]:
    """Return the cells of ``plan``: every arm with the first seed, then with the next, so that the study grows evenly.

    Of several runs of one configuration it takes a finished one, else the one nearest to it; of those the oldest.
    """
    found: dict[RunConfig, OnRecord] = {}
    for run in sorted(runs, key=lambda run: (_PREFERENCE.index(run.state), run.run_id)):
        found.setdefault(identity(run.config), run)
    wanted = [(arm, plan.config(arm, seed)) for seed in range(plan.seeds) for arm in ARMS]
    return [Cell(arm, config, found.get(identity(config))) for arm, config in wanted]
