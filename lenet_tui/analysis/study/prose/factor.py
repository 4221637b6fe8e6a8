"""Questions 2 and 3: what batch size and learning rate do. The frame is shared; what explains the findings is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.analysis.study.blocks import Block, Figure, Paragraph, Table
from lenet_tui.analysis.study.findings import is_shortened, variants_of
from lenet_tui.analysis.study.phrases import Sentence, epochs, listed, minutes, share, within
from lenet_tui.analysis.study.plan import DEFAULT
from lenet_tui.analysis.study.prose.effect import accuracies_briefly, brief, cells, effect_sentences, named
from lenet_tui.formatting import p_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lenet_tui.analysis.statistics import Contrast
    from lenet_tui.analysis.study.effects import Effect, Outcome
    from lenet_tui.analysis.study.findings import Findings
    from lenet_tui.analysis.study.plan import Question


@dataclass(frozen=True)
class FurtherOutcome:
    """What a further outcome is called in a sentence and above a column, and that a variant has more or less of it.

    ``unit`` follows these two words in a sentence, ``at_end`` says whether it is one of the last epoch.
    """

    outcome: Outcome
    text: str
    heading: str
    more: str
    less: str
    unit: str = ""
    at_end: bool = True


FURTHER = (
    FurtherOutcome("end", "its validation loss is", "validation loss at the end", "higher", "lower"),
    FurtherOutcome("fit", "its loss on the training sample", "loss on the training sample", "higher", "lower"),
    FurtherOutcome("gap", "its gap to the training sample", "gap between them", "wider", "narrower"),
    FurtherOutcome(
        "epoch", "its lowest validation loss comes", "epoch of the lowest loss", "later", "earlier", at_end=False
    ),
    FurtherOutcome(
        *("jitter", "its validation loss changes", "change from epoch to epoch", "more", "less"),
        unit=" from epoch to epoch",
        at_end=False,
    ),
)


def question_effects(findings: Findings, question: Question) -> list[Effect]:
    """Return the effects that answer a question, in the order of the variants."""
    return [findings.effects[variant.name] for variant in variants_of(question) if variant.name in findings.effects]


def short(findings: Findings, question: Question, reference: str) -> list[Sentence]:
    """Answer a question for the summary."""
    effects = question_effects(findings, question)
    return [*brief(effects, reference), *accuracies_briefly(effects, reference)]


def effects_told(findings: Findings, question: Question) -> list[Block]:
    """Return the paragraphs that say what each variant of a question does."""
    blocks: list[Block] = []
    for effect in question_effects(findings, question):
        sentences = effect_sentences(findings, effect)
        details = details_told(effect)
        if details:
            sentences.append(details)
        blocks.append(Paragraph(tuple(sentences)))
    return blocks


def details_told(effect: Effect) -> Sentence | None:
    """Say which further outcomes a variant has shown to differ in; None where it has in none."""
    at_end, worst = _shown_details(effect, [further for further in FURTHER if further.at_end])
    others, worst_other = _shown_details(effect, [further for further in FURTHER if not further.at_end])
    if not at_end and not others:
        return None
    at_end = [part if n == 0 and " is " in part else _with_verb(part, first=n == 0) for n, part in enumerate(at_end)]
    parts = [f"in the last epoch {listed(at_end)}"] if at_end else []
    p = max(worst, worst_other)
    bound = f"Holm-adjusted {p_value(p)}" if len(at_end) + len(others) == 1 else f"Holm-adjusted {_at_most(p)} each"
    text = f"{'; '.join([*parts, *([listed(others)] if others else [])])} than with the default ({bound})."
    return Sentence(text[0].upper() + text[1:], effect.runs, p)


def direction(effect: Effect, further: FurtherOutcome) -> str:
    """Say whether a variant has more or less of an outcome, "" where neither is shown."""
    return {"more": further.more, "less": further.less}.get(effect.detail(further.outcome), "")


def _shown_details(effect: Effect, outcomes: Sequence[FurtherOutcome]) -> tuple[list[str], float]:
    findings = [(further, word) for further in outcomes if (word := direction(effect, further))]
    parts = [f"{further.text} {word}{further.unit}" for further, word in findings]
    return parts, max((effect.details[further.outcome].adjusted_p for further, _ in findings), default=0.0)


def _with_verb(part: str, *, first: bool) -> str:
    # "its validation loss is lower, its loss on the training sample higher": the verb is said once.
    head, _, word = part.rpartition(" ")
    return f"{head} is {word}" if first else part


def table(findings: Findings, first: str, value: dict[str, str], extra: dict[str, str]) -> Table:
    """Return the table of a question: its variants, the default among them in the order of ``value``.

    ``value`` is how the first column, headed ``first``, names each variant; ``extra`` is a further column after it, by
    variant, headed by its entry for "".
    """
    further = [extra[""]] if extra else []
    ranges = " (lowest to highest seed)" if findings.study.plan.seeds > 1 else ""
    heading = (
        first, *further, f"best validation loss{ranges}", "in epoch", f"loss at the end{ranges}", "test accuracy",
        "time per epoch", "ratio to the default (95 % interval)", "adjusted p", "verdict",
    )  # fmt: skip
    rows = [heading]
    for name, shown in value.items():
        summary = findings.summaries.get(name)
        if summary is None:
            continue
        ratio, p, _, verdict = cells(findings.effects.get(name))
        rows.append(
            (
                shown,
                *([extra[name]] if extra else []),
                within(summary.best),
                epochs([int(summary.epoch.low), int(summary.epoch.high)])
                .removeprefix("epochs ")
                .removeprefix("epoch "),
                within(summary.end),
                share(summary.test_accuracy.mean),
                minutes(summary.epoch_seconds.low),
                ratio,
                p,
                "default" if name == DEFAULT.name else verdict,
            )
        )
    return Table(tuple(rows), frozenset({"verdict"}))


def still_falling(findings: Findings, question: Question) -> list[Sentence]:
    """Name the variants of which most runs were still getting better when their epochs were over."""
    variants = [variant for variant in variants_of(question) if not is_shortened(variant)]
    summaries = [findings.summaries[variant.name] for variant in variants if variant.name in findings.summaries]
    falling = [summary for summary in summaries if summary.is_unfinished]
    if not falling:
        return []
    which = listed([f"{summary.falling} of {len(summary.runs)} with {named(summary.variant)}" for summary in falling])
    text = (
        f"Of some arms most runs have their lowest loss in one of the last two epochs: {which}; training had not run "
        "its course there, and more epochs might bring more."
    )
    return [Sentence(text, tuple(sorted(run for summary in falling for run in summary.runs)))]


def overfitting_told(findings: Findings, value: Mapping[str, object]) -> list[Sentence]:
    """Say how many runs of each variant in ``value``, which names them, overfit, and from when on."""
    measured = {name: findings.trends[name] for name in value if name in findings.trends}
    if len(measured) < 2:
        return []
    runs = tuple(sorted(trend.run_id for trends in measured.values() for trend in trends))
    if not any(trend.overfits for trends in measured.values() for trend in trends):
        return [Sentence("By the criterion of section 1 no run of them overfits.", runs)]
    parts: list[str] = []
    for name, trends in measured.items():
        onsets = [trend.onset for trend in trends if trend.overfits]
        count = f"{len(onsets)} of {len(trends)}{'' if parts else ' runs overfit'}"
        parts.append(f"{count} with {value[name]}{f' (onset in {epochs(onsets)})' if onsets else ''}")
    return [Sentence(f"By the criterion of section 1, {listed(parts)}.", runs)]


def figure(file: str, what: str) -> Figure:
    """Return the figure of a question's validation losses."""
    return Figure(
        file,
        f"Validation loss by epoch for {what}",
        f"Validation loss for {what}, mean over seeds; bands reach from the lowest to the highest seed. A diamond "
        "marks the lowest point of the mean curve, which is no lower than the mean of the runs' own lowest losses in "
        "the table.",
    )


def shown(effects: list[Effect], *verdicts: str) -> list[Effect]:
    """Return the effects with one of these verdicts."""
    return [effect for effect in effects if effect.verdict in verdicts]


def worst_p(contrasts: list[Contrast | None]) -> float | None:
    """Return the largest adjusted p of those contrasts that are there; None without any."""
    findings = [contrast.adjusted_p for contrast in contrasts if contrast is not None]
    return max(findings) if findings else None


def names(effects: list[Effect], last: str = "and") -> str:
    """Name the variants of effects."""
    return listed([named(effect.variant) for effect in effects], last)


def runs_of(effects: list[Effect]) -> tuple[int, ...]:
    """Return the runs that effects come from."""
    return tuple(sorted({run for effect in effects for run in effect.runs}))


def _at_most(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p ≤ {p:.3f}" if float(f"{p:.3f}") < 0.05 else "p < 0.05"
