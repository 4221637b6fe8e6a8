"""Deleted run folders: they are moved into the private folder, where a person can still get them back."""

from __future__ import annotations

import contextlib
import errno
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.host.safe_files import explain, is_own_file
from lenet_tui.store.files import private_folder

if TYPE_CHECKING:
    from lenet_tui.store.records import Run

TRASH = "trash"
# One of these is in every run folder, even in one that was damaged.
_EVIDENCE = ("run.json", "log.txt", "metrics.csv", "checkpoint.pt", "model.safetensors")


def put(root: Path, run: Run) -> Path | None:
    """Move the folder of a run into the trash and return where it is then; None where no run's files are there.

    A store may come from elsewhere and name any folder, so only one with a run's files is moved. Raises `LabError` when
    it cannot be moved, or lies behind a link other than a model's folder; it is then where it was.
    """
    if run.folder is None:
        return None
    folder = root / run.folder
    for parent in list(Path(run.folder).parents)[:-1]:
        if (root / parent).is_symlink() and str(parent) != run.values["model"]:
            raise LabError(f"{root / parent} is a link; {folder} is not deleted through it")
    if not folder.is_symlink() and not any(is_own_file(folder / name) for name in _EVIDENCE):
        return None
    target = private_folder(root) / TRASH / f"{time.strftime('%Y%m%d-%H%M%S')}-{run.id}-{run.folder.replace('/', '-')}"
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        _move(folder, target)
    except OSError as error:
        raise LabError(f"cannot move {folder} to the trash: {explain(error)}") from None
    return target


def take_back(root: Path, run: Run, place: Path) -> None:
    """Move the folder of a run out of the trash again, where that can be done."""
    if run.folder is not None:
        with contextlib.suppress(OSError):
            _move(place, root / run.folder)


def restore(root: Path, run: Run, place: Path | None) -> None:
    """Move the folder of a deleted run from ``place`` in the trash to where it was; None where none had been moved.

    Raises `LabError` when it is not there any more, or something else has its name.
    """
    if run.folder is None or place is None:
        return
    folder = root / run.folder
    if folder.exists() or folder.is_symlink():
        raise LabError(f"{folder} exists again; the deleted run is in {place}")
    if not place.is_dir() or place.parent != private_folder(root) / TRASH:
        raise LabError(f"{place} is not in the trash any more; run {run.id} cannot be restored")
    try:
        folder.parent.mkdir(exist_ok=True)
        _move(place, folder)
    except OSError as error:
        raise LabError(f"cannot move {place} to {folder}: {explain(error)}") from None


def _move(folder: Path, target: Path) -> None:
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # the model's folder may be a link to another disk
            raise
        try:
            shutil.copytree(folder, target, symlinks=True)
        except OSError:
            shutil.rmtree(target, ignore_errors=True)
            raise
        shutil.rmtree(folder)
