"""A folder for the sockets by which runner and workers talk: their names must be short (108 bytes, 104 on macOS)."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from pathlib import Path

from lenet_tui.errors import LabError

_ELSEWHERE = ("/tmp", "/dev/shm", "/var/tmp")  # noqa: S108 - private folders are made in them


def use_short_folder() -> Path:
    """Have `multiprocessing` put its sockets where they can be; return that folder. It removes them at the end.

    That is ``TMPDIR``, or on batch systems, whose names are often too long, one of the usual folders.
    Raises `LabError` where none will do.
    """
    for folder in _candidates():
        if _takes_sockets(folder):
            tempfile.tempdir = str(folder)
            return folder
    raise LabError("no folder for temporary files can be used; set TMPDIR to one with a short name that is writable")


def _candidates() -> list[Path]:
    named = [os.environ[name] for name in ("TMPDIR", "TEMP", "TMP", "XDG_RUNTIME_DIR") if os.environ.get(name)]
    return [Path(name) for name in (*named[:1], *_ELSEWHERE, *named[1:]) if Path(name).is_absolute()]


def _takes_sockets(folder: Path) -> bool:
    """Try it: the folder may be missing, full or read-only, its name too long, or its file system without sockets."""
    try:
        inner = Path(tempfile.mkdtemp(prefix="pymp-", dir=folder))
    except OSError:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(inner / f"listener-{secrets.token_hex(4)}"))  # as long as multiprocessing's
    except OSError:
        return False
    finally:
        shutil.rmtree(inner, ignore_errors=True)
    return True
