"""``python -m lenet_tui.tui.show_pixels PICTURE``: a picture in pixels where the terminal can, until a key is pressed.

It asks the terminal what it can, so it must have the terminal to itself: the app stands aside while it runs.
"""

from __future__ import annotations

import os
import sys
import termios
import tty
from pathlib import Path


def main(path: Path) -> int:
    """Show the picture and wait for a key; return the exit code."""
    # Its first act when it is imported is to ask the terminal what it can show.
    from rich.console import Console
    from textual_image.renderable import Image

    console = Console()
    console.clear()
    try:
        console.print(Image(path, width="auto", height=max(1, console.height - 2)))
    except (OSError, ValueError) as error:
        console.print(f"{path} cannot be shown: {error}", markup=False)
    console.print(f"{path}   any key goes back", markup=False, style="bold", end="")
    _wait_for_key()
    console.clear()
    return 0


def _wait_for_key() -> None:
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        os.read(sys.stdin.fileno(), 16)  # a key may be several bytes
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, before)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
