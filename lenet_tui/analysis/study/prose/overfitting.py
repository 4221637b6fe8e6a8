"""Question 1: how the losses go, and whether that is overfitting."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Literal

from lenet_tui.analysis.statistics import mean_interval
from lenet_tui.analysis.study.blocks import Block, Figure, Paragraph, Section, Table, section
from lenet_tui.analysis.study.findings import trained_on_cross_entropy
from lenet_tui.analysis.study.phrases import Sentence, epochs, gap, listed, loss, of_runs, share, within
from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS
from lenet_tui.analysis.study.prose.effect import why_missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lenet_tui.analysis.statistics import Estimate
    from lenet_tui.analysis.study.config_summaries import ConfigSummary
    from lenet_tui.analysis.study.findings import Findings
    from lenet_tui.analysis.study.loss_trends import LossTrend

FIGURE = "loss_default.png"
_FEW = 4  # variants that a sentence has room for
_MUCH = 20  # %
AVERAGED = next(variant for variant in VARIANTS if [name for name, _ in variant.changes] == ["ema"])


def write(findings: Findings) -> Section:
    """Return the section on the loss trends and overfitting."""
    title = "1. Loss trends and overfitting"
    default, trends = findings.default, findings.trends.get(DEFAULT.name, ())
    if default is None:
        why = why_missing(findings, DEFAULT)
        return section(title, [Paragraph((Sentence(f"This can't be answered yet: {why}."),))])
    figure = Figure(
        FIGURE,
        "Training, training-sample and validation loss of the default by epoch, with the lowest smoothed one marked",
        "Losses of the default, mean over seeds; bands reach from the lowest to the highest seed, and upright lines "
        "mark where the smoothed validation loss of each is lowest.",
    )
    blocks: list[Block] = [
        Paragraph(tuple(_losses(default))),
        Paragraph((*_overfitting(trends), *([averaged] if (averaged := _averaged(findings)) else []))),
        figure,
        Paragraph(tuple(_accuracy(trends))),
        Paragraph(tuple(_others(findings))),
        _table(findings),
        Paragraph(tuple(_left_out(findings))),
    ]
    return section(title, blocks)


def short(findings: Findings) -> list[Sentence]:
    """Answer the question for the summary."""
    default, trends = findings.default, findings.trends.get(DEFAULT.name, ())
    if default is None or not trends:
        return [Sentence("Whether the default overfits can't be said yet.")]
    runs = tuple(trend.run_id for trend in trends)
    return [Sentence(f"{_verdict(trends, default)}.", runs)]


def _verdict(trends: Sequence[LossTrend], default: ConfigSummary) -> str:
    overfit = [trend for trend in trends if trend.overfits]
    best, end = loss(default.best.mean), loss(default.end.mean)
    if len(overfit) == len(trends):
        which = epochs([trend.onset for trend in trends])
        return (
            f"The default overfits from {which}: its validation loss goes from {best} at best to {end} in the last "
            f"epoch, and its gap to the training sample {_gaps(trends)}"
        )
    if overfit:
        return (
            f"The default overfits in {of_runs(len(overfit), len(trends))}: its validation loss is {best} at best and "
            f"{end} in the last epoch"
        )
    gaps = f"from {gap(_mean_gap(trends, 'gap_onset'))} to {gap(_mean_gap(trends, 'gap_end'))}"
    if not _widens_surely(trends):
        return (
            "That the default overfits is not shown: its validation loss, "
            f"{best} at best, is {end} in the last epoch, and its gap to the training sample goes {gaps} on the way"
        )
    return (
        f"The default overfits mildly: its loss on the training sample falls to {loss(default.fit.mean)} while the "
        f"validation loss, {best} at best, ends at {end}, and the gap between them widens {gaps}; a steady rise of the "
        "validation loss, which our criterion of overfitting asks for, is hidden by its ups and downs in every run"
    )


def _mean_gap(trends: Sequence[LossTrend], which: Literal["gap_onset", "gap_end"]) -> float:
    return statistics.fmean(getattr(trend, which) for trend in trends)


def _gap_growth(trends: Sequence[LossTrend]) -> Estimate:
    return mean_interval(trend.gap_end - trend.gap_onset for trend in trends)


def _widens_surely(trends: Sequence[LossTrend]) -> bool:
    """Whether the gap grows in every run, and by more than what seeds differ in."""
    low = _gap_growth(trends).low
    return _widens(trends) and (low is None or low > 0)


def _widens(trends: Sequence[LossTrend]) -> bool:
    return all(trend.gap_end > trend.gap_onset for trend in trends)


def _losses(default: ConfigSummary) -> list[Sentence]:
    last = round(default.epochs.mean)
    if last == 1:
        text = f"The default's training loss is {loss(default.first_train.mean)} on average over its only epoch."
        return [Sentence(text, default.runs), _lowest(default)]
    verb = "falls" if default.last_train.mean < default.first_train.mean else "goes"
    text = (
        f"The default's training loss {verb} from {loss(default.first_train.mean)} in the first epoch to "
        f"{loss(default.second_train.mean)} in the second and {loss(default.last_train.mean)} in epoch {last}."
    )
    return [Sentence(text, default.runs), *_running_mean(default), *_plateau(default), _lowest(default)]


def _running_mean(default: ConfigSummary) -> list[Sentence]:
    if default.first_train.low <= default.first.high:
        return []
    text = (
        "At first it lies above the validation loss, since it is the mean over an epoch in which the weights were "
        "still on their way, and the validation loss is measured at its end."
    )
    return [Sentence(text, default.runs)]


def _plateau(default: ConfigSummary) -> list[Sentence]:
    """Say where the fall of the validation loss is over, and how rough the curve is from there."""
    if default.jitter is None or default.near.high >= default.epochs.low / 2:
        return []
    reached = epochs([int(default.near.low), int(default.near.high)])
    text = (
        f"Its validation loss, {loss(default.first.mean)} after the first epoch, first comes within 10 % of the run's "
        f"lowest in {reached}; over the second half of the run it changes by "
        f"{100 * math.expm1(default.jitter.mean):.0f} % from one epoch to the next (median)."
    )
    return [Sentence(text, default.runs)]


def _lowest(default: ConfigSummary) -> Sentence:
    at = epochs([int(default.epoch.low), int(default.epoch.high)])
    if default.best.n == 1:
        text = (
            f"Its validation loss is lowest in {at} ({loss(default.best.mean)}) and ends at {loss(default.end.mean)}."
        )
    else:
        text = (
            f"It is lowest in {at}, depending on the seed, at {within(default.best)}, and ends at "
            f"{within(default.end)}; in brackets the lowest and the highest seed."
        )
    return Sentence(text, default.runs)


def _overfitting(trends: Sequence[LossTrend]) -> list[Sentence]:
    if not trends:
        return [Sentence("Three epochs at least are needed to tell overfitting.")]
    runs = tuple(trend.run_id for trend in trends)
    overfit = [trend for trend in trends if trend.overfits]
    lowest = epochs([trend.onset for trend in trends])
    gls = [f"{gl:.0f}" for gl in sorted(trend.gl for trend in trends)]
    onset = ", the onset" if len(overfit) == len(trends) else ""
    sentences = [
        Sentence(f"Smoothed over three epochs the validation loss is lowest in {lowest}{onset}.", runs),
        Sentence(
            f"Unsmoothed it ends {_range(gls)} % above its lowest (Prechelt's generalisation loss), and the gap "
            f"between validation and training sample {_gaps(trends)}{_growth(trends)}.",
            runs,
        ),
    ]
    if overfit:
        text = "That is overfitting by the criterion: validation loss rises while training loss goes on falling"
        sentences.append(Sentence(f"{text}, in {of_runs(len(overfit), len(trends))}.", runs))
    if len(overfit) < len(trends):
        rest = " in the other runs" if overfit else " in any run"
        text = f"The rise of the validation loss itself does not meet the criterion{rest}: it is too small, too"
        sentences.append(Sentence(f"{text} unsteady or too short beside the ups and downs from epoch to epoch.", runs))
    if _widens(trends):
        text = "Even so the gap grows in every run" if len(overfit) < len(trends) else "The gap grows in every run"
        sentences.append(
            Sentence(f"{text}: further training improves the fit to the training images more than to new ones.", runs)
        )
    return sentences


def _averaged(findings: Findings) -> Sentence | None:
    """Say that averaged weights show a rise which single ones hide; None unless they are those of the same training."""
    default, averaged = findings.study.of(DEFAULT), findings.study.of(AVERAGED)
    shared = [seed for seed in averaged if seed in default]
    same = all(
        [row.train_loss for row in averaged[seed].history] == [row.train_loss for row in default[seed].history]
        for seed in shared
    )
    trends = findings.trends.get(AVERAGED.name, ())
    hidden = not all(trend.overfits for trend in findings.trends.get(DEFAULT.name, ()))
    if not shared or not same or not hidden or not trends or not all(trend.overfits for trend in trends):
        return None
    onsets = epochs([trend.onset for trend in trends])
    text = (
        "That there is a rise behind the noise is suggested by the arm with weight averaging: it takes the very same "
        "steps, evaluates their average, which is meant to be free of the noise of single ones, and overfits by the "
        "criterion in "
        f"{of_runs(len(trends), len(trends))}, from {onsets} on."
    )
    return Sentence(text, tuple(trend.run_id for trend in trends))


def _gaps(trends: Sequence[LossTrend]) -> str:
    onset, end = _mean_gap(trends, "gap_onset"), _mean_gap(trends, "gap_end")
    verb = "widens" if _widens(trends) else "goes"
    where = "at the onset" if all(trend.overfits for trend in trends) else "at the smoothed minimum"
    return f"{verb} from {gap(onset)} {where} to {gap(end)} at the end"


def _growth(trends: Sequence[LossTrend]) -> str:
    """Return by how much the gap grows, with what seeds let be said of that."""
    findings = _gap_growth(trends)
    if findings.low is None or findings.high is None:
        return ""
    interval = f"95 % interval {gap(findings.low)} to {gap(findings.high)}".replace("-", "−")
    if findings.low <= 0 <= findings.high:
        return f" (a mean change of {gap(findings.mean)}, {interval}: none is not ruled out)".replace("-", "−")
    return f" (by {gap(findings.mean)}, {interval})".replace("-", "−")


def _accuracy(trends: Sequence[LossTrend]) -> list[Sentence]:
    if not trends:
        return []
    runs = tuple(trend.run_id for trend in trends)
    onset = statistics.fmean(trend.accuracy_onset for trend in trends)
    end = statistics.fmean(trend.accuracy_end for trend in trends)
    sentences = [
        Sentence(
            "Accuracy is another matter: over the three epochs around the lowest smoothed loss validation accuracy is "
            f"{share(onset)} on average, over the last three {share(end)}.",
            runs,
        )
    ]
    apart = [trend for trend in trends if trend.gl > 0 and trend.accuracy_holds]
    if len(apart) == len(trends):
        sentences.append(
            Sentence(
                "The loss ends above its lowest while accuracy holds in every run: about as many images are "
                "recognised, but the mistakes are probably made with more certainty, which cross-entropy punishes "
                "and accuracy does not see.",
                runs,
            )
        )
        sentences.append(
            Sentence(
                "Which epoch is the one to stop at therefore depends on whether probabilities or decisions matter."
            )
        )
    elif not any(trend.accuracy_holds for trend in trends):
        sentences.append(Sentence("Accuracy falls together with what the loss says, in every run.", runs))
    else:
        sentences.append(
            Sentence(
                f"Accuracy holds to the end in {of_runs(sum(c.accuracy_holds for c in trends), len(trends))}.", runs
            )
        )
    return sentences


def _others(findings: Findings) -> list[Sentence]:
    message = {name: trends for name, trends in findings.trends.items() if name != DEFAULT.name}
    if not message:
        return []
    every = [name for name, trends in message.items() if all(trend.overfits for trend in trends)]
    none = [name for name, trends in message.items() if not any(trend.overfits for trend in trends)]
    some = [name for name in message if name not in every and name not in none]
    parts = [(every, "in every run"), (some, "in some"), (none, "in none")]
    rest = "the rest" if len(none) > _FEW and len(none) < len(message) else ""
    sentences = [f"{rest if names == none and rest else listed(names)} {where}" for names, where in parts if names]
    runs = tuple(trend.run_id for trends in message.values() for trend in trends)
    text = f"By the same criterion other arms overfit as follows: {'; '.join(sentences)}."
    return [Sentence(text, runs), *_unsteady({name: message[name] for name in none})]


def _unsteady(message: Mapping[str, Sequence[LossTrend]]) -> list[Sentence]:
    """Name the variants that miss the criterion for their ups and downs rather than for want of a rise."""
    findings = [
        name
        for name, trends in message.items()
        if statistics.fmean(trend.gl for trend in trends) >= _MUCH and _widens(trends)
    ]
    if not findings:
        return []
    text = (
        f"Not to meet it is no proof of the contrary: with {listed(findings)} the last loss is on average {_MUCH} % or "
        "more above the lowest, and the gap grows in every run, only not steadily enough."
    )
    return [Sentence(text, tuple(trend.run_id for name in findings for trend in message[name]))]


def _left_out(findings: Findings) -> list[Sentence]:
    sentences = [
        Sentence("Accuracy holds where it ends at most 0.1 points below what it was at the lowest smoothed loss.")
    ]
    names = [
        variant.name
        for variant in VARIANTS
        if variant.name in findings.trends and not trained_on_cross_entropy(variant)
    ]
    if names:
        text = f"For {listed(names)} there are no gaps and no rise: the loss of its training is on another scale."
        sentences.append(Sentence(text))
    return sentences


def _table(findings: Findings) -> Table:
    heading = (
        "arm", "runs that overfit", "lowest smoothed loss in epoch", "gap there", "gap at the end",
        "last loss above the lowest", "accuracy holds",
    )  # fmt: skip
    rows = [heading]
    for variant in VARIANTS:
        trends = findings.trends.get(variant.name)
        if trends:
            onsets = sorted(trend.onset for trend in trends)
            plain = trained_on_cross_entropy(variant)
            rows.append(
                (
                    variant.name,
                    f"{sum(trend.overfits for trend in trends)} of {len(trends)}",
                    _range([str(onset) for onset in onsets]),
                    gap(_mean_gap(trends, "gap_onset")) if plain else "",
                    gap(_mean_gap(trends, "gap_end")) if plain else "",
                    f"{statistics.fmean(trend.gl for trend in trends):.0f} %" if plain else "",
                    f"{sum(trend.accuracy_holds for trend in trends)} of {len(trends)}",
                )
            )
    return Table(tuple(rows))


def _range(ascending: Sequence[str]) -> str:
    first, last = ascending[0], ascending[-1]
    return first if first == last else f"{first} to {last}"
