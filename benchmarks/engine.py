"""The native engine: epochs against the usual loop, a bare one and distorted images; its share of the arithmetic.

All loops train the same network on the same 11,000 images of MNIST with the same number of threads, in turn; the figure
is the median of the rounds' ratios. The arithmetic is that of a training step of ours, everything around the engine
included, over that of PyTorch's product of two matrices (1024 × 1024), measured in the same rounds with one thread.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import torch

from benchmarks import loops
from benchmarks.epoch import take_turns
from benchmarks.result import Result
from lenet_tui.config import RunConfig
from lenet_tui.engine.choice import choose
from lenet_tui.host.hardware import available_cores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lenet_tui.config import AugmentName

IMAGES = 11_000
ROUNDS = 5
# Batch size, bounds of ours / usual loop on all cores.
CASES = [(64, 0.15), (32, 0.17), (16, 0.20)]
AUGMENTED = 1.5  # bound of an epoch with distorted images / one without
# Multiplications and additions an image: forward, then for the weights and, but in the first layer, for the inputs.
FORWARD = {"conv1": 28 * 28 * 6 * 25, "conv2": 10 * 10 * 16 * 150, "dense": 400 * 120 + 120 * 84 + 84 * 10}
OPERATIONS = 2 * (3 * sum(FORWARD.values()) - FORWARD["conv1"])
SIZE = 1024


def measure() -> Iterator[Result]:
    """Yield the ratios of every case and of augmentation, and one thread's against a bare loop and `sgemm`."""
    data = loops.mnist(IMAGES)
    engine = choose("auto", "lenet", "cpu")
    for batch_size, bound in CASES:
        torch.set_num_threads(available_cores())
        config = RunConfig(batch_size=batch_size)
        pair = [make(config, data) for make in (loops.homework, loops.ours)]
        times = [take_turns(number, *pair) for number in range(ROUNDS)]
        homework, ours = (statistics.median(column) for column in zip(*times, strict=True))
        yield Result(
            f"batch {batch_size}: ours / usual loop, {available_cores()} threads",
            statistics.median(o / h for h, o in times),
            bound,
            f"usual {homework:.2f} s, ours {ours:.2f} s an epoch of {IMAGES:,} images, engine {engine}",
        )
    for threads in sorted({1, available_cores()}):
        torch.set_num_threads(threads)
        kinds: tuple[AugmentName, ...] = ("none", "affine", "elastic", "affine+elastic")
        epochs = [loops.ours(RunConfig(augment=kind), data) for kind in kinds]
        torch.set_num_threads(1)  # as in a run of the native engine
        times = [take_turns(number, *epochs) for number in range(ROUNDS)]
        plain, *others = zip(*times, strict=True)
        for kind, seconds in zip(kinds[1:], others, strict=True):
            yield Result(
                f"batch 64, {kind}: epoch / plain epoch, {threads} threads",
                statistics.median(some / without for some, without in zip(seconds, plain, strict=True)),
                AUGMENTED,
                f"plain {statistics.median(plain):.2f} s, distorted {statistics.median(seconds):.2f} s",
            )
    torch.set_num_threads(1)
    config = RunConfig()
    three = [loops.bare(config, data), loops.ours(config, data), _products]
    times = [take_turns(number, *three) for number in range(2 * ROUNDS)]
    bare, ours, _ = (statistics.median(column) for column in zip(*times, strict=True))
    yield Result(
        "batch 64: ours / bare loop, 1 thread",
        statistics.median(o / b for b, o, _ in times),
        0.42,
        f"bare {bare:.2f} s, ours {ours:.2f} s an epoch of {IMAGES:,} images",
    )
    rates = [(IMAGES * OPERATIONS / o / 1e9, 2 * SIZE**3 / product / 1e9) for _, o, product in times]
    yield Result(
        "batch 64: arithmetic of a step / of sgemm, 1 thread",
        statistics.median(step / product for step, product in rates),
        0.60,
        "{:.0f} and {:.0f} GFLOP/s".format(*(statistics.median(column) for column in zip(*rates, strict=True))),
        at_least=True,
    )


def _products(times: int = 15) -> float:
    """Return the seconds of a product of two matrices, the median of some."""
    a, b, c = torch.randn(3, SIZE, SIZE)
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        torch.mm(a, b, out=c)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)
