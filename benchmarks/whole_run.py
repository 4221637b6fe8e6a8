"""A whole default run as a person starts it, against as many bare epochs; its pictures and its memory.

20 epochs with validation, checkpoints and three pictures, start of the interpreter included. The bare epochs are
trained half before and half after it, so that a machine that changes its pace does so for both.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmarks import loops
from benchmarks.result import Result
from lenet_tui.config import RunConfig
from lenet_tui.machine import available_cores

if TYPE_CHECKING:
    from collections.abc import Iterator

ALLOWANCE = 8.0


def measure() -> Iterator[Result]:
    """Yield the run's overhead over bare epochs, the time for its pictures, and its peak memory."""
    torch.set_num_threads(available_cores())
    config = RunConfig()
    epoch = loops.bare(config, loops.mnist())
    epoch()  # warm up
    with tempfile.TemporaryDirectory() as root:
        bare = sum(epoch() for _ in range(config.epochs // 2))
        seconds, peak = _command("train", "--root", root)
        bare += sum(epoch() for _ in range(config.epochs - config.epochs // 2))
        folder = Path(root) / config.model / config.folder_name()
        drawing, _ = _command("export", str(folder))
    yield Result(
        "default run / bare epochs",
        seconds / bare,
        1.15 + ALLOWANCE / bare,
        f"{seconds:.1f} s for the command, {bare:.1f} s for {config.epochs} bare epochs; "
        f"the bound is 1.15 × that + {ALLOWANCE:g} s",
    )
    yield Result("three pictures, seconds", drawing, 6.0, "lenet-tui export as a whole command, imports included")
    yield Result("peak memory of train, MB", peak, 700.0, "maximum resident set size of the process")


def _command(*words: str) -> tuple[float, float]:
    """Run ``lenet-tui``; return its wall seconds and its peak memory in megabytes."""
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "lenet_tui", *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"lenet-tui {' '.join(words)} ended with {process.returncode}")
    return seconds, usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
