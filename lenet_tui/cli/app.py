"""``lenet-tui`` without a command: the app."""

from __future__ import annotations

import argparse
import gc
import os
import re
import shutil
import sys

from lenet_tui.cli import output
from lenet_tui.errors import UsageError

FLAGS = ("--root", "--no-mouse", "--quiet", "--once", "--size")
_DRIVER = "TEXTUAL_DRIVER"  # set by textual-serve, as are COLUMNS and ROWS
_COLUMNS, _ROWS = (20, 1000), (10, 500)  # of a frame: smallest and largest


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the app, which stand where a command would."""
    from lenet_tui.cli import flags

    flags.add_root(parser, may_be_missing=True)
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument("--quiet", action="store_true", help="draw less often, for slow links")
    parser.add_argument("--once", action="store_true", help="print one frame of the app as text, and end")
    parser.add_argument("--size", type=_size, metavar="CxR", help="columns and rows of that frame: 120x40")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Open the app. Raises `UsageError` where there is no terminal for it."""
    from lenet_tui.run.folder import check_root

    if arguments.once:
        return _print_frame(arguments)
    if arguments.size:
        raise UsageError("--size is the size of the frame that --once prints; the app has that of its terminal")
    if os.environ.get(_DRIVER):  # 'lenet-tui serve' shows it in a browser
        # The size that Textual's driver begins with would otherwise come after the page's own.
        return _open(arguments, (int(os.environ["COLUMNS"]), int(os.environ["ROWS"])))
    if not (sys.stdin.isatty() and output.is_terminal()):
        raise UsageError(
            "the app needs a terminal, and this is none; 'lenet-tui train' trains a run here, "
            "'lenet-tui queue add' queues one, 'lenet-tui --help' tells more"
        )
    if os.environ.get("TERM", "") == "dumb":
        raise UsageError("this terminal (TERM=dumb) cannot move its cursor; 'lenet-tui queue add' works in it")
    check_root(arguments.root)
    return _open(arguments)


def _open(arguments: argparse.Namespace, size: tuple[int, int] | None = None) -> int:
    gc.disable()  # looking for garbage among what is being imported takes a sixth of the start; the app turns it on
    from lenet_tui.tui import app

    return app.run(arguments.root.absolute(), mouse=not arguments.no_mouse, quiet=arguments.quiet, size=size)


def _print_frame(arguments: argparse.Namespace) -> int:
    from lenet_tui.cli import flags
    from lenet_tui.tui import frame

    flags.check_root_exists(arguments.root)
    lines = frame.draw(arguments.root.absolute(), arguments.size or _terminal_size())
    if output.is_terminal() and not os.environ.get("NO_COLOR"):
        console = output.console()
        output.say_drawn(line.render(console).rstrip() for line in lines)
    else:
        output.say_lines(line.text.rstrip() for line in lines)
    return 0


def _terminal_size() -> tuple[int, int]:
    columns, rows = shutil.get_terminal_size()
    if output.is_terminal() and "LINES" not in os.environ:
        rows -= 1  # for the shell's next line
    return max(_COLUMNS[0], min(columns, _COLUMNS[1])), max(_ROWS[0], min(rows, _ROWS[1]))


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,4})x(\d{2,3})", text, re.ASCII)
    if match:
        columns, rows = int(match[1]), int(match[2])
        if _COLUMNS[0] <= columns <= _COLUMNS[1] and _ROWS[0] <= rows <= _ROWS[1]:
            return columns, rows
    raise argparse.ArgumentTypeError(
        f"{text} must be columns x rows, as 120x40; columns from {_COLUMNS[0]} to {_COLUMNS[1]}, "
        f"rows from {_ROWS[0]} to {_ROWS[1]}"
    )
