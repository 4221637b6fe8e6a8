"""``python -m lenet_tui.tui.pictures.show_pixels PICTURE``: a picture in pixels, until a key is pressed.

It asks the terminal for its capabilities, so the app is suspended while it runs.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from pathlib import Path

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable

_SECONDS = 0.2


def main(path: Path) -> int:
    """Show the picture and wait for a key; return the exit code."""
    before = termios.tcgetattr(sys.stdin)
    # After ^z and fg the shell's words are on the screen, and its modes set.
    signal.signal(signal.SIGCONT, lambda *_: _show(path))
    try:
        _show(path)
        while not select.select([sys.stdin], [], [], _SECONDS)[0]:
            pass  # handles a signal that went to another thread
        os.read(sys.stdin.fileno(), 16)  # a key may be several bytes
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, before)
    return 0


def _show(path: Path) -> None:
    # Its first act when it is imported is to ask the terminal what it can show.
    from rich.console import Console
    from textual_image.renderable import Image

    from lenet_tui.tui.widgets import halfblocks

    console = Console()
    console.clear()
    try:
        console.print(Image(halfblocks.read(path), width="auto", height=max(1, console.height - 2)))
    except (LabError, OSError, ValueError) as error:
        console.print(printable(str(error)), markup=False)
    console.print(f"{printable(str(path))}   any key goes back", markup=False, style="bold", end="")
    tty.setcbreak(sys.stdin)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
