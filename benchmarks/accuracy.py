"""Test accuracy of the default LeNet over five seeds, each tested once with its best-validation weights.

LeCun et al. 1998 report 0.95 % test error for LeNet-5 without distortions, an accuracy of 99.05 %.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.result import Result
from lenet_tui.host.hardware import available_cores

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = range(5)


def measure() -> Iterator[Result]:
    """Yield the mean over the seeds, in percent."""
    with tempfile.TemporaryDirectory() as root, ThreadPoolExecutor(available_cores()) as pool:
        accuracies = list(pool.map(lambda seed: 100 * _test_accuracy(root, seed), SEEDS))
    yield Result(
        "mean test accuracy, %",
        statistics.mean(accuracies),
        98.9,
        f"standard deviation {statistics.stdev(accuracies):.3f}, "
        f"seeds {', '.join(f'{accuracy:.2f}' for accuracy in accuracies)}",
        at_least=True,
    )


def _test_accuracy(root: str, seed: int) -> float:
    command = [
        sys.executable,
        "-m",
        "lenet_tui",
        "train",
        "--json",
        "--threads",
        "1",
        "--seed",
        str(seed),
        "--root",
        root,
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return float(json.loads(done.stdout)["summary"]["test_accuracy"])
