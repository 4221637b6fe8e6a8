"""What differs between runs, in words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lenet_tui.config import RunConfig, complete
from lenet_tui.differences import Differences


class Fake:
    def __init__(self, config: RunConfig | dict[str, Any]) -> None:
        self.config_json = config.model_dump_json() if isinstance(config, RunConfig) else json.dumps(config)

    @property
    def values(self) -> dict[str, Any]:
        return complete(json.loads(self.config_json))


def labels(*configs: RunConfig | dict[str, Any]) -> list[str]:
    differences = Differences()
    differences.update({number: Fake(config) for number, config in enumerate(configs)})
    return [differences.label(number) for number in range(len(configs))]


@pytest.mark.parametrize(
    ("configs", "expected"),
    [
        ([RunConfig()], ["default"]),
        ([RunConfig(), RunConfig()], ["default", "default"]),
        ([RunConfig(batch_size=16)], ["batch 16"]),  # of one run, what is not at its default
        (
            [RunConfig(batch_size=16, seed=1), RunConfig(), RunConfig(batch_size=16)],
            ["batch 16 · seed 1", "default", "batch 16"],
        ),
        (
            [RunConfig(epochs=5, seed=n) for n in range(3)],
            ["seed 0", "seed 1", "seed 2"],  # epochs are the same in all; none of them is the default configuration
        ),
        ([RunConfig(), RunConfig(model="alexnet")], ["default", "AlexNet"]),  # its dropout follows from the model
        ([RunConfig(augment="affine"), RunConfig(lr=1e-05)], ["augment affine", "lr 1e-05"]),
        ([RunConfig(dataset="digits"), RunConfig()], ["digits (scikit-learn)", "default"]),
    ],
)
def test_a_label_has_what_differs(configs: list[RunConfig], expected: list[str]) -> None:
    assert labels(*configs) == expected


def test_a_short_label_is_as_in_folder_names() -> None:
    differences = Differences()
    differences.update({1: Fake(RunConfig(batch_size=16, seed=1, augment="affine")), 2: Fake(RunConfig())})
    assert [differences.short_label(number) for number in (1, 2, 3)] == ["bs16 aug-affine seed1", "default", ""]


def test_labels_follow_runs_that_come_and_go() -> None:
    differences = Differences()
    runs = {1: Fake(RunConfig(epochs=5)), 2: Fake(RunConfig(epochs=5, lr=0.01))}
    differences.update(runs)
    assert [differences.label(number) for number in (1, 2)] == ["lr 0.001", "lr 0.01"]
    runs[3] = Fake(RunConfig())
    differences.update(runs)
    assert differences.names == ("lr", "epochs")
    assert [differences.label(number) for number in (1, 2, 3)] == ["epochs 5", "lr 0.01 · epochs 5", "default"]
    del runs[1], runs[3]
    differences.update(runs)
    assert differences.names == ()
    assert (differences.label(2), differences.label(3)) == ("lr 0.01 · epochs 5", "")
    runs[2] = Fake(RunConfig(seed=7))  # a store that was rebuilt gives its numbers again
    differences.update(runs)
    assert differences.label(2) == "seed 7"


def test_runs_sort_by_the_size_of_what_differs() -> None:
    differences = Differences()
    differences.update({n: Fake(RunConfig(batch_size=size)) for n, size in enumerate((128, 16, 64))})
    assert sorted(range(3), key=differences.sort_key) == [1, 2, 0]
    assert list(differences.values_of("batch_size")) == [128, 16, 64]


def test_values_that_this_program_never_writes_are_shown_harmlessly() -> None:
    hostile = {"lr": [1], "optimizer": {"a": 1}, "loss": "\x1b[2J", "seed": None, "model": "resnet"}
    first, second = labels(RunConfig().model_dump() | hostile, RunConfig())
    assert first.isprintable()
    assert "resnet" in first
    assert second == "default"
