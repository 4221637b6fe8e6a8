"""Running our own commands as processes, for what the app leaves to others: torch, numpy, matplotlib, the network."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable

PREFIX = "lenet-tui: "
_SECONDS_TO_END = 3.0
_LONGEST_LINE = 1 << 20


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
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", module, *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            cwd="/",  # so that nothing in the folder that the app was opened in is taken for one of our modules
            start_new_session=True,  # the terminal's signals are for the app
        )
    except OSError as error:
        return Ended(127, "", f"cannot start another process: {error.strerror or error}")
    try:
        output, lines = await asyncio.gather(_all_of(process), _lines_of(process, on_line))
        code = await process.wait()
    finally:
        if process.returncode is None:
            await _end(process)
    return Ended(code, output, _reason(lines, code) if code else "")


async def _all_of(process: Process) -> str:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    return (await process.stdout.read()).decode(errors="replace")


async def _lines_of(process: Process, on_line: Callable[[str], None] | None) -> list[str]:
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    lines: list[str] = []
    async for raw in process.stderr:
        line = raw.decode(errors="replace").rstrip()
        if line:
            lines = [*lines[-20:], line]
            if on_line is not None:
                on_line(line)
    return lines


def _reason(lines: list[str], code: int) -> str:
    """Return the line that says why: what the command itself says, or the end of a traceback."""
    told = [line.removeprefix(PREFIX) for line in lines if line.startswith(PREFIX)]
    return (told or lines or [f"it ended with code {code}"])[-1]


async def _end(process: Process) -> None:
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_END):
                await process.wait()
                return
