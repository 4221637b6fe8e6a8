"""``lenet-tui completion``: the script that lets a shell complete our commands, flags and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, output
from lenet_tui.cli.session import is_untouched
from lenet_tui.config import hyperparameters
from lenet_tui.store import Store

if TYPE_CHECKING:
    import argparse

SHELLS = ("bash", "zsh", "fish")
_RUNS = "runs"  # what the scripts ask for at a Tab
_ASK = f"lenet-tui completion {_RUNS} 2>/dev/null"
_MOST_RUNS = 200  # the latest ones


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``completion``."""
    parser = commands.add_parser(
        "completion",
        help="print the script that completes commands and flags in bash, zsh or fish",
        description="Print a completion script. For bash: lenet-tui completion bash > "
        "~/.local/share/bash-completion/completions/lenet-tui. For zsh: a file _lenet-tui in a folder of your $fpath. "
        "For fish: ~/.config/fish/completions/lenet-tui.fish. Then start a new shell.",
        allow_abbrev=False,
    )
    parser.add_argument("shell", choices=(*SHELLS, _RUNS), metavar="SHELL", help=f"one of {', '.join(SHELLS)}")
    flags.add_root(parser, may_be_missing=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the script, or the numbers of runs for it."""
    if arguments.shell == _RUNS:
        if not is_untouched(arguments.root):
            with Store(arguments.root) as store:
                output.say_lines(str(run.id) for run in store.runs()[-_MOST_RUNS:])
        return 0
    output.say_lines(script(arguments.shell).splitlines())
    return 0


def script(shell: str) -> str:
    """Return the completion script for one of `SHELLS`."""
    import shtab

    from lenet_tui.cli.main import build_parser

    parser = build_parser()
    ways = {
        # In shtab's own form, zsh would ask for the runs many times whenever it loads the script.
        "RUN": {**shtab.cmd(_ASK), "zsh": f"{{compadd - \\$({_ASK})}}"},
        "DIR": shtab.DIRECTORY,
        "FOLDER": shtab.DIRECTORY,
        "FILE": shtab.FILE,
        "IMAGE": shtab.FILE,
    }
    choices = {parameter.name: parameter.choices for parameter in hyperparameters() if parameter.choices}
    for action in _all_actions(parser):
        if action.dest in choices and action.option_strings:
            action.choices = choices[action.dest]
        elif action.dest == "shell":
            action.choices = SHELLS
        elif action.metavar in ways:
            action.complete = ways[str(action.metavar)]  # type: ignore[attr-defined]
    text: str = shtab.complete(parser, shell)
    return text


def _all_actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    result = []
    for action in parser._actions:
        result.append(action)
        if isinstance(action.choices, dict):
            for child in action.choices.values():
                result += _all_actions(child)
    return result
