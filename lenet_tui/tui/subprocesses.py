"""Running our own commands as processes, for what the app leaves to others: torch, numpy, matplotlib, the network."""

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

    When this is cancelled, the process is interrupted and, if it does not heed that, killed. Paths in ``words`` must
    be absolute. A process that cannot be started is one that failed.
    """
    loop = asyncio.get_running_loop()

    def hear(line: str) -> None:
        if on_line is not None and not job.unwanted:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(on_line, line)

    job = _Job([sys.executable, "-m", module, *words], hear)
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
    """One process, from its start to its end; `run` is for a thread, `interrupt` for whoever wants it ended."""

    def __init__(self, command: list[str], hear: Callable[[str], None]) -> None:
        self._command = command
        self._hear = hear
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
                        cwd="/",  # so that nothing where the app was opened is taken for one of our modules
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
                        self._hear(line)
            output.seek(0)
            told = output.read().decode(errors="replace")
        return Ended(process.returncode, told, _reason(lines, process.returncode) if process.returncode else "")

    def interrupt(self) -> None:
        """Ask the process to end, and see to it that it does."""
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
    """Return the line that says why: what the command itself says, or the end of a traceback."""
    told = [line.removeprefix(PREFIX) for line in lines if line.startswith(PREFIX)]
    return (told or lines or [f"it ended with code {code}"])[-1]
