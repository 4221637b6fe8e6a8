"""How a person who came over SSH gets files to their own machine."""

from __future__ import annotations

import os
import platform
import shlex
from typing import TYPE_CHECKING

from lenet_tui.host.folders import user_name

if TYPE_CHECKING:
    from pathlib import Path


def is_remote() -> bool:
    """Say whether this process was started over SSH."""
    return bool(os.environ.get("SSH_CONNECTION"))


def copy_command(path: Path) -> str:
    """Return the command that copies a file or folder from here into the current folder of another machine."""
    target = f"{user_name()}@{platform.node()}:{path.absolute()}"
    return f"scp {'-r ' if path.is_dir() else ''}{shlex.quote(target)} ."
