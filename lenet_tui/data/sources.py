"""Getting a data set, in the order in which it is looked for, and whether its files are the right ones.

A folder of the user's comes first, then the cache, then the network. No torch in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, TypeVar

from lenet_tui.data import cache, checks, digits, names
from lenet_tui.data.catalog import IDX_FILES, MNIST_MD5, PUBLISHED_GZ_MD5, IdxFile, title
from lenet_tui.data.fetching import fetch
from lenet_tui.data.locating import Located, in_cache, locate, user_folder
from lenet_tui.data.progress import QUIET
from lenet_tui.errors import DamagedFileError, DataError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from lenet_tui.config import DatasetName
    from lenet_tui.data.progress import Progress

_T = TypeVar("_T")


@dataclass(frozen=True)
class VerifiedFile:
    """A file that is what it should be: its unpacked length in bytes and md5, and what says so."""

    path: Path
    length: int
    md5: str
    checked: Literal["known md5", "md5 recorded at download", "published md5 of the .gz", "structure only"]


@dataclass(frozen=True)
class Verified:
    """A data set that is what it should be.

    ``source`` says in words where it is and, where that is so, that only its structure could be checked;
    ``checksum`` is the sha256 of the four unpacked files one after the other, or of the arrays of digits.
    """

    located: Located
    source: str
    checksum: str
    files: tuple[VerifiedFile, ...] = ()


def obtain(name: DatasetName, data_dir: Path | None = None, progress: Progress = QUIET) -> Verified:
    """Find the data set, or fetch it into the cache, and verify it.

    Raises as `locate` does; `DamagedFileError` when a file of the user's is not what it should be; `DataError`
    when the data set can't be had. A damaged file in the cache is reported to ``progress`` and fetched again.
    """
    return obtain_and(name, data_dir, progress, verified)


def verify(name: DatasetName, data_dir: Path | None = None) -> Verified:
    """Verify what is there, fetching nothing.

    Raises `DamagedFileError` for the first file that is not what it should be, `DataError` when there is nothing.
    """
    located = locate(name, data_dir)
    if located is not None and data_dir is not None and located.origin == "cache":
        raise DataError(f"{_none_in(name, data_dir)}; leave out --data-dir to verify the cache")
    if located is None:
        raise DataError(f"{title(name)} is not here: {_looked(name, data_dir)}; {_ways_on(name)}")
    return verified(located)


def adopt(name: DatasetName, folder: Path) -> Verified:
    """Verify the files in a folder of the user's and copy them into the cache, where every run finds them.

    Raises as `verify` does, and `DataError` when the cache cannot be written.
    """
    located = locate(name, folder)
    if located is None or located.origin != "folder":
        raise DataError(_none_in(name, folder))
    raw, md5 = cache.raw_folder(name), {}
    with cache.writing(raw), cache.scratch(raw) as scratch:
        for file, content, result in read_files(located):
            (scratch / file.name).write_bytes(content)
            md5[file.name] = result.md5
        if name != "mnist":  # its checksums are in the catalog
            cache.write_checksums(scratch, md5)
        cache.install(scratch, raw)
    copied = in_cache(name)
    if copied is None:
        raise DataError(f"{raw} was emptied while {title(name)} was copied into it; try again")
    return verified(copied)


def obtain_and(name: DatasetName, data_dir: Path | None, progress: Progress, use: Callable[[Located], _T]) -> _T:
    """Return what ``use`` makes of the data set, from this machine or fetched; raises as `obtain` does.

    ``use`` reads through `read_files`, so that what was verified is what is used.
    """
    located = locate(name, data_dir)
    looked = _looked(name, data_dir)
    if located is not None:
        given = user_folder(data_dir)
        if given is not None and located.origin == "cache":
            progress.notice(f"none of {title(name)}'s files is in {given[0]} ({given[1]}); using those in the cache")
        try:
            return use(located)
        except DamagedFileError as error:
            if located.origin != "cache":
                raise
            looked = f"in the cache, {error}"
            progress.notice(f"damaged in the cache, fetching it again: {error}")
    elif name == "digits":
        raise DataError("digits come with scikit-learn, which is not installed; install it with lenet-tui again")
    elif user_folder(data_dir) is not None:
        progress.notice(f"{looked}; fetching {title(name)}")
    try:
        fetch(name, progress)
    except UnavailableError as error:
        raise DataError(f"cannot get {title(name)}: {looked}; {error}; {_ways_on(name)}") from None
    fetched = in_cache(name)
    if fetched is None:
        raise DataError(f"{cache.raw_folder(name)} was emptied while {title(name)} was fetched into it; try again")
    return use(fetched)


def verified(located: Located) -> Verified:
    """Read and verify a data set that was located, and describe it. Raises `DamagedFileError`."""
    if located.name == "digits":
        return Verified(located, "scikit-learn", digits.checksum(*digits.arrays()))
    digest, files = sha256(), []
    for _, content, file in read_files(located):
        digest.update(content)
        files.append(file)
    return Verified(located, source_of(located, files), digest.hexdigest(), tuple(files))


def read_files(located: Located) -> Iterator[tuple[IdxFile, bytearray, VerifiedFile]]:
    """Yield each of the four files with its verified, unpacked content, one at a time.

    Raises `DamagedFileError` when one is not what it should be.
    """
    expected: Mapping[str, str] = MNIST_MD5 if located.name == "mnist" else {}
    if located.origin == "cache":
        expected = cache.expected_md5(located.name, located.folder)
    for file, choices in zip(IDX_FILES, located.choices, strict=True):
        path, content = _first_right(located.name, file, choices, expected.get(file.name))
        yield file, content.data, VerifiedFile(path, content.length, content.md5, _checked(located, file, content))


def _first_right(
    name: DatasetName, file: IdxFile, choices: tuple[Path, ...], md5: str | None
) -> tuple[Path, checks.Content]:
    """Return the first of the candidates that is the data set's ``file``, and its content.

    Raises `DataError` with what is wrong with the first one where none is.
    """
    wrong = None
    for path in choices:
        try:
            content = checks.read(path, file.length)
            checks.check(name, file, path, content, md5)
        except DataError as error:
            wrong = wrong or error
        else:
            return path, content
    kind = DamagedFileError if isinstance(wrong, DamagedFileError) else DataError
    raise kind(f"{wrong}{names.remark(choices)}")


def source_of(located: Located, files: list[VerifiedFile]) -> str:
    """Say where a data set is from: ``cache``, ``folder /x``; and when its files have no published checksum."""
    if located.origin != "folder":
        return located.origin
    if any(file.checked == "structure only" for file in files):
        return f"folder {located.folder} (structure checked; no checksum is published for unpacked files)"
    return f"folder {located.folder}"


def _checked(
    located: Located, file: IdxFile, content: checks.Content
) -> Literal["known md5", "md5 recorded at download", "published md5 of the .gz", "structure only"]:
    if located.name == "mnist":
        return "known md5"
    if located.origin == "cache":
        return "md5 recorded at download"
    if content.packed_md5 == PUBLISHED_GZ_MD5[located.name][file.name]:
        return "published md5 of the .gz"
    return "structure only"


def _looked(name: DatasetName, data_dir: Path | None) -> str:
    """Say where the data set was looked for, for one that has files."""
    given = user_folder(data_dir)
    here = ""
    if given is not None:
        here = f"{given[0]} ({given[1]}) has no {title(name)} files{_expected(name, given[0])}; "
    return f"{here}the cache {cache.cache_folder()} has none"


def _none_in(name: DatasetName, folder: Path) -> str:
    return f"none of {title(name)}'s four files is in {folder}{_expected(name, folder)}"


def _expected(name: DatasetName, folder: Path) -> str:
    return f" ({names.EXPECTED}){names.what_else(folder, name)}"


def _ways_on(name: DatasetName) -> str:
    return (
        f"ways on: `lenet-tui data get {name}` with a network, --data-dir FOLDER with its four files, "
        "or --dataset digits"
    )
