"""The study at one moment: its plan, its runs and their results."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.analysis.study.plan import Plan, StudyRun, Variant


@dataclass(frozen=True, eq=False)
class Study:
    """The plan of a study and its runs."""

    plan: Plan
    runs: tuple[StudyRun, ...]

    @cached_property
    def finished(self) -> tuple[RunResult, ...]:
        """The results of its finished runs, in the order of the plan."""
        return tuple(run.result for run in self.runs if run.result)

    def of(self, variant: Variant) -> dict[int, RunResult]:
        """Return the results of ``arm`` by seed."""
        results = {run.seed: run.result for run in self.runs if run.variant == variant and run.result}
        return dict(sorted(results.items()))

    def missing(self, *variants: Variant) -> list[StudyRun]:
        """Return the runs without a result, of ``arms`` or, without any, of all."""
        return [run for run in self.runs if not run.result and (not variants or run.variant in variants)]
