"""All results of the study, as numbers and claims, for the document and the figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.analysis.study import claims
from lenet_tui.analysis.study.comparisons import Answers, answers, comparisons, is_shortened, variants_of
from lenet_tui.analysis.study.config_summaries import ConfigSummary, config_summary
from lenet_tui.analysis.study.mistakes import Mistakes, mistakes, wrong_everywhere
from lenet_tui.analysis.study.overfit import Overfit, Part, overfit, rise_parts
from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS, Question, Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lenet_tui.analysis.study.claims import Claim
    from lenet_tui.analysis.study.comparisons import Measure
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
    """The results. Mappings by name have the variants that have finished runs.

    ``parts`` say what the rise of the default's loss is made of; ``mistakes`` are those of the default, of the
    improvement of lowest loss, and of AlexNet, as far as they are there; ``wrong_everywhere`` counts the test images
    that all runs get wrong.
    """

    study: Study
    summaries: Mapping[str, ConfigSummary]
    answers: Answers
    overfit: Mapping[str, Overfit]
    parts: Mapping[Part, Claim | None]
    shortened: tuple[Shortened, ...]
    mistakes: tuple[Mistakes, ...]
    wrong_everywhere: int | None

    @property
    def default(self) -> ConfigSummary | None:
        """The default in numbers."""
        return self.summaries.get(DEFAULT.name)

    def claims_of(self, question: Question, measure: Measure) -> dict[str, Claim]:
        """Return the claims on a question's pairs with the default, by the other configuration."""
        pairs = [c for c in comparisons() if c.question == question and c.second == DEFAULT.name]
        found = {c.first: self.answers.claim(measure, c.name) for c in pairs}
        return {name: claim for name, claim in found.items() if claim is not None}


def find(study: Study) -> Findings:
    """Return what ``study`` shows."""
    summaries = {variant.name: summary for variant in VARIANTS if (summary := config_summary(study, variant))}
    found = answers(study)
    rises = {variant.name: rise for variant in VARIANTS if (rise := overfit(study, variant))}
    cut = [shortened for variant in VARIANTS if is_shortened(variant) for shortened in _shortened(study, variant)]
    return Findings(
        study,
        summaries,
        found,
        rises,
        rise_parts(study, DEFAULT),
        tuple(cut),
        _mistakes(study, summaries, found),
        wrong_everywhere([list(study.of(variant).values()) for variant in VARIANTS if variant.name in summaries]),
    )


def _mistakes(study: Study, summaries: Mapping[str, ConfigSummary], found: Answers) -> tuple[Mistakes, ...]:
    pairs = {c.first: found.claim("best loss", c.name) for c in comparisons() if c.question == "improvements"}
    ranking = claims.ranked({name: claim for name, claim in pairs.items() if claim is not None})
    wanted = [DEFAULT.name, *ranking[:1], *(variant.name for variant in variants_of("alexnet"))]
    by_name = {variant.name: variant for variant in VARIANTS}
    result = [mistakes(name, list(study.of(by_name[name]).values())) for name in wanted if name in summaries]
    return tuple(one for one in result if one is not None)


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
