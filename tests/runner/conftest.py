"""A root of its own for each test, with the command on it, and nothing left running afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lenet_tui.runner import daemon
from tests import warm
from tests.conftest import environment

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

MARK = "LENET_TUI_TEST"


def runner_pid(root: Path) -> int | None:
    """The process id of the runner of a root; None where none is there."""
    owner = daemon.runner_owner(root)
    return owner.pid if owner else None


@dataclass
class Bench:
    """A root and the command on it. Every process that comes of it carries ``mark`` in its environment."""

    root: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return environment(**{MARK: self.mark}) | self.extra

    def call(self, *words: object, ok: int | None = 0, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        done = warm.run([*map(str, words)], self.root, self.env, timeout=timeout)
        if ok is not None:
            assert done.returncode == ok, f"{words}: {done.stdout}{done.stderr}{self.log()}"
        return done

    def json(self, *words: object) -> Any:
        return json.loads(self.call(*words, "--json").stdout)

    def runs(self) -> dict[int, dict[str, Any]]:
        return {run["id"]: run for run in self.json("runs")}

    def wait_for(self, condition: Callable[[], Any], seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while not (result := condition()):
            assert time.monotonic() < deadline, f"waited in vain\n{self.log()}"
            time.sleep(0.05)
        return result

    def log(self) -> str:
        with contextlib.suppress(OSError):
            return (self.root / ".lenet-tui" / "runner.log").read_text()
        return ""

    def processes(self) -> dict[int, str]:
        """The processes that are alive and come of this test, by id, with their command lines."""
        result = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                words = (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if f"{MARK}={self.mark}".encode() in words and state != "Z":
                    result[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return result


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    result = Bench(tmp_path)
    yield result
    for pid in result.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
