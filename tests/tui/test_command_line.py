"""The command line that does the same: read back by our own parser, it queues the same runs."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet_tui.cli import flags, queue
from lenet_tui.cli.main import build_parser
from lenet_tui.config import RunConfig
from lenet_tui.sweep import expand
from lenet_tui.tui.form.command_line import command, command_for


def made_by(line: str) -> list[RunConfig]:
    """The configurations that the command line queues, told by the real parser."""
    words = shlex.split(line)
    assert words[0] == "lenet-tui"
    arguments = build_parser().parse_args(words[1:])
    return queue.grid(flags.given(arguments), arguments.seeds)


def test_only_what_is_not_at_its_default_is_in_it() -> None:
    assert command({}) == "lenet-tui queue add"
    assert command({"epochs": "5", "batch_size": "16,32,64"}) == "lenet-tui queue add --batch-size 16,32,64 --epochs 5"
    assert command({"lr": "0.01"}, "3") == "lenet-tui queue add --lr 0.01 --seeds 3"


def test_what_is_no_plain_word_is_quoted_and_a_leading_minus_is_no_flag() -> None:
    assert command({"model": "a b"}) == "lenet-tui queue add --model 'a b'"
    assert command({"lr": "-1"}) == "lenet-tui queue add --lr=-1"


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(),
        RunConfig(model="alexnet", dropout=0),
        RunConfig(lr=1e-5, weight_decay=1, optimizer="sgd", momentum=0.5, augment="affine+elastic"),
    ],
)
def test_the_command_of_a_run_makes_that_run(config: RunConfig) -> None:
    assert made_by(command_for(config)) == [config]


@given(lr=st.floats(min_value=1e-300, max_value=10), seed=st.integers(0, 2**32 - 1))
def test_numbers_come_back_exactly(lr: float, seed: int) -> None:
    config = RunConfig(lr=lr, seed=seed)
    assert made_by(command_for(config)) == [config]


def test_the_command_of_a_sweep_makes_that_sweep() -> None:
    values = {"batch_size": "16,32", "lr": "0.01,0.001"}
    assert tuple(made_by(command(values, "2"))) == expand(values, 2).configs
