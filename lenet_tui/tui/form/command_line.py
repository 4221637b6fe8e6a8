"""The command line that does what the form, or a run, says."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.config import hyperparameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lenet_tui.config import RunConfig


def plain(value: object) -> str:
    """Write a hyperparameter's value as a person would, to be read back exactly: ``0.001``, ``1``, ``adam``."""
    return str(value).removesuffix(".0")


def command(values: Mapping[str, str], seeds: str = "1") -> str:
    """Return what queues every combination of the comma-separated ``values``, each with so many ``seeds``."""
    words = ["lenet-tui", "queue", "add"]
    for known in hyperparameters():
        if known.name in values:
            words += _flag(known.flag, values[known.name])
    if seeds != "1":
        words += _flag("--seeds", seeds)
    return shlex.join(words)


def command_for(config: RunConfig) -> str:
    """Return what queues one run of this configuration."""
    return command({name: plain(value) for name, value in config.changed().items()})


def root_flag(root: Path) -> str:
    """Return what names ``root`` behind a command: nothing where it is the current folder, which commands take."""
    return "" if root.resolve() == Path.cwd() else f" --root {shlex.quote(str(root.resolve()))}"


def _flag(flag: str, value: str) -> list[str]:
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]
