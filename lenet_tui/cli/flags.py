"""Flags that several commands share; those of the hyperparameters are made from `RunConfig`."""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lenet_tui.config import RunConfig, hyperparameter, hyperparameters, problems
from lenet_tui.errors import UsageError
from lenet_tui.host import named_files
from lenet_tui.run.folder import ROOT_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lenet_tui.config import Problem

_FIRST = ("model", "batch_size", "lr")  # the flags that the assignment names
_GROUPS = ("model", "optimisation", "regularisation", "run")


def add_hyperparameters(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every hyperparameter, those of the assignment first, then by the groups of the form.

    Values stay text until `config_from`.
    """
    for title in ("the assignment", *_GROUPS):
        group = parser.add_argument_group(title)
        for parameter in hyperparameters():
            if title == ("the assignment" if parameter.name in _FIRST else parameter.group):
                default = parameter.default()
                text = f"{parameter.help} [{', '.join(parameter.choices)}]" if parameter.choices else parameter.help
                shown = f"{text} (default {default})".replace("%", "%%")
                metavar = {int: "N", float: "X", str: "NAME"}[parameter.kind]
                # The assignment says --batch_size; help shows the first spelling.
                spellings = dict.fromkeys([f"--{parameter.name}"] * (parameter.name in _FIRST) + [parameter.flag])
                group.add_argument(*spellings, metavar=metavar, help=shown, default=argparse.SUPPRESS)
    parser._action_groups.append(parser._action_groups.pop(1))  # "options" (--help, --root …) come last


def given(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the hyperparameters that were given on the command line, still as text."""
    return {
        parameter.name: getattr(arguments, parameter.name)
        for parameter in hyperparameters()
        if parameter.name in arguments
    }


def config_from(values: dict[str, Any]) -> RunConfig:
    """Return the configuration of ``values``, the rest at its default. Raises `UsageError` naming each wrong flag."""
    try:
        return RunConfig(**values)
    except ValidationError as error:
        raise usage_error(problems(error), advice=" (for a list of values: lenet-tui queue add)") from None


def usage_error(problems_found: Iterable[Problem], advice: str = "") -> UsageError:
    """Return the error that names each wrong flag with its value and what would be right; ``advice`` is for lists."""
    return UsageError(
        "; ".join(
            f"{hyperparameter(p.name).flag} {p.value} {p.message}{advice if ',' in str(p.value) else ''}"
            if p.name
            else p.message
            for p in problems_found
        )
    )


def add_root(parser: argparse.ArgumentParser, default: Any = None, *, may_be_missing: bool = False) -> None:
    """Add ``--root``. A folder that is not there is wrong usage, unless it ``may_be_missing``.

    With ``default=argparse.SUPPRESS`` both are what the parser above has.
    """
    parser.add_argument(
        "--root",
        type=folder,
        # As text, so that argparse has `folder` look at it too.
        default=default or os.environ.get(ROOT_VARIABLE) or ".",
        metavar="DIR",
        help=f"folder with the runs (default {ROOT_VARIABLE}, else the current folder)",
    )
    if may_be_missing or default is None:
        parser.set_defaults(root_may_be_missing=may_be_missing)


def check_root_exists(root: Path) -> None:
    """Raise `UsageError` where ``root`` is not a folder that can be looked into."""
    try:
        if not stat.S_ISDIR(root.stat().st_mode):
            raise UsageError(f"--root {root} is a file; give a folder")
        os.stat(f"{root}/.")  # noqa: PTH116 - pathlib would drop the dot, which asks for the right to look inside
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"--root {root} does not exist; give the folder that the run folders are in (--root or {ROOT_VARIABLE})"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot look into --root {root}: {error.strerror}") from None


def folder(text: str) -> Path:
    """Return the folder or file that a person names: not empty, with ``~`` and ``~user`` replaced by the home folder.

    It may be missing. For argparse: raises `ArgumentTypeError`, also where the system refuses to look there.
    """
    path = Path(_expanded(text))
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot look at {text}: {error.strerror}") from None
    return path


def output_file(text: str) -> str:
    """Return the name of a file to write, ``-`` for the output. For argparse: raises `ArgumentTypeError`."""
    name = _expanded(text)
    try:
        named_files.check(name)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name


def _expanded(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the name is empty; give a path")
    expanded = os.path.expanduser(text)  # noqa: PTH111 - pathlib would take ./~ for ~
    if text.startswith("~") and expanded == text:
        raise argparse.ArgumentTypeError(f"there is no home folder for {text}; give a path without ~")
    return expanded


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return a type for argparse: a whole number from ``low`` to ``high``, in plain digits."""

    def number(text: str) -> int:
        digits = text.lstrip("0") or text[-1:]
        if not text.isascii() or not text.isdigit() or len(digits) > len(str(high)) or not low <= int(digits) <= high:
            raise argparse.ArgumentTypeError(f"{text} must be a whole number from {low} to {high}")
        return int(digits)

    return number


def add_json(parser: argparse.ArgumentParser, default: Any = False) -> None:  # noqa: FBT002
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", default=default, help="print one JSON document on stdout")
