"""Sweeps: comma-separated lists of values, and the configurations of all their combinations."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lenet_tui.config import Problem, RunConfig, hyperparameter, problems

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_RUNS = 10_000


@dataclass(frozen=True)
class Sweep:
    """The configurations that lists of values make or, where ``problems`` says why, none."""

    configs: tuple[RunConfig, ...]
    problems: tuple[Problem, ...] = ()


def expand(values: Mapping[str, str], seeds: int = 1) -> Sweep:
    """Return the configuration of every combination of the comma-separated ``values``, the last one varying first.

    ``seeds`` repeats each with its seed counted up. A problem that belongs to no single hyperparameter has the name "".
    """
    lists = {name: [word.strip() for word in text.split(",")] for name, text in values.items()}
    repeated = [
        Problem(name, values[name], "names a value twice; name each once")
        for name, words in lists.items()
        if len(set(words)) < len(words)
    ]
    if repeated:
        return Sweep((), tuple(repeated))
    count = seeds
    for words in lists.values():
        count *= len(words)
    if count > MAX_RUNS:
        message = f"these lists make {count:,} runs; queue at most {MAX_RUNS:,} at a time"
        return Sweep((), (Problem("", "", message),))

    configs: list[RunConfig] = []
    # By name and value, in the order given: a wrong value is in many combinations and is reported once.
    wrong: dict[tuple[str, str], Problem] = {}
    for combination in itertools.product(*lists.values()):
        try:
            config = RunConfig(**dict(zip(lists, combination, strict=True)))
            configs += [_with_seed(config, config.seed + n) for n in range(seeds)]
        except ValidationError as error:
            wrong.update({(p.name, str(p.value)): p for p in problems(error)})
    if wrong:
        return Sweep((), tuple(wrong.values()))
    if len(set(configs)) < len(configs):
        if seeds > 1:
            message = "overlaps with --seeds, which would queue the same run twice; give one of them"
            return Sweep((), (Problem("seed", values.get("seed", ""), message),))
        name, text = next((name, text) for name, text in values.items() if _spells_a_value_twice(name, text))
        return Sweep((), (Problem(name, text, "names a value twice; name each once"),))
    return Sweep(tuple(configs))


def _spells_a_value_twice(name: str, text: str) -> bool:
    kind: Any = hyperparameter(name).kind
    words = [kind(word.strip()) for word in text.split(",")]
    return len(set(words)) < len(words)


def _with_seed(config: RunConfig, seed: int) -> RunConfig:
    # Checked again by pydantic, since a seed counted up may be too large.
    return config if seed == config.seed else RunConfig(**config.model_dump() | {"seed": seed})
