"""Home, cache and settings folders of this user, also where the environment is empty or wrong."""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from lenet_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

APP = "lenet-tui"
CACHE_VARIABLE = "LENET_TUI_CACHE"
_PRIVATE = 0o700


def home() -> Path | None:
    """Return the home folder of this user; None where neither HOME nor the system's list of users names one."""
    given = Path(os.environ.get("HOME", ""))
    if given.is_absolute():
        return given
    with contextlib.suppress(KeyError):  # a container may run with a user id that no list has
        listed = Path(pwd.getpwuid(os.getuid()).pw_dir)
        if listed.is_absolute():
            return listed
    return None


def user_name() -> str:
    """Return the name of this user, or the number where there is no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def expanded(path: Path, what: str = "") -> Path:
    """Return ``path`` with a leading ``~`` or ``~name`` replaced by that home folder.

    Raises `UsageError`, beginning with ``what``, where there is no such folder.
    """
    first = path.parts[0] if path.parts else ""
    if not first.startswith("~"):
        return path
    folder = home() if first == "~" else _home_of(first[1:])
    if folder is None:
        whose = "this user has no home folder" if first == "~" else f"there is no user {first[1:]} with a home folder"
        raise UsageError(f"{what} {path}: {whose}; give the whole path".lstrip())
    return folder.joinpath(*path.parts[1:])


def from_variable(name: str) -> Path | None:
    """Return the path that an environment variable gives, ``~`` expanded; None where it is empty or not there.

    Raises `UsageError` as `expanded` does.
    """
    value = os.environ.get(name, "")
    return expanded(Path(value), name) if value.strip() else None


def cache() -> Path:
    """Return the folder for what can be fetched or made again; it need not exist, or be one that can be written.

    LENET_TUI_CACHE names it, else it is the platform's. Without a home folder it is one in the temporary folder that
    only this user can write in. Raises `UsageError` where LENET_TUI_CACHE cannot be expanded or there is no such place.
    """
    return from_variable(CACHE_VARIABLE) or _of_platform(platformdirs.user_cache_path, ".cache") or temporary()


def configuration() -> Path | None:
    """Return the folder for settings; None where this user has no home folder to have them in."""
    return _of_platform(platformdirs.user_config_path, ".config")


def temporary() -> Path:
    """Return a folder in the temporary folder, made where it is missing, that is this user's alone.

    Raises `UsageError` where another user was there first, or there is no temporary folder.
    """
    try:
        path = Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}"
        with contextlib.suppress(FileExistsError):
            path.mkdir(_PRIVATE)
        status = path.lstat()
    except OSError as error:
        raise UsageError(
            f"there is neither a home nor a temporary folder for the cache ({error.strerror}); "
            f"name one with {CACHE_VARIABLE}"
        ) from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise UsageError(f"{path} is not a folder of this user's alone; name another with {CACHE_VARIABLE}")
    return path


def _of_platform(find: Callable[[str], Path], below_home: str) -> Path | None:
    # A relative path comes of an XDG variable or HOME that is none (the standard says to ignore those), or of no home,
    # for which newer versions of platformdirs raise RuntimeError.
    with contextlib.suppress(RuntimeError):
        path = find(APP)
        if path.is_absolute() and os.environ.get("HOME") != "":
            return path
    folder = home()
    return None if folder is None else folder / below_home / APP


def _home_of(name: str) -> Path | None:
    try:
        return Path(pwd.getpwnam(name).pw_dir)
    except (KeyError, ValueError):
        return None
