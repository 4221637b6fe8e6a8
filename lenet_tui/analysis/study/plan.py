"""What the study trains: its configurations, each the default with one change, and the runs that they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from lenet_tui.config import RunConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.run.folder import State

Question = Literal["default", "batch_size", "lr", "improvements", "alexnet"]


@dataclass(frozen=True)
class Variant:
    """The settings of one line of the study's tables, trained once for every seed.

    ``name`` is how tables and figures name it, ``changes`` what differs from the default: pairs of a hyperparameter
    and its value.
    """

    name: str
    question: Question
    changes: tuple[tuple[str, Any], ...] = ()


DEFAULT = Variant("default", "default")

# In the order of the document. The default is the third batch size and the third learning rate too, trained once.
VARIANTS: tuple[Variant, ...] = (
    DEFAULT,
    Variant("batch size 16", "batch_size", (("batch_size", 16),)),
    Variant("batch size 32", "batch_size", (("batch_size", 32),)),
    Variant("learning rate 0.01", "lr", (("lr", 0.01),)),
    Variant("learning rate 0.0001", "lr", (("lr", 0.0001),)),
    Variant("affine augmentation", "improvements", (("augment", "affine"),)),
    Variant("elastic augmentation", "improvements", (("augment", "elastic"),)),
    Variant("dropout", "improvements", (("dropout", 0.3),)),
    Variant("weight decay", "improvements", (("weight_decay", 0.0001),)),
    Variant("label smoothing", "improvements", (("label_smoothing", 0.05),)),
    Variant("cosine schedule", "improvements", (("lr_schedule", "cosine"),)),
    Variant("weight averaging", "improvements", (("ema", 0.999),)),
    Variant("early stopping", "improvements", (("patience", 3),)),
    Variant("three together", "improvements", (("augment", "affine"), ("lr_schedule", "cosine"), ("ema", 0.999))),
    Variant("AlexNet", "alexnet", (("model", "alexnet"),)),
)


@dataclass(frozen=True)
class Plan:
    """How the study is trained: on which images, for how many epochs, and with how many seeds, counted from 0."""

    seeds: int = 5
    epochs: int = 20
    dataset: str = "mnist"

    def config(self, variant: Variant, seed: int) -> RunConfig:
        """Return the configuration of ``variant`` with ``seed``. Raises pydantic's ValidationError for a wrong plan."""
        shared = {"dataset": self.dataset, "epochs": self.epochs, "seed": seed}
        return RunConfig.model_validate(shared | dict(variant.changes))


# Which of several runs of one configuration the study takes: the one that is, or will be, finished first.
_PREFERENCE: tuple[State, ...] = ("finished", "running", "interrupted", "queued", "stopped", "failed")


@dataclass(frozen=True, eq=False)
class StudyRun:
    """One run of the study: a configuration with a seed, and its run in the store.

    ``run_id`` and ``state`` are None while there is none. ``reason`` says why a run failed or was stopped, or why its
    folder cannot be read; ``epochs_done`` counts those of a run that is not finished yet. ``result`` is there for a
    finished run whose folder was read, and for no other.
    """

    variant: Variant
    config: RunConfig
    run_id: int | None = None
    state: State | None = None
    epochs_done: int = 0
    reason: str | None = None
    result: RunResult | None = None

    @property
    def seed(self) -> int:
        """The seed that it is trained with."""
        return self.config.seed


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
        """Return the results of ``variant`` by seed."""
        results = {run.seed: run.result for run in self.runs if run.variant == variant and run.result}
        return dict(sorted(results.items()))

    def missing(self, *variants: Variant) -> list[StudyRun]:
        """Return the runs without a result, of ``variants`` or, without any, of all."""
        return [run for run in self.runs if not run.result and (not variants or run.variant in variants)]


def study_runs(plan: Plan, runs: Iterable[tuple[int, State, str]]) -> list[StudyRun]:
    """Return the runs of ``plan``: every variant with the first seed, then with the next, so that all grow evenly.

    ``runs`` are those in the store: number, state and identity (`RunConfig.identity`). Of several runs of one
    configuration it takes a finished one, else the one nearest to it; of those the oldest.
    """
    taken: dict[str, tuple[int, State]] = {}
    for run_id, state, identity in sorted(runs, key=lambda run: (_PREFERENCE.index(run[1]), run[0])):
        taken.setdefault(identity, (run_id, state))
    wanted = [(variant, plan.config(variant, seed)) for seed in range(plan.seeds) for variant in VARIANTS]
    return [StudyRun(variant, config, *taken.get(config.identity(), (None, None))) for variant, config in wanted]
