"""The homework study in the app: which one the store has, its progress, and what queueing it means."""

from __future__ import annotations

import json
import textwrap
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, get_args

from lenet_tui import formatting
from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS, Plan, Question, StudyRun, study_runs
from lenet_tui.analysis.study.planner import power_text
from lenet_tui.config import DATASET_TITLES, MODEL_TITLES, complete, identity_of
from lenet_tui.formatting import counted, time_left
from lenet_tui.store.wording import state

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
# The same in all runs of a plan.
_OF_THE_PLAN = {"epochs": 1, "seed": 0}
_HEADINGS: dict[Question, str] = {
    "default": "the default",
    "batch_size": "batch sizes",
    "lr": "learning rates",
    "improvements": "improvements",
    "alexnet": "AlexNet",
}


@dataclass(frozen=True)
class StudyProgress:
    """The progress of a study. ``seconds`` is the time left for what runs and waits, None when there is no estimate."""

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
        """The configurations of its runs that do not exist yet."""
        return [run.config for run in self.runs if run.run_id is None]

    @property
    def is_over(self) -> bool:
        """Whether none of its runs is running or waiting."""
        return not self.count(*_AT_WORK)


def stored_plan(runs: Iterable[Run]) -> Plan | None:
    """Return the plan of the study that was queued last; None where there is none.

    A study is recognised by its runs: of one data set and number of epochs, most of the variants with some seed. So
    one that the command line queued counts too, and a sweep of batch sizes does not.
    """
    variants: defaultdict[tuple[str, int, int], set[str]] = defaultdict(set)
    latest: Counter[tuple[str, int]] = Counter()
    for run in runs:
        dataset, epochs, seed, shape = _parts(run.config_json)
        name = _variants(dataset).get(shape)
        if name is not None:
            study = dataset, epochs
            variants[dataset, epochs, seed].add(name)
            if name != DEFAULT.name:  # a default run may belong to anything
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
    """Return the progress of the study of ``plan``."""
    wanted = _variants(plan.dataset)
    own = []
    for run in snapshot.runs.values():
        dataset, epochs, _, shape = _parts(run.config_json)
        if (dataset, epochs) == (plan.dataset, plan.epochs) and shape in wanted:
            own.append((run.id, run.state, run.identity))
    runs = tuple(study_runs(plan, own))
    running = [
        f"run {run.run_id}, {run.variant.name}, seed {run.seed}: {state(snapshot.runs[run.run_id])}"
        for run in runs
        if run.run_id and run.state == "running"
    ]
    ends = [snapshot.until.get(run.run_id) for run in runs if run.run_id and run.state in _AT_WORK]
    seconds = [end for end in ends if end is not None]
    return StudyProgress(plan, runs, tuple(running), max(seconds, default=0.0) if len(seconds) == len(ends) else None)


def title(plan: Plan) -> str:
    """Return a plan in one line: ``MNIST, 20 epochs, 3 seeds``."""
    dataset = DATASET_TITLES[plan.dataset]
    return f"{dataset}, {counted(plan.epochs, 'epoch')}, {counted(plan.seeds, 'seed')}"


def progress_text(study: StudyProgress, *, paused: bool) -> str:
    """Return how many runs are finished, the state of the others, and the time left."""
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
        parts.append(time_left(study.seconds))
    return " · ".join(parts)


def estimate(
    configs: Sequence[RunConfig], seconds_for: Callable[[Sequence[RunConfig]], float | None]
) -> tuple[float | None, str]:
    """Return the seconds that ``configs`` take, or those of the models trained before, and the models left out.

    None when no such model has been trained.
    """
    whole = seconds_for(configs)
    if whole is not None:
        return whole, ""
    models = dict.fromkeys(config.model for config in configs)
    unknown = [m for m in models if seconds_for([config for config in configs if config.model == m]) is None]
    measured = [config for config in configs if config.model not in unknown]
    return (seconds_for(measured) if measured else None), " and ".join(MODEL_TITLES[model] for model in unknown)


def explanation(study: StudyProgress, seconds: float | None, without: str = "") -> str:
    """Return what queueing the study means: its variants by question, how many runs, how long.

    ``without`` names the models that ``seconds`` leave out, since they were never trained here.
    """
    lines = [
        "The whole assignment: trains every configuration below with every seed, then answers the questions of the "
        "assignment in a discussion of measured numbers, with confidence intervals where there are enough seeds.",
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
        lines.append(f"  {len(study.runs) - count} of {len(study.runs)} exist already and are not trained again")
    if count:
        time = "no estimate yet"
        if seconds is not None:
            time = f"about {formatting.estimate(seconds)}"
            time += f"; without {without}, not trained before" if without else ""
        lines.append(f"  {counted(count, 'run')} to queue: {time}")
        if seconds is None:
            lines.append("  (75 runs, 20 epochs of MNIST each, take about two hours on two cores)")
    else:
        lines.append("  nothing to queue")
    lines.append(f"  {power_text(study.plan.seeds)}")
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
    """Return the names of the variants by their identity; none for an unknown data set."""
    if dataset not in DATASET_TITLES:
        return {}
    plan = Plan(dataset=dataset)
    return {_parts(plan.config(variant, 0).model_dump_json())[-1]: variant.name for variant in VARIANTS}


@lru_cache(20_000)  # of ten thousand runs, looked at once a second
def _parts(config_json: str) -> tuple[str, int, int, str]:
    """Return data set, epochs, seed, and the identity of the variant: without epochs and seed."""
    values = complete(json.loads(config_json))
    is_plain = all(isinstance(value, str | int | float) for value in values.values())
    if not is_plain or type(values["seed"]) is not int:  # of another version: no variant
        return "", 0, 0, ""
    return values["dataset"], values["epochs"], values["seed"], identity_of(values | _OF_THE_PLAN)
