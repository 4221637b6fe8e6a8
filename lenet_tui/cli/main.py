"""``lenet-tui``: reads the command line, runs the command, and turns what went wrong into one line and an exit code."""

from __future__ import annotations

import argparse
import copy
import difflib
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lenet_tui import __version__
from lenet_tui.cli import app, output
from lenet_tui.errors import LabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Each command and the module of `lenet_tui.cli` that has it.
COMMANDS = {
    "train": "train",
    "queue": "queue",
    "runs": "runs",
    "show": "runs",
    "watch": "watch",
    "export": "export",
    "compare": "compare",
    "predict": "predict",
    "inspect": "inspect",
    "tag": "tag",
    "delete": "runs",
    "import": "runs",
    "study": "study",
    "runner": "runner",
    "data": "data",
    "doctor": "doctor",
    "serve": "serve",
    "completion": "completion",
}
INTERRUPTED = 130
_SWITCHES = ("--json", "--help", "--version", "--no-mouse", "--quiet", "--once")  # flags without a value

_EPILOG = "Flags can be written with _ or -. See 'lenet-tui COMMAND --help'."


class _Help(argparse.HelpFormatter):
    """Shows one spelling of a flag that has two."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if len({_dashed(flag) for flag in action.option_strings}) < len(action.option_strings):
            action = copy.copy(action)
            action.option_strings = action.option_strings[:1]
        return super()._format_action_invocation(action)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are `UsageError` instead of a page of usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Help} | options)

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` with the message in one line."""
        raise UsageError(f"{message} (see {self.prog} --help)")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse's own message quotes everything and suggests nothing.
        if action.choices is not None and value not in action.choices:
            choices = list(map(str, action.choices))
            raise UsageError(f"{value} is none of {', '.join(choices)}{_meant(str(value), choices)}")

    def _print_message(self, message: str, _file: Any = None) -> None:
        # Help and version: argparse hides an output that cannot be written.
        output.say_lines(message.splitlines())


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the work failed, 2 wrong usage, 130 interrupted."""
    # Looking for pydantic's plugins, of which we have none, takes a tenth of a short command's time.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    output.prepare()
    try:
        code = _answer(sys.argv[1:] if argv is None else argv)
        return output.finish(code)
    except output.ReaderGone:  # as in `lenet-tui train | head -1`
        return INTERRUPTED


def _answer(words: list[str]) -> int:
    arguments = argparse.Namespace()
    try:
        _check_current_folder()
        arguments = _parse(words)
        _check_root(arguments)
        code: int = arguments.run(arguments)
    except LabError as error:
        output.complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        output.complain("interrupted")
        return INTERRUPTED
    except SystemExit as ended:  # after help or version
        return ended.code if isinstance(ended.code, int) else 0
    except output.ReaderGone:
        raise
    except Exception as error:  # noqa: BLE001 - a bug; the details go to a file
        if isinstance(error, ImportError) and not (error.name or "").startswith("lenet_tui"):
            output.complain(f"a library cannot be imported ({error}); 'lenet-tui doctor' says what is missing")
            return 1
        return _internal(error, getattr(arguments, "root", None))
    return code


def _check_current_folder() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError(f"the current folder cannot be used ({error.strerror}); go to another one with cd") from None


def _check_root(arguments: argparse.Namespace) -> None:
    if not getattr(arguments, "root_may_be_missing", True):
        from lenet_tui.cli import flags

        flags.check_root_exists(arguments.root)


def _internal(error: Exception, root: Path | None) -> int:
    from lenet_tui.cli import crash

    path = crash.report(error, root)
    details = f"the details are in {path}" if path else "the details cannot be written anywhere"
    output.complain(f"internal error ({type(error).__name__}: {error}); {details}")
    return 1


def build_parser(names: Iterable[str] = COMMANDS) -> Parser:
    """Return the parser of the command line with the commands in the modules that these ones are in."""
    parser = Parser(
        prog="lenet-tui",
        description="Train LeNet and AlexNet on MNIST, compare the runs, and export their pictures. Without a command "
        "it opens the app; with hyperparameters and no command it trains: lenet-tui --model lenet --lr 0.001.",
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
    # A fast command does not wait for what another one imports.
    root, words = _leading_root([_dashed(word) for word in argv])
    if _means_train(words):
        words = ["train", *words]
    if not words or words[0].partition("=")[0] in app.FLAGS:
        parser = build_parser(())
        arguments, unknown = parser.parse_known_args([*root, *words])
        if not unknown:
            return arguments
        if not _commands(words):
            raise UsageError(f"unknown argument {unknown[0]}{_meant(unknown[0], _flags(parser))}")
    parser = build_parser(words[:1] if words[0] in COMMANDS else COMMANDS)
    own = [flag for action in parser._actions for flag in action.option_strings if flag not in app.FLAGS]
    if words[0] not in COMMANDS and words[0] not in own:
        raise _not_a_command(words, parser)
    arguments, unknown = parser.parse_known_args([words[0], *root, *words[1:]])
    if unknown:
        flag = unknown[0].partition("=")[0]
        raise UsageError(f"unknown argument {unknown[0]}{_meant(flag, _flags(parser))}")
    return arguments


def _leading_root(words: list[str]) -> tuple[list[str], list[str]]:
    """Return each ``--root DIR`` that stands before the command, and the other words."""
    end = 0
    while end < len(words) and words[end].partition("=")[0] == "--root":
        end += 1 if "=" in words[end] else 2
    return words[:end], words[end:]


def _means_train(words: list[str]) -> bool:
    """Say whether there are hyperparameters without a command, as in ``lenet-tui --model lenet --lr 0.01``."""
    if not words or not words[0].startswith("--") or words[0] in app.FLAGS or _commands(words):
        return False
    from lenet_tui.config import hyperparameters

    return not {word.partition("=")[0] for word in words}.isdisjoint(p.flag for p in hyperparameters())


def _commands(words: list[str]) -> list[str]:
    """Return the commands among ``words``; the value of a flag is none, as in ``--data-dir data``."""
    before = ["", *words]
    return [
        word
        for last, word in zip(before, words, strict=False)
        if word in COMMANDS and (not last.startswith("--") or "=" in last or last in _SWITCHES)
    ]


def _not_a_command(words: list[str], parser: Parser) -> UsageError:
    first = words[0].partition("=")[0]
    if not first.startswith("-"):
        return UsageError(f"{first} is not a command{_meant(first, COMMANDS)}; 'lenet-tui --help' lists them")
    command = next((word for word in words if word in COMMANDS), "COMMAND")
    if first in app.FLAGS:
        return UsageError(f"{first} is a flag of the app; leave it out for lenet-tui {command}")
    if first in _flags(parser):
        return UsageError(f"{first} goes after the command: lenet-tui {command} {first}")
    return UsageError(f"unknown argument {first}{_meant(first, _flags(parser))}; see 'lenet-tui --help'")


def _meant(word: str, names: Iterable[str]) -> str:
    # Without the dashes, which would make all flags look like each other.
    bare = {name.lstrip("-"): name for name in names}
    near = difflib.get_close_matches(word.lstrip("-"), list(bare), n=1)
    return f" (did you mean {bare[near[0]]}?)" if near else ""


def _flags(parser: argparse.ArgumentParser) -> list[str]:
    return [flag for action in _actions(parser) for flag in action.option_strings if flag == _dashed(flag)]


def _dashed(word: str) -> str:
    if not word.startswith("--"):
        return word
    flag, equals, value = word.partition("=")
    return flag.replace("_", "-") + equals + value


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    result = []
    for action in parser._actions:
        result.append(action)
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                result += _actions(child)
    return result
