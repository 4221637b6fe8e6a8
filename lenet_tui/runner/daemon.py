"""Finding the runner of a root, starting it detached from the terminal, and stopping it. Needs no torch."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.store.files import private_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_NAME = "runner.lock"
LOG_NAME = "runner.log"
LOG_BYTES = 1_000_000


def is_running(root: Path) -> bool:
    """Say whether a runner serves ``root``: whether somebody holds its lock, which dies with its holder."""
    with (private_folder(root) / LOCK_NAME).open("a") as file:
        # Shared, so that two who ask don't take each other for a runner.
        return not _lock(file, fcntl.LOCK_SH)


def runner_pid(root: Path) -> int | None:
    """Return the runner's process id as its lock file tells it; None when no runner serves ``root``."""
    if not is_running(root):
        return None
    try:
        return int((private_folder(root) / LOCK_NAME).read_text().split()[0])
    except (ValueError, IndexError):  # it has the lock, and is about to write its number
        return None


def ensure(root: Path) -> bool:
    """Start a runner for ``root`` where none serves it; return whether one was started. Does not wait for it.

    Two who start one at the same time both succeed: the second runner finds the lock taken and ends.
    """
    if is_running(root):
        return False
    log = _open_log(root)
    try:
        subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "lenet_tui.runner", str(root.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # so that it outlives the terminal
            cwd="/",
        )
    except OSError as error:
        raise LabError(f"cannot start the runner: {error.strerror}") from None
    finally:
        os.close(log)
    return True


def last_failure(root: Path) -> str | None:  # noqa: ARG001 - to come
    """Return the line that says why the runner of ``root`` could not start; None where it could."""
    return None


def wait_until_there(root: Path, seconds: float = 5) -> None:
    """Wait until a runner serves ``root``. Raises `LabError` when none does after ``seconds``."""
    deadline = time.monotonic() + seconds
    while runner_pid(root) is None:
        if time.monotonic() > deadline:
            raise LabError(f"the runner does not start; {log_path(root)} may say why")
        time.sleep(0.05)


def stop(root: Path, seconds: float = 30) -> bool:
    """End the runner of ``root`` and wait until it is gone; return whether there was one.

    Raises `LabError` when it is still there after ``seconds``.
    """
    pid = runner_pid(root)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while is_running(root):
        if time.monotonic() > deadline:
            raise LabError(
                f"the runner (process {pid}) does not end; kill -9 {pid} ends it, and no run is lost by that"
            )
        time.sleep(0.05)
    return True


@contextlib.contextmanager
def only_runner(root: Path) -> Iterator[bool]:
    """Hold the runner's lock of ``root``; give False when another process has it."""
    path = private_folder(root) / LOCK_NAME
    with path.open("a+") as file:
        deadline = time.monotonic() + 1.0
        while not (held := _lock(file, fcntl.LOCK_EX)) and time.monotonic() < deadline:
            time.sleep(0.05)  # it may only be somebody who asked whether there is a runner
        if held:
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
        yield held


def _lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise LabError(
            f"{file.name} cannot be locked ({error.strerror}), so that two runners could do the same work; "
            "put the root on a file system with locks"
        ) from None
    return True


def log_path(root: Path) -> Path:
    """Return the runner's log."""
    return private_folder(root) / LOG_NAME


def rotate_log(root: Path) -> None:
    """Put a log that has grown long aside, and this process's standard streams on a new one."""
    path = log_path(root)
    with contextlib.suppress(OSError):
        if path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
            log = _open_log(root)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)


def _open_log(root: Path) -> int:
    return os.open(log_path(root), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
