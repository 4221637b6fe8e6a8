"""The runner's small files in the private folder: opened without trusting what lies there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError

if TYPE_CHECKING:
    from pathlib import Path

_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
# What open(2) says of a link (Linux, BSD), a folder, a FIFO without a reader and a socket.
_NOT_A_FILE = (errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO, errno.EOPNOTSUPP)


def open_own(path: Path, flags: int) -> int:
    """Return a descriptor of a regular file that belongs to this user and has no other name. Never waits.

    Raises `FileNotFoundError` where it is missing, else `LabError`.
    """
    try:
        descriptor = os.open(path, flags | _SAFELY, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _NOT_A_FILE:
            raise LabError(f"{path} is not a regular file; delete it") from None
        raise LabError(f"cannot open {path}: {error.strerror}") from None
    status = os.fstat(descriptor)
    problem = None
    if not stat.S_ISREG(status.st_mode):
        problem = "is not a regular file"
    elif status.st_uid != os.geteuid():
        problem = "belongs to another user"
    elif status.st_nlink > 1:  # by which a file elsewhere would be written
        problem = "is a hard link to another file"
    if problem:
        os.close(descriptor)
        raise LabError(f"{path} {problem}; delete it")
    return descriptor


def read_own(path: Path, limit: int = 4096) -> bytes | None:
    """Return the content of a small file; None where there is none, or something else than a small file of our own."""
    try:
        descriptor = open_own(path, os.O_RDONLY)
    except (OSError, LabError):
        return None
    try:
        content = os.read(descriptor, limit + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return content if len(content) <= limit else None


def replace(path: Path, content: bytes) -> int:
    """Put a new file in place of whatever has its name, a link or FIFO too; return a descriptor to append to it.

    Raises `OSError`.
    """
    temporary = path.with_name(f"{path.name}.new-{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | _SAFELY, 0o600)
    try:
        os.write(descriptor, content)
        temporary.replace(path)
    except BaseException:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return descriptor
