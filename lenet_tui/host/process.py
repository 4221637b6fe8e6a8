"""The identity of a process: a jump of the clock, a reboot or a reused process id cannot fool it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lenet_tui.formatting import printable

NICENESS = 10  # of all that computes for long: the app and the shell come first
_DEAD_STATES = ("Z", "X", "x")


@dataclass(frozen=True)
class Owner:
    """A process, distinguished from every other one that had or will have its id.

    ``host`` says where the id means something: host name, machine, and on Linux the namespace of process ids, so that
    two containers of one name are two hosts. ``start`` is the boot and the clock tick in which the process began;
    no wall clock is in it.
    """

    pid: int
    host: str
    start: str


def this_process() -> Owner:
    """Return the identity of this process."""
    owner = owner_of(os.getpid())
    assert owner is not None  # noqa: S101 - this process is alive
    return owner


def owner_of(pid: int) -> Owner | None:
    """Return the identity of a process of this host; None when there is none of that id, or only a zombie."""
    start = _start_of(pid)
    return None if start is None else Owner(pid, this_host(), start)


def is_alive(owner: Owner) -> bool | None:
    """Say whether a process still runs; None where it belongs to another host, which cannot be seen from here."""
    if owner.host != this_host():
        return None
    return _start_of(owner.pid) == owner.start


def send_signal(owner: Owner, number: signal.Signals) -> bool:
    """Signal ``owner``, and no other process of its id; return whether it was signalled.

    False where it has ended, belongs to another host, or is not this user's to signal.
    """
    if not is_alive(owner):
        return False
    try:
        if sys.platform == "linux" and hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal"):
            try:
                handle = os.pidfd_open(owner.pid)
            except OSError as error:
                if error.errno not in (errno.ENOSYS, errno.EPERM):  # an old kernel, or a sandbox that hides it
                    return False
            else:
                try:
                    # The handle means one process for ever, so the one checked here is the one that gets the signal.
                    if not is_alive(owner):
                        return False
                    signal.pidfd_send_signal(handle, number)
                    return True
                finally:
                    os.close(handle)
        os.kill(owner.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def host_name(owner: Owner) -> str:
    """Return the name of the host that a process belongs to, as a person knows it."""
    name = printable(owner.host.split(" ")[0])
    same_name = owner.host != this_host() and name == socket.gethostname()
    return f"{name} (another container)" if same_name else name


def this_host() -> str:
    """Return the name of the place in which this process's ids are valid; it outlives a reboot, not a container."""
    try:
        machine = hashlib.sha256(Path("/etc/machine-id").read_bytes()).hexdigest()[:12]
    except OSError:
        machine = "-"
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = "-"
    return f"{socket.gethostname()} {machine} {namespace}"


def _start_of(pid: int) -> str | None:
    if pid <= 0:
        return None
    return _start_by_proc(pid) if sys.platform == "linux" else _start_by_ps(pid)


def _start_by_proc(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # "pid (command) state …": the command may itself hold spaces and brackets, so look for the last one.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in _DEAD_STATES else f"{_boot()} {fields[19]}"


def _start_by_ps(pid: int) -> str | None:
    command = ["/bin/ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    environment = {"LC_ALL": "C", "TZ": "UTC"}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    state, _, start = shown.stdout.strip().partition(" ")
    return None if not start or state[0] in _DEAD_STATES else " ".join(start.split())


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def has_open(owner: Owner, path: Path) -> bool:
    """Say whether a process of this host has a file open, where the system tells: a record may name any process."""
    if not is_alive(owner):
        return False
    if sys.platform != "linux":
        return True
    try:
        status = path.lstat()
        for entry in Path(f"/proc/{owner.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if os.path.samestat(entry.stat(), status):
                    return True
    except OSError:  # not ours to look into, so not ours to signal
        return False
    return False
