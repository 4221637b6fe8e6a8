"""What it costs a worker to tell the store what it does, as a share of the time it trains.

Three real epochs of the default run with the worker's own reporter and a real store: the run begun, asking five times a
second whether to stop, telling progress twice a second, a row for each epoch.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import loops
from benchmarks.result import Result
from lenet_tui import experiment
from lenet_tui.config import RunConfig
from lenet_tui.host.hardware import available_cores
from lenet_tui.host.process import this_process
from lenet_tui.runner.worker import StoreReporter
from lenet_tui.store import Store
from lenet_tui.training import device, loop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lenet_tui.run.metrics import EpochMetrics, Progress

EPOCHS = 3


class Timed:
    """Passes on what training tells a reporter, and adds up the seconds that this takes."""

    def __init__(self, inner: StoreReporter) -> None:
        self._inner = inner
        self.seconds = 0.0
        self.calls = 0

    def on_progress(self, progress: Progress) -> None:
        """Pass it on."""
        begun = time.perf_counter()
        self._inner.on_progress(progress)
        self._count(begun)

    def on_epoch_end(self, row: EpochMetrics, best: EpochMetrics) -> None:
        """Pass it on."""
        begun = time.perf_counter()
        self._inner.on_epoch_end(row, best)
        self._count(begun)

    def should_stop(self) -> bool:
        """Pass it on."""
        begun = time.perf_counter()
        answer = self._inner.should_stop()
        self._count(begun)
        return answer

    def _count(self, begun: float) -> None:
        self.seconds += time.perf_counter() - begun
        self.calls += 1


def measure() -> Iterator[Result]:
    """Yield the share."""
    config = RunConfig(epochs=EPOCHS)
    data = loops.mnist()
    owner = this_process()
    device.make_repeatable(loops.CPU, available_cores())
    with tempfile.TemporaryDirectory() as name, Store(Path(name)) as store:
        run = store.start(config, owner, available_cores())
        folder, record = experiment.begin(Path(name), config, data)
        reporter = StoreReporter(store, run.id, owner)
        timed = Timed(reporter)
        begun = time.perf_counter()
        reporter.on_run_start(folder, record)
        timed.seconds = time.perf_counter() - begun
        loop.train(config, data, folder, loops.CPU, timed)
        seconds = time.perf_counter() - begun
        text = len(store.epochs(run.id))
    if text != EPOCHS:
        raise SystemExit(f"the store has {text} of {EPOCHS} epochs")
    yield Result(
        "telling the store / training",
        timed.seconds / seconds,
        0.01,
        f"{1000 * timed.seconds:.0f} ms for {timed.calls} calls in {seconds:.1f} s, {EPOCHS} epochs of MNIST",
    )
