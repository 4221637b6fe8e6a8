"""The PNG in pixels: what the terminal is asked, and that nothing of its answers is left to be read as keys."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from lenet_tui.tui.pictures import ask_terminal, show_pixels
from lenet_tui.tui.pictures.ask_terminal import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KITTY, CELL, SIXEL, PLAIN = b"\x1b_Gi=31;OK\x1b\\", b"\x1b[6;20;10t", b"\x1b[?62;4;22c", b"\x1b[?64;1;14c"


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (b"", Answer(is_complete=False)),
        (KITTY + CELL, Answer(is_complete=False)),  # more is to come
        (PLAIN, Answer(is_complete=True)),  # 14 is not 4
        (KITTY + CELL + PLAIN, Answer(is_complete=True, kitty=True, cell=(10, 20))),
        (b"j" + CELL + b"k" + SIXEL, Answer(is_complete=True, sixel=True, cell=(10, 20))),
        (b"\x1b_Gi=31;EINVAL\x1b\\\x1b[6;0;0t" + PLAIN, Answer(is_complete=True)),
    ],
)
def test_answers_are_read_among_keys(content: bytes, answer: Answer) -> None:
    assert ask_terminal.parse(content) == answer


def test_a_terminal_that_says_nothing_or_is_gone_is_not_waited_for_for_ever() -> None:
    leader, follower = pty.openpty()
    reading, writing = os.pipe()
    assert ask_terminal.ask(reading, follower, seconds=0.05) == Answer(is_complete=False)
    os.close(writing)
    assert ask_terminal.ask(reading, follower) == Answer(is_complete=False)
    for descriptor in (leader, follower, reading):
        os.close(descriptor)


class Shown:
    """`show_pixels` in a terminal that a test answers for."""

    def __init__(self, picture: Path) -> None:
        self.terminal, follower = pty.openpty()
        command = [sys.executable, "-m", "lenet_tui.tui.pictures.show_pixels", str(picture)]
        self.process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        self.seen = b""

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, self.seen[-500:]
            if select.select([self.terminal], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.terminal, 65536)
                except OSError:  # the program has ended
                    return

    def answer(self, content: bytes) -> None:
        os.write(self.terminal, content)

    def code(self) -> int:
        self.wait_until(lambda: self.process.poll() is not None)
        return self.process.wait(60)


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Shown]:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "loss.png")
    shown = Shown(tmp_path / "loss.png")
    yield shown
    shown.process.kill()
    shown.process.wait()
    os.close(shown.terminal)


@pytest.mark.parametrize(("answer", "drawn"), [(CELL + SIXEL, b"\x1bP"), (KITTY + CELL + PLAIN, b"f=100")])
def test_a_picture_is_shown_as_the_terminal_can_and_it_is_asked_once(shown: Shown, answer: bytes, drawn: bytes) -> None:
    shown.wait_until(lambda: b"\x1b[c" in shown.seen)
    time.sleep(0.4)  # the way of an answer over a slow line; the library would have given up long before
    for number in range(len(answer)):
        shown.answer(answer[number : number + 1])
    shown.wait_until(lambda: b"any key goes back" in shown.seen)
    assert drawn in shown.seen
    assert (shown.seen.count(b"\x1b[c"), shown.seen.count(b"\x1b[16t")) == (1, 1)
    assert answer not in shown.seen  # not echoed
    shown.answer(b"\x1b[A")
    assert shown.code() == show_pixels.SHOWN


def test_without_pixels_the_program_ends_by_itself(shown: Shown) -> None:
    shown.wait_until(lambda: b"\x1b[c" in shown.seen)
    shown.answer(PLAIN)
    assert shown.code() == show_pixels.NO_PIXELS
    assert b"any key goes back" not in shown.seen
