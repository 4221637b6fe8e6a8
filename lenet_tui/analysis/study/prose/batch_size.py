"""Question 2: the effect of the batch size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lenet_tui.analysis.study.blocks import Block, Paragraph, Section, section
from lenet_tui.analysis.study.phrases import Sentence, listed, loss
from lenet_tui.analysis.study.plan import DEFAULT
from lenet_tui.analysis.study.prose import factor
from lenet_tui.analysis.study.prose.effect import of_accuracies, why_missing

if TYPE_CHECKING:
    from lenet_tui.analysis.study.effects import Effect
    from lenet_tui.analysis.study.findings import Findings

FIGURE = "batch_size.png"
SIZES = {"batch size 16": 16, "batch size 32": 32, DEFAULT.name: 64}


def write(findings: Findings) -> Section:
    """Return the section on the batch size."""
    title = "2. Effect of the batch size"
    if findings.default is None:
        return section(title, [Paragraph((Sentence(f"No answer yet: {why_missing(findings, DEFAULT)}."),))])
    steps = updates(findings)
    extra = {"": "updates per epoch"} | {name: f"{count:,}" for name, count in steps.items()} if steps else {}
    blocks: list[Block] = [
        factor.table(findings, "batch size", {name: str(size) for name, size in SIZES.items()}, extra),
        factor.figure(FIGURE, "the batch sizes"),
        *factor.effects_told(findings, "batch_size"),
        Paragraph(tuple(of_accuracies(factor.question_effects(findings, "batch_size")))),
        Paragraph(tuple(_explained(findings, factor.question_effects(findings, "batch_size")))),
    ]
    return section(title, blocks)


def short(findings: Findings) -> list[Sentence]:
    """Answer the question for the summary."""
    sentences = factor.short(findings, "batch_size", "batch size 64")
    effects = [effect for effect in factor.question_effects(findings, "batch_size") if effect.loss is not None]
    above = _apart(findings, effects)
    if above and not any(effect.detail("end") == "more" for effect in effects):
        text = f"At the end {above}, which is not shown to be more than chance."
        sentences.append(Sentence(text, factor.runs_of(effects)))
    return sentences


def updates(findings: Findings) -> dict[str, int]:
    """Return the updates of an epoch by variant; none without a finished run, which says how many images there are."""
    runs = findings.study.finished
    if not runs:
        return {}
    return {name: math.ceil(runs[0].record.dataset.train / size) for name, size in SIZES.items()}


def _explained(findings: Findings, effects: list[Effect]) -> list[Sentence]:
    answered = [effect for effect in effects if effect.loss is not None]
    if not answered:
        return []
    better, worse = factor.shown(effects, "better"), factor.shown(effects, "worse")
    open_ = factor.shown(effects, "not shown")
    return [
        _mechanism(findings),
        *_first_epoch(findings),
        *_story(better, worse, open_),
        *_course(findings, answered),
        *factor.overfitting_told(findings, SIZES),
        *_updates_and_overfitting(findings),
    ]


def _mechanism(findings: Findings) -> Sentence:
    count = updates(findings)
    return Sentence(
        f"A batch of 64 makes {count[DEFAULT.name]:,} updates in an epoch and one of 16 makes "
        f"{count['batch size 16']:,}, each along the gradient of fewer images, which is noisier; since the length "
        "of Adam's steps hardly depends on the batch size, small batches would be expected to cover more ground in "
        "an epoch and to scatter more around a minimum."
    )


def _updates_and_overfitting(findings: Findings) -> list[Sentence]:
    """Name the number of updates as a reason where the smallest batches overfit in more runs."""
    smallest, default = (
        sum(trend.overfits for trend in findings.trends.get(name, ())) for name in ("batch size 16", DEFAULT.name)
    )
    if smallest <= default:
        return []
    text = (
        "That 16 gets there may be for its updates alone: in the same epochs it makes four times as many, and is "
        "further on its way."
    )
    return [Sentence(text)]


def _first_epoch(findings: Findings) -> list[Sentence]:
    """Say how far the first epoch gets with each size, and what an epoch takes."""
    summaries = [(size, findings.summaries[name]) for name, size in SIZES.items() if name in findings.summaries]
    if len(summaries) < len(SIZES):
        return []
    first = listed([f"{loss(summary.first.mean)} with {size}" for size, summary in summaries])
    seconds = listed([f"{summary.epoch_seconds.low:.1f} s with {size}" for size, summary in summaries])
    text = f"After the first epoch the validation loss is {first} on average; an epoch takes {seconds}."
    return [Sentence(text, tuple(run for _, summary in summaries for run in summary.runs))]


def _story(better: list[Effect], worse: list[Effect], open_: list[Effect]) -> list[Sentence]:
    p = factor.worst_p([effect.loss for effect in (*better, *worse)])
    runs = factor.runs_of([*better, *worse])
    if better and not worse:
        text = (
            f"That {factor.names(better)} did better than 64 agrees with the usual expectation, that noise keeps "
            "the weights from minima that fit the training images only; that more updates were made in the same "
            "epochs would explain it as well, and this study does not tell the two apart."
        )
        return [Sentence(text, runs, p)]
    if worse and not better:
        text = (
            "The usual expectation, a benefit from the noise of small batches, was not confirmed: "
            f"{factor.names(worse)} did worse than 64 at this learning rate, as if the learning rate were too high for "
            "the noisier gradient. A learning rate tuned for each batch size might change that, and was not tried."
        )
        return [Sentence(text, runs, p)]
    if better and worse:
        text = (
            f"The direction is not the same for all: {factor.names(better)} did better than 64 and "
            f"{factor.names(worse)} worse, which neither the noise nor the number of updates explains by itself."
        )
        return [Sentence(text, runs, p)]
    text = (
        "The usual expectation, a benefit from the noise of small batches, was not confirmed: for "
        f"{factor.names(open_, 'or')} these runs show no difference from 64 in the best loss, in either direction, "
        "and the intervals above say how large one could still be."
    )
    return [Sentence(text, factor.runs_of(open_))]


def _course(findings: Findings, effects: list[Effect]) -> list[Sentence]:
    """Say whether smaller batches memorise sooner, which is told apart from how good they get at best."""
    sooner = [effect for effect in effects if effect.detail("epoch") == "less"]
    ends_worse = [effect for effect in effects if effect.detail("end") == "more"]
    unsettled = [effect for effect in effects if effect.detail("jitter") == "more"]
    sentences = []
    if ends_worse:
        sentences.append(
            Sentence(
                f"By the last epoch the loss of {factor.names(ends_worse)} is higher than the default's: with more "
                "updates an epoch, overfitting has gone further after the same number of epochs.",
                factor.runs_of(ends_worse),
                factor.worst_p([effect.details["end"] for effect in ends_worse]),
            )
        )
    if not sooner and not unsettled and not ends_worse:
        text = (
            "For none of them is another best epoch, roughness of the curve or final loss shown after Holm's "
            "correction over all these outcomes"
        )
        above = _apart(findings, effects)
        text += f", though {above}; more seeds would have to confirm that" if above else ""
        sentences.append(Sentence(f"{text}.", factor.runs_of(effects)))
    return sentences


def _apart(findings: Findings, effects: list[Effect]) -> str:
    """Name the variants that end above every run of the default, which the table shows too."""
    default = findings.default
    summaries = [summary for effect in effects if (summary := findings.summaries.get(effect.variant.name))]
    apart = [summary for summary in summaries if default and summary.end.low > default.end.high]
    if default is None or not apart:
        return ""
    sizes = listed([str(SIZES[summary.variant.name]) for summary in apart])
    ends = listed([f"{loss(summary.end.mean)} with {SIZES[summary.variant.name]}" for summary in apart])
    return (
        f"every run with {sizes} has more validation loss than any of the default ({ends}, {loss(default.end.mean)} "
        f"with {SIZES[DEFAULT.name]})"
    )
