"""All results of the study as numbers and verdicts, for the prose and the figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.analysis.study.config_summaries import ConfigSummary, config_summary
from lenet_tui.analysis.study.effects import Effect, effects
from lenet_tui.analysis.study.loss_trends import LossTrend, loss_trend
from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS, Question, Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lenet_tui.analysis.study.plan import Study

# Trained parameters, by `models.parameter_count`; analysis does without torch.
PARAMETERS = {"lenet": 61_706, "alexnet": 632_250}


@dataclass(frozen=True)
class Shortened:
    """A run with early stopping beside the one of the same seed that it cuts short.

    ``same`` says whether their epochs are the same as far as both go, which they are on one machine. Losses are the
    lowest validation cross-entropies (nats), ``epochs`` and ``seconds`` those trained; the stopped run's come first.
    """

    runs: tuple[int, int]
    same: bool
    losses: tuple[float, float]
    epochs: tuple[int, int]
    seconds: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Findings:
    """The results. ``summaries`` and ``trends`` have the variants that have finished runs, by name."""

    study: Study
    summaries: Mapping[str, ConfigSummary]
    trends: Mapping[str, tuple[LossTrend, ...]]
    effects: Mapping[str, Effect]
    shortened: tuple[Shortened, ...]

    @property
    def default(self) -> ConfigSummary | None:
        """The default in numbers."""
        return self.summaries.get(DEFAULT.name)


def variants_of(question: Question) -> list[Variant]:
    """Return the variants that answer a question beside the default."""
    return [variant for variant in VARIANTS if variant.question == question and variant != DEFAULT]


def is_shortened(variant: Variant) -> bool:
    """Say whether a variant is the default cut short.

    Its runs repeat those of the default as long as they last: counted as runs of their own they would make the noise
    look less than it is, and a test of a difference that can only be nought or a loss would mean nothing.
    """
    return [name for name, _ in variant.changes] == ["patience"]


def trained_on_cross_entropy(variant: Variant) -> bool:
    """Say whether a variant's train losses and gaps compare with the others'; those of smoothed labels don't."""
    return all(name != "label_smoothing" for name, _ in variant.changes)


def find(study: Study) -> Findings:
    """Return what ``study`` shows."""
    summaries = {variant.name: summary for variant in VARIANTS if (summary := config_summary(study, variant))}
    trends = {
        variant.name: tuple(trend for run in study.of(variant).values() if (trend := loss_trend(run)))
        for variant in VARIANTS
    }
    compared: dict[str, Effect] = {}
    for question in ("batch_size", "lr", "improvements", "alexnet"):
        compared |= effects(study, [variant for variant in variants_of(question) if not is_shortened(variant)])
    cut = [shortened for variant in VARIANTS if is_shortened(variant) for shortened in _shortened(study, variant)]
    return Findings(study, summaries, {name: rows for name, rows in trends.items() if rows}, compared, tuple(cut))


def _shortened(study: Study, variant: Variant) -> list[Shortened]:
    result = []
    whole = study.of(DEFAULT)
    for seed, run in study.of(variant).items():
        other = whole.get(seed)
        if other is None or run.best is None or other.best is None:
            continue
        losses = [row.val_loss for row in run.history]
        result.append(
            Shortened(
                (run.run_id, other.run_id),
                losses == [row.val_loss for row in other.history[: len(losses)]],
                (run.best.val_cross_entropy, other.best.val_cross_entropy),
                (run.history[-1].epoch, other.history[-1].epoch),
                (sum(row.seconds for row in run.history), sum(row.seconds for row in other.history)),
            )
        )
    return result
