"""The app's side of the helper process that has torch: asks it, and starts it again when it has died."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.inspection.messages import Envelope, MapRequest, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lenet_tui.inspection.messages import Message, Request

_Answer = TypeVar("_Answer", bound="Message")
_PATIENCE = 300.0  # seconds; torch loads slowly from a slow disk
_MAP_TAKES = 6  # times as long, where every core is training
_GRACE_SECONDS = 2.0
_MOST_BYTES, _MOST_COMPLAINTS = 100_000_000, 64 * 1024


@dataclass(frozen=True)
class _Waiting:
    """An answer to come, and what to call with each status until then."""

    answer: asyncio.Future[Message]
    on_status: Callable[[str], object]


@dataclass(frozen=True)
class _Helper:
    """One helper process and where its complaints go."""

    process: subprocess.Popen[bytes]
    complaints: IO[bytes]


class Inspector:
    """Asks the helper process about the runs below ``root``. It is started at the first question.

    Call it from the event loop; threads read and write. The process ends when its input is closed, so also when the
    app is killed.
    """

    def __init__(self, root: Path, patience: float = _PATIENCE) -> None:
        self._root = root.absolute()
        self._patience = patience
        self._reply_count = 0
        self._helper: _Helper | None = None
        self._starting: asyncio.Task[_Helper] | None = None
        self._writing = threading.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._doing = ""

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        return None if self._helper is None else self._helper.process.pid

    async def ask(
        self, request: Request, kind: type[_Answer], on_status: Callable[[str], object] = lambda _: None
    ) -> _Answer:
        """Return the answer to a request; ``on_status`` gets a text of what takes time.

        Raises `LabError` when the answer is an error or the process dies.
        """
        helper = await self._started()
        patience = self._patience * (_MAP_TAKES if isinstance(request, MapRequest) else 1)
        number = next(self._numbers)
        waiting = self._waiting[number] = _Waiting(asyncio.get_running_loop().create_future(), on_status)
        if self._doing:
            on_status(self._doing)
        line = Envelope(id=number, request=request).model_dump_json().encode() + b"\n"
        try:
            await asyncio.to_thread(self._write, helper, line)
            answer = await self._answered(helper, waiting.answer, patience)
        finally:
            self._waiting.pop(number, None)
        if not isinstance(answer, kind):
            raise LabError(f"the helper process answered with {type(answer).__name__} instead of {kind.__name__}")
        return answer

    async def _answered(self, helper: _Helper, answer: asyncio.Future[Message], patience: float) -> Message:
        """Return the answer; a process without any reply for so many seconds is killed, and the request fails."""
        done: set[asyncio.Future[Message]] = set()
        while not done:
            count = self._reply_count
            done, _ = await asyncio.wait({answer}, timeout=patience)
            if not done:  # replies sent while the app was suspended come first
                done, _ = await asyncio.wait({answer}, timeout=_GRACE_SECONDS)
            if not done and count == self._reply_count:
                helper.process.kill()
                if helper is self._helper:
                    self._helper = None
                self._fail(f"the helper process did not answer for {patience:.0f} seconds; the next try starts another")
        return answer.result()

    def end(self) -> None:
        """End the process."""
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.process.kill()  # it holds nothing that could be lost, and may be stuck
            self._fail("the app ends")

    # The process

    async def _started(self) -> _Helper:
        if self._helper is not None:
            return self._helper
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._begin())
        return await asyncio.shield(self._starting)  # the process starts even when the question is cancelled

    async def _begin(self) -> _Helper:
        self._doing = "starting a process for torch…"
        try:
            self._helper = await asyncio.to_thread(self._start)
        except OSError as error:
            raise LabError(f"cannot start another process: {error.strerror or error}") from None
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(self._helper, loop), name="inspector", daemon=True).start()
        return self._helper

    def _start(self) -> _Helper:
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - for as long as the process lives
        process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "lenet_tui.inspection", str(self._root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd="/",  # so that no file in the current folder is imported as a module
            start_new_session=True,  # the terminal's signals are for the app
        )
        return _Helper(process, complaints)

    def _write(self, helper: _Helper, line: bytes) -> None:
        assert helper.process.stdin is not None  # noqa: S101 - it was made with one
        # The reading thread notices a dead process.
        with self._writing, contextlib.suppress(OSError, ValueError):
            helper.process.stdin.write(line)
            helper.process.stdin.flush()

    def _read(self, helper: _Helper, loop: asyncio.AbstractEventLoop) -> None:
        """Read replies until the process ends. In a thread."""
        assert helper.process.stdout is not None  # noqa: S101
        with contextlib.suppress(RuntimeError):  # the loop has ended
            for line in iter(partial(helper.process.stdout.readline, _MOST_BYTES), b""):
                loop.call_soon_threadsafe(self._receive, _parse(line))
        code = helper.process.wait()
        with self._writing, contextlib.suppress(OSError):
            helper.process.stdin.close()  # type: ignore[union-attr]
        helper.process.stdout.close()
        with helper.complaints as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_COMPLAINTS))
            lines = file.read().decode(errors="replace").split("\n")
        reason = next((printable(line.strip()) for line in reversed(lines) if line.strip()), f"code {code}")
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._ended, helper, reason)

    # Replies

    def _receive(self, reply: Reply | None) -> None:
        self._reply_count += 1
        if reply is None:
            return
        if reply.id == 0:
            self._doing = reply.doing
            for waiting in self._waiting.values():
                waiting.on_status(reply.doing)
            return
        self._doing = ""
        waiting_for = self._waiting.get(reply.id)
        if waiting_for is None or waiting_for.answer.done():
            return
        if not reply.is_last:
            waiting_for.on_status(reply.doing)
        elif reply.answer is None:
            waiting_for.answer.set_exception(LabError(printable(reply.error)))
        else:
            waiting_for.answer.set_result(reply.answer)

    def _ended(self, helper: _Helper, reason: str) -> None:
        if helper is self._helper:
            self._helper = None
            self._fail(f"the helper process died ({reason}); the next try starts another")

    def _fail(self, reason: str) -> None:
        self._doing = ""
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(LabError(reason))


def _parse(line: bytes) -> Reply | None:
    """Return the reply in a line; an error for a damaged one; None for anything else."""
    try:
        return Reply.model_validate_json(line)
    except ValidationError:
        with contextlib.suppress(ValueError, TypeError, KeyError):  # ValidationError is a ValueError
            number = json.loads(line)["id"]
            return Reply(id=number, error="the helper process sent a damaged answer; press r to try again")
    return None
