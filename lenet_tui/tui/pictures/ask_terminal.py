"""What the terminal can show, asked so that no byte of an answer is left for who reads the keyboard next.

Terminals answer in the order of the questions, and all of them answer the last one (DA1: "which kind are you?"). When
that answer is there, however late over SSH, nothing else is on its way.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import termios
import time
from dataclasses import dataclass, replace

SECONDS = 5.0  # longer than any connection takes that a person would work over
# Is kitty's protocol known (one pixel, not shown)? How large is a cell? Which kind of terminal?
QUESTIONS = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\" + b"\x1b[16t" + b"\x1b[c"
_KITTY = re.compile(rb"\x1b_G(?:[^\x1b;]*,)?i=31(?:,[^\x1b;]*)?;OK\x1b\\")
_CELL = re.compile(rb"\x1b\[6;(\d{1,4});(\d{1,4})t")
_KIND = re.compile(rb"\x1b\[\?([\d;]*)c")
_SIXEL = b"4"  # in the list of what a terminal of this kind can do
_MOST_BYTES = 64 * 1024  # of what was typed meanwhile


@dataclass(frozen=True)
class Answer:
    """``is_complete`` is False when the terminal did not answer in time. ``cell`` is (width, height) in pixels."""

    is_complete: bool
    sixel: bool = False
    kitty: bool = False
    cell: tuple[int, int] | None = None


def parse(content: bytes) -> Answer:
    """Return what is in the bytes that have come so far; keys may be among them."""
    kind, cell = _KIND.search(content), _CELL.search(content)
    if kind is None:
        return Answer(is_complete=False)
    size = (int(cell[2]), int(cell[1])) if cell else (0, 0)
    return Answer(
        is_complete=True,
        sixel=_SIXEL in kind[1].split(b";"),
        kitty=_KITTY.search(content) is not None,
        cell=size if min(size) > 0 else None,
    )


def ask(reading: int, writing: int, seconds: float = SECONDS) -> Answer:
    """Ask the terminal at these descriptors and read until it has answered everything, at most ``seconds``.

    The terminal must not echo and must not wait for whole lines. What is typed meanwhile is dropped.
    """
    os.write(writing, QUESTIONS)
    content, deadline = b"", time.monotonic() + seconds
    while not (answer := parse(content)).is_complete:
        left = deadline - time.monotonic()
        if left <= 0 or len(content) > _MOST_BYTES or not select.select([reading], [], [], left)[0]:
            break
        more = os.read(reading, 4096)
        if not more:  # it is closed
            break
        content += more
    return answer if answer.cell else replace(answer, cell=_cell_of(writing))


def _cell_of(terminal: int) -> tuple[int, int] | None:
    """Return the size of a cell by what the system knows of the window, which is often nothing."""
    try:
        rows, columns, width, height = struct.unpack("4H", fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8)))
    except OSError:
        return None
    return (width // columns, height // rows) if min(rows, columns) > 0 < min(width, height) else None
