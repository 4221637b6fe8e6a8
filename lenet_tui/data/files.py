"""Opening files of data sets, in folders that anything may be in: regular ones only, members of zip files too."""

from __future__ import annotations

import contextlib
import lzma
import os
import stat
import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING

from lenet_tui.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZIP_SUFFIX = ".zip"
_ZIP_BYTES = 200_000_000  # of a zip file that is looked into; all of MNIST packed is 11 MB, Kaggle's zips up to 70
_CONTENTS_BYTES = 1_000_000  # of the list of members at its end: some 10,000 of them
_END, _END_64, _END_ROOM = b"PK\x05\x06", b"PK\x06\x07", 1 << 17
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)  # lzma may ask for any amount of memory
# What reading a damaged packed file may raise.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, KeyError, RuntimeError, NotImplementedError, ValueError),
)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """Give a regular file, or the member of a zip file (``x.zip/member``), open to be read, and its length in bytes.

    Raises `DataError` where there is none, or it cannot be read, also within the block.
    """
    try:
        archive = archive_of(path)
        if archive is None:
            with _regular(path) as file:
                yield file, os.fstat(file.fileno()).st_size
        else:
            name = path.relative_to(archive).as_posix()
            with _regular(archive) as file, zipfile.ZipFile(file) as package, package.open(name) as member:
                yield member, package.getinfo(name).file_size
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    except DAMAGE as error:
        raise DataError(f"cannot read {path}: {error}") from None


def archive_of(path: Path) -> Path | None:
    """Return the zip file that ``path`` is a member of; None for a path of its own."""
    return next((above for above in path.parents if above.suffix.lower() == ZIP_SUFFIX and above.is_file()), None)


def members(archive: Path) -> list[Path]:
    """Return the paths of the files in a zip file, none where it is too large or cannot be read."""
    try:
        with _regular(archive) as file:
            if not _is_small(file):
                return []
            with zipfile.ZipFile(file) as package:
                return [archive / info.filename for info in package.infolist() if _is_plain(archive, info)]
    except (OSError, DataError, *DAMAGE):
        return []


def _is_plain(archive: Path, info: zipfile.ZipInfo) -> bool:
    # A name such as /etc/x or ../x would lead out of the zip file.
    path = archive / info.filename
    within = path.is_relative_to(archive) and path.relative_to(archive).as_posix() == info.filename
    return within and not info.is_dir() and ".." not in path.parts and info.compress_type in _METHODS


def _is_small(file: IO[bytes]) -> bool:
    # Reading a list of millions of members would take minutes; its length is in the record that ends the file.
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_ROOM))
    end = file.read()
    at = end.rfind(_END)
    file.seek(0)
    if size > _ZIP_BYTES or _END_64 in end or not 0 <= at <= len(end) - 22:
        return False
    length: int = struct.unpack_from("<I", end, at + 12)[0]
    return length <= _CONTENTS_BYTES


def _regular(path: Path) -> IO[bytes]:
    # Not blocking, so that a FIFO in a file's place is not waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DataError(f"{path} is not a regular file")
    return os.fdopen(descriptor, "rb")
