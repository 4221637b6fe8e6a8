"""The configuration, and everything that is derived from it: flags, JSON, folder names, messages."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lenet_tui.cli import flags
from lenet_tui.cli.main import build_parser
from lenet_tui.config import Hyperparameter, RunConfig, hyperparameter, hyperparameters, identity_of, problems


def values_of(parameter: Hyperparameter) -> st.SearchStrategy[object]:
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    if parameter.kind is int:
        return st.integers(int(parameter.low), int(parameter.high))
    return st.floats(
        parameter.low, parameter.high, exclude_min=not parameter.low_included, exclude_max=not parameter.high_included
    )


@st.composite
def configs(draw: st.DrawFn) -> RunConfig:
    chosen = draw(st.sets(st.sampled_from([h.name for h in hyperparameters()])))
    values = {name: draw(values_of(hyperparameter(name))) for name in chosen}
    if values.get("optimizer", "adam") != "sgd":
        values.pop("momentum", None)
    if values.get("loss", "cross_entropy") != "cross_entropy":
        values.pop("label_smoothing", None)
    return RunConfig(**values)


def as_flags(config: RunConfig, underscores: bool) -> list[str]:
    words = []
    for parameter in hyperparameters():
        flag = "--" + parameter.name if underscores else parameter.flag
        words += [flag, str(getattr(config, parameter.name))]
    return words


@given(configs())
def test_a_configuration_survives_json(config: RunConfig) -> None:
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


@given(configs(), st.booleans())
def test_a_configuration_survives_the_command_line_in_both_spellings(config: RunConfig, underscores: bool) -> None:
    from lenet_tui.cli.main import _dashed

    words = [_dashed(word) for word in as_flags(config, underscores)]
    arguments = build_parser().parse_args(["train", *words])
    assert flags.config_from(flags.given(arguments)) == config


@given(configs(), configs())
def test_two_configurations_share_a_folder_name_only_if_they_are_equal(one: RunConfig, other: RunConfig) -> None:
    same_folder = (one.model, one.folder_name()) == (other.model, other.folder_name())
    assert same_folder == (one == other)


@given(configs())
def test_a_folder_name_is_one_plain_path_component(config: RunConfig) -> None:
    name = config.folder_name()
    assert set(name) <= set(string.ascii_letters + string.digits + "_.+-")
    assert not name.startswith(".")
    assert len(name) < 250  # room for .2, .3 … below the usual limit of 255


@given(configs())
def test_the_title_tells_everything_that_was_changed(config: RunConfig) -> None:
    title = config.title()
    for name in config.changed():
        if name not in ("model", "dataset", "batch_size", "lr", "epochs"):
            assert hyperparameter(name).label in title


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "bs64_lr0.001"),
        ({"epochs": 5, "seed": 3}, "bs64_lr0.001_ep5_seed3"),
        ({"lr": 1.0, "batch_size": 16}, "bs16_lr1"),
        ({"lr": 1e-5}, "bs64_lr1e-05"),
        ({"dataset": "digits"}, "bs64_lr0.001_data-digits"),
        ({"model": "alexnet"}, "bs64_lr0.001"),
        ({"model": "alexnet", "dropout": 0}, "bs64_lr0.001_drop0"),
        ({"augment": "affine+elastic", "optimizer": "sgd"}, "bs64_lr0.001_opt-sgd_aug-affine+elastic"),
    ],
)
def test_folder_names_are_these(values: dict[str, object], name: str) -> None:
    assert RunConfig(**values).folder_name() == name


def test_some_defaults_follow_the_model_and_the_data_set() -> None:
    assert (RunConfig().dropout, RunConfig(model="alexnet").dropout) == (0.0, 0.5)
    assert (RunConfig().val_size, RunConfig(dataset="digits").val_size) == (5000, 200)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        RunConfig().lr = 0.1  # type: ignore[misc]


def test_every_hyperparameter_has_help_a_label_and_bounds_or_choices() -> None:
    for parameter in hyperparameters():
        assert parameter.help
        assert parameter.label
        assert parameter.choices or (parameter.low is not None and parameter.high is not None)
        assert parameter.key or parameter.name == "model"


def test_abbreviations_in_folder_names_are_unique() -> None:
    keys = [parameter.key for parameter in hyperparameters()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lr": "0"}, "--lr 0 must be a number above 0 and at most 10"),
        ({"lr": "nan"}, "--lr nan must be a number above 0 and at most 10"),
        ({"lr": "inf"}, "--lr inf must be a number above 0 and at most 10"),
        ({"batch_size": "70000"}, "--batch-size 70000 must be a whole number from 1 to 10000"),
        ({"batch_size": "6.5"}, "--batch-size 6.5 must be a whole number from 1 to 10000"),
        ({"epochs": "-1"}, "--epochs -1 must be a whole number from 1 to 1000"),
        ({"dropout": "1"}, "--dropout 1 must be a number from 0 and below 1"),
        ({"model": "LeNett"}, "--model LeNett must be one of lenet, alexnet (did you mean lenet?)"),
        ({"dataset": "../etc"}, "--dataset ../etc must be one of mnist, fashion-mnist, kmnist, digits"),
        ({"momentum": "0.5"}, "--momentum 0.5 has no effect without optimizer sgd; leave it at 0.9"),
        (
            {"loss": "mse", "label_smoothing": "0.1"},
            "--label-smoothing 0.1 works with loss cross_entropy only; leave it at 0",
        ),
    ],
)
def test_a_wrong_value_is_told_in_one_line_with_what_would_be_right(values: dict[str, str], message: str) -> None:
    from lenet_tui.errors import UsageError

    with pytest.raises(UsageError) as caught:
        flags.config_from(values)
    assert str(caught.value) == message


def test_an_unknown_hyperparameter_in_json_is_named_with_the_nearest_one() -> None:
    with pytest.raises(ValidationError) as caught:
        RunConfig.model_validate_json(json.dumps({"batchsize": 3}))
    (problem,) = problems(caught.value)
    assert problem.name == "batchsize"
    assert "did you mean batch_size?" in problem.message


def test_the_identity_leaves_out_where_a_run_is_computed_and_what_is_drawn_of_it():
    plain = RunConfig()
    assert plain.identity() == RunConfig(device="cpu", threads=4, tsne_samples=100).identity()
    assert plain.identity() != RunConfig(seed=1).identity()


@pytest.mark.parametrize("name", [parameter.name for parameter in hyperparameters()])
def test_a_record_from_before_a_hyperparameter_was_added_is_the_same_run(name: str):
    for config in (RunConfig(), RunConfig(model="alexnet", dataset="digits", batch_size=16)):
        stored = json.loads(config.model_dump_json())
        if stored[name] == hyperparameter(name).default(stored):
            del stored[name]
        assert identity_of(stored) == config.identity()


def test_a_whole_number_in_a_record_is_the_same_as_a_real_one():
    stored = json.loads(RunConfig(lr=1).model_dump_json())
    assert identity_of(stored | {"lr": 1}) == RunConfig(lr=1).identity()


@pytest.mark.parametrize("value", [None, [], {}, "x", 1e999])
def test_the_identity_of_a_nonsense_record_is_only_unlike_others(value: object):
    assert identity_of({"model": value, "seed": value}) != RunConfig().identity()
