"""``lenet-tui``: reads the command line, runs the command, and turns what went wrong into one line and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from lenet_tui import __version__
from lenet_tui.cli import app
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
    "compare": "compare",
    "predict": "predict",
    "inspect": "inspect",
    "delete": "runs",
    "import": "runs",
    "study": "study",
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

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse's own complaint puts quotes around everything, and has no idea what might be meant.
        if action.choices is not None and value not in action.choices:
            choices = list(map(str, action.choices))
            raise UsageError(f"{value} is none of {', '.join(choices)}{_meant(str(value), choices)}")


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the work failed, 2 wrong usage, 130 interrupted."""
    # Looking for pydantic's plugins, of which we have none, takes a tenth of a short command's time.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
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
        description="Train LeNet and AlexNet on MNIST, compare the runs, and take away the pictures of every one. "
        "Without a command: the app.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"lenet-tui {__version__}")
    app.add_flags(parser)
    names = list(names)
    if not names:
        return parser
    commands = parser.add_subparsers(metavar="COMMAND")
    for module in dict.fromkeys(COMMANDS[name] for name in names):
        importlib.import_module(f"lenet_tui.cli.{module}").add_parser(commands)
    return parser


def _parse(argv: list[str]) -> argparse.Namespace:
    # A command that is quick by itself shall not wait for what another one imports.
    words = [_dashed(word) for word in argv]
    if not words or words[0].partition("=")[0] in app.FLAGS:
        parser = build_parser(())
        arguments, unknown = parser.parse_known_args(words)
        if not unknown:
            return arguments
        if not any(word in COMMANDS for word in words):
            raise UsageError(f"{unknown[0]} is not known here{_meant(unknown[0], _flags(parser))}")
    parser = build_parser(words[:1] if words and words[0] in COMMANDS else COMMANDS)
    own = [flag for action in parser._actions for flag in action.option_strings if flag not in app.FLAGS]
    if words[0] not in COMMANDS and words[0] not in own:
        raise _not_a_command(words, parser)
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        flag = unknown[0].partition("=")[0]
        raise UsageError(f"{unknown[0]} is not known here{_meant(flag, _flags(parser))}")
    return arguments


def _not_a_command(words: list[str], parser: Parser) -> UsageError:
    first = words[0].partition("=")[0]
    if not first.startswith("-"):
        return UsageError(f"{first} is not a command{_meant(first, COMMANDS)}; 'lenet-tui --help' lists them")
    if first in _flags(parser):
        command = next((word for word in words if word in COMMANDS), "COMMAND")
        return UsageError(f"{first} goes after the command: lenet-tui {command} {first}")
    return UsageError(f"{first} is not known here{_meant(first, _flags(parser))}; 'lenet-tui --help' tells more")


def _meant(word: str, known: Iterable[str]) -> str:
    # Without the dashes, which would make all flags look like each other.
    bare = {name.lstrip("-"): name for name in known}
    near = difflib.get_close_matches(word.lstrip("-"), list(bare), n=1)
    return f" (did you mean {bare[near[0]]}?)" if near else ""


def _flags(parser: argparse.ArgumentParser) -> list[str]:
    return [flag for action in _actions(parser) for flag in action.option_strings]


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
