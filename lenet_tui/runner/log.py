"""``runner.log``: what runner and workers print. Kept short, with one older part beside it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
import traceback
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.runner.private import open_own, replace
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


def open_log(root: Path) -> int:
    """Return a descriptor that appends to the log, made where it is missing; a long one is put aside before.

    Raises `LabError`.
    """
    rotate(root)
    path = log_path(root)
    try:
        return open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError as error:
        raise LabError(f"cannot open {path}: {error.strerror}") from None


def rotate(root: Path) -> None:
    """Put the content of a log that has grown long aside, in the place of what was put aside before.

    The file itself stays: workers have it open, and would go on writing into a renamed one for ever.
    """
    path = log_path(root)
    with contextlib.suppress(OSError, LabError):
        if path.lstat().st_size <= LOG_BYTES:
            return
        descriptor = open_own(path, os.O_RDWR)
        try:
            size = os.fstat(descriptor).st_size
            with contextlib.suppress(OSError):  # no room for an old part; the log is emptied even so
                kept = os.pread(descriptor, LOG_BYTES, max(0, size - LOG_BYTES))
                os.close(replace(path.with_name(f"{LOG_NAME}.1"), kept))
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)


def size(root: Path) -> int:
    """Return how many bytes the log has."""
    with contextlib.suppress(OSError):
        return log_path(root).lstat().st_size
    return 0


def reason_since(root: Path, offset: int) -> str:
    """Return the line that says why, of what was logged after ``offset`` bytes; empty where nothing was."""
    try:
        descriptor = open_own(log_path(root), os.O_RDONLY)
    except (OSError, LabError):
        return ""
    try:
        end = os.fstat(descriptor).st_size
        start = offset if offset <= end else 0  # it was rotated since
        text = os.pread(descriptor, _TAIL_BYTES, max(start, end - _TAIL_BYTES)).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
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
