"""What the study trains: the arms, each the default with one thing changed, and the question that each belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from lenet_tui.config import RunConfig

Question = Literal["default", "batch_size", "lr", "improvements", "alexnet"]


@dataclass(frozen=True)
class Arm:
    """The settings of one line of the study's tables, trained once for every seed.

    ``name`` is how tables and figures name it, ``changes`` what differs from the default: pairs of a hyperparameter
    and its value.
    """

    name: str
    question: Question
    changes: tuple[tuple[str, Any], ...] = ()


DEFAULT = Arm("default", "default")

# In the order of the document. The default is the third batch size and the third learning rate too, trained once.
ARMS: tuple[Arm, ...] = (
    DEFAULT,
    Arm("batch size 16", "batch_size", (("batch_size", 16),)),
    Arm("batch size 32", "batch_size", (("batch_size", 32),)),
    Arm("learning rate 0.01", "lr", (("lr", 0.01),)),
    Arm("learning rate 0.0001", "lr", (("lr", 0.0001),)),
    Arm("affine augmentation", "improvements", (("augment", "affine"),)),
    Arm("elastic augmentation", "improvements", (("augment", "elastic"),)),
    Arm("dropout", "improvements", (("dropout", 0.3),)),
    Arm("weight decay", "improvements", (("weight_decay", 0.0001),)),
    Arm("label smoothing", "improvements", (("label_smoothing", 0.05),)),
    Arm("cosine schedule", "improvements", (("lr_schedule", "cosine"),)),
    Arm("weight averaging", "improvements", (("ema", 0.999),)),
    Arm("early stopping", "improvements", (("patience", 3),)),
    Arm("three together", "improvements", (("augment", "affine"), ("lr_schedule", "cosine"), ("ema", 0.999))),
    Arm("AlexNet", "alexnet", (("model", "alexnet"),)),
)


@dataclass(frozen=True)
class Plan:
    """How the study is trained: on which images, for how many epochs, and with how many seeds, counted from 0."""

    seeds: int = 3
    epochs: int = 20
    dataset: str = "mnist"

    def config(self, arm: Arm, seed: int) -> RunConfig:
        """Return the configuration of ``arm`` with ``seed``. Raises pydantic's ValidationError for a wrong plan."""
        shared = {"dataset": self.dataset, "epochs": self.epochs, "seed": seed}
        return RunConfig.model_validate(shared | dict(arm.changes))


def identity(config: RunConfig) -> RunConfig:
    """Return ``config`` without what may differ between runs of one arm: where it is computed, and what is drawn."""
    plain = {"device": "auto", "threads": 0, "tsne_samples": 2000}
    return config.model_copy(update=plain)
