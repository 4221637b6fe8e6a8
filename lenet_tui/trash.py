"""Deleted run folders: they are moved into the private folder, where a person can still get them back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.store.files import private_folder

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store import Run

TRASH = "trash"


def to_trash(root: Path, run: Run) -> Path | None:
    """Move the folder of a run into the trash and return where it is then; None where there is no folder.

    Raises `LabError` when it cannot be moved.
    """
    if run.folder is None or not (root / run.folder).exists():
        return None
    target = private_folder(root) / TRASH / f"{time.strftime('%Y%m%d-%H%M%S')}-{run.id}-{run.folder.replace('/', '-')}"
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        (root / run.folder).rename(target)
    except OSError as error:
        raise LabError(f"cannot move {root / run.folder} to the trash: {error.strerror}") from None
    return target
