"""What differs between configurations, in words: ``batch 16 · seed 1``."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from lenet_tui.config import DATASET_TITLES, MODEL_TITLES, hyperparameter, hyperparameters
from lenet_tui.formatting import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DEFAULT = "default"
ALL_NAMED_UP_TO = 2  # settings that differ; of more, only those are named that are not at their default
_LONGEST_VALUE = 40
_PLAIN = frozenset({str, int, float})


class Configured(Protocol):
    """Something with a configuration: a run of the store."""

    @property
    def config_json(self) -> str:
        """The configuration as it is stored."""

    @property
    def values(self) -> Mapping[str, Any]:
        """The hyperparameters, unchecked, none missing."""


@lru_cache(4096, typed=True)
def short_setting(name: str, value: Any) -> str:
    """Return a setting as folder names have it: ``bs16``, ``AlexNet``, ``digits``, ``lr0.01``, ``aug-affine``."""
    if name == "dataset":
        return value if isinstance(value, str) else repr(value)
    if name == "model":
        return setting(name, value)
    key = hyperparameter(name).key
    return f"{key}-{value}" if isinstance(value, str) else key + repr(value).removesuffix(".0")


@lru_cache(4096, typed=True)
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
        self._places: tuple[int, ...] = ()  # of the names among all hyperparameters
        self._configs: dict[int, str] = {}
        self._values: dict[int, tuple[Any, ...]] = {}  # in the order of the hyperparameters
        self._counts: list[Counter[Any]] = [Counter() for _ in _names()]
        self._labels: dict[int, tuple[str, tuple[str, ...]]] = {}

    def update(self, runs: Mapping[int, Configured]) -> None:
        """Take the runs there are now, by number."""
        changed = [run_id for run_id, run in runs.items() if self._configs.get(run_id) != run.config_json]
        gone = [run_id for run_id in self._configs if run_id not in runs]
        for run_id in (*gone, *changed):
            self._labels.pop(run_id, None)
            if self._configs.pop(run_id, None) is not None:
                self._uncount(self._values.pop(run_id))
        new = [_plain(tuple(map(runs[run_id].values.__getitem__, _names()))) for run_id in changed]
        self._configs.update((run_id, runs[run_id].config_json) for run_id in changed)
        self._values.update(zip(changed, new, strict=True))
        for counts, values in zip(self._counts, zip(*new, strict=True), strict=False):  # quick for many
            counts.update(values)
        names = tuple(name for name, counts in zip(_names(), self._counts, strict=True) if len(counts) > 1)
        if names != self.names or (changed and not names):
            self.names = names
            self._places = tuple(map(_names().index, names))
            self._labels = {}

    def label(self, run_id: int) -> str:
        """Return what tells a run from the others, "default" when that is nothing; "" for an unknown run."""
        return self._both(run_id)[0]

    def short_label(self, run_id: int) -> str:
        """Return `label` as short as a folder's name: ``bs16 seed1``."""
        return " ".join(self.short_parts(run_id))

    def short_parts(self, run_id: int) -> tuple[str, ...]:
        """Return the parts of `short_label`."""
        return self._both(run_id)[1]

    def _both(self, run_id: int) -> tuple[str, tuple[str, ...]]:
        if run_id not in self._values:
            return "", ()
        if run_id not in self._labels:
            parts = self._parts(run_id)
            long = " · ".join(setting(*part) for part in parts) or DEFAULT
            short = tuple(printable(short_setting(*part)) for part in parts) or (DEFAULT,)
            self._labels[run_id] = printable(long), short
        return self._labels[run_id]

    def sort_key(self, run_id: int) -> tuple[tuple[bool, Any], ...]:
        """Return a key that sorts runs by what differs, numbers by size."""
        values = self._values.get(run_id, ())
        return tuple([(isinstance(values[place], str), values[place]) for place in self._places]) if values else ()

    def values_of(self, name: str) -> Iterable[Any]:
        """Return the values that a hyperparameter has in these runs, the most frequent first."""
        return [value for value, _ in self._counts[_names().index(name)].most_common()]

    def _parts(self, run_id: int) -> list[tuple[str, Any]]:
        names, values = _names(), self._values[run_id]
        defaults = _defaults(values[names.index("model")], values[names.index("dataset")])
        differing = self._places or range(len(names))
        shown: Sequence[int] = [place for place in differing if values[place] != defaults[place]]
        if not shown and 0 < len(self.names) <= ALL_NAMED_UP_TO and values != defaults:
            shown = self._places
        return [(names[place], values[place]) for place in shown]

    def _uncount(self, values: Iterable[Any]) -> None:
        for value, counts in zip(values, self._counts, strict=True):
            counts[value] -= 1
            if not counts[value]:
                del counts[value]


@lru_cache(1)
def _names() -> tuple[str, ...]:
    return tuple(parameter.name for parameter in hyperparameters())


@lru_cache(64)
def _defaults(model: Any, dataset: Any) -> tuple[Any, ...]:
    values = {"model": model, "dataset": dataset}
    return tuple(parameter.default(values) for parameter in hyperparameters())


def _plain(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return values that can be counted and sorted: a store may hold anything."""
    if _PLAIN.issuperset(map(type, values)):
        return values
    return tuple(value if type(value) in _PLAIN else repr(value)[:_LONGEST_VALUE] for value in values)
