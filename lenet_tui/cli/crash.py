"""Unexpected exceptions: the traceback goes to a file, and one line names it."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import time
import traceback
from pathlib import Path

from lenet_tui.store import PRIVATE_FOLDER


def report(error: BaseException, root: Path | None) -> Path | None:
    """Write the traceback into the root's private folder, or else among the system's temporary files.

    Returns the file, or None where it can be written nowhere. Makes no private folder where there is none.
    """
    text = "".join(traceback.format_exception(error)).encode(errors="backslashreplace")
    name = f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    if root is not None:
        with contextlib.suppress(OSError):
            return _in_private_folder(root / PRIVATE_FOLDER, name, text)
    with contextlib.suppress(OSError):
        number, path = tempfile.mkstemp(prefix="lenet-tui-", suffix=f"-{name}")
        with os.fdopen(number, "wb") as file:
            file.write(text)
        return Path(path)
    return None


def _in_private_folder(folder: Path, name: str, text: bytes) -> Path:
    # The root may be anybody's: follow no link, and write into a folder of our own user only.
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        result = os.fstat(at)
        if result.st_uid != os.geteuid() or stat.S_IMODE(result.st_mode) & 0o022:
            raise PermissionError
        number = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600, dir_fd=at)
        with os.fdopen(number, "wb") as file:
            file.write(text)
    finally:
        os.close(at)
    return folder / name
