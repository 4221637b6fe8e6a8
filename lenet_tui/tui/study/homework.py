"""The homework study as the app tells of it: which one is on record, how far it is, what queueing it would mean."""

from __future__ import annotations

import contextlib
import json
import textwrap
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, get_args

from lenet_tui.analysis.study.plan import ARMS, DEFAULT, Plan, Question
from lenet_tui.analysis.study.study_runs import Cell, OnRecord, cells
from lenet_tui.config import DATASET_TITLES, MODEL_TITLES
from lenet_tui.errors import LabError
from lenet_tui.formatting import counted
from lenet_tui.runner.estimate import clock
from lenet_tui.tui.runs import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lenet_tui.config import RunConfig
    from lenet_tui.store import Run
    from lenet_tui.tui.store_watcher import Snapshot

EPOCHS = (1, 2, 3, 5, 10, 15, 20, 30, 50, 100)
MAX_SEEDS = 20
_WIDTH = 76
# What may differ between runs of one arm, and what a plan says of all its runs alike.
_NOT_THE_ARMS = ("device", "threads", "tsne_samples", "dataset", "epochs", "seed")
_HEADINGS: dict[Question, str] = {
    "default": "the default",
    "batch_size": "batch sizes",
    "lr": "learning rates",
    "improvements": "ways to improve",
    "alexnet": "AlexNet",
}


@dataclass(frozen=True)
class Standing:
    """How far a study is. ``seconds`` is how long what runs and waits will take, None where that is not known."""

    plan: Plan
    cells: tuple[Cell, ...]
    running: tuple[str, ...]
    seconds: float | None

    def count(self, *states: str | None) -> int:
        """Return how many of its runs are in one of these states; None is for those that were never queued."""
        return sum((cell.run.state if cell.run else None) in states for cell in self.cells)

    @property
    def finished(self) -> frozenset[int]:
        """The numbers of its runs that are finished."""
        return frozenset(cell.run.run_id for cell in self.cells if cell.run and cell.run.state == "finished")

    @property
    def missing(self) -> list[RunConfig]:
        """The configurations of its runs that are not on record."""
        return [cell.config for cell in self.cells if cell.run is None]

    @property
    def is_over(self) -> bool:
        """Whether none of its runs is at work or will be by itself."""
        return not self.count("running", "queued", "interrupted")


def plan_on_record(runs: Iterable[Run]) -> Plan | None:
    """Return the plan of the study that was queued last; None where there is none.

    A study is known by its runs: of one data set and number of epochs, most of the arms with some seed. So one that
    was queued on the command line is found too, and a sweep of batch sizes is not taken for one.
    """
    arms: defaultdict[tuple[str, int, int], set[str]] = defaultdict(set)
    latest: Counter[tuple[str, int]] = Counter()
    for run in runs:
        dataset, epochs, seed, shape = _parts(run.config_json)
        name = _arms(dataset).get(shape)
        if name is not None:
            study = dataset, epochs
            arms[dataset, epochs, seed].add(name)
            if name != DEFAULT.name:  # which also belongs to any other work
                latest[study] = max(latest[study], run.id)
    seeds: Counter[tuple[str, int]] = Counter()
    for (dataset, epochs, seed), names in arms.items():
        if 2 * len(names) > len(ARMS):
            seeds[dataset, epochs] = max(seeds[dataset, epochs], seed + 1)
    if not seeds:
        return None
    dataset, epochs = max(seeds, key=lambda study: latest[study])
    return Plan(seeds[dataset, epochs], epochs, dataset)


def standing(plan: Plan, snapshot: Snapshot) -> Standing:
    """Return how far the study of ``plan`` is."""
    wanted = _arms(plan.dataset)
    own = []
    for run in snapshot.runs.values():
        dataset, epochs, _, shape = _parts(run.config_json)
        if (dataset, epochs) == (plan.dataset, plan.epochs) and shape in wanted:
            with contextlib.suppress(LabError):  # another version's, whose device is none of ours, say
                own.append(OnRecord(run.id, run.state, run.config))
    table = tuple(cells(plan, own))
    running = []
    for cell in table:
        if cell.run and cell.run.state == "running":
            run = snapshot.runs[cell.run.run_id]
            running.append(f"run {run.id}, {cell.arm.name}, seed {cell.seed}: {columns.state(run)}")
    at_work = [cell.run.run_id for cell in table if cell.run and cell.run.state in ("running", "queued", "interrupted")]
    ends = [snapshot.until.get(run_id) for run_id in at_work]
    known = [end for end in ends if end is not None]
    return Standing(plan, table, tuple(running), max(known, default=0.0) if len(known) == len(ends) else None)


def title(plan: Plan) -> str:
    """Return what a plan is in a line: ``MNIST, 20 epochs, 3 seeds``."""
    dataset = DATASET_TITLES[plan.dataset]
    return f"{dataset}, {counted(plan.epochs, 'epoch')}, {counted(plan.seeds, 'seed')}"


def progress(found: Standing, *, paused: bool) -> str:
    """Say how many runs are done, what the others do, and how long that will take."""
    parts = [f"{found.count('finished')} of {counted(len(found.cells), 'run')} finished"]
    for words, states in (
        ("running", ("running",)),
        ("waiting", ("queued", "interrupted")),
        ("stopped", ("stopped",)),
        ("failed", ("failed",)),
        ("not queued", (None,)),
    ):
        count = found.count(*states)
        parts += [f"{count} {words}"] if count else []
    if paused and found.count("queued", "interrupted"):
        parts.append("the queue is paused")
    elif not found.is_over:
        parts.append(f"done in {clock(found.seconds)}")
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


def explanation(found: Standing, seconds: float | None, without: str = "") -> str:
    """Say what queueing the study means: its arms by question, how many runs, how long.

    ``without`` names the models that ``seconds`` leave out, since none of their runs was measured here.
    """
    lines = [
        "The whole assignment in one go: trains every arm below with every seed, then answers the assignment's "
        "questions in a discussion whose every number is measured, with intervals where seeds allow them.",
        "",
    ]
    for question in get_args(Question):
        names = [arm.name for arm in ARMS if arm.question == question and arm != DEFAULT]
        text = f"  {_HEADINGS[question]:<16} {', '.join(names) or 'LeNet, batch size 64, learning rate 0.001'}"
        lines += textwrap.wrap(text, _WIDTH, subsequent_indent=" " * 19, drop_whitespace=True)
    count = len(found.missing)
    lines += ["", f"  {counted(len(ARMS), 'arm')} × {counted(found.plan.seeds, 'seed')} = {len(found.cells)} runs"]
    if count < len(found.cells):
        there = "all" if not count else str(len(found.cells) - count)
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
def _arms(dataset: str) -> dict[frozenset[tuple[str, Any]], str]:
    """Return the names of the arms by what tells them from others; none for one that is unknown."""
    if dataset not in DATASET_TITLES:
        return {}
    plan = Plan(dataset=dataset)
    return {_parts(plan.config(arm, 0).model_dump_json())[-1]: arm.name for arm in ARMS}


@lru_cache(20_000)  # of ten thousand runs, looked at twice a second
def _parts(config_json: str) -> tuple[str, int, int, frozenset[tuple[str, Any]]]:
    """Return data set, epochs and seed, and what tells an arm from others: all settings that no machine decides."""
    values = json.loads(config_json)
    is_plain = all(isinstance(value, str | int | float) for value in values.values())
    if not is_plain or type(values.get("seed", 0)) is not int:  # of another version: no arm of ours
        return "", 0, 0, frozenset()
    shape = frozenset((name, value) for name, value in values.items() if name not in _NOT_THE_ARMS)
    return values.get("dataset", ""), values.get("epochs", 0), values.get("seed", 0), shape
