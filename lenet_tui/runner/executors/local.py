"""Workers on this machine, forked from a server process that has imported all that takes long, and done nothing else.

The runner never imports torch: `_work` and `_probe` are names that it can hand over without.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host.hardware import Capacity, available_cores
from lenet_tui.host.process import has_open, owner_of, send_signal
from lenet_tui.runner import log
from lenet_tui.runner.executors.base import Executor

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

    from lenet_tui.host.process import Owner
    from lenet_tui.runner.placement import Placed
    from lenet_tui.store import Run

_PRELOADED = ["lenet_tui.runner.executors.preload"]
_ELSEWHERE = ("/tmp", "/dev/shm", "/var/tmp")  # noqa: S108 - private folders are made in them


@dataclass(frozen=True)
class _Worker:
    process: ForkServerProcess
    owner: Owner | None  # None where it ended at once
    answer: Connection


class LocalExecutor(Executor):
    """Worker processes on this machine for the runs of ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)
        self._workers: dict[int, _Worker] = {}

    def capacity(self) -> Capacity:
        """Return the cores that this process may use, and the GPUs as a worker sees them."""
        use_short_folder()
        process, answer = self._fork(_probe, "probe", ends_with_us=True)
        with answer, contextlib.suppress(EOFError):
            gpus = answer.recv()
            if isinstance(gpus, int):
                process.join()
                cores = available_cores()
                return Capacity(cores, gpus, cores, gpus)
            raise LabError(printable(str(gpus)))
        process.join()
        raise LabError(f"no worker can start: {_ending(process)}, and it gave no reason")

    def start(self, run_id: int, placed: Placed) -> str:
        """Fork a worker process."""
        process, answer = self._fork(_work, f"run {run_id}", str(self._root), run_id, placed.threads, placed.gpu)
        assert process.pid is not None  # noqa: S101 - it was started
        self._workers[run_id] = _Worker(process, owner_of(process.pid), answer)
        return f"worker {process.pid}"

    def poll(self) -> dict[int, str]:
        """Reap the workers that ended."""
        ended = {}
        for run_id, worker in list(self._workers.items()):
            if not worker.process.is_alive():
                worker.process.join()
                del self._workers[run_id]
                ended[run_id] = _reason(worker.process, worker.answer)
                worker.answer.close()
        return ended

    def terminate(self, run_id: int, run: Run | None = None, *, force: bool = False) -> bool:
        """Signal the worker process, and no other: a store may name any, so it must have the run's log open."""
        worker = self._workers.get(run_id)
        owner = worker.owner if worker else None
        if worker is None and run is not None and run.owner is not None and run.folder is not None:
            owner = run.owner if has_open(run.owner, self._root / run.folder / "log.txt") else None
        return owner is not None and send_signal(owner, signal.SIGKILL if force else signal.SIGTERM)

    def _fork(
        self, target: Callable[..., None], name: str, *values: object, ends_with_us: bool = False
    ) -> tuple[ForkServerProcess, Connection]:
        """Start a process that calls ``target`` with ``values`` and a connection for its answer; return both.

        Raises `LabError` when the process that all are forked from does not start.
        """
        answer, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=target, args=(*values, theirs), name=name, daemon=ends_with_us)
        begin = log.size(self._root)
        try:
            forkserver.ensure_running()
            process.start()
        except (OSError, EOFError) as error:
            answer.close()
            # One that dies logs why itself.
            reason = log.reason_since(self._root, begin) or str(error) or "it ends at once"
            raise LabError(f"no worker can start: {reason}") from None
        finally:
            theirs.close()
        return process, answer


def use_short_folder() -> Path:
    """Have `multiprocessing` put its sockets, whose names must be short, where they can be; return that folder.

    That is ``TMPDIR``, or on batch systems, whose names are often too long (104 bytes on macOS, 108 on Linux), one of
    the usual folders. Raises `LabError` where none works.
    """
    named = [os.environ[name] for name in ("TMPDIR", "TEMP", "TMP", "XDG_RUNTIME_DIR") if os.environ.get(name)]
    for folder in (*named[:1], *_ELSEWHERE, *named[1:]):
        if Path(folder).is_absolute() and _takes_sockets(folder):
            tempfile.tempdir = folder
            return Path(folder)
    raise LabError("no folder for temporary files can be used; set TMPDIR to one with a short name that is writable")


def _takes_sockets(folder: str) -> bool:
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


def _work(root: str, run_id: int, threads: int, gpu: int | None, answer: Connection) -> None:
    """Work on one run; see `lenet_tui.runner.worker.work`. Send why where that raises."""
    try:
        from lenet_tui.runner import worker

        worker.work(root, run_id, threads, gpu)
    except BaseException as error:  # noqa: BLE001 - a library that exits while it is imported, too
        _give_up(error, answer)


def _probe(answer: Connection) -> None:
    """Send how many accelerators torch sees here, or a text: why no worker can start."""
    try:
        import torch

        from lenet_tui.runner import worker  # noqa: F401 - whether it can be imported is the question
    except BaseException as error:  # noqa: BLE001 - an import may raise anything
        _give_up(error, answer)
    try:
        count = torch.cuda.device_count() or int(torch.backends.mps.is_available())
    except Exception as error:  # noqa: BLE001 - a broken driver; there is the CPU
        log.print_traceback(error)
        count = 0
    with contextlib.suppress(BrokenPipeError):  # the runner that asked is gone
        answer.send(count)


def _give_up(error: BaseException, answer: Connection) -> None:
    log.print_traceback(error)
    with contextlib.suppress(OSError):
        answer.send(log.reason_of(error))
    sys.exit(1)


def _reason(process: ForkServerProcess, answer: Connection) -> str:
    """Return why a worker that has ended did; empty where all was well."""
    with contextlib.suppress(EOFError, OSError):
        if answer.poll():
            return printable(str(answer.recv()))
    return _ending(process) if process.exitcode else ""


def _ending(process: ForkServerProcess) -> str:
    code = process.exitcode or 0
    if code >= 0:
        return f"it ended with {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    return f"{name} ended it" + (", as a system without memory does" if name == "SIGKILL" else "")
