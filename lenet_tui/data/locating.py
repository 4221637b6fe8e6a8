"""Where a data set is, by the names of files alone: a folder of the user's comes first, then the cache.

Fast enough for a screen: it reads names only, without numpy.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lenet_tui.data import cache, digits, names
from lenet_tui.data.catalog import IDX_FILES, TORCHVISION_CLASS, title
from lenet_tui.errors import DataError, LabError, UsageError
from lenet_tui.host import folders

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.config import DatasetName

DATA_VARIABLE = "LENET_TUI_DATA"


@dataclass(frozen=True)
class Located:
    """Where a data set is. ``files`` are its four files in the order of `IDX_FILES`, packed or not.

    ``others`` has further candidates for each of them, in the same order: copies, and files of similar names.
    ``origin`` is "folder" (the user's), "cache" (ours) or "scikit-learn", which has no such files.
    """

    name: DatasetName
    origin: Literal["folder", "cache", "scikit-learn"]
    folder: Path
    files: tuple[Path, ...] = ()
    others: tuple[tuple[Path, ...], ...] = ()

    @property
    def choices(self) -> tuple[tuple[Path, ...], ...]:
        """The candidates for each of the four files, the likeliest first."""
        others = self.others or ((),) * len(self.files)
        return tuple((path, *more) for path, more in zip(self.files, others, strict=True))


def locate(name: DatasetName, data_dir: Path | None = None) -> Located | None:
    """Return what would be used without fetching anything, its content not checked; None when there is nothing.

    ``data_dir`` is the user's folder, by default the one that the environment variable LENET_TUI_DATA names.
    Raises `UsageError` when it is no folder, `DataError` when only some of the four files are in it.
    """
    if name == "digits":
        folder = digits.folder()
        return None if folder is None else Located(name, "scikit-learn", folder)
    return _in_user_folder(name, data_dir) or in_cache(name)


def is_here(name: DatasetName) -> bool:
    """Say whether a run would find the data set without fetching it, as far as names of files tell."""
    try:
        return locate(name) is not None
    except LabError:
        return False


def user_folder(data_dir: Path | None) -> tuple[Path, str] | None:
    """Return the user's folder and how it was given; None when none was."""
    if data_dir is not None:
        return folders.expanded(data_dir, "--data-dir"), "--data-dir"
    folder = folders.from_variable(DATA_VARIABLE)
    return None if folder is None else (folder, DATA_VARIABLE)


def _in_user_folder(name: DatasetName, data_dir: Path | None) -> Located | None:
    given = user_folder(data_dir)
    if given is None:
        return None
    folder, flag = given
    if not os.path.isdir(folder):  # noqa: PTH112 - it never raises
        raise UsageError(f"{flag} {folder} is not a folder; give one with the four files of {title(name)}")
    layouts = (folder / TORCHVISION_CLASS[name] / "raw", folder / "raw", folder)
    places = [(place, _candidates(place, name)) for place in layouts if os.path.isdir(place)]  # noqa: PTH112
    for place, files in places:
        if len(files) == len(IDX_FILES):
            return Located(
                name, "folder", place, tuple(f[0] for f in files.values()), tuple(f[1:] for f in files.values())
            )
    for place, files in places:
        if files:
            missing = ", ".join(file.name for file in IDX_FILES if file.name not in files)
            raise DataError(
                f"{place} ({flag}) lacks {missing} (or the same with .gz) of {title(name)}'s four files"
                f"{names.what_else(place, name)}"
            )
    return None


def _candidates(folder: Path, name: DatasetName) -> dict[str, tuple[Path, ...]]:
    try:
        return names.candidates(folder, name)
    except OSError as error:
        raise DataError(f"cannot look into {folder}: {error.strerror or error}") from None


def in_cache(name: DatasetName) -> Located | None:
    """Return the data set in the cache, None when not all of its files are there."""
    folder = cache.raw_folder(name)
    files = _files(folder)
    return Located(name, "cache", folder, tuple(files.values())) if len(files) == len(IDX_FILES) else None


def _files(folder: Path) -> dict[str, Path]:
    """Return those of the four files that are in a folder, unpacked ones before packed ones."""
    result = {}
    for file in IDX_FILES:
        for path in (folder / file.name, folder / f"{file.name}.gz"):
            if os.path.isfile(path):  # noqa: PTH113 - it never raises
                result[file.name] = path
                break
    return result
