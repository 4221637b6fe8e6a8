"""A whole default run as a person starts it, against as many bare epochs; its pictures and its memory.

20 epochs with validation, checkpoints and three pictures, start of the interpreter included. The bare epochs are
trained half before and half after it, so that a machine that changes its pace does so for both.
"""

from __future__ import annotations

import json
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
from lenet_tui.host.hardware import available_cores

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
        drawing = _drawing(folder)
    usual = loops.homework(config, loops.mnist())
    homework = config.epochs / 2 * sum(usual() for _ in range(2))
    yield Result(
        "default run / bare epochs",
        seconds / bare,
        1.15 + ALLOWANCE / bare,
        f"{seconds:.1f} s for the command, {bare:.1f} s for {config.epochs} bare epochs; "
        f"the bound is 1.15 × that + {ALLOWANCE:g} s",
    )
    yield Result(
        "default run / usual loop",
        seconds / homework,
        0.20,
        f"{seconds:.1f} s for the command, {homework:.1f} s for the usual loop, reckoned from two epochs",
    )
    yield Result(
        "three pictures, seconds",
        drawing,
        6.0,
        "from an empty process with the run's folder; imports of matplotlib and scikit-learn included",
    )
    yield Result("peak memory of train, MB", peak, 700.0, "maximum resident set size of the process")


# The system counts a process's memory from that of the process it was started from, so that one must be small.
_LAUNCHER = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(json.dumps([code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""

_DRAWING = """
import sys, time
from pathlib import Path
from lenet_tui import reports
from lenet_tui.reports import confusion, loss, tsne
from lenet_tui.run.folder import RunFolder
begun = time.perf_counter()
reports.write_all(RunFolder(Path(sys.argv[1])))
print(time.perf_counter() - begun)
"""


def _command(*words: str) -> tuple[float, float]:
    """Run ``lenet-tui``; return its wall seconds and its peak memory in megabytes."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _LAUNCHER, sys.executable, "-m", "lenet_tui", *words],
        stdout=subprocess.PIPE,
        check=True,
    )
    seconds = time.perf_counter() - begun
    code, peak = json.loads(done.stdout)
    if code:
        raise SystemExit(f"lenet-tui {' '.join(words)} ended with {code}")
    return seconds, peak / (1e6 if sys.platform == "darwin" else 1e3)


def _drawing(folder: Path) -> float:
    """Return the seconds that the three pictures of a run take."""
    done = subprocess.run(
        [sys.executable, "-c", _DRAWING, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    return float(done.stdout)
