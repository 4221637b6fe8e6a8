"""Runs ``lenet-tui`` in forks of a process that has imported everything already.

Most of what a command takes is the import of torch, scikit-learn and matplotlib; hundreds of tests start one. The
command is the same, in a process of its own with its own folder, environment and files. Tests of what a start itself
does (imports, signals, outputs, variables that libraries read) begin a fresh interpreter instead.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What a command may find changed in its environment without any library having read it before the fork.
_OURS = ("LENET_TUI_", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTEST_")
_AT_START = dict(os.environ)


class Warm:
    """The process with everything imported. It ends with the process that made this."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="warm")
        self._address = str(Path(self._folder.name) / "socket")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(self._address)
            listening.listen()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm", str(listening.fileno())],
                cwd=Path(__file__).parents[1],
                stdin=subprocess.PIPE,  # its end is the sign to go
                pass_fds=[listening.fileno()],
            )

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()

    def run(
        self, words: Sequence[str], cwd: Path, env: Mapping[str, str], text: str | None, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Do what `subprocess.run` does with ``python -m lenet_tui``, capturing both outputs."""
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            if text is not None:
                files[0].write(text.encode())
                files[0].seek(0)
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(self._address)
            connection.settimeout(timeout)
            request = json.dumps({"words": list(words), "cwd": str(cwd), "env": dict(env)}).encode()
            socket.send_fds(connection, [len(request).to_bytes(4, "big")], [file.fileno() for file in files])
            connection.sendall(request)
            answers = stack.enter_context(connection.makefile())
            try:
                pid = int(answers.readline())
                code = int(answers.readline())
            except TimeoutError:
                with contextlib.suppress(NameError, ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(words), timeout) from None
            out, err = (self._content(file.fileno()) for file in files[1:])
            return subprocess.CompletedProcess([sys.executable, "-m", "lenet_tui", *words], code, out, err)

    @staticmethod
    def _content(descriptor: int) -> str:
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()


_warm: list[Warm] = []


def run(
    words: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    input: str | None = None,  # noqa: A002 - as in subprocess
    timeout: float = 240,
) -> subprocess.CompletedProcess[str]:
    """Run ``lenet-tui``, warm where that is the same."""
    changed = {name for name in {*env, *_AT_START} if env.get(name) != _AT_START.get(name)}
    if sys.platform != "linux" or not all(name.startswith(_OURS) for name in changed):
        command = [sys.executable, "-m", "lenet_tui", *words]
        return subprocess.run(
            command, cwd=cwd, env=env, input=input, capture_output=True, text=True, timeout=timeout, check=False
        )
    if not _warm:
        _warm.append(Warm())
    return _warm[0].run(words, cwd, env, input, timeout)


def close() -> None:
    """End the process, if there is one."""
    while _warm:
        _warm.pop().close()


# The process itself


def _import_everything() -> None:
    import lenet_tui.cli
    from lenet_tui.runner.executors import preload

    assert preload  # importing it imports what takes long
    for module in pkgutil.iter_modules(lenet_tui.cli.__path__):
        importlib.import_module(f"lenet_tui.cli.{module.name}")


def _serve(listening: socket.socket) -> dict[str, object]:
    """Fork for each request; return, in the fork, what it asks for."""
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(listening, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj == 0:
                os._exit(0)
            if key.fileobj is listening:
                connection = listening.accept()[0]
                size, files, _, _ = socket.recv_fds(connection, 4, 3)
                request = json.loads(connection.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL))
                pid = os.fork()
                if pid == 0:
                    for target, descriptor in enumerate(files):
                        os.dup2(descriptor, target)
                    os.closerange(3, 200)
                    for held in (connection, listening):
                        held.detach()
                    return request  # type: ignore[no-any-return]
                for descriptor in files:
                    os.close(descriptor)
                connection.sendall(f"{pid}\n".encode())
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, connection))
            else:
                pid, connection = key.data
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                selector.unregister(key.fd)
                os.close(key.fd)
                with contextlib.suppress(OSError), connection:  # the test may have given up
                    connection.sendall(f"{code}\n".encode())


def _main() -> NoReturn:
    _import_everything()
    gc.freeze()
    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    os.chdir(str(request["cwd"]))
    os.environ.clear()
    os.environ.update(request["env"])  # type: ignore[call-overload]
    from lenet_tui.cli.main import main
    from lenet_tui.host import environment

    environment.settle()
    sys.stdin = open(0)  # noqa: SIM115 - for the life of the process
    sys.stdout = open(1, "w")  # noqa: SIM115
    sys.stderr = open(2, "w", errors="backslashreplace")  # noqa: SIM115
    sys.argv = [str(Path(importlib.import_module("lenet_tui").__file__ or "").parent / "__main__.py")]
    sys.argv += request["words"]  # type: ignore[operator]
    try:
        code = main()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:  # noqa: BLE001 - shown as the interpreter would
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
        code = 1
    os._exit(code)  # taking all that was imported apart would take as long as the command


if __name__ == "__main__":
    _main()
