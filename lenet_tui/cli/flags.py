"""Flags that several commands share; those of the hyperparameters are made from `RunConfig`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lenet_tui.config import RunConfig, hyperparameter, hyperparameters, problems
from lenet_tui.errors import UsageError
from lenet_tui.runfolder import ROOT_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lenet_tui.config import Problem

_GROUPS = ("model", "optimisation", "regularisation", "run")


def add_hyperparameters(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every hyperparameter, in the groups of the form. Values stay text until `config_from`."""
    for title in _GROUPS:
        group = parser.add_argument_group(title)
        for known in hyperparameters():
            if known.group == title:
                default = known.default()
                text = f"{known.help} [{', '.join(known.choices)}]" if known.choices else known.help
                shown = f"{text} (default {default})".replace("%", "%%")
                metavar = {int: "N", float: "X", str: "NAME"}[known.kind]
                group.add_argument(known.flag, metavar=metavar, help=shown, default=argparse.SUPPRESS)


def given(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the hyperparameters that were given on the command line, still as text."""
    return {known.name: getattr(arguments, known.name) for known in hyperparameters() if known.name in arguments}


def config_from(values: dict[str, Any]) -> RunConfig:
    """Return the configuration of ``values``, the rest at its default. Raises `UsageError` naming each wrong flag."""
    try:
        return RunConfig(**values)
    except ValidationError as error:
        raise usage_error(problems(error), advice=" (for a list of values: lenet-tui queue add)") from None


def usage_error(found: Iterable[Problem], advice: str = "") -> UsageError:
    """Return the error that names each wrong flag with its value and what would be right; ``advice`` is for lists."""
    return UsageError(
        "; ".join(
            f"{hyperparameter(p.name).flag} {p.value} {p.message}{advice if ',' in str(p.value) else ''}"
            if p.name
            else p.message
            for p in found
        )
    )


def add_root(parser: argparse.ArgumentParser, default: Any = None) -> None:
    """Add ``--root``."""
    parser.add_argument(
        "--root",
        type=Path,
        default=default or Path(os.environ.get(ROOT_VARIABLE) or "."),
        metavar="DIR",
        help=f"folder that the run folders are in (default {ROOT_VARIABLE}, else the current folder)",
    )


def add_json(parser: argparse.ArgumentParser, default: Any = False) -> None:  # noqa: FBT002
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", default=default, help="print one JSON document on stdout")
