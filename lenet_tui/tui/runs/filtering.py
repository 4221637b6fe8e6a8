"""The filter of the runs list: ``lr=0.01 state:finished augment!=none batch_size>=32 words``.

Words are looked for in what the list shows of a run; terms compare one of its fields. All of them must hold.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from lenet_tui.config import hyperparameters
from lenet_tui.formatting import printable
from lenet_tui.store.wording import state
from lenet_tui.tui.runs.columns import name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lenet_tui.store import Run
    from lenet_tui.tui.runs.columns import View

_TOKEN = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_TERM = re.compile(r"([A-Za-z][\w-]*)(!=|>=|<=|=|:|>|<)(.*)", re.DOTALL)
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_STATES = ("queued", "running", "finished", "failed", "stopped", "interrupted", "waiting", "stopping")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d\d)")


@dataclass(frozen=True)
class Field:
    """One field that terms compare: a number, one of ``choices``, a tag, or a text of which a part is enough."""

    name: str
    kind: Literal["number", "choice", "tag", "text"]
    value: Callable[[Run, View], Any]
    choices: tuple[str, ...] = ()
    is_percent: bool = False


@cache
def fields() -> dict[str, Field]:
    """Return the fields by name; those that a table shows under another title are there under both."""
    result = [
        Field("id", "number", lambda run, _: run.id),
        Field("state", "choice", lambda run, _: _states_of(run), _STATES),
        Field("tag", "tag", lambda run, _: run.tags),
        Field("note", "text", lambda run, _: run.note),
        Field("folder", "text", lambda run, _: name(run)),
        Field("val_loss", "number", lambda run, _: run.best_val_loss),
        Field("val_acc", "number", lambda run, _: run.best_val_accuracy, is_percent=True),
        Field("test_acc", "number", lambda run, _: run.test_accuracy, is_percent=True),
        Field("epoch", "number", lambda run, _: run.best_epoch),
        Field("epochs_done", "number", lambda run, _: run.epochs_done),
        Field("time", "number", lambda run, _: run.train_seconds),
    ]
    by_name = {field.name: field for field in result}
    for parameter in hyperparameters():
        kind: Literal["number", "choice"] = "choice" if parameter.choices else "number"
        field = Field(parameter.name, kind, _value_of(parameter.name), parameter.choices)
        by_name[parameter.name] = field
        by_name.setdefault(re.sub(r"\W", "_", parameter.label.lower()), field)
    return by_name


def _value_of(parameter: str) -> Callable[[Run, View], Any]:
    return lambda run, _: run.values.get(parameter)


def _states_of(run: Run) -> tuple[str, ...]:
    more = ("waiting",) if run.waiting else ("stopping",) if run.is_stop_requested else ()
    return (run.state, *more)


@dataclass(frozen=True)
class Filter:
    """What a person wrote. ``problem`` says in a line what is wrong with a term, which is then left out, or is ""."""

    words: tuple[str, ...] = ()
    terms: tuple[Callable[[Run, View], bool], ...] = ()
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.words or self.terms)

    def matches(self, run: Run, view: View, text: str) -> bool:
        """Return whether a run has every word in its ``text`` (in small letters) and fulfils every term."""
        for word in self.words:
            if word not in text:
                return False
        return all(term(run, view) for term in self.terms)


def text_of(run: Run, view: View) -> str:
    """Return the text of a run in which words are looked for, in small letters."""
    parts = (str(run.id), view.label(run), name(run), run.state, state(run), str(run.values["dataset"]), run.note)
    return "\n".join((*parts, *run.tags)).lower()


def parse(text: str) -> Filter:
    """Return the filter that a text means."""
    words: list[str] = []
    terms: list[Callable[[Run, View], bool]] = []
    problem = ""
    for token in _TOKEN.findall(text):
        match = _TERM.fullmatch(token)
        if match is None:
            words.append(_unquoted(token).lower())
            continue
        try:
            terms.append(_term(*match.groups()))
        except ValueError as error:
            problem = problem or printable(str(error))
    return Filter(tuple(word for word in words if word), tuple(terms), problem)


def _unquoted(text: str) -> str:
    return text.replace('"', "")


def _term(given: str, sign: str, rest: str) -> Callable[[Run, View], bool]:
    """Return what a term says of a run. Raises ValueError with a line for a person."""
    field = fields().get(given.lower().replace("-", "_"))
    if field is None:
        near = difflib.get_close_matches(given.lower(), fields(), n=1)
        raise ValueError(f"{given} is not a field" + (f" (did you mean {near[0]}?)" if near else "; tab completes one"))
    values = [value for value in _unquoted(rest).split(",") if value]
    if not values:
        raise ValueError(f"{given}{sign} needs a value, as in {_example(field, sign)}")
    if sign in _ORDERS:
        if field.kind != "number":
            raise ValueError(f"{given} has no order; write {given}={values[0]} or {given}!={values[0]}")
        if len(values) > 1:
            raise ValueError(f"{given}{sign} takes one value, not {len(values)}")
        return _comparison(field, _ORDERS[sign], _number(field, given, values[0]))
    is_in = _membership(field, given, values)
    return (lambda run, view: not is_in(run, view)) if sign == "!=" else is_in


def _comparison(field: Field, order: Callable[[Any, Any], bool], bound: float) -> Callable[[Run, View], bool]:
    def holds(run: Run, view: View) -> bool:
        value = field.value(run, view)
        return isinstance(value, int | float) and order(_shown(field, value), bound)

    return holds


def _membership(field: Field, given: str, values: Sequence[str]) -> Callable[[Run, View], bool]:
    if field.kind == "number":
        numbers = [_number(field, given, value) for value in values]

        def is_one(run: Run, view: View) -> bool:
            value = field.value(run, view)
            if not isinstance(value, int | float):
                return False
            seen = _shown(field, value)
            return any(math.isclose(seen, number, rel_tol=1e-9) for number in numbers)

        return is_one
    wanted = tuple(value.lower() for value in values)
    if field.kind == "text":
        return lambda run, view: any(value in str(field.value(run, view)).lower() for value in wanted)
    if field.kind == "choice":
        for value in values:
            if value.lower() not in field.choices:
                near = difflib.get_close_matches(value.lower(), field.choices, n=1)
                right = f"did you mean {near[0]}?" if near else f"must be one of {', '.join(field.choices)}"
                raise ValueError(f"{given}={value}: {right}")
    chosen = frozenset(wanted)

    def has_one(run: Run, view: View) -> bool:
        value = field.value(run, view)
        return any(str(each).lower() in chosen for each in (value if isinstance(value, tuple) else (value,)))

    return has_one


def _number(field: Field, given: str, text: str) -> float:
    clock = _CLOCK.fullmatch(text)
    if field.name == "time" and clock:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return 3600.0 * hours + 60 * minutes + seconds
    try:
        number = float(text.removesuffix("%") if field.is_percent else text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise ValueError(f"{given}={text}: must be a number, as in {_example(field, '=')}")
    return number


def _shown(field: Field, value: float) -> float:
    return round(100 * value, 6) if field.is_percent else value


def _example(field: Field, sign: str) -> str:
    examples = {"state": "finished", "tag": "best", "note": "odd", "folder": "lenet/bs64", "id": "7", "time": "90"}
    default = next((str(p.default()) for p in hyperparameters() if p.name == field.name), "")
    return f"{field.name}{sign}{examples.get(field.name) or default or ('98.5' if field.is_percent else '0.05')}"


def completion(text: str, view: View) -> str | None:
    """Return ``text`` with its last word completed, to a field or to a value that runs have; None where there is none.

    Of several, it is the field that comes first, and the value that most runs have.
    """
    token = re.search(r"\S*$", text)
    last = token[0] if token else ""
    if not last or '"' in last:
        return None
    match = _TERM.fullmatch(last)
    start = text[: len(text) - len(last)]
    if match is None:
        typed = last.lower().replace("-", "_")
        known = next((known for known in fields() if known.startswith(typed)), None)
        if known is None:
            return None
        sign = ":" if fields()[known].kind in ("tag", "choice") else "="
        return start + last + known[len(last) :] + sign
    given, sign, rest = match.groups()
    field = fields().get(given.lower().replace("-", "_"))
    if field is None:
        return None
    before, comma, typed = rest.rpartition(",")
    value = next((value for value in _values(field, view) if value.lower().startswith(typed.lower())), None)
    if value is None or value == typed:
        return None
    return f"{start}{given}{sign}{before}{comma}{typed}{value[len(typed) :]}"


def _values(field: Field, view: View) -> Sequence[str]:
    """Return the values to complete to, those that most runs have first."""
    if field.kind == "tag":
        return [tag for tag, _ in Counter(tag for run in view.snapshot.runs.values() for tag in run.tags).most_common()]
    if field.name == "state":
        return _STATES
    if field.name in {parameter.name for parameter in hyperparameters()}:
        present = [value if isinstance(value, str) else repr(value) for value in view.differences.values_of(field.name)]
        return list(dict.fromkeys((*present, *field.choices)))
    return ()
