"""The app in a real pseudo-terminal: keys in, bytes out, and what it costs the machine."""

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

import psutil

if TYPE_CHECKING:
    from pathlib import Path


class Terminal:
    """The app on ``root`` in a terminal of ``columns`` × ``lines``."""

    def __init__(self, root: Path, columns: int = 80, lines: int = 24) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.begun = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lenet_tui", "--root", str(root)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)
        self._cost = psutil.Process(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        deadline = time.perf_counter() + 10
        while self._process.poll() is None and time.perf_counter() < deadline:
            self.read(0.1)
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def read(self, seconds: float) -> bytes:
        """Return what the app writes in the next ``seconds``."""
        result = b""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            if select.select([self._master], [], [], left)[0]:
                try:
                    result += os.read(self._master, 65_536)
                except OSError:  # it has ended
                    break
        return result

    def seconds_until(self, words: bytes, timeout: float = 30) -> float:
        """Return the seconds from the start of the command until ``words`` were on the screen."""
        result = b""
        while words not in result:
            if time.perf_counter() - self.begun > timeout:
                raise SystemExit(f"the app did not show {words!r}; it wrote {result[-500:]!r}")
            result += self.read(0.005)
        return time.perf_counter() - self.begun

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def seconds_to_react(self, keys: bytes, timeout: float = 5) -> float:
        """Press keys and return the seconds until the screen begins to change."""
        begun = time.perf_counter()
        os.write(self._master, keys)
        if not select.select([self._master], [], [], timeout)[0]:
            raise SystemExit(f"the app did not react to {keys!r}")
        seconds = time.perf_counter() - begun
        self.read(0.02)
        return seconds

    def share_of_a_core(self, seconds: float) -> tuple[float, int]:
        """Return the share of one core that the app takes in the next ``seconds``, and the bytes it writes."""
        before = self._cost.cpu_times()
        written = len(self.read(seconds))
        after = self._cost.cpu_times()
        return (after.user + after.system - before.user - before.system) / seconds, written

    def pause(self, *, paused: bool) -> None:
        """Take the processor from the app, or give it back."""
        self._process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def megabytes(self) -> float:
        """Return the memory that the app holds now (resident set size)."""
        return float(self._cost.memory_info().rss / 1e6)
