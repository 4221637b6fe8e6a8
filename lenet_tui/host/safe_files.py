"""Opening and writing the product's own files without trust in what lies there: no links followed, no blocking.

Such a file is a regular file of this user, in a folder of this user; the folder above is this user's or the
system's. Anything else under its name (a link, a FIFO, a device, a folder, a file of another user, a second name of
another file) is refused in one line. Folders may be links if this user made them: a scratch disk for ``lenet/``, say.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Literal

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MB = 1_000_000

_FLAGS = {
    "rb": os.O_RDONLY,
    "ab": os.O_WRONLY | os.O_APPEND | os.O_CREAT,
    "r+b": os.O_RDWR | os.O_CREAT,
}
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFDIR: "a folder",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_own(
    path: Path, mode: Literal["rb", "ab", "r+b"] = "rb", *, any_owner: bool = False, private: bool = False
) -> IO[bytes]:
    """Open one of the product's files; "ab" and "r+b" make it where it is missing.

    ``any_owner`` lets it belong to another user, for reading what a person named; what is ``private`` is made for this
    user alone and may have no second name even for reading. Raises FileNotFoundError where it is not there, and
    `LabError` when it is no regular file of this user or cannot be opened.
    """
    with _opened_folder(path.parent, any_owner=any_owner) as folder, _explained(f"cannot open {path}"):
        try:
            # Without O_NONBLOCK a named pipe would wait for its other end.
            flags = _FLAGS[mode] | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(path.name, flags, 0o600 if private else 0o666, dir_fd=folder)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR, errno.EMLINK, errno.EOPNOTSUPP):
                raise _refused(path, os.stat(path.name, dir_fd=folder, follow_symlinks=False)) from None
            raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _refused(path, status)
        if not any_owner:
            _check_owner(path, status)
        if (mode != "rb" or private) and status.st_nlink > 1:
            raise LabError(f"{path} has a second name (a hard link); delete it, or give it a copy of its own")
        os.set_blocking(descriptor, True)
        return os.fdopen(descriptor, mode)
    except BaseException:
        os.close(descriptor)
        raise


def read_own(path: Path, most: int, *, any_owner: bool = False) -> bytes:
    """Return the content of one of the product's files. Raises as `open_own`, and `LabError` beyond ``most`` bytes."""
    with open_own(path, any_owner=any_owner) as file, _explained(f"cannot read {path}"):
        content = file.read(most + 1)
    if len(content) > most:
        raise LabError(f"{path} is larger than {size(most)}, so lenet-tui did not write it")
    return content


def tail_own(path: Path, most: int) -> bytes:
    """Return the last ``most`` bytes of one of the product's files, however long it is. Raises as `open_own`."""
    with open_own(path) as file, _explained(f"cannot read {path}"):
        file.seek(max(0, os.fstat(file.fileno()).st_size - most))
        return file.read(most)


def check_zip(path: Path, content: bytes, most: int) -> None:
    """Raise `LabError` when a zip archive or a checksum in it is wrong, or it unpacks to more than ``most`` bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > most:
                raise LabError(f"{path} unpacks to more than {size(most)}, so lenet-tui did not write it")
            bad = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        raise LabError(f"{path} is damaged: {printable(str(error))[:120] or 'it ends too early'}") from None
    if bad is not None:
        raise LabError(f"{path} is damaged: {printable(bad)[:120]} does not have its checksum")


def is_own_file(path: Path) -> bool:
    """Say whether `open_own` would read ``path``; anything else of its name counts as no file."""
    try:
        open_own(path).close()
    except (OSError, LabError):
        return False
    return True


def write_own(path: Path, content: bytes, *, durable: bool = True, private: bool = False) -> None:
    """Replace one of the product's files by ``content``, wholly or not at all; never write into what had its name.

    Unless ``durable``, a power cut in the next moments may leave an empty file. Only this user can read what is
    ``private``. Raises `LabError` when the disk is full or the folder cannot be written or is another user's; the old
    file is then still there.
    """
    scratch = f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    try:
        _write(path, scratch, content, durable=durable, private=private)
    except FileNotFoundError:
        raise LabError(f"cannot write {path}: its folder is not there any more") from None


def _write(path: Path, scratch: str, content: bytes, *, durable: bool, private: bool) -> None:
    with _opened_folder(path.parent) as folder, _explained(f"cannot write {path}"):
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(scratch, flags, 0o600 if private else 0o666, dir_fd=folder), "wb") as file:
                if private:
                    os.fchmod(file.fileno(), 0o600)
                file.write(content)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            os.replace(scratch, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            if durable:
                with contextlib.suppress(OSError):  # the rename too; some network file systems refuse
                    os.fsync(folder)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(scratch, dir_fd=folder)


def check_folder(folder: Path) -> None:
    """Raise `LabError` unless ``folder`` and the folder that it is in are this user's; FileNotFoundError without it."""
    with _opened_folder(folder):
        pass


def size(count: int) -> str:
    """Return a number of bytes for people: ``64 kB``, ``5 MB``."""
    return f"{count / MB:.0f} MB" if count >= MB else f"{count / 1000:.0f} kB"


@contextlib.contextmanager
def _opened_folder(folder: Path, *, any_owner: bool = False) -> Iterator[int]:
    with _explained(f"cannot open {folder}"):
        if not any_owner:
            _check_owner(folder.parent, folder.parent.stat(), or_system=True)
            _check_owner(folder, folder.lstat())
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not any_owner:
            _check_owner(folder, os.fstat(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


def _check_owner(path: Path, status: os.stat_result, *, or_system: bool = False) -> None:
    if status.st_uid != os.geteuid() and not (or_system and status.st_uid == 0):
        raise LabError(f"{path} belongs to another user; delete it, or import the run folder into a root of your own")


def _refused(path: Path, status: os.stat_result) -> LabError:
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file")
    return LabError(f"{path} is {kind}, where a regular file belongs; move it away or delete it")


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LabError(f"{what}: {explain(error)}") from None


def explain(error: OSError) -> str:
    """Return why the system refused, for people; a full disk is called that, with what helps."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; free some space and try again"
    return printable(error.strerror or str(error))
