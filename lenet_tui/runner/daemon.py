"""Finding the runner of a root, starting it detached from the terminal, and stopping it. Needs no torch."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lenet_tui.errors import LabError
from lenet_tui.host import safe_files
from lenet_tui.host.process import Owner, has_open, host_name, send_signal, this_host, this_process
from lenet_tui.runner import tries
from lenet_tui.runner.log import log_path as log_path  # for those who show where it is
from lenet_tui.runner.log import open_log
from lenet_tui.store.files import PRIVATE_FOLDER, private_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOCK_NAME = "runner.lock"
REQUEST_NAME = "runner.stop"
# A request travels by a file, which another host may see late.
_REQUEST_SECONDS = 90.0
# Of the variables that change Python itself, those that say where it finds modules, and those that would break a
# process without a terminal or turn a library's warning into its failure.
_FOLDER_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPYCACHEPREFIX")
_DROPPED_VARIABLES = ("PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "PYTHONDEVMODE", "PYTHONBREAKPOINT")


def is_running(root: Path) -> bool:
    """Say whether a runner serves ``root``: whether a process holds its lock, which dies with its holder.

    Makes nothing. Raises `LabError` where the lock is not a file of this user's.
    """
    with _opened_lock(root, "rb") as lock:
        # Shared, so that two who ask don't take each other for a runner.
        return lock is not None and not _lock(root, lock, fcntl.LOCK_SH)


def runner_owner(root: Path) -> Owner | None:
    """Return which process serves ``root``, as its lock file says; None where none does or the file does not say."""
    if not is_running(root):
        return None
    content = tries.read_small(_path(root, LOCK_NAME))
    return tries.parse_owner(content.decode(errors="replace")) if content else None


def last_failure(root: Path) -> str | None:
    """Return the line that says why the runner of ``root`` could not start; None once one has served since.

    Reads one small file, and the end of the log where the runner died without a word.
    """
    last = failed_tries(root)
    return last.reason if last else None


def failed_tries(root: Path) -> tries.Tries | None:
    """Return the tries to start a runner where at least one did not succeed and none has served since."""
    last = tries.read(root)
    if last is None or (not last.reason and last.under_way):
        return None
    if not last.reason:
        with contextlib.suppress(LabError):
            if is_running(root):
                return None
    return tries.Tries(last.count, last.at, tries.why(root, last), last.log_offset, last.owner)


def ensure(root: Path, *, at_once: bool = False) -> bool:
    """Start a runner for ``root`` where none serves it; return whether one was started. Does not wait for it.

    After tries that failed it starts one only when the next is due, unless ``at_once``. Two who start one at the same
    time both succeed: the second runner finds the lock taken and ends. Raises `LabError`.
    """
    if is_running(root):
        return False
    before = tries.read(root)
    if before is not None and before.seconds_left and not at_once:
        return False
    private_folder(root)
    try:
        log = open_log(root)
    except (LabError, FileNotFoundError) as error:
        tries.fail(root, str(error), count=before.count + 1 if before else 1)
        raise LabError(str(error)) from None
    try:
        note = tries.begin(root)
    except (LabError, FileNotFoundError) as error:
        log.close()
        raise LabError(str(error)) from None
    try:
        if not sys.executable:
            raise FileNotFoundError(errno.ENOENT, "Python does not know where its own program is")
        process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "lenet_tui.runner", str(root.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # so that it outlives the terminal
            cwd="/",
            env=_environment(),
        )
    except OSError as error:
        note.close()
        reason = f"{sys.executable} cannot be started: {error.strerror}"
        tries.fail(root, reason)
        raise LabError(f"cannot start the runner: {reason}") from None
    finally:
        log.close()
    tries.note_process(note, process.pid)
    # A runner that ends while this process lives must not stay as a zombie.
    with contextlib.suppress(RuntimeError):  # no thread to be had
        threading.Thread(target=process.wait, daemon=True).start()
    return True


def wait_until_there(root: Path, seconds: float = 30) -> None:
    """Wait until a runner serves ``root``, or for ``seconds`` where it is still starting.

    Raises `LabError` with the reason when it cannot start.
    """
    deadline = time.monotonic() + seconds
    while True:
        last = tries.read(root)
        alive = is_running(root)
        if alive and last is None:
            return
        if not alive and last is not None and not last.under_way and not is_running(root):
            raise LabError(f"the runner cannot start: {tries.why(root, last)}; its log: {log_path(root)}")
        if time.monotonic() > deadline:
            if alive or (last is not None and last.under_way):
                return
            raise LabError(f"the runner does not start; its log: {log_path(root)}")
        time.sleep(0.05)


def stop(root: Path, seconds: float = 30, tell: Callable[[str], None] = lambda _: None) -> bool:
    """End the runner of ``root`` and wait until it is gone; return whether there was one.

    It is signalled only where it surely is the process that has the lock, else asked by a file that it looks for;
    ``tell`` is then called with the reason. Raises `LabError` when it is still there after ``seconds``, or longer where
    it was asked.
    """
    if not is_running(root):
        return False
    owner = runner_owner(root)
    signalled = owner is not None and has_open(owner, _path(root, LOCK_NAME)) and send_signal(owner, signal.SIGTERM)
    if not signalled and is_running(root):
        seconds = max(seconds, _REQUEST_SECONDS)
        tell(f"the runner is {_described(root, owner)}, so it is asked to end; this may take a minute")
        ask_to_end(root, owner)
    deadline = time.monotonic() + seconds
    try:
        while is_running(root):
            if time.monotonic() > deadline:
                raise LabError(_still_there(root, owner, signalled=signalled))
            time.sleep(0.05)
    finally:
        if not signalled:
            forget_request(root)
    tries.clear(root)  # it may have been about to start
    return True


def ask_to_end(root: Path, owner: Owner | None) -> None:
    """Leave a request to end for the runner ``owner``, or for whichever has the lock. Raises `LabError`."""
    content = tries.owner_lines(owner) if owner else b""
    safe_files.write_own(_path(root, REQUEST_NAME), content, durable=False, private=True)


def is_asked_to_end(root: Path, owner: Owner) -> bool:
    """Say whether there is a request to end for the runner ``owner``."""
    content = tries.read_small(_path(root, REQUEST_NAME))
    return content is not None and content in (b"", tries.owner_lines(owner))


def forget_request(root: Path) -> None:
    """Remove a request to end."""
    with contextlib.suppress(OSError):
        _path(root, REQUEST_NAME).unlink()


@contextlib.contextmanager
def only_runner(root: Path) -> Iterator[int | None]:
    """Hold the runner's lock of ``root`` and give its descriptor; give None when another process has it."""
    private_folder(root)
    with _opened_lock(root, "r+b") as lock:
        assert lock is not None  # noqa: S101 - it was made
        deadline = time.monotonic() + 1.0
        while not (held := _lock(root, lock, fcntl.LOCK_EX)) and time.monotonic() < deadline:
            time.sleep(0.05)  # it may only be a process that asks whether there is a runner
        if held:
            content = tries.owner_lines(this_process())
            with contextlib.suppress(OSError):  # a full disk: it can be asked to end, if not signalled
                os.pwrite(lock, content, 0)
                os.ftruncate(lock, len(content))
        yield lock if held else None


def holds_lock(root: Path, lock: int) -> bool:
    """Say whether the open ``lock`` still is the lock file of ``root``, and not one that was deleted or moved away."""
    try:
        status = _path(root, LOCK_NAME).lstat()
    except OSError:
        return False
    return os.path.samestat(status, os.fstat(lock))


@contextlib.contextmanager
def _opened_lock(root: Path, mode: Literal["rb", "r+b"]) -> Iterator[int | None]:
    try:
        file = safe_files.open_own(_path(root, LOCK_NAME), mode, private=True)
    except FileNotFoundError:
        yield None
        return
    with file:
        yield file.fileno()


def _lock(root: Path, lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise LabError(
            f"{_path(root, LOCK_NAME)} cannot be locked ({error.strerror}), so that two runners could do the same "
            "work; put the root on a file system with locks"
        ) from None
    return True


def _described(root: Path, owner: Owner | None) -> str:
    if owner is None:
        return f"a process that {_path(root, LOCK_NAME)} does not name"
    if owner.host != this_host():
        return f"process {owner.pid} on {host_name(owner)}, which cannot be signalled from here"
    return f"not process {owner.pid}, which {_path(root, LOCK_NAME)} names"


def _still_there(root: Path, owner: Owner | None, *, signalled: bool) -> str:
    if signalled and owner is not None:
        return f"the runner (process {owner.pid}) does not end; kill -9 {owner.pid} ends it, and no run is lost by that"
    return f"the runner does not end; it is {_described(root, owner)}"


def _environment() -> dict[str, str]:
    """Return the environment of the runner: Python finds the same modules from another current folder."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED_VARIABLES}
    for name in _FOLDER_VARIABLES:
        if kept.get(name):
            # An empty entry means the current folder, in which anything may be taken for a module.
            kept[name] = os.pathsep.join(str(Path(part).absolute()) for part in kept[name].split(os.pathsep) if part)
    home = Path(__file__).resolve().parents[2]
    if home.name not in ("site-packages", "dist-packages"):  # run from where it was unpacked
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (kept.get("PYTHONPATH"), str(home))))
    return kept


def _path(root: Path, name: str) -> Path:
    return root / PRIVATE_FOLDER / name
