"""The configuration of a run: every hyperparameter once, with its bounds, default and help text.

The form, the command line, ``run.json`` and the name of the run folder are all derived from `RunConfig`;
nothing else in the package lists hyperparameters.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from lenet_tui.formatting import counted
from lenet_tui.run.metrics import MAX_EPOCHS

if TYPE_CHECKING:
    from collections.abc import Mapping

ModelName = Literal["lenet", "alexnet"]
DatasetName = Literal["mnist", "fashion-mnist", "kmnist", "digits"]
OptimizerName = Literal["adam", "adamw", "sgd", "rmsprop"]
LossName = Literal["cross_entropy", "nll", "mse", "focal"]
ScheduleName = Literal["constant", "cosine", "onecycle", "step"]
AugmentName = Literal["none", "affine", "elastic", "affine+elastic"]
ActivationName = Literal["relu", "tanh"]
PoolingName = Literal["max", "avg"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
EngineName = Literal["auto", "native", "torch"]
Group = Literal["model", "optimisation", "regularisation", "run"]

MAX_THREADS = 1024
CLASSES = 10  # of every data set

_DROPOUT_OF_MODEL: dict[str, float] = {"lenet": 0.0, "alexnet": 0.5}
# Images to train on or to hold out for validation; the test set is apart.
TRAINABLE_IMAGES: dict[str, int] = {"mnist": 60_000, "fashion-mnist": 60_000, "kmnist": 60_000, "digits": 1_400}
_VAL_SIZE_OF_DATASET: dict[str, int] = {"mnist": 5000, "fashion-mnist": 5000, "kmnist": 5000, "digits": 200}


@dataclass(frozen=True)
class Meta:
    """What a hyperparameter has besides its type, bounds and default.

    ``label`` is its short name in forms and tables, ``key`` its abbreviation in folder names ("" where the
    folder name has a place of its own for it), ``group`` the part of the form that it belongs to.
    """

    label: str
    key: str
    group: Group


class RunConfig(BaseModel):
    """Everything that decides what a run computes. Frozen; equal configurations compare equal."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    model: Annotated[
        ModelName,
        Field(description="network: LeNet-5 (61,706 parameters) or a 28×28 AlexNet"),
        Meta("model", "", "model"),
    ] = "lenet"
    dataset: Annotated[
        DatasetName,
        Field(description="images to learn; digits is small and needs no network"),
        Meta("data", "data", "model"),
    ] = "mnist"
    batch_size: Annotated[
        int,
        Field(ge=1, le=10_000, description="images per optimizer step"),
        Meta("batch", "bs", "optimisation"),
    ] = 64
    lr: Annotated[float, Field(gt=0, le=10, description="learning rate"), Meta("lr", "lr", "optimisation")] = 0.001
    epochs: Annotated[
        int,
        Field(ge=1, le=MAX_EPOCHS, description="passes over the training set"),
        Meta("epochs", "ep", "optimisation"),
    ] = 20
    optimizer: Annotated[OptimizerName, Field(description="update rule"), Meta("optimizer", "opt", "optimisation")] = (
        "adam"
    )
    momentum: Annotated[
        float, Field(ge=0, lt=1, description="momentum of sgd"), Meta("momentum", "mom", "optimisation")
    ] = 0.9
    loss: Annotated[
        LossName,
        Field(
            description="training loss: cross_entropy; nll, the same in two steps; "
            "mse on one-hot targets (LeCun); focal, γ = 2"
        ),
        Meta("loss", "loss", "optimisation"),
    ] = "cross_entropy"
    lr_schedule: Annotated[
        ScheduleName,
        Field(description="lr over time: constant; cosine to 0; onecycle, 30 % warm-up; step, ÷10 at 50 % and 75 %"),
        Meta("schedule", "sched", "optimisation"),
    ] = "constant"
    clip_norm: Annotated[
        float,
        Field(ge=0, le=1000, description="clip the gradient's L2 norm to this; 0 is off"),
        Meta("clip norm", "clip", "optimisation"),
    ] = 0.0
    augment: Annotated[
        AugmentName,
        Field(description="random distortion of training images"),
        Meta("augment", "aug", "regularisation"),
    ] = "none"
    dropout: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="dropout before the fully connected layers; lenet 0, alexnet 0.5 unless given",
        ),
        Meta("dropout", "drop", "regularisation"),
    ] = Field(default_factory=lambda values: _DROPOUT_OF_MODEL.get(values.get("model", ""), 0.0))
    weight_decay: Annotated[
        float,
        Field(ge=0, le=1, description="L2 penalty (adam, sgd, rmsprop) or decoupled decay (adamw)"),
        Meta("weight decay", "wd", "regularisation"),
    ] = 0.0
    label_smoothing: Annotated[
        float,
        Field(ge=0, lt=1, description="share of the target spread over all classes; cross_entropy only"),
        Meta("smoothing", "ls", "regularisation"),
    ] = 0.0
    ema: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="decay per step of a moving average of the weights (less in early steps); 0 is off",
        ),
        Meta("EMA decay", "ema", "regularisation"),
    ] = 0.0
    patience: Annotated[
        int,
        Field(
            ge=0,
            le=1000,
            description="stop after this many epochs without a better validation loss; 0 is off",
        ),
        Meta("patience", "pat", "regularisation"),
    ] = 0
    activation: Annotated[
        ActivationName, Field(description="nonlinearity; tanh as in 1998"), Meta("activation", "act", "model")
    ] = "relu"
    pooling: Annotated[PoolingName, Field(description="pooling; avg as in 1998"), Meta("pooling", "pool", "model")] = (
        "max"
    )
    val_size: Annotated[
        int,
        Field(
            ge=10,
            le=30_000,
            description="images held out of the training set for validation; digits 200, else 5000",
        ),
        Meta("validation", "val", "run"),
    ] = Field(default_factory=lambda values: _VAL_SIZE_OF_DATASET.get(values.get("dataset", ""), 5000))
    seed: Annotated[
        int,
        Field(ge=0, le=2**32 - 1, description="decides initial weights, order of images and distortions"),
        Meta("seed", "seed", "run"),
    ] = 0
    device: Annotated[
        DeviceName,
        Field(description="where to compute; auto takes cuda, then mps, then cpu"),
        Meta("device", "dev", "run"),
    ] = "auto"
    threads: Annotated[
        int,
        Field(ge=0, le=MAX_THREADS, description="CPU threads of the run; 0 takes every core"),
        Meta("threads", "thr", "run"),
    ] = 0
    engine: Annotated[
        EngineName,
        Field(description="what computes LeNet on the CPU; auto takes native, compiled for it, else torch"),
        Meta("engine", "eng", "run"),
    ] = "auto"
    tsne_samples: Annotated[
        int,
        Field(ge=100, le=10_000, description="test images in t-SNE.png; fewer where the test set is smaller"),
        Meta("t-SNE images", "tsne", "run"),
    ] = 2000

    @field_validator("momentum")
    @classmethod
    def _momentum_belongs_to_sgd(cls, value: float, info: ValidationInfo) -> float:
        if value != 0.9 and info.data.get("optimizer", "sgd") != "sgd":
            raise PydanticCustomError("no_effect", "has no effect without optimizer sgd; leave it at 0.9")
        return value

    @field_validator("label_smoothing")
    @classmethod
    def _smoothing_belongs_to_cross_entropy(cls, value: float, info: ValidationInfo) -> float:
        if value != 0 and info.data.get("loss", "cross_entropy") != "cross_entropy":
            raise PydanticCustomError("no_effect", "works with loss cross_entropy only; leave it at 0")
        return value

    def identity(self) -> str:
        """Return the text that two configurations of the same run have in common; see `identity_of`."""
        return identity_of(self.model_dump())

    def changed(self) -> dict[str, Any]:
        """Return the hyperparameters that are not at their default, in order of declaration."""
        values = {h.name: getattr(self, h.name) for h in hyperparameters()}
        return {h.name: values[h.name] for h in hyperparameters() if values[h.name] != h.default(values)}

    def folder_name(self) -> str:
        """Return the name of the run's folder, unique to this configuration within its model's folder.

        ``bs64_lr0.001``, then ``_{key}{number}`` or ``_{key}-{word}`` for what else is not at its default.
        """
        parts = [f"bs{self.batch_size}", f"lr{_short(self.lr)}"]
        for name, value in self.changed().items():
            if name in ("model", "batch_size", "lr"):
                continue
            key = hyperparameter(name).key
            parts.append(f"{key}-{value}" if isinstance(value, str) else f"{key}{_short(value)}")
        return "_".join(parts)

    def title(self) -> str:
        """Return the configuration in one line: the main hyperparameters, then what differs from the defaults."""
        parts = [
            f"{MODEL_TITLES[self.model]} on {DATASET_TITLES[self.dataset]}",
            f"batch size {self.batch_size}",
        ]
        parts += [f"lr {_short(self.lr)}", counted(self.epochs, "epoch")]
        for name, value in self.changed().items():
            if name not in ("model", "dataset", "batch_size", "lr", "epochs"):
                parts.append(f"{hyperparameter(name).label} {value if isinstance(value, str) else _short(value)}")
        return ", ".join(parts)


# What does not affect a result in kind: where it is computed, and how much of it is drawn.
_NOT_IN_IDENTITY = ("device", "threads", "engine", "tsne_samples")


def identity_of(values: Mapping[str, Any]) -> str:
    """Return the identity of stored hyperparameters, unchecked: equal texts mean the same run.

    It leaves out what does not affect the result in kind. Missing hyperparameters count as at their defaults, so a
    record from before one was added still matches.
    """
    return json.dumps({k: v for k, v in complete(values).items() if k not in _NOT_IN_IDENTITY}, sort_keys=True)


def complete(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored hyperparameters, unchecked, with the default of each that is missing, and 1 as 1.0 where it is one
    of the real numbers.
    """
    stored = dict(values)
    for parameter in hyperparameters():
        if parameter.name not in stored:
            stored[parameter.name] = parameter.default(stored)
        elif parameter.kind is float and type(stored[parameter.name]) is int:
            stored[parameter.name] = float(stored[parameter.name])
    return stored


MODEL_TITLES: dict[str, str] = {"lenet": "LeNet", "alexnet": "AlexNet"}
DATASET_TITLES: dict[str, str] = {
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "kmnist": "KMNIST",
    "digits": "digits (scikit-learn)",
}


def _short(value: float) -> str:
    """Write a number so that it can be read back exactly: 0.001, 1, 1e-05."""
    return repr(value).removesuffix(".0")


@dataclass(frozen=True)
class Hyperparameter:
    """One field of `RunConfig` as forms, flags and messages need it."""

    name: str
    label: str
    key: str
    group: Group
    help: str
    kind: type[int] | type[float] | type[str]
    choices: tuple[str, ...]
    low: float | None
    low_included: bool
    high: float | None
    high_included: bool

    @property
    def flag(self) -> str:
        """The command-line spelling, ``--batch-size``."""
        return "--" + self.name.replace("_", "-")

    def default(self, values: dict[str, Any] | None = None) -> Any:
        """Return the default, which for some depends on the hyperparameters in ``values`` (model, dataset)."""
        # Stored values may be anything; what cannot be a key decides nothing.
        plain = {name: value for name, value in (values or {}).items() if isinstance(value, str)}
        base = {"model": "lenet", "dataset": "mnist"} | plain
        return RunConfig.model_fields[self.name].get_default(call_default_factory=True, validated_data=base)

    def expectation(self) -> str:
        """Say what would be right: ``one of lenet, alexnet``; ``a whole number from 1 to 10000``."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        noun = "a whole number" if self.kind is int else "a number"
        if self.low_included and self.high_included:
            return f"{noun} from {self.low:g} to {_plain(self.high)}"
        lower = f"from {self.low:g}" if self.low_included else f"above {self.low:g}"
        upper = f"at most {_plain(self.high)}" if self.high_included else f"below {_plain(self.high)}"
        return f"{noun} {lower} and {upper}"


def _plain(bound: float | None) -> str:
    assert bound is not None  # noqa: S101 - every hyperparameter is bounded on both sides; a test says so
    return str(int(bound)) if bound == int(bound) else str(bound)


@cache
def hyperparameters() -> tuple[Hyperparameter, ...]:
    """Return every hyperparameter in order of declaration."""
    return tuple(_describe(name) for name in RunConfig.model_fields)


def hyperparameter(name: str) -> Hyperparameter:
    """Return one hyperparameter; KeyError when there is none of that name."""
    return {h.name: h for h in hyperparameters()}[name]


def _describe(name: str) -> Hyperparameter:
    field = RunConfig.model_fields[name]
    meta = next(m for m in field.metadata if isinstance(m, Meta))
    low = next((m for m in field.metadata if isinstance(m, Ge | Gt)), None)
    high = next((m for m in field.metadata if isinstance(m, Le | Lt)), None)
    literal = get_origin(field.annotation) is Literal
    kind: type[int] | type[float] | type[str] = str if literal else int if field.annotation is int else float
    return Hyperparameter(
        name=name,
        label=meta.label,
        key=meta.key,
        group=meta.group,
        help=field.description or "",
        kind=kind,
        choices=get_args(field.annotation) if literal else (),
        low=getattr(low, "ge", getattr(low, "gt", None)),
        low_included=isinstance(low, Ge),
        high=getattr(high, "le", getattr(high, "lt", None)),
        high_included=isinstance(high, Le),
    )


@dataclass(frozen=True)
class Problem:
    """One value that is wrong: which hyperparameter, what was given, and what would be right."""

    name: str
    value: object
    message: str


def problems(error: ValidationError) -> list[Problem]:
    """Translate pydantic's errors into one `Problem` a hyperparameter, in words for people."""
    result = []
    for detail in error.errors():
        name = str(detail["loc"][0]) if detail["loc"] else ""
        value = detail["input"]
        if detail["type"] == "default_factory_not_called":  # only echoes another field's problem
            continue
        if detail["type"] == "extra_forbidden":
            message = "is not a hyperparameter" + _suggestion(name, [h.name for h in hyperparameters()])
        elif detail["type"] == "no_effect":
            message = detail["msg"]
        else:
            parameter = hyperparameter(name)
            message = f"must be {parameter.expectation()}" + _suggestion(str(value), parameter.choices)
        result.append(Problem(name, value, message))
    return result


def _suggestion(given: str, names: tuple[str, ...] | list[str]) -> str:
    near = difflib.get_close_matches(re.sub(r"[\s_]+", "-", given.lower()), names, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
