"""The app in a pseudo-terminal: first frame, key to screen while every core trains, bytes, processor time, memory."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import psutil

from benchmarks.result import Result
from benchmarks.terminal import Terminal
from lenet_tui.host.hardware import available_cores
from lenet_tui.runner import daemon
from lenet_tui.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

# A word that is on the first frame and not in any escape sequence.
_FIRST = b"epochs"
_STARTS = 5
_KEYS = 200
_PAIRS = 40
_WINDOW_SECONDS = 3, 6


def measure() -> Iterator[Result]:
    """Yield what the app is promised to reach."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        yield from _alone(root)
        try:
            yield from _beside_training(root)
        finally:
            daemon.stop(root)


def _alone(root: Path) -> Iterator[Result]:
    seconds = []
    for _ in range(_STARTS):
        with Terminal(root) as terminal:
            seconds.append(terminal.seconds_until(_FIRST))
    yield Result("first frame, seconds", statistics.median(seconds), 0.35, f"median of {_STARTS} starts, 80×24")
    with Terminal(root) as terminal:
        terminal.seconds_until(_FIRST)
        terminal.read(5)
        share, written = terminal.share_of_a_core(20)
    yield Result("idle app, share of a core", share, 0.003, f"over 20 s, {written} bytes written")


def _beside_training(root: Path) -> Iterator[Result]:
    seeds = ",".join(map(str, range(available_cores())))
    _command("queue", "add", "--epochs", "1000", "--seed", seeds, "--threads", "1", "--root", str(root))
    with Store(root) as store, Terminal(root) as terminal:
        terminal.seconds_until(_FIRST)
        while not all(run.progress for run in store.queue()):
            terminal.read(0.5)
        terminal.press(b"\x1bOS")  # F4, to the runs
        terminal.read(5)
        share, written = terminal.share_of_a_core(30)
        yield Result("app while runs stream, share of a core", share, 0.03, "over 30 s, 80×24")
        yield Result("app while runs stream, kB/s", written / 30e3, 3.0, "over the same 30 s")
        reactions = []
        for number in range(_KEYS):
            reactions.append(1000 * terminal.seconds_to_react((b"j", b"k")[number % 2]))
            terminal.read(0.05)
        reactions.sort()
        yield Result(
            "key to changed screen, ms, 95th percentile",
            reactions[int(0.95 * len(reactions))],
            30.0,
            f"{_KEYS} keys while every core trains; median {statistics.median(reactions):.0f} ms",
        )
        yield from _slowdown(store, terminal)
        yield Result("memory of the app, MB", terminal.megabytes(), 100.0, "resident set size")


def _slowdown(store: Store, terminal: Terminal) -> Iterator[Result]:
    """Compare how much is trained while the app is there and while it is held still, in turn.

    Many short windows, since the machine itself changes its pace by more than the app costs; and of many lengths, since
    those of one length fall into step with the epochs, and always have the same pauses for evaluation in them.
    """
    random = Random(1)
    workers = [psutil.Process(run.owner.pid) for run in store.runs("running") if run.owner]
    pace, processor, ratios = {}, {True: 0.0, False: 0.0}, []
    for number in range(2 * _PAIRS):
        paused = number % 4 in (0, 3)  # each comes first as often as the other
        terminal.pause(paused=paused)
        terminal.read(0.6)  # progress is written twice a second
        before, cost, begun = _positions(store), _processor(workers), time.perf_counter()
        terminal.read(random.uniform(*_WINDOW_SECONDS))
        processor[paused] += (_processor(workers) - cost) / (time.perf_counter() - begun)
        done = [
            (steps - before[run][0]) / (moment - before[run][1]) for run, (steps, moment) in _positions(store).items()
        ]
        pace[paused] = math.fsum(done)
        if number % 2:
            ratios.append(math.log(pace[True] / pace[False]))
    error = statistics.stdev(ratios) / math.sqrt(_PAIRS)
    shown = (
        f"geometric mean of {_PAIRS} pairs of windows of {_WINDOW_SECONDS[0]} to {_WINDOW_SECONDS[1]} s, ± {error:.3f}"
    )
    yield Result("training without the app / with it, steps a second", math.exp(statistics.fmean(ratios)), 1.02, shown)
    share = processor[True] / processor[False]
    yield Result("processor time of training without the app / with it", share, 1.02, "in the same windows")


def _positions(store: Store) -> dict[int, tuple[int, float]]:
    """Return by run the optimizer steps that it has done, and the moment of that report."""
    return {
        run.id: ((run.progress.epoch - 1) * run.progress.steps + run.progress.step, run.progress.updated_at.timestamp())
        for run in store.queue()
        if run.progress and run.progress.updated_at
    }


def _processor(workers: list[psutil.Process]) -> float:
    return sum(sum(worker.cpu_times()[:2]) for worker in workers)


def _command(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "lenet_tui", *words], stdout=subprocess.DEVNULL, check=True)
