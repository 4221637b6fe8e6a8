"""``runner.log``: what runner and workers print. Kept short, with one older part beside it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
import traceback
from typing import IO, TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host import safe_files
from lenet_tui.store.files import PRIVATE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

LOG_NAME = "runner.log"
LOG_BYTES = 1_000_000
_TAIL_BYTES = 16_384
_SAYS_WHY = re.compile(r"(\w+\.)*\w*(Error|Exception|Interrupt|Exit)\b|Fatal Python error")


def log_path(root: Path) -> Path:
    """Return the runner's log. Nothing is made."""
    return root / PRIVATE_FOLDER / LOG_NAME


def open_log(root: Path) -> IO[bytes]:
    """Open the log for appending, made where it is missing; a long one is put aside before. Raises `LabError`."""
    rotate(root)
    return safe_files.open_own(log_path(root), "ab", private=True)


def rotate(root: Path) -> None:
    """Put the content of a log that has grown long aside, in the place of what was put aside before.

    The file itself stays: workers have it open, and would go on writing into a renamed one for ever.
    """
    path = log_path(root)
    with contextlib.suppress(OSError, LabError):
        if path.lstat().st_size <= LOG_BYTES:
            return
        with safe_files.open_own(path, "r+b", private=True) as file:
            with contextlib.suppress(OSError, LabError):  # no room for an old part; the log is emptied even so
                file.seek(-LOG_BYTES, os.SEEK_END)
                old = file.read(LOG_BYTES)
                safe_files.write_own(path.with_name(f"{LOG_NAME}.1"), old, durable=False, private=True)
            file.truncate(0)


def size(root: Path) -> int:
    """Return how many bytes the log has."""
    with contextlib.suppress(OSError):
        return log_path(root).lstat().st_size
    return 0


def reason_since(root: Path, offset: int) -> str:
    """Return the line that says why, of what was logged after ``offset`` bytes; empty where nothing was."""
    try:
        with safe_files.open_own(log_path(root), private=True) as file:
            end = file.seek(0, os.SEEK_END)
            start = offset if offset <= end else 0  # it was rotated since
            file.seek(max(start, end - _TAIL_BYTES))
            text = file.read(_TAIL_BYTES).decode(errors="replace")
    except (OSError, LabError):
        return ""
    lines = [printable(line).strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if _SAYS_WHY.match(line)]
    return (named or lines or [""])[-1]


def write(line: str) -> None:
    """Print a dated line to the log, which is the runner's standard error."""
    with contextlib.suppress(OSError):  # a full disk
        print(time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime()), printable(line), file=sys.stderr, flush=True)  # noqa: T201 - the log


def reason_of(error: BaseException) -> str:
    """Return an exception as the one line that ends its traceback."""
    return printable("".join(traceback.format_exception_only(error)).strip() or type(error).__name__)


def print_traceback(error: BaseException) -> None:
    """Print an exception to the log, without what a terminal would obey."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    print("\n".join(printable(line) for line in lines), file=sys.stderr, flush=True)  # noqa: T201 - the log
