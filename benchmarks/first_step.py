"""How soon a queued run trains, with a runner that is there already: from ``queue add`` to the first step on MNIST.

From the moment at which the command has ended; the median of several runs. The moment of the first step is read from
the first progress on record: when it was written, less the time since the epoch began, plus that of one step.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.command import lenet_tui
from benchmarks.result import Result
from lenet_tui.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lenet_tui.run.metrics import Progress

REPEATS = 7
PATIENCE_SECONDS = 60.0


def measure() -> Iterator[Result]:
    """Yield the seconds to the first step."""
    with tempfile.TemporaryDirectory() as name, Store(Path(name)) as store:
        _once(Path(name), store)  # starts the runner, and reads MNIST from the disk
        result = [_once(Path(name), store) for _ in range(REPEATS)]
        lenet_tui(Path(name), "runner", "stop")
    steps, records = zip(*result, strict=True)
    yield Result(
        "queue add to first step, seconds",
        statistics.median(steps),
        0.5,
        f"median of {REPEATS}, {min(steps):.2f} to {max(steps):.2f}; "
        f"to the first progress on record {statistics.median(records):.2f}",
    )


def _once(root: Path, store: Store) -> tuple[float, float]:
    """Queue a run, wait until it trains, stop it; return the seconds to its first step and to its first progress."""
    (queued,) = lenet_tui(root, "queue", "add")
    begun = datetime.now(UTC)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (progress := store.get(queued["id"]).progress) is None:
        if time.monotonic() > deadline:
            raise SystemExit(f"the run is {store.get(queued['id']).state} and makes no progress")
        time.sleep(0.01)
    store.request_stop(queued["id"])
    while store.get(queued["id"]).state == "running":
        time.sleep(0.05)
    assert progress.updated_at is not None
    recorded = (progress.updated_at - begun).total_seconds()
    return recorded - _since_first_step(progress, queued["config"]["batch_size"]), recorded


def _since_first_step(progress: Progress, batch_size: int) -> float:
    since_epoch = progress.step * batch_size / progress.images_per_second
    return since_epoch * (progress.step - 1) / progress.step
