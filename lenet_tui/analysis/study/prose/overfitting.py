"""Question 1: how the losses go, and whether that is overfitting."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from lenet_tui.analysis.study.arms import ARMS, DEFAULT
from lenet_tui.analysis.study.blocks import Block, Figure, Paragraph, Section, Table, section
from lenet_tui.analysis.study.prose.effect import why_missing
from lenet_tui.analysis.study.words import Sentence, epochs, gap, listed, loss, of_runs, share, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.analysis.study.courses import Course
    from lenet_tui.analysis.study.findings import Findings
    from lenet_tui.analysis.study.levels import Level

FIGURE = "loss_default.png"
AVERAGED = next(arm for arm in ARMS if [name for name, _ in arm.changes] == ["ema"])


def write(found: Findings) -> Section:
    """Return the section on the loss trends and overfitting."""
    title = "1. Loss trends and overfitting"
    default, courses = found.default, found.courses.get(DEFAULT.name, ())
    if default is None:
        why = why_missing(found, DEFAULT)
        return section(title, [Paragraph((Sentence(f"This can't be answered yet: {why}."),))])
    figure = Figure(
        FIGURE,
        "Training, training-sample and validation loss of the default by epoch, with the onset of overfitting",
        "Losses of the default, mean over seeds; bands reach from the lowest to the highest seed.",
    )
    blocks: list[Block] = [
        Paragraph(tuple(_losses(default))),
        Paragraph((*_overfitting(courses), *([averaged] if (averaged := _averaged(found)) else []))),
        figure,
        Paragraph(tuple(_accuracy(courses))),
        Paragraph(tuple(_others(found))),
        _table(found),
    ]
    return section(title, blocks)


def short(found: Findings) -> list[Sentence]:
    """Answer the question for the summary."""
    default, courses = found.default, found.courses.get(DEFAULT.name, ())
    if default is None or not courses:
        return [Sentence("Whether the default overfits can't be said yet.")]
    runs = tuple(course.run_id for course in courses)
    return [Sentence(f"{_verdict(courses, default)}.", runs)]


def _verdict(courses: Sequence[Course], default: Level) -> str:
    overfit = [course for course in courses if course.overfits]
    best, end = loss(default.best.mean), loss(default.end.mean)
    if len(overfit) == len(courses):
        which = epochs([course.onset for course in courses])
        return (
            f"The default overfits from {which}: its validation loss goes from {best} at best to {end} in the last "
            f"epoch, and its gap to the training sample {_gaps(courses)}"
        )
    if overfit:
        return (
            f"The default overfits in {of_runs(len(overfit), len(courses))}: its validation loss is {best} at best and "
            f"{end} in the last epoch, and its gap to the training sample {_gaps(courses)}"
        )
    how = (
        "goes on fitting its training images more closely than new ones"
        if _widens(courses)
        else "shows no sign of overfitting in its gap"
    )
    return (
        f"The default {how}: the gap between validation and training sample {_gaps(courses)}, while its validation "
        f"loss, {best} at best, is {end} in the last epoch; but it fluctuates so much that no run meets our "
        "criterion of overfitting"
    )


def _widens(courses: Sequence[Course]) -> bool:
    return all(course.gap_end > course.gap_onset for course in courses)


def _losses(default: Level) -> list[Sentence]:
    last = round(default.epochs.mean)
    first, end = default.first_train.mean, default.last_train.mean
    verb = "falls" if end < first else "goes"
    said = [
        Sentence(
            f"The default's training loss {verb} from {loss(first)} in the first epoch to {loss(end)} in epoch {last}."
            if last > 1
            else f"The default's training loss is {loss(first)} on average over its only epoch.",
            default.runs,
        )
    ]
    at = epochs([int(default.epoch.low), int(default.epoch.high)])
    if default.best.n == 1:
        text = (
            f"Its validation loss is lowest in {at} ({loss(default.best.mean)}) and ends at {loss(default.end.mean)}."
        )
    else:
        text = (
            f"Its validation loss is lowest in {at}, depending on the seed, at {within(default.best)}, and ends at "
            f"{within(default.end)}."
        )
    return [*said, Sentence(text, default.runs)]


def _overfitting(courses: Sequence[Course]) -> list[Sentence]:
    if not courses:
        return [Sentence("Three epochs at least are needed to tell overfitting.")]
    runs = tuple(course.run_id for course in courses)
    overfit = [course for course in courses if course.overfits]
    onsets = epochs([course.onset for course in courses])
    gls = [f"{gl:.0f}" for gl in sorted(course.gl for course in courses)]
    said = [
        Sentence(f"Smoothed over three epochs the validation loss is lowest in {onsets}, the onset.", runs),
        Sentence(
            f"In the last epoch it is {_range(gls)} % above its lowest so far (Prechelt's generalisation loss), and "
            f"the gap between validation and training sample {_gaps(courses)}.",
            runs,
        ),
    ]
    if overfit:
        text = "That is overfitting by the criterion: validation loss rises while training loss goes on falling"
        said.append(Sentence(f"{text}, in {of_runs(len(overfit), len(courses))}.", runs))
    if len(overfit) < len(courses):
        rest = " in the other runs" if overfit else " in any run"
        text = f"The rise of the validation loss itself does not meet the criterion{rest}: it is small"
        said.append(Sentence(f"{text} beside the ups and downs from epoch to epoch, or too short.", runs))
    if _widens(courses):
        text = "Even so the gap grows in every run" if len(overfit) < len(courses) else "The gap grows in every run"
        said.append(
            Sentence(f"{text}: what is learned from there on serves the training images more than new ones.", runs)
        )
    return said


def _averaged(found: Findings) -> Sentence | None:
    """Say that averaged weights show a rise which single ones hide; None unless they are those of the same training."""
    default, averaged = found.study.of(DEFAULT), found.study.of(AVERAGED)
    shared = [seed for seed in averaged if seed in default]
    same = all(
        [row.train_loss for row in averaged[seed].history] == [row.train_loss for row in default[seed].history]
        for seed in shared
    )
    courses = found.courses.get(AVERAGED.name, ())
    hidden = not all(course.overfits for course in found.courses.get(DEFAULT.name, ()))
    if not shared or not same or not hidden or not courses or not all(course.overfits for course in courses):
        return None
    onsets = epochs([course.onset for course in courses])
    text = (
        "That there is a rise is seen in the arm with weight averaging: it takes the very same steps and evaluates "
        "their average, which is free of the noise of single steps, and overfits by the criterion in "
        f"{of_runs(len(courses), len(courses))}, from {onsets} on."
    )
    return Sentence(text, tuple(course.run_id for course in courses))


def _gaps(courses: Sequence[Course]) -> str:
    onset, end = (statistics.fmean(values) for values in zip(*((c.gap_onset, c.gap_end) for c in courses), strict=True))
    verb = "widens" if _widens(courses) else "goes"
    return f"{verb} from {gap(onset)} at the onset to {gap(end)} at the end"


def _accuracy(courses: Sequence[Course]) -> list[Sentence]:
    if not courses:
        return []
    runs = tuple(course.run_id for course in courses)
    onset = statistics.fmean(course.accuracy_onset for course in courses)
    end = statistics.fmean(course.accuracy_end for course in courses)
    said = [
        Sentence(
            "Accuracy is another matter: over three epochs around the onset validation accuracy is "
            f"{share(onset)} on average, over the last three {share(end)}.",
            runs,
        )
    ]
    apart = [course for course in courses if course.gl > 0 and course.accuracy_holds]
    if len(apart) == len(courses):
        said.append(
            Sentence(
                "The loss ends above its lowest while accuracy holds in every run: about as many images are "
                "recognised, but the mistakes are made with more certainty, which cross-entropy punishes and "
                "accuracy does not see.",
                runs,
            )
        )
        said.append(
            Sentence(
                "Which epoch is the one to stop at therefore depends on whether probabilities or decisions matter."
            )
        )
    elif not any(course.accuracy_holds for course in courses):
        said.append(Sentence("Accuracy falls together with what the loss says, in every run.", runs))
    else:
        said.append(
            Sentence(
                f"Accuracy holds to the end in {of_runs(sum(c.accuracy_holds for c in courses), len(courses))}.", runs
            )
        )
    return said


def _others(found: Findings) -> list[Sentence]:
    told = {name: courses for name, courses in found.courses.items() if name != DEFAULT.name}
    if not told:
        return []
    every = [name for name, courses in told.items() if all(course.overfits for course in courses)]
    none = [name for name, courses in told.items() if not any(course.overfits for course in courses)]
    some = [name for name in told if name not in every and name not in none]
    said = []
    for names, text in ((every, "Overfitting in every run: "), (some, "In some: "), (none, "In none: ")):
        if names:
            runs = tuple(course.run_id for name in names for course in told[name])
            said.append(Sentence(f"{text}{listed(names)}.", runs))
    return [Sentence("The other arms by the same criterion, details in the table."), *said] if said else []


def _table(found: Findings) -> Table:
    rows = [("arm", "overfitting", "onset (epoch)", "gap at onset", "gap at end", "GL at end", "accuracy holds")]
    for arm in ARMS:
        courses = found.courses.get(arm.name)
        if courses:
            onsets = sorted(course.onset for course in courses)
            rows.append(
                (
                    arm.name,
                    f"{sum(course.overfits for course in courses)} of {len(courses)}",
                    _range([str(onset) for onset in onsets]),
                    gap(statistics.fmean(course.gap_onset for course in courses)),
                    gap(statistics.fmean(course.gap_end for course in courses)),
                    f"{statistics.fmean(course.gl for course in courses):.0f} %",
                    f"{sum(course.accuracy_holds for course in courses)} of {len(courses)}",
                )
            )
    return Table(tuple(rows))


def _range(ascending: Sequence[str]) -> str:
    first, last = ascending[0], ascending[-1]
    return first if first == last else f"{first} to {last}"
