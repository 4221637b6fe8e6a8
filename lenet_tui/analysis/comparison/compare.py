"""Runs side by side: what differs between them, what each reached, seeds of one configuration as one group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lenet_tui.analysis.comparison import verdicts
from lenet_tui.analysis.comparison.groups import Group
from lenet_tui.config import MODEL_TITLES, hyperparameters
from lenet_tui.differences import ALL_NAMED_UP_TO, setting
from lenet_tui.formatting import counted, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lenet_tui.analysis.comparison.verdicts import Verdict
    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.config import RunConfig

# Runs that differ in nothing else are of one configuration.
REPLICATED = ("seed", "device", "threads", "engine", "tsne_samples")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Groups in the order in which their first runs were given, the results of the tests, and notes.

    ``differing`` are the names of the settings that differ between groups.
    """

    differing: tuple[str, ...]
    groups: tuple[Group, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def lines(self) -> list[tuple[str, RunResult]]:
        """Every run behind its label, group by group: ``batch 16, seed 1``."""
        seeded = len({run.config.seed for group in self.groups for run in group.runs}) > 1
        return [
            (f"{group.label}, seed {run.config.seed}" if seeded else group.label, run)
            for group in self.groups
            for run in group.runs
        ]


def compare(runs: Iterable[RunResult], notes: Iterable[str] = ()) -> Comparison:
    """Compare runs, the first is the baseline; ``notes`` come before its own.

    Runs without an epoch are left out, and a note says so. Raises ValueError when fewer than two are left.
    """
    given = list(runs)
    usable = [run for run in given if run.history]
    all_notes = list(notes)
    all_notes += [f"run {run.run_id} is {run.state} and has no epoch yet: left out" for run in given if not run.history]
    if len(usable) < 2:
        raise ValueError("; ".join([*all_notes, "there is nothing to compare"]))
    together: dict[tuple[RunConfig, str, str], list[RunResult]] = {}
    for run in usable:
        plain = run.config.model_copy(update=dict.fromkeys(REPLICATED, 0))
        together.setdefault((plain, run.record.dataset.name, run.record.dataset.checksum), []).append(run)
    members = list(together.values())
    firsts = [runs[0] for runs in members]
    differing = _differing([run.config for run in firsts])
    groups = tuple(
        Group(label, {name: getattr(runs[0].config, name) for name in differing}, tuple(runs), _counted(runs))
        for label, runs in zip(_labels(firsts, differing), members, strict=True)
    )
    tested, untested = verdicts.verdicts(groups)
    return Comparison(differing, groups, tuple(tested), (*all_notes, *_notes(groups), *untested))


def _counted(runs: Sequence[RunResult]) -> tuple[RunResult, ...]:
    finished = [run for run in runs if run.state == "finished"] or runs
    return tuple({run.config.seed: run for run in reversed(finished)}.values())[::-1]


def _differing(configs: Sequence[RunConfig]) -> tuple[str, ...]:
    # Leave out what follows from another setting, as AlexNet's dropout does from the model.
    changed = {name for config in configs for name in config.changed()}
    names = [
        parameter.name
        for parameter in hyperparameters()
        if parameter.name in changed and parameter.name not in REPLICATED
    ]
    return tuple(name for name in names if len({getattr(config, name) for config in configs}) > 1)


def _labels(runs: Sequence[RunResult], differing: Sequence[str]) -> list[str]:
    result: list[str] = []
    for run in runs:
        values = run.config.changed() if len(differing) > ALL_NAMED_UP_TO else run.config.model_dump()
        named = [setting(name, values[name]) for name in differing if name in values]
        label = ", ".join(named) or ("defaults" if differing else MODEL_TITLES[run.config.model])
        if label in result:  # the same settings on other images: a data set that stood in, or another copy of it
            label += f", {shown(run.record.dataset.name)} {shown(run.record.dataset.checksum[:8])}"
        result.append(label)
    return result


def _notes(groups: Sequence[Group]) -> list[str]:
    notes = []
    for group in groups:
        for run in group.runs:
            if run.state != "finished":
                done = f"{run.history[-1].epoch} of {counted(run.config.epochs, 'epoch')}"
                notes.append(f"run {run.run_id} is {run.state} after {done}: shown, not tested")
            elif run not in group.counted:
                first = next(other for other in group.counted if other.config.seed == run.config.seed)
                alike = run.right is not None and first.right is not None and np.array_equal(run.right, first.right)
                same = run.history[-1].val_loss == first.history[-1].val_loss and alike
                result = "the same result" if same else "another result: engine, threads or versions may differ"
                notes.append(
                    f"run {run.run_id} repeats run {first.run_id} (same configuration and seed) with {result}; means "
                    "and tests leave it out"
                )
            stand_in, wanted = run.record.dataset, run.record.dataset.fallback_for
            if wanted:
                notes.append(f"run {run.run_id} was trained on {shown(stand_in.name)} instead of {shown(wanted)}")
            if run.best is None:
                notes.append(f"run {run.run_id} has no epoch with a finite validation loss")
    if len({(run.config.loss, run.config.label_smoothing) for group in groups for run in group.runs}) > 1:
        notes.append("the runs have different training losses, so gaps do not compare; val loss is plain cross-entropy")
    return notes
