"""Running our own commands as processes, for what the app does not import: torch, numpy, matplotlib, the network."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.formatting import printable

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "lenet-tui: "
_SECONDS_TO_END = 3.0
_LINES_KEPT = 20


@dataclass(frozen=True)
class Ended:
    """How a process ended: exit code, what it wrote to stdout, and in one line why it failed ("" if it did not)."""

    code: int
    output: str
    complaint: str


async def run(module: str, *words: str, on_line: Callable[[str], None] | None = None) -> Ended:
    """Run ``python -m module words…`` to its end; ``on_line`` gets each line of its stderr as it comes.

    When this is cancelled, the process is interrupted and, if it goes on, killed. Paths in ``words`` must
    be absolute. A process that cannot be started is one that failed.
    """
    loop = asyncio.get_running_loop()

    def forward(line: str) -> None:
        if on_line is not None and not job.unwanted:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(on_line, line)

    job = _Job([sys.executable, "-m", module, *words], forward)
    # In a thread rather than with asyncio's own processes: those complain when the app is left while one still runs,
    # and a thread is waited for.
    done = asyncio.ensure_future(asyncio.to_thread(job.run))
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        job.interrupt()
        await asyncio.wait([done])
        raise


class _Job:
    """One process, from its start to its end; `run` is for a thread, `interrupt` for any other."""

    def __init__(self, command: list[str], on_line: Callable[[str], None]) -> None:
        self._command = command
        self._on_line = on_line
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.unwanted = False

    def run(self) -> Ended:
        """Start the process and wait for it."""
        try:
            output = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
        except OSError as error:
            return Ended(127, "", f"no temporary file can be made: {error.strerror or error}")
        with output:
            try:
                with self._lock:
                    if self.unwanted:
                        return Ended(-signal.SIGINT, "", "it was cancelled")
                    process = self._process = subprocess.Popen(  # noqa: S603 - this very program
                        self._command,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.PIPE,
                        cwd="/",  # so that no file in the current folder is imported as a module
                        start_new_session=True,  # the terminal's signals are for the app
                    )
            except OSError as error:
                return Ended(127, "", f"cannot start another process: {error.strerror or error}")
            lines: list[str] = []
            with process:
                for raw in process.stderr or ():
                    line = printable(raw.decode(errors="replace").rstrip())
                    if line:
                        lines = [*lines[1 - _LINES_KEPT :], line]
                        self._on_line(line)
            output.seek(0)
            text = output.read().decode(errors="replace")
        return Ended(process.returncode, text, _reason(lines, process.returncode) if process.returncode else "")

    def interrupt(self) -> None:
        """Ask the process to end, and kill it when it does not."""
        with self._lock:
            self.unwanted = True
            process = self._process
        if process is not None:
            self._signal(process, signal.SIGINT)
            timer = threading.Timer(_SECONDS_TO_END, self._signal, (process, signal.SIGKILL))
            timer.daemon = True
            timer.start()

    @staticmethod
    def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)


def _reason(lines: list[str], code: int) -> str:
    """Return the line with the reason: the command's own message, or the end of a traceback."""
    messages = [line.removeprefix(PREFIX) for line in lines if line.startswith(PREFIX)]
    return (messages or lines or [f"it ended with code {code}"])[-1]
