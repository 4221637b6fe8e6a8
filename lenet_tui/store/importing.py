"""Copying a run folder from elsewhere into a root: the files of a run only, no links, all of them or none."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.host.safe_files import MB, explain, read_own, write_own
from lenet_tui.run import embedding
from lenet_tui.run import folder as runfolder
from lenet_tui.run.folder import PICTURES, RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STAGING = ".importing-"
# Of each file that a run folder may have, how many bytes are copied at most.
_FILES = {
    "metrics.csv": runfolder.MOST_METRICS,
    "steps.csv": runfolder.MOST_STEPS,
    "calibration.csv": runfolder.MOST_METRICS,
    "model.safetensors": runfolder.MOST_WEIGHTS,
    "predictions.npz": 200 * MB,
    "t-SNE.csv": embedding.MOST_BYTES,
    "checkpoint.pt": 500 * MB,
    "log.txt": 50 * MB,
    **dict.fromkeys(PICTURES, 50 * MB),
}


def copy_into(root: Path, source: RunFolder) -> RunFolder:
    """Copy a run folder of any user into ``root`` under the first free name, and return the copy.

    It is made in a hidden folder, ``run.json`` last, and then renamed: a process that dies on the way leaves no run.
    What is no file of a run stays behind. Raises `LabError` when the folder has no record that can be read, a file in
    it is a link, a device or too large, or ``root`` cannot be written.
    """
    try:
        content = read_own(source.record_path, runfolder.MOST_RECORD, any_owner=True)
    except FileNotFoundError:
        raise LabError(f"{source.path} is not a run folder: it has no run.json") from None
    record = source.parse_record(content)
    target = runfolder.create(root, record.config)
    try:
        with _staging(target.path.parent) as staging:
            for name, most in _FILES.items():
                with contextlib.suppress(FileNotFoundError):
                    write_own(staging / name, read_own(source.path / name, most, any_owner=True))
            # A damaged file is reported now, not when the run is needed.
            RunFolder(staging).read_metrics()
            write_own(staging / "run.json", content)
            staging.replace(target.path)  # which is empty, and ours
    except BaseException as error:
        with contextlib.suppress(OSError):
            target.path.rmdir()
        if isinstance(error, OSError):
            raise LabError(f"cannot copy {source.path} to {target.path}: {explain(error)}") from None
        raise
    return target


@contextlib.contextmanager
def _staging(parent: Path) -> Iterator[Path]:
    """Make a hidden folder in ``parent`` for as long as it takes; remove those that dead processes left."""
    for left in parent.glob(f"{_STAGING}*"):
        with contextlib.suppress(OSError), _locked(left):
            shutil.rmtree(left)
    folder = parent / f"{_STAGING}{secrets.token_hex(6)}"
    folder.mkdir()
    try:
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder. Raises OSError when another process holds it, or it is a link."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
