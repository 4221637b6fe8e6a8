"""One epoch of training: ours against the homework's loop and against a bare one, in turn.

All three train the same network on the same 55,000 images of MNIST with the same number of threads; AlexNet on the
first 11,000, since its homework epoch takes minutes. The figure is the median of the rounds' ratios.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import torch

from benchmarks import loops
from benchmarks.result import Result
from lenet_tui.config import RunConfig
from lenet_tui.host.hardware import available_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CASES = [("lenet", 64, None, 8), ("lenet", 32, None, 3), ("lenet", 16, None, 3), ("alexnet", 64, 11_000, 3)]


def take_turns(number: int, *loops_in_turn: Callable[[], float]) -> list[float]:
    """Time each loop once; every other round backwards, so that a machine that slows down favours nobody."""
    order = range(len(loops_in_turn)) if number % 2 == 0 else reversed(range(len(loops_in_turn)))
    seconds = {index: loops_in_turn[index]() for index in order}
    return [seconds[index] for index in range(len(loops_in_turn))]


def measure() -> Iterator[Result]:
    """Yield the two ratios of every case."""
    torch.set_num_threads(available_cores())
    for model, batch_size, images, rounds in CASES:
        config = RunConfig(model=model, batch_size=batch_size)
        data = loops.mnist(images)
        homework, bare, ours = (make(config, data) for make in (loops.homework, loops.bare, loops.ours))
        times = [take_turns(number, homework, bare, ours) for number in range(rounds)]
        seconds = [statistics.median(column) for column in zip(*times, strict=True)]
        shown = "homework {:.2f} s, bare {:.2f} s, ours {:.2f} s an epoch".format(*seconds)
        is_default = (model, batch_size) == ("lenet", 64)
        name = f"{model}, batch {batch_size}"
        yield Result(
            f"{name}: ours / homework",
            statistics.median(o / h for h, _, o in times),
            0.15 if is_default else None,
            f"{shown}, medians of {rounds} rounds, {len(data.train_labels):,} images",
        )
        yield Result(
            f"{name}: ours / bare",
            statistics.median(o / b for _, b, o in times),
            0.42 if is_default else None,
            f"{shown}",
        )
