"""What is said of a variant against the default, in the same words for every question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.analysis.plain_markdown import plain
from lenet_tui.analysis.study.phrases import (
    Sentence,
    again,
    change,
    cited,
    listed,
    loss,
    points,
    points_briefly,
    ratio,
    reach,
    rests_on,
    signed_points,
)
from lenet_tui.analysis.study.plan import DEFAULT
from lenet_tui.formatting import p_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lenet_tui.analysis.statistics import Contrast
    from lenet_tui.analysis.study.effects import Effect
    from lenet_tui.analysis.study.findings import Findings
    from lenet_tui.analysis.study.plan import StudyRun, Variant

_FEW = 3  # variants whose intervals a sentence has room for
_UNANIMOUS = 3  # seeds that make it worth a word that all of them agree
_LONG_NAMES = {
    "three together": "augmentation, schedule and averaging together",
    "cosine schedule": "a cosine schedule",
}


def named(variant: Variant) -> str:
    """Return a variant's name as it stands in a sentence."""
    return _LONG_NAMES.get(variant.name, variant.name)


def effect_sentences(findings: Findings, effect: Effect, lead: str = "") -> list[Sentence]:
    """Say what a variant does to the best validation loss, or why that can't be said; ``lead`` may begin it."""
    name = named(effect.variant)
    lead = lead or f"With {name}"
    if effect.loss is not None:
        return [_of_loss(findings, lead, effect, effect.loss)]
    if effect.pair is not None:
        return _of_pair(lead, name, effect)
    return [Sentence(f"{lead} there is no answer yet: {why_missing(findings, effect.variant)}.")]


def of_accuracies(effects: Sequence[Effect]) -> list[Sentence]:
    """Say what several variants do to test accuracy: each that is shown, and in one sentence those that aren't."""
    measured = [(effect, effect.accuracy) for effect in effects if effect.accuracy is not None]
    sentences = [
        Sentence(f"Test accuracy with {named(effect.variant)} is {points(accuracy)}.", effect.runs, accuracy.adjusted_p)
        for effect, accuracy in measured
        if accuracy.shown
    ]
    open_ = [(effect, accuracy) for effect, accuracy in measured if not accuracy.shown]
    if open_:
        runs = _runs(effect for effect, _ in open_)
        text = f"In test accuracy no difference from the {DEFAULT.name} is shown"
        if len(open_) <= _FEW:
            each = [
                f"{signed_points(accuracy)} points with {named(effect.variant)} ({p_value(accuracy.adjusted_p)})"
                for effect, accuracy in open_
            ]
            sentences.append(
                Sentence(f"{text}: {listed(each)} (95 % intervals in brackets, p adjusted by Holm).", runs)
            )
        else:
            rest = (
                f" for {listed([named(effect.variant) for effect, _ in open_], 'or')}"
                if sentences
                else " for any of them"
            )
            sentences.append(Sentence(f"{text}{rest}; the intervals are in the table.", runs))
    unadjusted = [
        effect
        for effect, accuracy in measured
        if not accuracy.shown and accuracy.difference.low * accuracy.difference.high > 0
    ]
    if unadjusted:
        names = listed([named(effect.variant) for effect in unadjusted])
        sentences.append(
            Sentence(
                f"The interval of {names} leaves out 0, but does not allow for the number of comparisons as the "
                "p-value does.",
                _runs(unadjusted),
            )
        )
    return sentences


def brief(effects: Sequence[Effect], reference: str = "the default") -> list[Sentence]:
    """Say in short what several variants do to the best validation loss."""
    sentences: list[Sentence] = []
    shown = [(effect, effect.loss) for effect in effects if effect.loss is not None and effect.loss.shown]
    if shown:
        sentences.append(
            Sentence(
                _shown_briefly(shown, reference),
                _runs(effect for effect, _ in shown),
                max(contrast.adjusted_p for _, contrast in shown),
            )
        )
    open_ = [effect for effect in effects if effect.verdict == "not shown"]
    if open_:
        names = listed([named(effect.variant) for effect in open_], "or")
        sentences.append(
            Sentence(f"With {names} no difference in the best validation loss from {reference} is shown.", _runs(open_))
        )
    single = [effect for effect in effects if effect.pair is not None]
    if single:
        names = listed([named(effect.variant) for effect in single])
        sentences.append(Sentence(f"For {names} there is one seed only, which cannot tell a difference from noise."))
    unanswered = [effect for effect in effects if effect.verdict == "unanswered" and effect.pair is None]
    if unanswered:
        sentences.append(
            Sentence(f"There is no answer yet for {listed([named(effect.variant) for effect in unanswered])}.")
        )
    return sentences


def accuracies_briefly(effects: Sequence[Effect], reference: str = "the default") -> list[Sentence]:
    """Say in short which variants are shown to differ in test accuracy; nothing where none is."""
    shown = [(effect, effect.accuracy) for effect in effects if effect.accuracy is not None and effect.accuracy.shown]
    if not shown:
        return []
    (first, accuracy), *rest = shown
    text = f"With {named(first.variant)} test accuracy is {points_briefly(accuracy)} than with {reference}"
    others = [f"with {named(effect.variant)} {points_briefly(accuracy)}" for effect, accuracy in rest]
    text = f"{listed([text, *others])}."
    return [Sentence(text, _runs(effect for effect, _ in shown), max(accuracy.adjusted_p for _, accuracy in shown))]


def _shown_briefly(shown: Sequence[tuple[Effect, Contrast]], reference: str) -> str:
    (first, contrast), *rest = shown
    if not rest:
        return f"With {named(first.variant)} the best validation loss is {change(contrast)} {reference}."
    parts = [f"{change(contrast)} {reference} with {named(first.variant)}"]
    parts += [f"{again(other)} with {named(effect.variant)}" for effect, other in rest]
    return f"The best validation loss is {listed(parts)}."


def cells(effect: Effect | None) -> tuple[str, str, str, str]:
    """Return a variant's columns of tables: ratio, adjusted p, difference in test accuracy, verdict."""
    if effect is None:
        return "", "", "", ""
    if effect.loss is None:
        verdict = "one seed" if effect.pair else "no answer yet"
        return "", "", "", verdict
    p = p_value(effect.loss.adjusted_p).removeprefix("p = ").removeprefix("p ")
    accuracy = (
        f"{signed_points(effect.accuracy)[:-1]}; {p_value(effect.accuracy.adjusted_p)})" if effect.accuracy else ""
    )
    verdict = effect.verdict if effect.verdict != "not shown" else "no difference shown"
    return ratio(effect.loss), p, accuracy, verdict


def why_missing(findings: Findings, variant: Variant) -> str:
    """Say what is missing of a variant or of the default, against which it is held."""
    missing = findings.study.missing(variant)
    if findings.default is None:
        return "no run of the default is finished"
    if variant.name in findings.summaries:
        return "it shares no seed with the default yet"
    return listed([state_of(study_run, findings.study.plan.epochs) for study_run in missing])


def state_of(study_run: StudyRun, epochs: int) -> str:
    """Say how far a run is that there is no evidence of: ``run 7 is running, epoch 3 of 20``."""
    if study_run.run_id is None:
        return f"seed {study_run.seed} is not queued"
    name = cited([study_run.run_id])
    if study_run.state == "finished":
        return f"{name} can't be read ({plain(study_run.reason or '')})"
    if study_run.state == "running":
        return f"{name} is running, {study_run.epochs_done} of {epochs} epochs done"
    if study_run.state in ("failed", "stopped"):
        verb = "failed" if study_run.state == "failed" else "was stopped"
        return f"{name} {verb}" + (f" ({plain(study_run.reason)})" if study_run.reason else "")
    return f"{name} is {study_run.state}"


def _of_loss(findings: Findings, lead: str, effect: Effect, contrast: Contrast) -> Sentence:
    if contrast.shown:
        size = f"{change(contrast)} the {DEFAULT.name} ({rests_on(contrast)})"
        return Sentence(f"{lead} the best validation loss is {size}.", effect.runs, contrast.adjusted_p)
    text = (
        f"{lead} no difference in the best validation loss is shown: the 95 % interval reaches {reach(contrast)} "
        f"that of the {DEFAULT.name} (Holm-adjusted {p_value(contrast.adjusted_p)})"
    )
    if contrast.difference.low > 0 or contrast.difference.high < 0:
        text += ", and does not allow for the number of comparisons as the p-value does"
    return Sentence(f"{text}{_one_sided(findings, effect)}.", effect.runs)


def _one_sided(findings: Findings, effect: Effect) -> str:
    """Say where every seed points the same way and no difference is shown: a reader of the runs sees it too."""
    ours, baseline = findings.study.of(effect.variant), findings.study.of(DEFAULT)
    losses = [
        (ours[seed].best_val_cross_entropy, baseline[seed].best_val_cross_entropy) for seed in ours if seed in baseline
    ]
    measured = [(our, other) for our, other in losses if our is not None and other is not None]
    if len(measured) < _UNANIMOUS:
        return ""
    for word, same in (
        ("above", all(our > other for our, other in measured)),
        ("below", all(o < b for o, b in measured)),
    ):
        if same:
            return f"; all {len(measured)} runs lie {word} the {DEFAULT.name} of their seed"
    return ""


def _of_pair(lead: str, name: str, effect: Effect) -> list[Sentence]:
    pair = effect.pair
    assert pair is not None  # noqa: S101 - asked for where there is one
    ours, baseline = pair.runs
    losses = f"{loss(pair.losses[0])}, with the {DEFAULT.name} {loss(pair.losses[1])}"
    counts = f"run {ours} ({name}) recognises {pair.right[0]:,} and run {baseline} {pair.right[1]:,}"
    p = f"McNemar's exact test, Holm-adjusted {p_value(pair.adjusted_p)}"
    verdict = "a difference that holds for these two runs only" if pair.shown else "no difference shown"
    return [
        Sentence(
            f"{lead} the best validation loss is {losses}, with one seed each; another may say otherwise.", pair.runs
        ),
        Sentence(
            f"Of {pair.images:,} test images {counts}: {verdict} ({p}).",
            pair.runs,
            pair.adjusted_p if pair.shown else None,
        ),
    ]


def _runs(effects: Iterable[Effect]) -> tuple[int, ...]:
    return tuple(sorted({run for effect in effects for run in effect.runs}))
