"""Whether a file is the one that it should be."""

from __future__ import annotations

import gzip
import hashlib
import io
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from lenet_tui.config import CLASSES
from lenet_tui.data import files, idx
from lenet_tui.data.catalog import MNIST_MD5, PUBLISHED_GZ_MD5, IdxFile, title
from lenet_tui.errors import DamagedFileError

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.config import DatasetName

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Content:
    """What a file holds once unpacked.

    ``data`` is cut at the length that was expected, ``length`` and ``md5`` a little later. ``packed_md5`` is that of
    the .gz file itself, None for a file that was not packed. ``complaint`` says why reading ended early, "" if it did
    not.
    """

    data: bytearray
    md5: str
    length: int
    packed_md5: str | None = None
    complaint: str = ""


def read(path: Path, capacity: int) -> Content:
    """Read a file, gzipped or not, and its checksums, in memory and time for ``capacity`` bytes however long it is.

    Raises `DataError` when the file cannot be read at all.
    """
    with files.reading(path) as (file, size):
        if file.read(2) != b"\x1f\x8b":
            file.seek(0)
            content = _unpacked(file, capacity)
            return replace(content, length=max(content.length, size)) if content.complaint else content
        if size > capacity + _CHUNK:
            raise DamagedFileError(f"{path} has {size:,} bytes packed, and should have at most {capacity:,} unpacked")
        file.seek(0)
        packed = file.read(capacity + _CHUNK)
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as unpacking:
        return _unpacked(unpacking, capacity, hashlib.md5(packed, usedforsecurity=False).hexdigest())


def _unpacked(file: IO[bytes] | gzip.GzipFile, capacity: int, packed_md5: str | None = None) -> Content:
    # The published checksums are md5; without "for security" it works on FIPS machines.
    data, digest, complaint = bytearray(), hashlib.md5(usedforsecurity=False), ""
    while not complaint:
        try:
            chunk = file.read(_CHUNK)
        except (gzip.BadGzipFile, *files.DAMAGE) as error:
            complaint = f"{'gzip' if packed_md5 else 'zip'}: {error}"
            break
        if not chunk:
            break
        digest.update(chunk)
        data += chunk
        if len(data) > capacity + _CHUNK:
            complaint = "more was not read"
    length = len(data)
    del data[capacity:]
    return Content(data, digest.hexdigest(), length, packed_md5, complaint)


def check(name: DatasetName, file: IdxFile, path: Path | str, content: Content, expected_md5: str | None) -> None:
    """Raise `DamagedFileError`, naming ``path``, unless ``content`` is the data set's ``file``.

    With ``expected_md5`` that decides. Without, what the format and the data set promise is checked: magic
    number, shape, exact length, labels from 0 to 9 in equal numbers, and that it is no other file we know.
    """
    if expected_md5 is not None and content.md5 != expected_md5:
        raise DamagedFileError(_mismatch(name, file, path, content, expected_md5))
    if expected_md5 is None:
        _check_structure(name, file, path, content)


def _check_structure(name: DatasetName, file: IdxFile, path: Path | str, content: Content) -> None:
    wanted = f"{path} is not {title(name)}'s {file.name}"
    published = recognise(content)
    if published is not None and published != (name, file.name):
        raise DamagedFileError(f"{wanted}: its md5 {content.packed_md5 or content.md5} is that of {_named(published)}")
    if content.length != file.length or content.complaint:
        reason = f" ({content.complaint})" if content.complaint else ""
        raise DamagedFileError(
            f"{wanted}: length expected {file.length} bytes, found {content.length}; md5 found {content.md5}{reason}"
        )
    import numpy as np  # the app asks where data is, and does without

    values = idx.parse(content.data, str(path))
    if values.shape != file.shape:
        raise DamagedFileError(
            f"{wanted}: expected {idx.shape_text(file.shape)} values, found {idx.shape_text(values.shape)}"
        )
    if not file.is_labels:
        return
    counts = np.bincount(values, minlength=CLASSES)
    each = file.shape[0] // CLASSES
    if len(counts) > CLASSES:
        raise DamagedFileError(f"{wanted}: labels go from 0 to {CLASSES - 1}, found {len(counts) - 1}")
    if (counts != each).any():
        wrong = int(np.flatnonzero(counts != each)[0])
        raise DamagedFileError(f"{wanted}: expected {each} images of class {wrong}, found {counts[wrong]}")


def recognise(content: Content) -> tuple[DatasetName, str] | None:
    """Return data set and file name of the published file that this is; None when its checksum is unknown."""
    for file_name, md5 in MNIST_MD5.items():
        if content.md5 == md5:
            return "mnist", file_name
    for name in _IDX_NAMES:
        for file_name, md5 in PUBLISHED_GZ_MD5[name].items():
            if content.packed_md5 == md5:
                return name, file_name
    return None


_IDX_NAMES: tuple[DatasetName, ...] = ("mnist", "fashion-mnist", "kmnist")


def _mismatch(name: DatasetName, file: IdxFile, path: Path | str, content: Content, expected_md5: str) -> str:
    parts = [
        f"{path} is not {title(name)}'s {file.name}: md5 of the content expected {expected_md5}, found {content.md5}"
    ]
    if content.length != file.length:
        parts.append(f"length expected {file.length} bytes, found {content.length}")
    published = recognise(content)
    if published is not None:
        parts.append(f"it is {_named(published)}")
    if content.complaint:
        parts.append(content.complaint)
    return "; ".join(parts)


def _named(published: tuple[DatasetName, str]) -> str:
    return f"{title(published[0])}'s {published[1]}"
