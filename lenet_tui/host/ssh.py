"""How to fetch files from this machine when a person works on it over SSH."""

from __future__ import annotations

import getpass
import ipaddress
import os
import shlex
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Login(NamedTuple):
    user: str
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: str


def login() -> str | None:
    """Return the words that log in here with ssh, ``me@10.0.0.1`` or ``-p 2222 me@10.0.0.1``; None as `scp_line`."""
    here = _login()
    return here and f"{'' if here.port == '22' else f'-p {here.port} '}{shlex.quote(f'{here.user}@{here.address}')}"


def scp_line(paths: Sequence[str]) -> str | None:
    """Return the command that copies absolute ``paths`` (patterns of files, or folders) to where it is typed.

    None without paths, or where ``SSH_CONNECTION`` does not say that this is a login from elsewhere.
    """
    here = _login()
    if here is None or not paths:
        return None
    user, address, port = here
    host = f"[{address}]" if address.version == 6 else str(address)
    flags = [] if port == "22" else ["-P", port]
    if not all(path.rpartition(".")[2] in ("png", "html", "zip") for path in paths):
        flags.append("-r")
    return shlex.join(["scp", *flags, *(f"{user}@{host}:{path}" for path in paths), "."])


def _login() -> _Login | None:
    words = os.environ.get("SSH_CONNECTION", "").split()
    if len(words) != 4 or not words[3].isdecimal():
        return None
    try:  # the third word is this machine, as the other one calls it
        return _Login(getpass.getuser(), ipaddress.ip_address(words[2]), words[3])
    except (ValueError, OSError, KeyError):
        return None
