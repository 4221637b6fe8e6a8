"""Question 3: the effect of the learning rate."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING

from lenet_tui.analysis.plain_markdown import plain
from lenet_tui.analysis.study.blocks import Block, Paragraph, Section, section
from lenet_tui.analysis.study.phrases import Sentence, cited, epochs, gap, listed, loss, of_runs
from lenet_tui.analysis.study.plan import DEFAULT
from lenet_tui.analysis.study.prose import factor
from lenet_tui.analysis.study.prose.effect import of_accuracies, why_missing
from lenet_tui.formatting import counted

if TYPE_CHECKING:
    from lenet_tui.analysis.study.config_summaries import ConfigSummary
    from lenet_tui.analysis.study.effects import Effect
    from lenet_tui.analysis.study.findings import Findings

FIGURE = "learning_rate.png"
HIGH, LOW = "learning rate 0.01", "learning rate 0.0001"
RATES = {HIGH: "0.01", DEFAULT.name: "0.001", LOW: "0.0001"}


def write(findings: Findings) -> Section:
    """Return the section on the learning rate."""
    title = "3. Effect of the learning rate"
    if findings.default is None:
        return section(title, [Paragraph((Sentence(f"No answer yet: {why_missing(findings, DEFAULT)}."),))])
    blocks: list[Block] = [
        factor.table(findings, "learning rate", RATES, {}),
        factor.figure(FIGURE, "the learning rates"),
        Paragraph(tuple(_failures(findings))),
    ]
    text = dict(zip((HIGH, LOW), factor.effects_told(findings, "lr"), strict=False))
    for name, explain in ((HIGH, _high), (LOW, _low)):
        effect = findings.effects.get(name)
        if name in text and effect:
            block = text[name]
            assert isinstance(block, Paragraph)  # noqa: S101 - what effects are told in
            blocks.append(Paragraph((*block.sentences, *explain(findings, effect))))
    blocks.append(Paragraph(tuple(of_accuracies(factor.question_effects(findings, "lr")))))
    blocks.append(Paragraph((*_pace(findings), *factor.overfitting_told(findings, RATES))))
    return section(title, blocks)


def short(findings: Findings) -> list[Sentence]:
    """Answer the question for the summary."""
    return factor.short(findings, "lr", "learning rate 0.001")


def _pace(findings: Findings) -> list[Sentence]:
    """Say how far the first epoch gets with each rate, and how wide the gap has become by the last."""
    summaries = [(rate, findings.summaries[name]) for name, rate in RATES.items() if name in findings.summaries]
    if len(summaries) < len(RATES):
        return []
    first = listed([f"{loss(summary.first_train.mean)} with {rate}" for rate, summary in summaries])
    gaps = listed([f"{loss(summary.gap.mean)} with {rate}" for rate, summary in summaries])
    near = listed(
        [f"{epochs([int(summary.near.low), int(summary.near.high)])} with {rate}" for rate, summary in summaries]
    )
    differ = any(findings.effects[name].detail("gap") != "not shown" for name in (HIGH, LOW))
    chance = "" if differ else ", differences that may be chance"
    runs = tuple(run for _, summary in summaries for run in summary.runs)
    return [
        Sentence(
            f"The pace of each rate is seen in the first epoch, over which the training loss is {first} on average, "
            f"and in when the validation loss first comes within 10 % of a run's lowest: {near}.",
            runs,
        ),
        *_roughness(summaries),
        Sentence(f"In the last epoch the gap between validation and training sample is {gaps}{chance}.", runs),
    ]


def _roughness(summaries: list[tuple[str, ConfigSummary]]) -> list[Sentence]:
    measured = [(rate, summary, summary.jitter) for rate, summary in summaries if summary.jitter is not None]
    if len(measured) < len(summaries):
        return []
    each = listed([f"{100 * math.expm1(jitter.mean):.0f} % with {rate}" for rate, _, jitter in measured])
    text = f"Over the second half of a run the validation loss changes from one epoch to the next by {each} (medians)."
    return [Sentence(text, tuple(run for _, summary, _ in measured for run in summary.runs))]


def _failures(findings: Findings) -> list[Sentence]:
    failed = [e for e in findings.study.runs if e.variant.question == "lr" and e.state == "failed" and e.run_id]
    if not failed:
        return []
    runs = [study_run.run_id for study_run in failed if study_run.run_id]
    verb = "is" if len(runs) == 1 else "are"
    text = f"Of these learning rates {counted(len(runs), 'run')} failed and {verb} not in the table."
    reasons = [
        Sentence(f"{cited([run]).capitalize()} ({study_run.variant.name}): {plain(study_run.reason or '')}.", (run,))
        for run, study_run in zip(runs, failed, strict=True)
    ]
    return [Sentence(text, tuple(runs)), *reasons]


def _high(findings: Findings, effect: Effect) -> list[Sentence]:
    if effect.loss is None:
        return []
    if effect.verdict == "worse":
        sentences = [
            Sentence(
                "A likely reason is that steps ten times as long overshoot: they jump across narrow valleys of the "
                "loss instead of going down in them, and stay at the height that their length allows.",
                effect.runs,
                effect.loss.adjusted_p,
            )
        ]
        fit = effect.details.get("fit")
        if fit is not None and fit.shown and fit.difference.mean > 0:
            text = (
                "Since the training sample is fitted less well too, it is first of all optimisation that does not get "
                "further down."
            )
            sentences += [Sentence(text, effect.runs, fit.adjusted_p), *_from_there(findings, effect)]
        return sentences
    if effect.verdict == "better":
        text = (
            "The usual expectation, that steps this long overshoot the minimum, was not confirmed: in the epochs "
            "given they got further than those of the default, as where training is short of updates rather than "
            "of precision."
        )
        return [Sentence(text, effect.runs, effect.loss.adjusted_p)]
    return [
        Sentence(
            "The usual expectation, that steps ten times as long overshoot the minimum, was not confirmed by these "
            "runs.",
            effect.runs,
        )
    ]


def _from_there(findings: Findings, effect: Effect) -> list[Sentence]:
    """Say that the gap goes on to grow where it does, so that overfitting has a part in the end."""
    trends = findings.trends.get(effect.variant.name, ())
    if not trends or not all(trend.gap_end > trend.gap_onset for trend in trends):
        return []
    start, end = (gap(fmean(values)) for values in zip(*((c.gap_onset, c.gap_end) for c in trends), strict=True))
    doubt = "" if any(trend.overfits for trend in trends) else ", though no run meets the criterion of section 1"
    text = (
        f"From its lowest smoothed validation loss on the gap to the training sample goes from {start} to {end}, which "
        f"suggests that overfitting has its part in how these runs end{doubt}."
    )
    return [Sentence(text, tuple(trend.run_id for trend in trends))]


def _low(findings: Findings, effect: Effect) -> list[Sentence]:
    if effect.loss is None:
        return []
    sentences = []
    if effect.verdict == "worse":
        text = "Steps a tenth as long get a tenth as far: this arm had not arrived when its epochs were over."
        summary = findings.summaries.get(effect.variant.name)
        arrived = summary is not None and summary.falling < len(summary.runs)
        if arrived:
            text = "Steps a tenth as long may settle in the first minimum they meet, and have less noise to leave it."
        sentences.append(Sentence(text, effect.runs, effect.loss.adjusted_p))
    elif effect.verdict == "better":
        text = (
            "The usual expectation, that steps a tenth as long do not arrive within the same epochs, was not "
            "confirmed: they did."
        )
        sentences.append(Sentence(text, effect.runs, effect.loss.adjusted_p))
    elif effect.detail("fit") == "more":
        text = (
            "Steps a tenth as long have not got as far down on the training images; that this costs anything on "
            "the validation images is not shown."
        )
        sentences.append(Sentence(text, effect.runs, effect.details["fit"].adjusted_p))
    else:
        text = (
            "The usual expectation, that steps a tenth as long do not get as far within the same epochs, was not "
            "confirmed at the best epoch."
        )
        sentences.append(Sentence(text, effect.runs))
    return [*sentences, *_still_falling(findings, effect)]


def _still_falling(findings: Findings, effect: Effect) -> list[Sentence]:
    summary = findings.summaries.get(effect.variant.name)
    if summary is None or not summary.is_unfinished:
        return []
    text = (
        f"In {of_runs(summary.falling, len(summary.runs))} the lowest loss is in one of the last two epochs: training "
        "had not run its course, and more epochs might change the answer."
    )
    return [Sentence(text, summary.runs)]
