"""Question 5: whether AlexNet does better, and why."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from lenet_tui.analysis.study.blocks import Block, Paragraph, Section, section
from lenet_tui.analysis.study.findings import PARAMETERS, is_shortened, variants_of
from lenet_tui.analysis.study.phrases import Sentence, again, epochs, loss, of_runs, share
from lenet_tui.analysis.study.plan import DEFAULT
from lenet_tui.analysis.study.prose import factor
from lenet_tui.analysis.study.prose.effect import effect_sentences, named, of_accuracies, why_missing

if TYPE_CHECKING:
    from lenet_tui.analysis.statistics import Contrast
    from lenet_tui.analysis.study.effects import Effect
    from lenet_tui.analysis.study.findings import Findings

NAME = "AlexNet"
FIGURE = "alexnet.png"
NETWORKS = {DEFAULT.name: "LeNet", "dropout": "LeNet, dropout 0.3", NAME: "AlexNet, dropout 0.5"}


def write(findings: Findings) -> Section:
    """Return the section on AlexNet."""
    title = "5. AlexNet"
    effect = findings.effects.get(NAME)
    if findings.default is None or effect is None:
        return section(title, [Paragraph((Sentence(f"No answer yet: {why_missing(findings, DEFAULT)}."),))])
    sentences = effect_sentences(findings, effect)
    blocks: list[Block] = [
        factor.table(findings, "network", NETWORKS, {}),
        factor.figure(FIGURE, "the networks"),
        Paragraph((*sentences, *of_accuracies([effect]))),
        Paragraph(tuple(_cost(findings))),
        Paragraph(tuple(_why(findings, effect))),
        Paragraph(tuple(_beside_lenet(findings))),
    ]
    return section(title, blocks)


def short(findings: Findings) -> list[Sentence]:
    """Answer the question for the summary."""
    return factor.short(findings, "alexnet", "LeNet")


def _cost(findings: Findings) -> list[Sentence]:
    large, small = findings.summaries.get(NAME), findings.default
    size = (
        f"It has {PARAMETERS['alexnet']:,} parameters, {PARAMETERS['alexnet'] / PARAMETERS['lenet']:.0f} times as "
        f"many as LeNet's {PARAMETERS['lenet']:,}, about a hundredth of the original's 60 million: five convolutions "
        "and three fully connected layers as there (Krizhevsky et al. 2012), with fewer channels and smaller strides "
        "for 28×28 images, without local response normalisation, and with dropout of 0.5, which the default "
        "does without"
    )
    if large is None or small is None:
        return [Sentence(f"{size}.")]
    text = f"{size}. Its epochs take {large.epoch_seconds.low / small.epoch_seconds.low:.1f} times as long."
    return [Sentence(text, (*small.runs, *large.runs))]


def _why(findings: Findings, effect: Effect) -> list[Sentence]:
    if effect.loss is None:
        return []
    p = effect.loss.adjusted_p if effect.loss.shown else None
    if effect.verdict == "better":
        sentences = [
            Sentence(
                "Five layers of convolution in place of two, with four to sixteen times the channels, can put "
                "small features together to larger ones; and dropout of 0.5 before the fully connected layers "
                "keeps this capacity from learning the training images by heart.",
            ),
            *_which(findings),
        ]
    elif effect.verdict == "worse":
        text = (
            "The usual expectation, that a deeper and wider network does better, was not confirmed: on small grey "
            "images capacity is not what the default lacks."
        )
        sentences = [Sentence(text, effect.runs, p)]
    else:
        sentences = _no_better_loss(effect)
    details = factor.details_told(effect)
    if details:
        sentences.append(details)
    return [*sentences, *_beside_dropout(findings), *_overfits(findings), *_falling(findings)]


def _no_better_loss(effect: Effect) -> list[Sentence]:
    accuracy = _gain(effect)
    if accuracy is not None:
        text = (
            "So it recognises more test images, while its validation loss is not shown to differ: accuracy is "
            "measured on test images and loss on validation images, mostly at different epochs."
        )
        return [Sentence(text, effect.runs, accuracy.adjusted_p)]
    text = (
        "More depth and more channels would be expected to make the stronger network; these runs do not show it: "
        "capacity is not what the default lacks, or too few runs were made to see it."
    )
    return [Sentence(text, effect.runs)]


def _gain(effect: Effect) -> Contrast | None:
    """Return the gain in test accuracy where one is shown."""
    accuracy = effect.accuracy
    return accuracy if accuracy is not None and accuracy.shown and accuracy.difference.mean > 0 else None


def _beside_dropout(findings: Findings) -> list[Sentence]:
    """Name what differs beside the depth: without it the comparison would say less about the networks than it seems."""
    large, small = findings.summaries.get(NAME), findings.summaries.get("dropout")
    effect = findings.effects.get(NAME)
    if large is None or small is None or effect is None or effect.verdict == "better":
        return []
    differs = "AlexNet is deeper and has more channels, and it has dropout, which the default lacks"
    lead = f"What it is that counts these runs do not tell: {differs}" if _gain(effect) else differs
    text = (
        f"{lead}; LeNet with dropout has {loss(small.best.mean)} and {share(small.test_accuracy.mean)}, AlexNet "
        f"{loss(large.best.mean)} and {share(large.test_accuracy.mean)}, not tested against each other."
    )
    return [Sentence(text, (*small.runs, *large.runs))]


def _which(findings: Findings) -> list[Sentence]:
    dropout = findings.effects.get("dropout")
    text = "The two networks differ in all of this at once, so these runs do not tell what counts"
    if dropout is None or dropout.loss is None or dropout.verdict != "better":
        return [Sentence(f"{text}.")]
    text += f"; with dropout alone LeNet's loss is {again(dropout.loss)}, so part of it may be that."
    return [Sentence(text, dropout.runs, dropout.loss.adjusted_p)]


def _overfits(findings: Findings) -> list[Sentence]:
    """Say whether dropout keeps the larger network from overfitting."""
    trends = findings.trends.get(NAME, ())
    overfit = [trend for trend in trends if trend.overfits]
    if not trends:
        return []
    runs = tuple(trend.run_id for trend in trends)
    count = of_runs(len(overfit), len(trends))
    if not overfit:
        return [Sentence("By the criterion of section 1 no run of it overfits, for all its parameters.", runs)]
    onsets = epochs([trend.onset for trend in overfit])
    text = f"By the criterion of section 1 it overfits in {count}, from {onsets} on"
    sentences = [Sentence(f"{text}, its dropout of 0.5 notwithstanding.", runs)]
    baseline = findings.trends.get(DEFAULT.name, ())
    rises = [fmean(trend.gl for trend in many) for many in (trends, baseline) if many]
    if len(rises) == 2 and rises[0] > rises[1]:
        text = (
            f"Its loss ends {rises[0]:.0f} % above its lowest on average and LeNet's {rises[1]:.0f} %: a likely "
            "reason is that small grey images leave little for a larger network to see, so that its capacity "
            "goes into the training images."
        )
        sentences.append(Sentence(text, (*runs, *(trend.run_id for trend in baseline))))
    return sentences


def _falling(findings: Findings) -> list[Sentence]:
    summary = findings.summaries.get(NAME)
    if summary is None or summary.falling == 0:
        return []
    text = (
        f"In {of_runs(summary.falling, len(summary.runs))} its lowest loss is in one of the last two epochs, so that "
        "more epochs might change the answer."
    )
    return [Sentence(text, summary.runs)]


def _beside_lenet(findings: Findings) -> list[Sentence]:
    """Set AlexNet beside the LeNet of lowest validation loss, which is chosen by validation and so only told."""
    large = findings.summaries.get(NAME)
    variants = [variant for variant in variants_of("improvements") if not is_shortened(variant)]
    summaries = [findings.summaries[variant.name] for variant in variants if variant.name in findings.summaries]
    if large is None or not summaries:
        return []
    best = min(summaries, key=lambda summary: summary.best.mean)
    text = (
        f"With {named(best.variant)} LeNet has a best validation loss of {loss(best.best.mean)} and a test accuracy of "
        f"{share(best.test_accuracy.mean)} at {best.epoch_seconds.low:.1f} s an epoch: not tested against AlexNet, "
        "but at a smaller cost it got as far in these runs."
        if best.test_accuracy.mean >= large.test_accuracy.mean and best.best.mean <= large.best.mean
        else f"The LeNet of lowest validation loss, with {named(best.variant)}, has {loss(best.best.mean)} and a test "
        f"accuracy of {share(best.test_accuracy.mean)}."
    )
    return [Sentence(text, (*best.runs, *large.runs))]
