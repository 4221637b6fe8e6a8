"""The command that queues the runs of the form, or one run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.config import hyperparameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lenet_tui.config import RunConfig


def plain(value: object) -> str:
    """Return a hyperparameter's value as a person writes it, exact when read back: ``0.001``, ``1``, ``adam``."""
    return str(value).removesuffix(".0")


def command(values: Mapping[str, str], seeds: str = "1") -> str:
    """Return the command that queues every combination of the comma-separated ``values`` with so many ``seeds``."""
    words = ["lenet-tui", "queue", "add"]
    for parameter in hyperparameters():
        if parameter.name in values:
            words += _flag(parameter.flag, values[parameter.name])
    if seeds != "1":
        words += _flag("--seeds", seeds)
    return shlex.join(words)


def command_for(config: RunConfig) -> str:
    """Return the command that queues one run of this configuration."""
    return command({name: plain(value) for name, value in config.changed().items()})


def root_flag(root: Path) -> str:
    """Return the flag that names ``root``: nothing when it is the current folder, the default."""
    return "" if root.resolve() == Path.cwd() else f" --root {shlex.quote(str(root.resolve()))}"


def _flag(flag: str, value: str) -> list[str]:
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]
