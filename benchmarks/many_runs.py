"""A root with 10,000 finished runs: how long the commands take that people type all day.

Each figure is the median of five whole commands, start of the interpreter included.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.result import Result
from lenet_tui.config import RunConfig
from lenet_tui.host.process import this_process
from lenet_tui.run.folder import Summary
from lenet_tui.run.metrics import EpochMetrics
from lenet_tui.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 10_000
EPOCHS = 20
REPEATS = 5


def measure() -> Iterator[Result]:
    """Yield the seconds of ``queue list``, ``runs --json`` and ``queue add``."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        _fill(root)
        for words, bound in ((("queue", "list"), 0.5), (("runs", "--json"), 0.5), (("queue", "add"), 0.3)):
            seconds = statistics.median(_seconds(root, *words) for _ in range(REPEATS))
            yield Result(f"{' '.join(words)}, seconds", seconds, bound, f"{RUNS:,} finished runs in the store")


def _fill(root: Path) -> None:
    owner = this_process()
    history = [EpochMetrics(n, 0.1, 0.1, 0.97, 0.98, 0.001, 2.0, 0.1, 0.98, 0.1) for n in range(1, EPOCHS + 1)]
    with Store(root) as store:
        for number in range(RUNS):
            run = store.start(RunConfig(seed=number), owner, threads=1)
            store.begin(run.id, owner, root / "lenet" / f"bs64_lr0.001_seed{number}", "cpu", history)
            store.end(run.id, owner, "finished", summary=Summary(**_SUMMARY))
        store.set_paused(True)  # so that nothing is started by what is added


_SUMMARY = {
    "epochs_done": EPOCHS,
    "best_epoch": 1,
    "selected_epoch": 1,
    "best_val_loss": 0.1,
    "best_val_accuracy": 0.98,
    "best_val_cross_entropy": 0.1,
    "train_seconds": 40.0,
    "images_per_second": 27_500.0,
    "test_loss": 0.1,
    "test_accuracy": 0.98,
}


def _seconds(root: Path, *words: str) -> float:
    begun = time.perf_counter()
    command = [sys.executable, "-m", "lenet_tui", *words, "--root", str(root)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    return time.perf_counter() - begun
