"""The form without a screen: its fields, what their texts mean, and what is wrong with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, get_args

from lenet_tui.config import Group, Problem, RunConfig, hyperparameter, hyperparameters
from lenet_tui.formatting import counted, estimate
from lenet_tui.sweep import MAX_RUNS, Sweep, expand
from lenet_tui.tui.form.command_line import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMON = ("model", "dataset", "batch_size", "lr", "epochs")
SEEDS = "seeds"
GROUPS: tuple[str, ...] = get_args(Group)
_OTHERS_DEPEND_ON = ("model", "dataset")


@dataclass(frozen=True)
class FormField:
    """One field: a hyperparameter, or how many seeds. ``group`` is "" for what is always in sight."""

    name: str
    label: str
    group: str
    help: str
    expectation: str
    choices: tuple[str, ...] = ()


@cache
def fields() -> tuple[FormField, ...]:
    """Return the fields in the order of the form."""
    parameters = [
        FormField(h.name, h.label, "" if h.name in COMMON else h.group, h.help, h.expectation(), h.choices)
        for h in hyperparameters()
    ]
    common = [next(field for field in parameters if field.name == name) for name in COMMON]
    seeds = FormField(
        SEEDS, "seeds", "", "runs of each configuration, with seeds counted up", f"a whole number from 1 to {MAX_RUNS}"
    )
    return (*common, seeds, *(field for group in GROUPS for field in parameters if field.group == group))


def names_in(group: str) -> list[str]:
    """Return the names of the fields of a group, "" for what is always in sight."""
    return [field.name for field in fields() if field.group == group]


def tidy(text: str) -> str:
    """Return a list without spaces and without the comma that a person is about to go on after: ``16,32``."""
    return ",".join(word.strip() for word in text.strip().removesuffix(",").split(","))


def defaults_of(name: str, texts: Mapping[str, str]) -> list[Any]:
    """Return the default of a field; several where it depends on others, and those are lists of values."""
    if name == SEEDS:
        return [1]
    parameter = hyperparameter(name)
    lists = [tidy(texts.get(other, "")).split(",") for other in _OTHERS_DEPEND_ON]
    named = [
        [word for word in words if word in hyperparameter(other).choices] or [hyperparameter(other).default()]
        for other, words in zip(_OTHERS_DEPEND_ON, lists, strict=True)
    ]
    defaults = [parameter.default(dict(zip(_OTHERS_DEPEND_ON, values, strict=True))) for values in product(*named)]
    return list(dict.fromkeys(defaults))


@cache
def is_dependent(name: str) -> bool:
    """Return whether the default of a field depends on other fields."""
    everything = {other: ",".join(hyperparameter(other).choices) for other in _OTHERS_DEPEND_ON}
    return len(defaults_of(name, everything)) > 1


def default_text(name: str, texts: Mapping[str, str]) -> str:
    """Return the default of a field as text: ``0.5``, or ``0/0.5`` where runs of the sweep have different ones."""
    return "/".join(plain(value) for value in defaults_of(name, texts))


def is_changed(name: str, texts: Mapping[str, str]) -> bool:
    """Return whether a field is not at its default, however it is written."""
    text = tidy(texts.get(name, ""))
    if not text:
        return False
    return [_value(name, text)] != defaults_of(name, texts)


def changed(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of the fields that are not at their default, in the order of the configuration."""
    names = [*(parameter.name for parameter in hyperparameters()), SEEDS]
    return {name: tidy(texts[name]) for name in names if name in texts and is_changed(name, texts)}


def texts_of(config: RunConfig) -> dict[str, str]:
    """Return what has to be written into the form to get this configuration."""
    return {name: plain(value) for name, value in config.changed().items()}


def _value(name: str, text: str) -> Any:
    kind = int if name == SEEDS else hyperparameter(name).kind
    try:
        return kind(text)
    except ValueError:
        return text


def run_count(values: Mapping[str, str]) -> int:
    """Return how many runs these texts make, right or wrong."""
    lists = math.prod(text.count(",") + 1 for name, text in values.items() if name != SEEDS)
    return lists * (_seeds(values) or 1)


def _seeds(values: Mapping[str, str]) -> int | None:
    """Return how many seeds, None where the text is not a valid number."""
    text = values.get(SEEDS, "1")
    right = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_RUNS)) and 1 <= int(text) <= MAX_RUNS
    return int(text) if right else None


def check(values: Mapping[str, str]) -> Sweep:
    """Return the configurations that `changed` texts make, or what is wrong with them, a problem a field."""
    seeds = _seeds(values)
    sweep = expand({name: text for name, text in values.items() if name != SEEDS}, seeds or 1)
    wrong = list(sweep.problems)
    if seeds is None:
        seeds_field = next(field for field in fields() if field.name == SEEDS)
        wrong.append(Problem(SEEDS, values[SEEDS], f"must be {seeds_field.expectation}"))
    if not wrong:
        return sweep
    first: dict[str, Problem] = {}
    for problem in wrong:
        first.setdefault(problem.name, problem)
    return Sweep((), tuple(first.values()))


def reason(problem: Problem, text: str) -> str:
    """Return why a field is wrong; it names the value when the field has several."""
    message = problem.message.replace("--seeds", "seeds")
    if str(problem.value) == tidy(text):
        return message
    return f"{problem.value} {message}" if problem.value else f"nothing between commas; {message}"


def summary(sweep: Sweep, seconds: float | None, *, behind: bool, width: int) -> str:
    """Return what would be queued and how long it takes, shorter where ``width`` demands it.

    ``behind`` means that other runs come first; ``seconds`` include the wait for them.
    """
    if sweep.problems:
        general = [problem.message for problem in sweep.problems if not problem.name]
        if general:
            return f"✗ {general[0]}"
        labels = {field.name: field.label for field in fields()}
        names = ", ".join(labels[problem.name] for problem in sweep.problems)
        return f"✗ {counted(len(sweep.problems), 'problem')}: {names}"
    runs = counted(len(sweep.configs), "run")
    if seconds is None:
        return f"{runs} · no estimate yet"
    time = f"about {estimate(seconds)}"
    forms = [f"{runs} · ready in {time}", f"{runs} · in {time}"] if behind else [f"{runs} · {time} on this machine"]
    forms.append(f"{runs} · {time}")
    return next((form for form in forms if len(form) <= width), forms[-1])


def count_marks(names: Sequence[str], values: Mapping[str, str], sweep: Sweep) -> tuple[int, int]:
    """Return how many of these fields are changed, and how many are wrong."""
    wrong = {problem.name for problem in sweep.problems}
    return sum(name in values for name in names), sum(name in wrong for name in names)


def help_of(field: FormField) -> str:
    """Return what a field is for and which values it takes, in few words: a narrow form has few lines."""
    allowed = field.expectation
    for kind in ("a whole number ", "a number ", "one of "):
        allowed = allowed.removeprefix(kind)
    has_choices = field.choices and all(choice in field.help for choice in field.choices)
    lists = "" if field.name == SEEDS else "or a list" if has_choices else ", or a list"
    hint = "; ← → change it" if field.choices else ""
    return f"{field.label}: {field.help}; {'' if has_choices else allowed}{lists}{hint}"
