"""The folder that fetched data sets are kept in, and putting whole files there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.data import files
from lenet_tui.data.catalog import IDX_FILES, MNIST_MD5, TORCHVISION_CLASS
from lenet_tui.errors import DamagedFileError, DataError
from lenet_tui.host import folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lenet_tui.config import DatasetName

CACHE_VARIABLE = folders.CACHE_VARIABLE
CHECKSUMS_FILE = "unpacked-md5.json"
_CHECKSUM_BYTES = 10_000  # at most, of that file; it has a few hundred
_SCRATCH_PREFIX = ".fetch-"
_STALE_SECONDS = 24 * 3600.0


def cache_folder() -> Path:
    """Return the folder of all cached data sets, in torchvision's layout; it need not exist yet.

    Raises `UsageError` as `folders.cache` does.
    """
    return folders.cache() / "datasets"


def raw_folder(name: DatasetName) -> Path:
    """Return the folder in the cache where the four files of a data set belong."""
    return cache_folder() / TORCHVISION_CLASS[name] / "raw"


def expected_md5(name: DatasetName, folder: Path) -> Mapping[str, str]:
    """Return the md5 that each unpacked file in the cache must have.

    MNIST's are in the catalog; the others' were recorded when their published .gz files were unpacked. Raises
    `DamagedFileError` when that record is missing or damaged.
    """
    if name == "mnist":
        return MNIST_MD5
    record = folder / CHECKSUMS_FILE
    try:
        with files.reading(record) as (file, _):
            checksums = json.loads(file.read(_CHECKSUM_BYTES))
        return {idx_file.name: str(checksums[idx_file.name]) for idx_file in IDX_FILES}
    except (DataError, RecursionError, ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(f"{record}, the checksums of the files beside it, cannot be read: {error}") from None


def write_checksums(folder: Path, md5: Mapping[str, str]) -> None:
    """Write down the md5 of each unpacked file for `expected_md5`."""
    (folder / CHECKSUMS_FILE).write_text(json.dumps(md5, indent=2, sort_keys=True) + "\n", encoding="utf-8")


@contextlib.contextmanager
def writing(raw: Path) -> Iterator[None]:
    """Turn an OSError within the block into a `DataError` that says what can be done about it."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"cannot write in the cache {raw}: {error.strerror or error}; {CACHE_VARIABLE} names another"
        ) from None


@contextlib.contextmanager
def scratch(raw: Path) -> Iterator[Path]:
    """Give a new private folder on the file system of ``raw``, removed at the end. Raises OSError."""
    raw.mkdir(parents=True, exist_ok=True)
    for left in raw.glob(f"{_SCRATCH_PREFIX}*"):  # of processes that were killed
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left)
    folder = Path(tempfile.mkdtemp(prefix=_SCRATCH_PREFIX, dir=raw))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def install(folder: Path, raw: Path) -> None:
    """Move the finished files of a scratch folder to ``raw``, each wholly or not at all. Raises OSError.

    Another process that installs the same data set at the same time moves the same content: the last one wins.
    """
    names = [CHECKSUMS_FILE] if (folder / CHECKSUMS_FILE).exists() else []
    names += [file.name for file in IDX_FILES]
    for name in names:
        with (folder / name).open("rb") as file:
            os.fsync(file.fileno())
    for name in names:
        (folder / name).replace(raw / name)
