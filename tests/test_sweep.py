from __future__ import annotations

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.sweep import expand


def test_lists_are_combined_the_last_one_varying_first() -> None:
    configs = expand({"batch_size": "16, 32", "lr": "0.01,0.001"}).configs
    assert [(c.batch_size, c.lr) for c in configs] == [(16, 0.01), (16, 0.001), (32, 0.01), (32, 0.001)]


def test_no_lists_are_one_run_and_seeds_repeat_it() -> None:
    assert expand({}).configs == (RunConfig(),)
    assert [c.seed for c in expand({"seed": "3"}, seeds=2).configs] == [3, 4]


@pytest.mark.parametrize(
    ("values", "name", "words"),
    [
        ({"lr": "0.1,0"}, "lr", "above 0"),
        ({"lr": "0.1,1e-1"}, "lr", "twice"),
        ({"model": "lenet,lenett"}, "model", "did you mean lenet"),
        ({"batch_size": "16,"}, "batch_size", "a whole number"),
        ({"seed": ",".join(map(str, range(10_001)))}, "", "at most 10,000"),
        ({"seed": str(2**32 - 1)}, "", ""),
    ],
)
def test_what_is_wrong_is_named_once_and_nothing_is_made(values: dict[str, str], name: str, words: str) -> None:
    sweep = expand(values, seeds=1 if name else 2)
    if name or words:
        (problem,) = sweep.problems
        assert problem.name == name
        assert words in problem.message
    else:
        assert [p.name for p in sweep.problems] == ["seed"]
    assert sweep.configs == ()
