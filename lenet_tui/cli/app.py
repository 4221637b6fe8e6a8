"""``lenet-tui`` without a command: the app."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from lenet_tui.cli import output
from lenet_tui.errors import UsageError

if TYPE_CHECKING:
    import argparse


FLAGS = ("--root", "--no-mouse", "--quiet")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the app, which stand where a command would."""
    from lenet_tui.cli import flags

    flags.add_root(parser, may_be_missing=True)
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument("--quiet", action="store_true", help="draw less often, for slow links")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Open the app. Raises `UsageError` where there is no terminal for it."""
    from lenet_tui.run.folder import check_root

    if not (sys.stdin.isatty() and output.is_terminal()):
        raise UsageError(
            "the app needs a terminal, and this is none; 'lenet-tui train' trains a run here, "
            "'lenet-tui queue add' queues one, 'lenet-tui --help' tells more"
        )
    if os.environ.get("TERM", "") == "dumb":
        raise UsageError("this terminal (TERM=dumb) cannot move its cursor; 'lenet-tui queue add' works in it")
    check_root(arguments.root)
    gc.disable()  # looking for garbage among what is being imported takes a sixth of the start; the app turns it on
    from lenet_tui.tui import app

    return app.run(arguments.root.absolute(), mouse=not arguments.no_mouse, quiet=arguments.quiet)
