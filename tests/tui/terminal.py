"""The app as a person has it: a process in a pseudo-terminal, seen through a terminal emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Self

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "home": "\x1b[H",
    "tab": "\t",
    "ctrl+r": "\x12",
    "F2": "\x1bOQ",
}


class Terminal:
    """A terminal with the app on ``root`` in it, or another ``command``.

    Left with ``with``, it is hung up, as when a connection breaks.
    """

    def __init__(
        self,
        root: Path,
        columns: int = 80,
        lines: int = 24,
        *,
        command: Sequence[str] | None = None,
        **environment: str,
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._before = termios.tcgetattr(slave)
        self._slave = slave
        self._descriptors = [self._master, slave]
        self.process = subprocess.Popen(
            command or [sys.executable, "-m", "lenet_tui", "--root", str(root)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            # Some test runners set the size, which would win over the terminal's own.
            env={k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
            | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
            | environment,
            preexec_fn=_own_terminal,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.vanish()

    def vanish(self) -> None:
        """Close the terminal under the app, as when a connection breaks."""
        while self._descriptors:
            os.close(self._descriptors.pop())

    def press(self, *names: str) -> None:
        for name in names:
            assert name in KEYS or len(name) == 1 or not name.isalnum(), f"no such key: {name}"
            os.write(self._master, KEYS.get(name, name).encode())
            # A letter right after it would make escape the beginning of Alt and that letter.
            self._read(0.5 if name == "escape" else 0.05)

    def write(self, data: bytes) -> None:
        os.write(self._master, data)

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def _in_one_line(self) -> str:
        # Where a sentence breaks hangs on how long a path is.
        return " ".join(self.text().split())

    def wait_for(self, *words: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while not all(word in self.text() or word in self._in_one_line() for word in words):
            assert time.monotonic() < deadline, f"{words} not on the screen:\n{self.text()}"
            assert self.process.poll() is None, f"the app ended with {self.process.returncode}:\n{self.text()}"
            self._read(0.1)
        return self.text()

    def wait_until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"it never came true:\n{self.text()}"
            self._read(0.1)

    def wait_for_end(self, seconds: float = 20) -> int:
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"the app does not end:\n{self.text()}"
            self._read(0.05)
        self._read(0.2)
        return self.process.returncode

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    @property
    def edits_lines(self) -> bool:
        """Whether what is typed is shown by the system, and given to programs line by line."""
        return bool(termios.tcgetattr(self._slave)[3] & termios.ICANON)

    def is_sane(self) -> bool:
        """Say whether the terminal is as it was before the app: echo and line editing on, cursor and screen back."""
        now = termios.tcgetattr(self._slave)
        restored = self.written.rpartition(b"\x1b[?1049h")[2]
        return now[3] == self._before[3] and b"\x1b[?1049l" in restored and b"\x1b[?25h" in restored

    def _read(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self._master], [], [], left)[0]:
                try:
                    found = os.read(self._master, 65_536)
                except OSError:
                    return
                self.written += found
                self._stream.feed(found)


def _own_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # whatever the tests were started with
