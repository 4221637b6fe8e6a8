"""Question 4: what else makes it better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.analysis.study.blocks import Block, Bullets, Figure, Paragraph, Section, Table, section
from lenet_tui.analysis.study.findings import is_shortened, trained_on_cross_entropy, variants_of
from lenet_tui.analysis.study.phrases import (
    Sentence,
    again,
    change,
    epochs,
    listed,
    loss,
    minutes,
    of_runs,
    points,
    share,
    signed_points,
)
from lenet_tui.analysis.study.plan import DEFAULT, Variant
from lenet_tui.analysis.study.prose import factor
from lenet_tui.analysis.study.prose.effect import (
    accuracies_briefly,
    brief,
    cells,
    effect_sentences,
    named,
    of_accuracies,
    why_missing,
)
from lenet_tui.analysis.study.prose.why import WHY
from lenet_tui.config import hyperparameter

if TYPE_CHECKING:
    from lenet_tui.analysis.study.effects import Effect
    from lenet_tui.analysis.study.findings import Findings

FIGURE = "improvements.png"
TOGETHER, SMOOTHING = "three together", "label smoothing"


def write(findings: Findings) -> Section:
    """Return the section on ways to improve."""
    title = "4. Ways to improve"
    if findings.default is None:
        return section(title, [Paragraph((Sentence(f"No answer yet: {why_missing(findings, DEFAULT)}."),))])
    figure = Figure(
        FIGURE,
        "Ratio of the best validation loss to the default's for each improvement and, apart, AlexNet, with 95 % "
        "intervals",
        "Best validation loss relative to the default's, with 95 % intervals; circles below 1 and squares above, "
        "filled where a difference is shown after Holm's correction, open where none is. Below the line AlexNet, "
        "which is the subject of section 5.",
    )
    blocks: list[Block] = [_table(findings)]
    if any(effect.loss for effect in factor.question_effects(findings, "improvements")):
        blocks.append(figure)
    blocks += [
        Paragraph(
            (
                *of_accuracies(factor.question_effects(findings, "improvements")),
                *factor.still_falling(findings, "improvements"),
            )
        ),
        Bullets(tuple(_points(findings))),
        *_further(findings),
        Paragraph(tuple(_advice(findings))),
    ]
    return section(title, blocks)


def short(findings: Findings) -> list[Sentence]:
    """Answer the question for the summary."""
    effects = factor.question_effects(findings, "improvements")
    better = sorted(factor.shown(effects, "better"), key=_size)
    if not better:
        return brief(effects)
    first = better[0]
    assert first.loss is not None  # noqa: S101 - it has a verdict
    text = f"The best validation loss is {change(first.loss)} the default with {named(first.variant)}"
    rest = [f"{again(effect.loss)} with {named(effect.variant)}" for effect in better[1:] if effect.loss]
    if rest:
        text = f"{text}, {listed(rest)}"
    others = [effect for effect in effects if effect not in better]
    return [
        Sentence(f"{text}.", factor.runs_of(better), factor.worst_p([e.loss for e in better])),
        *brief(others),
        *accuracies_briefly(effects),
    ]


def setting(variant: Variant) -> str:
    """Return what a variant changes, as flags: ```--dropout 0.3```."""
    return (
        f"`{' '.join(f'{hyperparameter(name).flag} {value}' for name, value in variant.changes)}`"
        if variant.changes
        else ""
    )


def _table(findings: Findings) -> Table:
    heading = (
        "arm", "setting", "best validation loss", "in epoch", "test accuracy",
        "difference in points (95 % interval; adjusted p)",
        "time per epoch", "ratio to the default (95 % interval)", "adjusted p", "verdict",
    )  # fmt: skip
    rows = [heading]
    for variant in (DEFAULT, *variants_of("improvements")):
        summary = findings.summaries.get(variant.name)
        if summary is None:
            continue
        ratio, p, accuracy, verdict = cells(findings.effects.get(variant.name))
        if variant == DEFAULT:
            verdict = "default"
        elif is_shortened(variant):
            ratio, verdict = "", "see below"
        elif variant.name == SMOOTHING and verdict == "worse":
            verdict = "worse in cross-entropy"
        at = epochs([int(summary.epoch.low), int(summary.epoch.high)]).removeprefix("epochs ").removeprefix("epoch ")
        rows.append(
            (
                variant.name, setting(variant), loss(summary.best.mean), at,
                share(summary.test_accuracy.mean), accuracy, minutes(summary.epoch_seconds.low), ratio, p, verdict,
            )
        )  # fmt: skip
    return Table(tuple(rows), frozenset({"setting", "verdict"}))


def _points(findings: Findings) -> list[tuple[Sentence, ...]]:
    items = []
    for variant in variants_of("improvements"):
        lead = f"**{variant.name[0].upper()}{variant.name[1:]}** ({setting(variant)}):"
        if is_shortened(variant):
            first, *rest = _early_stopping(findings, variant)
            sentences = [Sentence(f"{lead} {first.text}", first.runs, first.p), *rest]
        else:
            sentences = _point(findings, findings.effects[variant.name], lead)
        items.append(tuple(sentences))
    return items


def _point(findings: Findings, effect: Effect, lead: str) -> list[Sentence]:
    sentences = effect_sentences(findings, effect, lead)
    why = WHY[effect.variant.name].text(effect.verdict)
    if why:
        p = effect.loss.adjusted_p if effect.loss and effect.loss.shown else None
        sentences.append(Sentence(why, (), p))
    at_end = factor.details_told(effect) if effect.verdict == "not shown" else None
    if at_end and trained_on_cross_entropy(effect.variant):
        sentences.append(at_end)
    if effect.variant.name == SMOOTHING and effect.verdict == "worse":
        sentences += _smoothed_accuracy(effect)
    if effect.variant.name == TOGETHER:
        sentences += _beside_the_parts(findings, effect)
    return sentences


def _further(findings: Findings) -> list[Block]:
    """Return the table of what else is shown to differ, which tells how an improvement works."""
    rows = [("arm", *(further.heading for further in factor.FURTHER))]
    runs: set[int] = set()
    for effect in factor.question_effects(findings, "improvements"):
        if not effect.details or not trained_on_cross_entropy(effect.variant):
            continue
        runs |= set(effect.runs)
        rows.append((effect.variant.name, *(factor.direction(effect, further) or "–" for further in factor.FURTHER)))
    if len(rows) == 1:
        return []
    text = (
        "Where they act is seen in the further outcomes; the table says where a difference from the default is shown "
        "(Holm-adjusted p < 0.05, over all of the table)."
    )
    return [Paragraph((Sentence(text, tuple(sorted(runs))),)), Table(tuple(rows), frozenset(rows[0]))]


def _smoothed_accuracy(effect: Effect) -> list[Sentence]:
    """Say what became of accuracy, which doesn't ask for certainty."""
    accuracy = effect.accuracy
    if accuracy is None:
        return []
    if accuracy.shown:
        text = f"Its test accuracy, which does not ask for certainty, is {points(accuracy)}."
        return [Sentence(text, effect.runs, accuracy.adjusted_p)]
    text = f"no difference is shown ({signed_points(accuracy)} points)."
    return [Sentence(f"In test accuracy, which does not ask for certainty, {text}", effect.runs)]


def _beside_the_parts(findings: Findings, effect: Effect) -> list[Sentence]:
    """Set the combination beside the best of its parts, which it is not tested against."""
    parts = [
        other
        for other in factor.question_effects(findings, "improvements")
        if other.verdict == "better" and set(other.variant.changes) < set(effect.variant.changes)
    ]
    whole = findings.summaries.get(effect.variant.name)
    if not parts or whole is None:
        return []
    best = min(parts, key=_size)
    alone = findings.summaries[best.variant.name]
    text = (
        f"Its best validation loss is {loss(whole.best.mean)}, that of {named(best.variant)} alone "
        f"{loss(alone.best.mean)}; the two were not tested against each other."
    )
    return [Sentence(text, (*whole.runs, *alone.runs))]


def _early_stopping(findings: Findings, variant: Variant) -> list[Sentence]:
    pairs = findings.shortened
    summary = findings.summaries.get(variant.name)
    if summary is None or not pairs:
        return [Sentence(f"there is no answer yet: {why_missing(findings, variant)}.")]
    runs = tuple(run for pair in pairs for run in pair.runs)
    if not all(pair.same for pair in pairs):
        text = (
            "these runs do not repeat the epochs of the default, as they do on one machine with one number of "
            "threads, and so cannot be told apart from runs of another seed."
        )
        return [Sentence(text, runs)]
    trained, whole = (sum(values) for values in zip(*(pair.epochs for pair in pairs), strict=True))
    at = epochs([pair.epochs[0] for pair in pairs]).removeprefix("epochs ").removeprefix("epoch ")
    patience = dict(variant.changes)["patience"]
    kept = sum(pair.losses[0] == pair.losses[1] for pair in pairs)
    if kept == len(pairs):
        found_minimum = f"It kept the lowest validation loss in {of_runs(kept, len(pairs))}."
    else:
        means = [loss(sum(values) / len(pairs)) for values in zip(*(pair.losses for pair in pairs), strict=True)]
        found_minimum = (
            f"It kept the lowest validation loss in {of_runs(kept, len(pairs))}; on average its runs stop with "
            f"{means[0]} where going on would have found {means[1]}."
        )
    tested = [share(findings.summaries[name].test_accuracy.mean) for name in (variant.name, DEFAULT.name)]
    seconds = [sum(values) / len(pairs) for values in zip(*(pair.seconds for pair in pairs), strict=True)]
    return [
        Sentence(
            "it repeats the epochs of the default and stops, so that its lowest loss can at best equal that of the "
            "whole run; what it saves is time.",
        ),
        Sentence(
            f"With a patience of {patience} it stopped after {at} epochs and saved {whole - trained} of {whole} "
            f"epochs, {100 * (whole - trained) / whole:.0f} %: {minutes(seconds[0])} a run instead of "
            f"{minutes(seconds[1])}.",
            runs,
        ),
        Sentence(found_minimum, runs),
        Sentence(
            f"Its test accuracy is {tested[0]} on average, that of the whole runs {tested[1]}, which was not tested.",
            runs,
        ),
    ]


def _advice(findings: Findings) -> list[Sentence]:
    """Say what to do with all this: only what was shown to help is worth a change of the default."""
    better = sorted(factor.shown(factor.question_effects(findings, "improvements"), "better"), key=_size)
    settings = [effect for name in ("batch_size", "lr") for effect in factor.question_effects(findings, name)]
    if not better or any(effect.loss is None for effect in settings):
        return []
    first = better[0]
    changed = factor.shown(settings, "better")
    keep = (
        f"take {listed([named(effect.variant) for effect in changed])}, which did better than the default"
        if changed
        else "keep batch size and initial learning rate, of which no other value is shown to help"
    )
    effects = [*better, *changed]
    text = f"What follows in practice, by validation loss: {keep}, and add {named(first.variant)}"
    single = [effect for effect in better if len(effect.variant.changes) == 1 and effect is not first]
    if single and len(first.variant.changes) > 1:
        names = listed([named(effect.variant) for effect in single], "or")
        text += f" or, where one change has to do, {names}"
        text += ", which were not tested against each other" if len(single) > 1 else ""
    if not any(effect.accuracy and effect.accuracy.shown for effect in effects):
        text += "; a gain in test accuracy is not shown for any of them"
    p = factor.worst_p([effect.loss for effect in effects])
    return [Sentence(f"{text}.", factor.runs_of([*settings, *better]), p)]


def _size(effect: Effect) -> float:
    return effect.loss.difference.mean if effect.loss else 0.0
