"""The homework study as the app tells of it: which one is on record, how far it is, what queueing it would mean."""

from __future__ import annotations

import json
import textwrap
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, get_args

from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS, Plan, Question, StudyRun, study_runs
from lenet_tui.config import DATASET_TITLES, MODEL_TITLES, complete, identity_of
from lenet_tui.formatting import counted
from lenet_tui.runner.estimate import clock
from lenet_tui.tui.runs import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lenet_tui.config import RunConfig
    from lenet_tui.run.folder import State
    from lenet_tui.store import Run
    from lenet_tui.tui.store_watcher import Snapshot

EPOCHS = (1, 2, 3, 5, 10, 15, 20, 30, 50, 100)
MAX_SEEDS = 20
_WIDTH = 76
_AT_WORK: tuple[State, ...] = ("running", "queued", "interrupted")
# What a plan says of all its runs alike.
_OF_THE_PLAN = {"epochs": 1, "seed": 0}
_HEADINGS: dict[Question, str] = {
    "default": "the default",
    "batch_size": "batch sizes",
    "lr": "learning rates",
    "improvements": "ways to improve",
    "alexnet": "AlexNet",
}


@dataclass(frozen=True)
class StudyProgress:
    """How far a study is. ``seconds`` is how long what runs and waits will take, None where that is not known."""

    plan: Plan
    runs: tuple[StudyRun, ...]
    running: tuple[str, ...]
    seconds: float | None

    def count(self, *states: str | None) -> int:
        """Return how many of its runs are in one of these states; None is for those that were never queued."""
        return sum(run.state in states for run in self.runs)

    @property
    def finished(self) -> frozenset[int]:
        """The numbers of its runs that are finished."""
        return frozenset(run.run_id for run in self.runs if run.run_id and run.state == "finished")

    @property
    def missing(self) -> list[RunConfig]:
        """The configurations of its runs that are not on record."""
        return [run.config for run in self.runs if run.run_id is None]

    @property
    def is_over(self) -> bool:
        """Whether none of its runs is at work or will be by itself."""
        return not self.count(*_AT_WORK)


def plan_on_record(runs: Iterable[Run]) -> Plan | None:
    """Return the plan of the study that was queued last; None where there is none.

    A study is known by its runs: of one data set and number of epochs, most of the arms with some seed. So one that
    was queued on the command line is found too, and a sweep of batch sizes is not taken for one.
    """
    variants: defaultdict[tuple[str, int, int], set[str]] = defaultdict(set)
    latest: Counter[tuple[str, int]] = Counter()
    for run in runs:
        dataset, epochs, seed, shape = _parts(run.config_json)
        name = _variants(dataset).get(shape)
        if name is not None:
            study = dataset, epochs
            variants[dataset, epochs, seed].add(name)
            if name != DEFAULT.name:  # which also belongs to any other work
                latest[study] = max(latest[study], run.id)
    seeds: Counter[tuple[str, int]] = Counter()
    for (dataset, epochs, seed), names in variants.items():
        if 2 * len(names) > len(VARIANTS):
            seeds[dataset, epochs] = max(seeds[dataset, epochs], seed + 1)
    if not seeds:
        return None
    dataset, epochs = max(seeds, key=lambda study: latest[study])
    return Plan(seeds[dataset, epochs], epochs, dataset)


def study_progress(plan: Plan, snapshot: Snapshot) -> StudyProgress:
    """Return how far the study of ``plan`` is."""
    wanted = _variants(plan.dataset)
    own = []
    for run in snapshot.runs.values():
        dataset, epochs, _, shape = _parts(run.config_json)
        if (dataset, epochs) == (plan.dataset, plan.epochs) and shape in wanted:
            own.append((run.id, run.state, run.identity))
    runs = tuple(study_runs(plan, own))
    running = [
        f"run {run.run_id}, {run.variant.name}, seed {run.seed}: {columns.state(snapshot.runs[run.run_id])}"
        for run in runs
        if run.run_id and run.state == "running"
    ]
    ends = [snapshot.until.get(run.run_id) for run in runs if run.run_id and run.state in _AT_WORK]
    seconds = [end for end in ends if end is not None]
    return StudyProgress(plan, runs, tuple(running), max(seconds, default=0.0) if len(seconds) == len(ends) else None)


def title(plan: Plan) -> str:
    """Return what a plan is in a line: ``MNIST, 20 epochs, 3 seeds``."""
    dataset = DATASET_TITLES[plan.dataset]
    return f"{dataset}, {counted(plan.epochs, 'epoch')}, {counted(plan.seeds, 'seed')}"


def progress(study: StudyProgress, *, paused: bool) -> str:
    """Say how many runs are done, what the others do, and how long that will take."""
    parts = [f"{study.count('finished')} of {counted(len(study.runs), 'run')} finished"]
    for words, states in (
        ("running", ("running",)),
        ("waiting", ("queued", "interrupted")),
        ("stopped", ("stopped",)),
        ("failed", ("failed",)),
        ("not queued", (None,)),
    ):
        count = study.count(*states)
        parts += [f"{count} {words}"] if count else []
    if paused and study.count("queued", "interrupted"):
        parts.append("the queue is paused")
    elif not study.is_over:
        parts.append(f"done in {clock(study.seconds)}")
    return " · ".join(parts)


def with_known_pace(
    configs: Sequence[RunConfig], seconds_for: Callable[[Sequence[RunConfig]], float | None]
) -> tuple[float | None, str]:
    """Return how long ``configs`` take, or else those of the models that have been trained here, and what is left out.

    None where nothing like them has been trained here.
    """
    whole = seconds_for(configs)
    if whole is not None:
        return whole, ""
    models = dict.fromkeys(config.model for config in configs)
    unknown = [m for m in models if seconds_for([config for config in configs if config.model == m]) is None]
    known = [config for config in configs if config.model not in unknown]
    return (seconds_for(known) if known else None), " and ".join(MODEL_TITLES[model] for model in unknown)


def explanation(study: StudyProgress, seconds: float | None, without: str = "") -> str:
    """Say what queueing the study means: its arms by question, how many runs, how long.

    ``without`` names the models that ``seconds`` leave out, since none of their runs was measured here.
    """
    lines = [
        "The whole assignment in one go: trains every arm below with every seed, then answers the assignment's "
        "questions in a discussion whose every number is measured, with intervals where seeds allow them.",
        "",
    ]
    for question in get_args(Question):
        names = [variant.name for variant in VARIANTS if variant.question == question and variant != DEFAULT]
        text = f"  {_HEADINGS[question]:<16} {', '.join(names) or 'LeNet, batch size 64, learning rate 0.001'}"
        lines += textwrap.wrap(text, _WIDTH, subsequent_indent=" " * 19, drop_whitespace=True)
    count = len(study.missing)
    lines += [
        "",
        f"  {counted(len(VARIANTS), 'configuration')} × {counted(study.plan.seeds, 'seed')} = {len(study.runs)} runs",
    ]
    if count < len(study.runs):
        there = "all" if not count else str(len(study.runs) - count)
        lines.append(f"  {there} of them are on record already and are not trained again")
    if count:
        time = "known once a run has been trained here"
        if seconds is not None:
            time = f"≈ {clock(seconds)}" + (f", and {without}, of which none was trained here" if without else "")
        lines.append(f"  {counted(count, 'run')} to queue: {time}")
        if seconds is None:
            lines.append("  (45 runs, 20 epochs of MNIST each, took an hour on two cores)")
    else:
        lines.append("  nothing is left to queue")
    return "\n".join(lines)


def with_seeds(plan: Plan, by: int) -> Plan:
    """Return the plan with more seeds, or fewer."""
    return replace(plan, seeds=min(max(plan.seeds + by, 1), MAX_SEEDS))


def with_epochs(plan: Plan, by: int) -> Plan:
    """Return the plan with the next number of epochs that is usual, or the one before."""
    if by > 0:
        return replace(plan, epochs=next((n for n in EPOCHS if n > plan.epochs), plan.epochs))
    return replace(plan, epochs=next((n for n in reversed(EPOCHS) if n < plan.epochs), plan.epochs))


def with_next_dataset(plan: Plan) -> Plan:
    """Return the plan on the next data set."""
    names: Sequence[str] = list(DATASET_TITLES)
    return replace(plan, dataset=names[(names.index(plan.dataset) + 1) % len(names)])


@cache
def _variants(dataset: str) -> dict[str, str]:
    """Return the names of the arms by what tells them from others; none for one that is unknown."""
    if dataset not in DATASET_TITLES:
        return {}
    plan = Plan(dataset=dataset)
    return {_parts(plan.config(variant, 0).model_dump_json())[-1]: variant.name for variant in VARIANTS}


@lru_cache(20_000)  # of ten thousand runs, looked at once a second
def _parts(config_json: str) -> tuple[str, int, int, str]:
    """Return data set, epochs and seed, and what tells a variant from others: the identity but for epochs and seed."""
    values = complete(json.loads(config_json))
    is_plain = all(isinstance(value, str | int | float) for value in values.values())
    if not is_plain or type(values["seed"]) is not int:  # of another version: no variant of ours
        return "", 0, 0, ""
    return values["dataset"], values["epochs"], values["seed"], identity_of(values | _OF_THE_PLAN)
