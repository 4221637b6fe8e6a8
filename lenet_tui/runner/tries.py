"""Tries to start the runner that did not succeed: how many, when, and why. On disk, for every process that asks.

A process that starts a runner notes the try first; a runner that serves removes the note. So a note means that a runner
is starting, or could not start.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host import safe_files
from lenet_tui.host.process import Owner, is_alive, owner_of, this_host
from lenet_tui.runner import log
from lenet_tui.store.files import PRIVATE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

NAME = "runner.tries"
LONGEST_WAIT = 60.0
# A try without a process id (its starter was killed in that moment) counts as failed after this long.
_UNKNOWN_SECONDS = 60.0
_REASON_LETTERS = 500
_MOST_BYTES = 4096


@dataclass(frozen=True)
class Tries:
    """The tries in a row; ``reason`` is why the last one that ended did not succeed, empty while unknown."""

    count: int
    at: float  # of the last try or its failure, seconds since 1970
    reason: str = ""
    log_offset: int = 0  # where the log of the last try begins
    owner: Owner | None = None  # of the last try

    @property
    def seconds_left(self) -> float:
        """How long to wait before the next try: 1 s, 2 s, 4 s … 60 s after the last; 0 once it is due."""
        passed = time.time() - self.at
        pause = min(LONGEST_WAIT, 2.0 ** min(self.count - 1, 10))
        return max(0.0, pause - passed) if passed >= 0 else 0.0  # a clock that was set back delays nothing

    @property
    def under_way(self) -> bool:
        """Whether the last try's process may still be about to serve."""
        alive = is_alive(self.owner) if self.owner else None if not self.reason else False
        return alive if alive is not None else 0 <= time.time() - self.at < _UNKNOWN_SECONDS


def read(root: Path) -> Tries | None:
    """Return the tries so far; None where there are none, or what lies there cannot be read."""
    content = read_small(_path(root))
    if content is None:
        return None
    head, _, tail = content.decode(errors="replace").partition("\n")
    try:
        fields = json.loads(head)
        count, at, offset = int(fields["count"]), float(fields["at"]), int(fields["log_offset"])
        if not 1 <= count < 10**9 or not 0 <= offset < 2**62 or not 0 <= at < 10**12:
            return None
        return Tries(count, at, printable(str(fields["reason"]))[:_REASON_LETTERS], offset, parse_owner(tail))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def begin(root: Path) -> IO[bytes]:
    """Note that a runner is about to be started; return what `note_process` wants. Raises `LabError`."""
    before = read(root)
    count = before.count + 1 if before else 1
    _write(root, Tries(count, time.time(), why(root, before) if before else "", log.size(root)))
    return safe_files.open_own(_path(root), "ab", private=True)


def note_process(note: IO[bytes], pid: int) -> None:
    """Note which process was started, unless the runner has replaced or removed the note meanwhile."""
    # Into the very file that `begin` made: where it has lost its name, no process reads this.
    owner = owner_of(pid) or Owner(pid, this_host(), "ended")  # at once
    with contextlib.suppress(OSError), note:
        note.write(owner_lines(owner))


def fail(root: Path, reason: str, count: int | None = None) -> None:
    """Note why the last try did not succeed, where the folder can be written."""
    last = read(root)
    number = max(last.count if last else 0, count or 1)
    tries = Tries(number, time.time(), printable(reason)[:_REASON_LETTERS], last.log_offset if last else 0)
    with contextlib.suppress(LabError):
        _write(root, tries)


def clear(root: Path) -> None:
    """Forget the tries: a runner serves, or a person ended it."""
    with contextlib.suppress(OSError):
        _path(root).unlink()


def why(root: Path, tries: Tries) -> str:
    """Return why the runner could not start, from its log where it could not note that itself."""
    if tries.reason or tries.under_way:
        return tries.reason
    return log.reason_since(root, tries.log_offset)[:_REASON_LETTERS] or "it ended without saying why"


def owner_lines(owner: Owner) -> bytes:
    """Return an identity as it is written to a file: process id, host and start, a line each."""
    return f"{owner.pid}\n{owner.host}\n{owner.start}\n".encode(errors="surrogateescape")


def parse_owner(text: str) -> Owner | None:
    """Return the identity that `owner_lines` wrote; None for anything else."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not all(lines[:3]) or not lines[0].isascii() or not lines[0].isdigit():
        return None
    pid = int(lines[0]) if len(lines[0]) <= 10 else 0
    return Owner(pid, lines[1], lines[2]) if pid > 0 else None


def read_small(path: Path) -> bytes | None:
    """Return the content of a small file; None where there is none, or something else than a small file of our own."""
    try:
        with safe_files.open_own(path, private=True) as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, LabError):
        return None
    return content if len(content) <= _MOST_BYTES else None


def _write(root: Path, tries: Tries) -> None:
    fields = {"count": tries.count, "at": tries.at, "reason": tries.reason, "log_offset": tries.log_offset}
    safe_files.write_own(_path(root), json.dumps(fields).encode() + b"\n", durable=False, private=True)


def _path(root: Path) -> Path:
    return root / PRIVATE_FOLDER / NAME
