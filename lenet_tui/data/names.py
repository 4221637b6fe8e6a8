"""Names that the four files of MNIST and similar data sets may have in a person's folder.

Browsers, 7-Zip and Kaggle's zip files give them other names than the published ones. A name only makes a file a
candidate: what it is is decided by its content.
"""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.data import files
from lenet_tui.data.catalog import IDX_FILES
from lenet_tui.formatting import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lenet_tui.config import DatasetName

EXPECTED = f"{', '.join(file.name for file in IDX_FILES)}, each with .gz or not"
_ENTRIES = 10_000  # of a folder that are looked at
_ARCHIVES, _CANDIDATES = 10, 10  # zip files that are looked into, and files that are read in search of one of the four
_COPY = re.compile(r" ?\(\d+\)|[ -]+copy( \d+)?")  # train-images-idx3-ubyte (1).gz
_NAME = re.compile(r"(emnist-\w+-)?(train|t10k|test)-(images[-._ ]idx3|labels[-._ ]idx1)[-._ ]ubyte(\.gz)?")
_ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar")
_TABLE = re.compile(r"(.*mnist.*|train|test)\.csv(\.gz)?")


def published_name(name: str, dataset: DatasetName) -> str | None:
    """Return the published name of the file that ``name`` looks like; None for any other.

    EMNIST's names count for MNIST only, which has a checksum to tell its files from them.
    """
    match = _NAME.fullmatch(_COPY.sub("", name.lower()))
    if match is None or (match[1] and dataset != "mnist"):
        return None
    part = "train" if match[2] == "train" else "t10k"
    return f"{part}-{match[3].replace('.', '-').replace('_', '-').replace(' ', '-')}-ubyte"


def candidates(folder: Path, dataset: DatasetName) -> dict[str, tuple[Path, ...]]:
    """Return the files that each of the four may be, by its published name, the likeliest first.

    A file of the published name, unpacked before packed, is the only candidate. Else it is what has a name like it,
    also in a folder of such a name, as in Kaggle's zip files; else what is in zip files. Raises OSError where the
    folder cannot be read.
    """
    published = {file.name: _published(folder, file.name) for file in IDX_FILES}
    result: dict[str, list[Path]] = {name: [] for name in published}
    archives = []
    for path in _entries(folder):
        name = published_name(path.name, dataset)
        if name is not None:
            within = _entries(path) if os.path.isdir(path) else [path]  # noqa: PTH112
            result[name] += [p for p in within if published_name(p.name, dataset) == name and os.path.isfile(p)]  # noqa: PTH113
        elif path.suffix.lower() == files.ZIP_SUFFIX:
            archives.append(path)
    result |= {name: [path] for name, path in published.items() if path is not None}
    if not all(result.values()):
        for path in itertools.chain.from_iterable(map(files.members, archives[:_ARCHIVES])):
            name = published_name(path.name, dataset)
            if name is not None and len(result[name]) < _CANDIDATES:
                result[name].append(path)
    return {name: tuple(sorted(paths, key=_is_emnist)[:_CANDIDATES]) for name, paths in result.items() if paths}


def _published(folder: Path, name: str) -> Path | None:
    paths = (folder / name, folder / f"{name}.gz")
    return next((path for path in paths if os.path.isfile(path)), None)  # noqa: PTH113 - it never raises


def _is_emnist(path: Path) -> bool:
    return path.name.lower().startswith("emnist-")


def remark(paths: Iterable[Path]) -> str:
    """Say what files are that are not MNIST's though their names say so; "" where there is nothing to say."""
    odd = next((path.name for path in paths if _is_emnist(path)), None)
    return "" if odd is None else f"; EMNIST's images are others than MNIST's, and transposed ({shown(odd)})"


def what_else(folder: Path, dataset: DatasetName) -> str:
    """Say what a folder without the four files has in their place or in another form; "" where there is nothing."""
    try:
        entries = _entries(folder)
    except OSError:
        return ""
    present = [path.name for path in entries if os.path.isfile(path)]  # noqa: PTH113
    others = [path.name for path in entries if path.name not in present and published_name(path.name, dataset)]
    tables = [name for name in present if _TABLE.fullmatch(name.lower())]
    archives = [name for name in present if name.lower().endswith(_ARCHIVE_SUFFIXES)]
    parts = []
    if others:
        parts.append(f"{shown(others[0])} is not a regular file, nor a folder with that file")
    if tables:
        parts.append(f"{shown(tables[0])} is a table of pixels, as Kaggle has them, and only IDX files can be used")
    if archives:
        parts.append(f"{shown(archives[0])} has to be unpacked, if they are in it")
    return "".join(f"; {part}" for part in parts)


def _entries(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in itertools.islice(entries, _ENTRIES))
