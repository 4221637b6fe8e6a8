"""Configurations that fill the form with one key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CUSTOM = "custom"


@dataclass(frozen=True)
class Preset:
    """Texts for the form's fields by their names; the others keep their defaults. ``help`` is shown in the form."""

    name: str
    help: str
    values: Mapping[str, str] = field(default_factory=dict)


PRESETS: tuple[Preset, ...] = (
    Preset("assignment default", "LeNet on MNIST, the default configuration"),
    Preset("batch-size sweep", "three runs with different batch sizes", {"batch_size": "16,32,64"}),
    Preset("learning-rate sweep", "three runs with different learning rates", {"lr": "0.01,0.001,0.0001"}),
    Preset("AlexNet", "the larger network, otherwise the default configuration", {"model": "alexnet"}),
    Preset("quick look", "a few seconds on small images that need no download", {"dataset": "digits", "epochs": "5"}),
)


def matching(values: Mapping[str, str]) -> Preset | None:
    """Return the preset that fills the form with exactly these ``values``, None when they are custom."""
    return next((preset for preset in PRESETS if preset.values == values), None)


def beside(current: Preset, custom: Preset | None, step: int) -> Preset:
    """Return the preset ``step`` places after ``current``, round and round; what was ``custom`` comes last."""
    ring = [*PRESETS, custom] if custom is not None else [*PRESETS]
    place = next((n for n, preset in enumerate(ring) if preset.name == current.name), len(ring) - 1)
    return ring[(place + step) % len(ring)]
