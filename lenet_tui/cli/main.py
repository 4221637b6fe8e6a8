"""``lenet-tui``: reads the command line, runs the command, and turns what went wrong into one line and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from lenet_tui import __version__
from lenet_tui.errors import LabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Each command and the module of `lenet_tui.cli` that has it.
COMMANDS = {
    "train": "train",
    "queue": "queue",
    "runs": "runs",
    "show": "runs",
    "export": "export",
    "delete": "runs",
    "import": "runs",
    "runner": "runner",
    "data": "data",
    "doctor": "doctor",
}
INTERRUPTED = 130

_EPILOG = "Flags can be written with _ or -: --batch_size is --batch-size. 'lenet-tui COMMAND --help' tells more."


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are `UsageError` instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` with the message in one line."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the work failed, 2 wrong usage, 130 interrupted."""
    try:
        arguments = _parse(sys.argv[1:] if argv is None else argv)
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except LabError as error:
        print(f"lenet-tui: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        print("lenet-tui: interrupted", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has had enough, as in `lenet-tui train | head -1`
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    return code


def build_parser(names: Iterable[str] = COMMANDS) -> Parser:
    """Return the parser of the command line with the commands in the modules that these ones are in."""
    parser = Parser(
        prog="lenet-tui",
        description="Train LeNet and AlexNet on MNIST, and take away the pictures of every run.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"lenet-tui {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in dict.fromkeys(COMMANDS[name] for name in names):
        importlib.import_module(f"lenet_tui.cli.{module}").add_parser(commands)
    return parser


def _parse(argv: list[str]) -> argparse.Namespace:
    # A command that is quick by itself shall not wait for what another one imports.
    parser = build_parser(argv[:1] if argv and argv[0] in COMMANDS else COMMANDS)
    if not argv:
        parser.print_help()
        raise SystemExit(0)
    arguments, unknown = parser.parse_known_args([_dashed(word) for word in argv])
    if unknown:
        known = [flag for action in _actions(parser) for flag in action.option_strings]
        near = difflib.get_close_matches(unknown[0].partition("=")[0], known, n=1)
        raise UsageError(f"{unknown[0]} is not known here" + (f" (did you mean {near[0]}?)" if near else ""))
    return arguments


def _dashed(word: str) -> str:
    if not word.startswith("--"):
        return word
    flag, equals, value = word.partition("=")
    return flag.replace("_", "-") + equals + value


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    found = []
    for action in parser._actions:
        found.append(action)
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                found += _actions(child)
    return found
