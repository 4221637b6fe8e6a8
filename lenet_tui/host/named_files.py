"""Files that a person names to be written: ``out.csv``, a link to it, ``/dev/null``, a pipe, ``-`` for the output.

The product's own files are replaced whole and never followed anywhere (`lenet_tui.run.folder`); a name that a person
gives means what it means to every other program.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError, UsageError
from lenet_tui.host.safe_files import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINKS = 40  # as many as Linux follows
_NAMED = {"-": 1, "/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,9})")
_IN_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV)


def descriptor(name: str | Path) -> int | None:
    """Return the open descriptor that a name stands for, also by links: 1 for ``-`` and ``/dev/stdout``; else None."""
    path = os.fspath(name)
    for _ in range(_LINKS):
        if path in _NAMED:
            return _NAMED[path]
        if match := _DESCRIPTOR.fullmatch(path):
            return int(match[1])
        try:
            path = os.path.normpath(Path(path).parent.resolve() / Path(path).readlink())
        except OSError:
            return None
    return None


def check(name: str | Path) -> None:
    """Raise `UsageError` where ``name`` cannot be a file to write, before any work is done for it."""
    if not os.fspath(name):
        raise UsageError("a file name is empty; give the name of the file to write")
    if descriptor(name) is not None:
        return
    path = Path(os.path.realpath(name))
    try:
        if path.is_dir():
            raise UsageError(f"{name} is a folder; give the name of a file in it")
        if path.is_socket():
            raise UsageError(f"{name} is a socket; give the name of a file")
        if not path.parent.is_dir():
            raise UsageError(f"{name} cannot be written: there is no folder {path.parent}")
    except OSError as error:
        raise UsageError(f"{name} cannot be written: {explain(error)}") from None


def write(name: str | Path, content: bytes) -> None:
    """Write ``content`` where ``name`` leads.

    A regular file is replaced wholly or not at all, beside its target where it is a link, and keeps its mode. A device
    or pipe is opened and written into. Raises `UsageError` as `check` does, and `LabError` where it cannot be written.
    """
    check(name)
    try:
        number = descriptor(name)
        if number is not None:
            with os.fdopen(os.dup(number), "wb") as file:
                file.write(content)
            return
        path = Path(os.path.realpath(name))
        status = _status(path)
        if status is not None and not stat.S_ISREG(status.st_mode):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_NOCTTY), "wb") as file:
                file.write(content)
        else:
            _replace(path, content, status)
    except OSError as error:
        raise LabError(f"cannot write {name}: {explain(error)}") from None


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _replace(path: Path, content: bytes, status: os.stat_result | None) -> None:
    if status is not None and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    try:
        with _scratch(path) as (scratch, number):
            with os.fdopen(number, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(number)
                if status is not None:
                    with contextlib.suppress(OSError):  # only root can give files away
                        os.fchown(number, status.st_uid, status.st_gid)
                    os.fchmod(number, stat.S_IMODE(status.st_mode))
            scratch.replace(path)
    except OSError as error:
        if status is None or error.errno not in _IN_PLACE:
            raise
        path.write_bytes(
            content
        )  # a file that may be written in a folder that may not, or that something is mounted on


@contextlib.contextmanager
def _scratch(path: Path) -> Iterator[tuple[Path, int]]:
    scratch = path.with_name(f".{secrets.token_hex(8)}.tmp")
    number = os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        yield scratch, number
    finally:
        with contextlib.suppress(FileNotFoundError):
            scratch.unlink()
