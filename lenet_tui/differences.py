"""What differs between configurations, in words: ``batch 16 · seed 1``."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from lenet_tui.config import DATASET_TITLES, MODEL_TITLES, hyperparameter, hyperparameters
from lenet_tui.formatting import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT = "default"
ALL_NAMED_UP_TO = 2  # settings that differ; of more, only those are named that are not at their default
_LONGEST_VALUE = 40


class Configured(Protocol):
    """Something with a configuration: a run of the store."""

    @property
    def config_json(self) -> str:
        """The configuration as it is stored."""

    @property
    def values(self) -> Mapping[str, Any]:
        """The hyperparameters, unchecked, none missing."""


def setting(name: str, value: Any) -> str:
    """Return a setting in words: ``batch 16``, ``AlexNet``, ``lr 0.01``."""
    text = value if isinstance(value, str) else repr(value).removesuffix(".0")
    if name in ("model", "dataset"):
        return (MODEL_TITLES if name == "model" else DATASET_TITLES).get(text, text)
    return f"{hyperparameter(name).label} {text}"


class Differences:
    """What differs between runs. It follows them as they come and go, and looks at each once.

    ``names`` are the hyperparameters that are not the same in all of them, in order of declaration.
    """

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self._configs: dict[int, str] = {}
        self._values: dict[int, tuple[Any, ...]] = {}  # in the order of the hyperparameters
        self._counts: list[Counter[Any]] = [Counter() for _ in _names()]
        self._labels: dict[int, str] = {}

    def update(self, runs: Mapping[int, Configured]) -> None:
        """Take the runs there are now, by number."""
        changed = [run_id for run_id, run in runs.items() if self._configs.get(run_id) != run.config_json]
        gone = [run_id for run_id in self._configs if run_id not in runs]
        for run_id in (*gone, *changed):
            self._labels.pop(run_id, None)
            if self._configs.pop(run_id, None) is not None:
                self._count(self._values.pop(run_id), -1)
        for run_id in changed:
            values = runs[run_id].values
            self._configs[run_id] = runs[run_id].config_json
            self._values[run_id] = tuple(_plain(values[name]) for name in _names())
            self._count(self._values[run_id], 1)
        names = tuple(name for name, counts in zip(_names(), self._counts, strict=True) if len(counts) > 1)
        if names != self.names or (changed and not names):
            self.names = names
            self._labels = {}

    def label(self, run_id: int) -> str:
        """Return what tells a run from the others, "default" when that is nothing; "" for an unknown run."""
        if run_id not in self._values:
            return ""
        if run_id not in self._labels:
            self._labels[run_id] = printable(" · ".join(self._parts(run_id)) or DEFAULT)
        return self._labels[run_id]

    def sort_key(self, run_id: int) -> tuple[tuple[bool, Any], ...]:
        """Return a key that sorts runs by what differs, numbers by size."""
        values = dict(zip(_names(), self._values.get(run_id, ()), strict=False))
        return tuple((isinstance(values.get(name), str), values.get(name, 0)) for name in self.names)

    def values_of(self, name: str) -> Iterable[Any]:
        """Return the values that a hyperparameter has in these runs, the most frequent first."""
        return [value for value, _ in self._counts[_names().index(name)].most_common()]

    def _parts(self, run_id: int) -> list[str]:
        values = dict(zip(_names(), self._values[run_id], strict=True))
        defaults = _defaults(str(values["model"]), str(values["dataset"]))
        changed = [name for name in _names() if values[name] != defaults[name]]
        shown = [name for name in changed if name in self.names] if self.names else changed
        if not shown and changed and len(self.names) <= ALL_NAMED_UP_TO:
            shown = list(self.names)
        return [setting(name, values[name]) for name in shown]

    def _count(self, values: Iterable[Any], by: int) -> None:
        for value, counts in zip(values, self._counts, strict=True):
            counts[value] += by
            if not counts[value]:
                del counts[value]


@lru_cache(1)
def _names() -> tuple[str, ...]:
    return tuple(parameter.name for parameter in hyperparameters())


@lru_cache(64)
def _defaults(model: str, dataset: str) -> dict[str, Any]:
    values = {"model": model, "dataset": dataset}
    return {parameter.name: parameter.default(values) for parameter in hyperparameters()}


def _plain(value: Any) -> Any:
    # A store may hold anything.
    return value if isinstance(value, str | int | float) and len(str(value)) <= _LONGEST_VALUE else repr(value)[:40]
