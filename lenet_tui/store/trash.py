"""Deleted run folders: they are moved into the private folder, where a person can still get them back."""

from __future__ import annotations

import contextlib
import errno
import shutil
import time
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.host.safe_files import explain
from lenet_tui.store.files import private_folder

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store.records import Run

TRASH = "trash"


def put(root: Path, run: Run) -> Path | None:
    """Move the folder of a run into the trash and return where it is then; None where there is no folder.

    Raises `LabError` when it cannot be moved; it is then where it was.
    """
    if run.folder is None:
        return None
    folder = root / run.folder
    if not folder.is_symlink() and not folder.exists():
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
