"""How a person who came over SSH reaches this machine, and gets files to their own."""

from __future__ import annotations

import ipaddress
import os
import platform
import shlex
from typing import TYPE_CHECKING, NamedTuple

from lenet_tui.host.folders import user_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FILES = (".png", ".html", ".zip")


class _Login(NamedTuple):
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: str


def login() -> str | None:
    """Return the words that log in here with ssh, ``me@10.0.0.1`` or ``-p 2222 me@10.0.0.1``; None as `scp_line`."""
    here = _login()
    return here and f"{'' if here.port == '22' else f'-p {here.port} '}{shlex.quote(f'{user_name()}@{here.address}')}"


def copy_command(path: Path) -> str:
    """Return the command that copies a file from here to where it is typed: `scp_line`, or with this machine's name."""
    target = f"{user_name()}@{platform.node()}:{path.absolute()}"
    return scp_line([str(path.absolute())]) or f"scp {shlex.quote(target)} ."


def scp_line(paths: Sequence[str]) -> str | None:
    """Return the command that copies absolute ``paths`` (patterns of files, or folders), all at once.

    It names this machine as the other one did. None without paths, or where ``SSH_CONNECTION`` does not say how.
    """
    here = _login()
    if here is None or not paths:
        return None
    host = f"[{here.address}]" if here.address.version == 6 else str(here.address)
    flags = [] if here.port == "22" else ["-P", here.port]
    if not all(path.endswith(_FILES) for path in paths):
        flags.append("-r")
    return shlex.join(["scp", *flags, *(f"{user_name()}@{host}:{path}" for path in paths), "."])


def _login() -> _Login | None:
    words = os.environ.get("SSH_CONNECTION", "").split()
    if len(words) != 4 or not words[3].isdecimal():
        return None
    try:  # the third word is this machine, as the other one calls it
        return _Login(ipaddress.ip_address(words[2]), words[3])
    except ValueError:
        return None
