"""The private folder, the files of the store in it, and what kind of file system they are on."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError, UsageError
from lenet_tui.host.safe_files import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

PRIVATE_FOLDER = ".lenet-tui"
STORE = "store.db"
# Room that is given back when the disk is full, so that runs can still be deleted.
RESERVE = "reserve"
_RESERVE_BYTES = 512_000
SUFFIXES = ("", "-wal", "-shm", "-journal")

# Write-ahead logging needs memory that all processes share, which no file system of several machines has.
_NETWORK = re.compile(
    r"nfs\d*|cifs|smb\d*|smbfs|ncpfs|afs|auristorfs|9p|virtiofs|vboxsf|prl_fs|lustre|gpfs|beegfs|ceph|glusterfs|"
    r"pvfs2|orangefs|gfs2|ocfs2|panfs|wekafs|davfs|coda|fuse\..*"
)


def private_folder(root: Path) -> Path:
    """Make ``<root>/.lenet-tui`` where it is missing, open to its owner alone, and return it.

    Raises `UsageError` when it cannot be made or belongs to another user.
    """
    folder = root / PRIVATE_FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise UsageError(f"{folder} is a link, which nothing is written through; it must be a folder")
        if status.st_uid != os.geteuid():
            raise UsageError(f"{folder} belongs to another user; give a --root of your own")
        if status.st_mode & 0o777 != 0o700:
            folder.chmod(0o700)
    except FileExistsError:
        raise UsageError(f"{folder} is in the way: it must be a folder") from None
    except NotADirectoryError:
        raise UsageError(f"--root {root} is not a folder") from None
    except OSError as error:
        raise UsageError(f"cannot make {folder}: {explain(error)}") from None
    return folder


def keep_reserve(folder: Path) -> None:
    """Make the reserve where it is missing and there is room for it."""
    path = folder / RESERVE
    try:
        if path.stat().st_size == _RESERVE_BYTES:
            return
        path.unlink()
    except FileNotFoundError:
        pass
    except OSError:
        return
    with contextlib.suppress(OSError):
        make_private_file(path)
        try:
            path.write_bytes(bytes(_RESERVE_BYTES))
        except OSError:
            path.unlink()


def give_reserve(folder: Path) -> bool:
    """Give the reserve back to a full disk; say whether there was one."""
    try:
        (folder / RESERVE).unlink()
    except OSError:
        return False
    return True


def make_private_file(path: Path) -> None:
    """Make an empty file that only its owner can read or write, also with a lax umask. It must not be there yet."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def tighten(store: Path) -> None:
    """Let only the owner read the store's files."""
    for suffix in SUFFIXES:
        path = Path(f"{store}{suffix}")
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_mode & 0o777 != 0o600:
                path.chmod(0o600)


def is_trustworthy(store: Path) -> bool:
    """Say whether each of the store's files is a regular file of this user and of one name, or is missing."""
    for suffix in SUFFIXES:
        with contextlib.suppress(FileNotFoundError):
            status = Path(f"{store}{suffix}").lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_nlink > 1:
                return False
    return True


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of its name; None when there is none, or an empty one."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LabError(f"cannot look at {path}: {explain(error)}") from None
    return (status.st_dev, status.st_ino) if status.st_size else None


def set_aside(store: Path) -> Path | None:
    """Rename the store's files out of the way and return the new name; None when there were none."""
    moment = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    number = 1
    while (aside := store.with_name(f"{store.name}.damaged-{moment}" + (f".{number}" if number > 1 else ""))).exists():
        number += 1
    moved = False
    # The database goes last: a process that sees it without its log reads an old state, not two logs of one database.
    for suffix in reversed(SUFFIXES):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{store}{suffix}").rename(f"{aside}{suffix}")
            moved = True
    return aside if moved else None


@contextlib.contextmanager
def builders_lock(store: Path) -> Iterator[None]:
    """Hold the right to build or replace the store; wait while another process does. No lock, where there are none."""
    path = store.with_name("store.lock")
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise LabError(f"{path} is not a regular file; delete it") from None
        raise LabError(f"cannot write in {path.parent}: {explain(error)}") from None
    try:
        try:
            os.fchmod(descriptor, 0o600)
        except PermissionError:
            raise LabError(f"{path} belongs to another user; delete it") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
        yield
    finally:
        os.close(descriptor)


def on_network(folder: Path, mounts: str | None = None) -> bool:
    """Say whether a folder is on a network file system, going by ``mounts`` (the text of ``/proc/self/mountinfo``).

    Where the system does not tell (macOS), it is taken for a local one.
    """
    if mounts is None:
        if sys.platform != "linux":
            return False
        try:
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return False
    wanted = folder.resolve()
    kind, longest = "", -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4]))
        # Of mounts over the same point the last one counts.
        if wanted.is_relative_to(point) and len(point.parts) >= longest:
            kind, longest = after.split(" ")[0], len(point.parts)
    return _NETWORK.fullmatch(kind) is not None
