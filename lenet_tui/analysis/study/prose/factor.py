"""Questions 2 and 3: what batch size and learning rate do. The frame is shared; what explains the findings is not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lenet_tui.analysis.study.arms import DEFAULT
from lenet_tui.analysis.study.blocks import Block, Figure, Paragraph, Table
from lenet_tui.analysis.study.findings import arms_of
from lenet_tui.analysis.study.prose.effect import brief, cells, named, told
from lenet_tui.analysis.study.words import Sentence, epochs, listed, loss, p_value, share, within

if TYPE_CHECKING:
    from lenet_tui.analysis.statistics import Contrast
    from lenet_tui.analysis.study.arms import Question
    from lenet_tui.analysis.study.effects import Effect
    from lenet_tui.analysis.study.findings import Findings

# What a further outcome is called, and how it is said that an arm has more or less of it.
_DETAILS = (
    ("end", "its validation loss in the last epoch is {more}", ("higher", "lower")),
    ("epoch", "its best epoch comes {more}", ("later", "earlier")),
    ("jitter", "its validation loss changes {more} from epoch to epoch", ("more", "less")),
    ("fit", "its loss on the training sample ends {more}", ("higher", "lower")),
    ("gap", "its gap between validation and training sample ends {more}", ("wider", "narrower")),
)


def question_effects(found: Findings, question: Question) -> list[Effect]:
    """Return the effects that answer a question, in the order of the arms."""
    return [found.effects[arm.name] for arm in arms_of(question) if arm.name in found.effects]


def short(found: Findings, question: Question, reference: str) -> list[Sentence]:
    """Answer a question for the summary."""
    return brief(question_effects(found, question), reference)


def effects_told(found: Findings, question: Question) -> list[Block]:
    """Return the paragraphs that say what each arm of a question does."""
    blocks: list[Block] = []
    for effect in question_effects(found, question):
        said = told(found, effect)
        details = details_told(effect)
        if details:
            said.append(details)
        blocks.append(Paragraph(tuple(said)))
    return blocks


def details_told(effect: Effect) -> Sentence | None:
    """Say which further outcomes an arm has shown to differ in; None where it has in none."""
    parts: list[str] = []
    worst = 0.0
    for outcome, text, (more, less) in _DETAILS:
        contrast = effect.details.get(outcome)  # type: ignore[call-overload]
        if contrast is not None and contrast.shown:
            parts.append(text.format(more=more if contrast.difference.mean > 0 else less))
            worst = max(worst, contrast.adjusted_p)
    if not parts:
        return None
    bound = f"Holm-adjusted {p_value(worst)}" if len(parts) == 1 else f"each with a Holm-adjusted {_at_most(worst)}"
    text = f"{listed(parts)} than the default's ({bound})."
    return Sentence(text[0].upper() + text[1:], effect.runs, worst)


def table(found: Findings, first: str, value: dict[str, str], extra: dict[str, str]) -> Table:
    """Return the table of a question: its arms, the default among them in the order of ``value``.

    ``value`` is how the first column, headed ``first``, names each arm; ``extra`` is a further column after it, by arm,
    headed by its entry for "".
    """
    further = [extra[""]] if extra else []
    heading = (
        first, *further, "best validation loss", "in epoch", "loss at the end", "test accuracy", "time per epoch",
        "ratio to the default (95 % interval)", "adjusted p", "verdict",
    )  # fmt: skip
    rows = [heading]
    for name, shown in value.items():
        level = found.levels.get(name)
        if level is None:
            continue
        ratio, p, _, verdict = cells(found.effects.get(name))
        rows.append(
            (
                shown,
                *([extra[name]] if extra else []),
                within(level.best),
                epochs([int(level.epoch.low), int(level.epoch.high)]).removeprefix("epochs ").removeprefix("epoch "),
                within(level.end),
                share(level.test_accuracy.mean),
                f"{level.epoch_seconds.mean:.1f} s",
                ratio,
                p,
                "default" if name == DEFAULT.name else verdict,
            )
        )
    return Table(tuple(rows), frozenset({"verdict"}))


def figure(file: str, what: str) -> Figure:
    """Return the figure of a question's validation losses."""
    return Figure(
        file,
        f"Validation loss by epoch for {what}",
        f"Validation loss for {what}, mean over seeds; bands reach from the lowest to the highest seed, and a diamond "
        "marks the lowest point of a mean.",
    )


def shown(effects: list[Effect], *verdicts: str) -> list[Effect]:
    """Return the effects with one of these verdicts."""
    return [effect for effect in effects if effect.verdict in verdicts]


def worst_p(contrasts: list[Contrast | None]) -> float | None:
    """Return the largest adjusted p of those contrasts that are there; None without any."""
    found = [contrast.adjusted_p for contrast in contrasts if contrast is not None]
    return max(found) if found else None


def names(effects: list[Effect], last: str = "and") -> str:
    """Name the arms of effects."""
    return listed([named(effect.arm) for effect in effects], last)


def runs_of(effects: list[Effect]) -> tuple[int, ...]:
    """Return the runs that effects come from."""
    return tuple(sorted({run for effect in effects for run in effect.runs}))


def times(value: float) -> str:
    """Write a factor as a word: ``twice``, ``four times``."""
    whole = {2: "twice", 3: "three times", 4: "four times", 10: "ten times"}
    return (
        whole.get(round(value), f"{value:.3g} times")
        if math.isclose(value, round(value), rel_tol=0.02)
        else loss(value)
    )


def _at_most(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p ≤ {p:.3f}" if float(f"{p:.3f}") < 0.05 else "p < 0.05"
