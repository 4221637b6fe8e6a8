"""``python -m lenet_tui.tui.pictures.show_pixels PICTURE``: a picture in pixels, until a key is pressed.

The app is suspended while it runs. The exit code is 0 when the picture was shown, else one of those below.
"""

from __future__ import annotations

import io
import os
import select
import signal
import sys
import termios
import tty
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.tui.pictures import ask_terminal

if TYPE_CHECKING:
    from lenet_tui.tui.pictures.ask_terminal import Answer

SHOWN, NO_PIXELS, NO_ANSWER = 0, 3, 4
_SECONDS = 0.2


def main(path: Path) -> int:
    """Show the picture and wait for a key; return the exit code."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        sys.stdout.write("asking the terminal whether it can show pixels…\r\n")
        sys.stdout.flush()
        answer = ask_terminal.ask(sys.stdin.fileno(), sys.stdout.fileno())
        if not answer.is_complete:
            return NO_ANSWER
        if not answer.sixel and not answer.kitty:
            return NO_PIXELS
        # After ^z and fg the shell's words are on the screen, and its modes set.
        signal.signal(signal.SIGCONT, lambda *_: _show(path, answer))
        _show(path, answer)
        while not select.select([sys.stdin], [], [], _SECONDS)[0]:
            pass  # handles a signal that went to another thread
        os.read(sys.stdin.fileno(), 16)  # a key may be several bytes
        return SHOWN
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, before)


def image_class(answer: Answer) -> Any:
    """Return the class of textual-image that draws as this terminal can, without a question to the terminal.

    Sixels come first: some terminals know kitty's protocol, but not the part of it that the library uses.
    """
    # When it is imported, and for the size of a cell, the library asks the terminal that this names, and waits for a
    # tenth of a second: over SSH the answers come later and would be keys.
    terminal, sys.__stdout__ = sys.__stdout__, io.StringIO()  # type: ignore[misc,assignment]
    if answer.cell is not None:
        os.environ["TEXTUAL_CELL_WIDTH"], os.environ["TEXTUAL_CELL_HEIGHT"] = map(str, answer.cell)
    from textual_image import _terminal, renderable

    _terminal.get_cell_size()  # which it remembers
    sys.__stdout__ = terminal  # type: ignore[misc] # kitty's images are written to it
    return renderable.SixelImage if answer.sixel else renderable.TGPImage


def _show(path: Path, answer: Answer) -> None:
    from rich.console import Console

    from lenet_tui.tui.widgets import halfblocks

    console = Console()
    console.clear()
    try:
        picture = image_class(answer)(halfblocks.read(path), width="auto", height=max(1, console.height - 2))
        console.print(picture)
    except (LabError, OSError, ValueError) as error:
        console.print(printable(str(error)), markup=False)
    tty.setcbreak(sys.stdin)  # which drops what was typed so far, so before the words and not after them
    words = f"any key goes back   {printable(str(path))}"
    console.print(words, markup=False, style="bold", end="", no_wrap=True, overflow="ellipsis")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
