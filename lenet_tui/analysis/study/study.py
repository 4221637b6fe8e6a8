"""What is known of the study at a moment: for every run that it wants, how far that is, and what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenet_tui.analysis.run_result import Evidence
    from lenet_tui.analysis.study.plan import Arm, Plan
    from lenet_tui.run.folder import State


@dataclass(frozen=True, eq=False)
class Entry:
    """One run that the study wants: of ``arm``, with ``seed``.

    ``run_id`` and ``state`` are None while none is on record. ``reason`` says why a run failed or was stopped, or why
    its folder can't be read; ``epochs_done`` counts those of a run that isn't finished yet. ``evidence`` is there for a
    finished run whose folder can be read, and for no other: what isn't finished is no evidence.
    """

    arm: Arm
    seed: int
    run_id: int | None = None
    state: State | None = None
    epochs_done: int = 0
    reason: str | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, eq=False)
class Study:
    """The plan of a study, and an entry for each run of it."""

    plan: Plan
    entries: tuple[Entry, ...]

    @cached_property
    def finished(self) -> tuple[Evidence, ...]:
        """The runs that there is evidence of, in the order of the plan."""
        return tuple(entry.evidence for entry in self.entries if entry.evidence)

    def of(self, arm: Arm) -> dict[int, Evidence]:
        """Return the evidence of ``arm`` by seed."""
        found = [(entry.seed, entry.evidence) for entry in self.entries if entry.arm == arm]
        return {seed: evidence for seed, evidence in sorted(found, key=lambda pair: pair[0]) if evidence}

    def missing(self, *arms: Arm) -> list[Entry]:
        """Return the entries without evidence, of ``arms`` or, without any, of all."""
        return [entry for entry in self.entries if not entry.evidence and (not arms or entry.arm in arms)]
