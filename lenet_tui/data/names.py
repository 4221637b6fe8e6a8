"""Under what names the four files of MNIST and its like are found in a person's folder.

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
from lenet_tui.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lenet_tui.config import DatasetName

EXPECTED = ", ".join(file.name for file in IDX_FILES)
_ENTRIES = 10_000  # of a folder that are looked at
_COPY = re.compile(r" ?\(\d+\)|[ -]+copy( \d+)?")  # train-images-idx3-ubyte (1).gz
_NAME = re.compile(r"(emnist-\w+-)?(train|t10k|test)-(images[-._ ]idx3|labels[-._ ]idx1)[-._ ]ubyte(\.gz)?")
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

    That is the published name itself, unpacked before packed, then what looks like it, then what is in a folder of
    such a name, as in Kaggle's zip files, then what is in zip files. Raises OSError where the folder cannot be read.
    """
    found: dict[str, list[Path]] = {
        file.name: [path for path in (folder / file.name, folder / f"{file.name}.gz") if os.path.isfile(path)]  # noqa: PTH113 - it never raises
        for file in IDX_FILES
    }
    archives = []
    for entry in _entries(folder):
        name = published_name(entry.name, dataset)
        if name is not None and entry.is_file():
            found[name].append(Path(entry.path))
        elif name is not None and entry.is_dir():
            inner = (e for e in _entries(Path(entry.path)) if e.is_file() and published_name(e.name, dataset) == name)
            found[name] += [Path(e.path) for e in inner]
        elif entry.name.lower().endswith(files.ZIP_SUFFIX):
            archives.append(Path(entry.path))
    if not all(found.values()):
        for path in itertools.chain.from_iterable(map(files.members, archives)):
            name = published_name(path.name, dataset)
            if name is not None:
                found[name].append(path)
    return {name: tuple(dict.fromkeys(paths)) for name, paths in found.items() if paths}


def remark(paths: Iterable[Path]) -> str:
    """Say what files are that are not MNIST's though their names say so; "" where there is nothing to say."""
    odd = next((path.name for path in paths if path.name.lower().startswith("emnist-")), None)
    return "" if odd is None else f"; EMNIST's images are others than MNIST's, and transposed ({shown(odd)})"


def what_else(folder: Path) -> str:
    """Say which files of a folder without the four hold a data set in another form; "" where there is none."""
    try:
        names = [entry.name for entry in _entries(folder) if entry.is_file()]
    except OSError:
        return ""
    tables = [name for name in names if _TABLE.fullmatch(name.lower())]
    archives = [name for name in names if name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar"))]
    said = []
    if tables:
        said.append(f"{shown(tables[0])} is a table of pixels, as Kaggle has them, which cannot be used")
    if archives:
        said.append(f"{shown(archives[0])} has to be unpacked, if they are in it")
    return "".join(f"; {part}" for part in said)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(itertools.islice(entries, _ENTRIES), key=lambda entry: entry.name)
