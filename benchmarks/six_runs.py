"""The assignment's runs, queued, against the homework's loop doing them one after the other.

Batch sizes 16, 32 and 64 at learning rate 0.001, and learning rates 0.01, 0.001 and 0.0001 at batch size 64; the run
that is in both is trained once, on either side. Full MNIST. Ours is everything from the first command to the last
picture, the start of the runner included. The homework's is its loop alone with the test accuracy after each epoch: no
start of Python, no pictures. Its epochs are all alike, so that it is timed for a few of them and the rest is reckoned
from these. Half of its runs go before ours and half after, so that a machine that changes its pace does so for both.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmarks import loops
from benchmarks.command import lenet_tui
from benchmarks.result import Result
from lenet_tui.config import RunConfig
from lenet_tui.host.hardware import available_cores
from lenet_tui.run.folder import PICTURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lenet_tui.data.datasets import Dataset

EPOCHS = 8  # 20 in the assignment
TIMED = 2  # of the homework's
BATCH_SIZES = (16, 32, 64)
OTHER_RATES = (0.01, 0.0001)  # 0.001 is among the batch sizes
RUNS = len(BATCH_SIZES) + len(OTHER_RATES)


def measure() -> Iterator[Result]:
    """Yield ours / homework, all in all and for the training alone."""
    torch.set_num_threads(available_cores())
    data = loops.mnist()
    configs = [RunConfig(batch_size=batch_size, epochs=EPOCHS) for batch_size in BATCH_SIZES]
    configs += [RunConfig(lr=lr, epochs=EPOCHS) for lr in OTHER_RATES]
    # Every other one in each half, so that the halves are alike.
    homework = _homework(configs[::2], data)
    with tempfile.TemporaryDirectory() as root:
        ours, trained = _queued(Path(root))
    homework += _homework(configs[1::2], data)
    homework *= EPOCHS / TIMED
    yield Result(
        "the assignment's runs: ours / homework",
        ours / homework,
        0.18,
        f"{EPOCHS} epochs each; ours {ours:.1f} s on {available_cores()} cores with {3 * RUNS} pictures, "
        f"homework {homework:.1f} s, reckoned from {TIMED} epochs of each",
    )
    yield Result(
        "the same without our pictures and start",
        trained / homework,
        None,
        f"{trained:.1f} s: the seconds that our runs trained, divided by the cores they shared",
    )


def _homework(configs: Sequence[RunConfig], data: Dataset) -> float:
    begun = time.perf_counter()
    for config in configs:
        epoch = loops.homework(config, data, evaluate=True)
        for _ in range(TIMED):
            epoch()
    return time.perf_counter() - begun


def _queued(root: Path) -> tuple[float, float]:
    """Return the seconds of the whole, and those of training as if the cores had shared it evenly."""
    begun = time.perf_counter()
    epochs = ("--epochs", str(EPOCHS))
    lenet_tui(root, "queue", "add", *epochs, "--batch-size", ",".join(map(str, BATCH_SIZES)))
    lenet_tui(root, "queue", "add", *epochs, "--lr", ",".join(map(str, OTHER_RATES)))
    ended = lenet_tui(root, "queue", "wait")
    seconds = time.perf_counter() - begun
    lenet_tui(root, "runner", "stop")
    drawn = sum((root / run["folder"] / name).exists() for run in ended for name in PICTURES)
    if len(ended) != RUNS or drawn != 3 * RUNS:
        raise SystemExit(f"{len(ended)} of {RUNS} runs ended, with {drawn} of {3 * RUNS} pictures")
    return seconds, sum(run["train_seconds"] for run in ended) / available_cores()
