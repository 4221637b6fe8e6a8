"""Runs and snapshots for the tests of the app, made by a real store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.host.process import this_process
from lenet_tui.run.folder import Summary
from lenet_tui.run.metrics import EpochMetrics, Progress
from lenet_tui.tui.store_watcher import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.config import RunConfig
    from lenet_tui.store import Run, Store


def epoch(number: int, train: float, val: float, accuracy: float = 0.9) -> EpochMetrics:
    return EpochMetrics(number, train, val, accuracy, accuracy - 0.01, 0.001, 2.0, train, accuracy, val)


def history(epochs: int) -> list[EpochMetrics]:
    """A run that overfits from its middle on."""
    middle = max(1, epochs // 2)
    return [
        epoch(n, 0.5 / n, 0.4 / min(n, middle) + 0.01 * max(0, n - middle), 1 - 0.3 / n) for n in range(1, epochs + 1)
    ]


def finished(store: Store, config: RunConfig, test_accuracy: float = 0.99, epochs: int = 3) -> Run:
    run = running(store, config, epochs)
    summary = summary_of(history(epochs), test_accuracy)
    assert store.end(run.id, this_process(), "finished", summary=summary)
    return store.get(run.id)


def running(store: Store, config: RunConfig, epochs: int = 3) -> Run:
    me = this_process()
    run = store.start(config, me, threads=1)
    folder = store.root / config.model / f"{config.folder_name()}{'' if run.id == 1 else f'.{run.id}'}"
    folder.mkdir(parents=True)
    store.begin(run.id, me, folder, "cpu", history(epochs))
    return store.get(run.id)


def at_work(store: Store, run: Run, epoch: int, step: int = 29, steps: int = 50) -> Run:
    """Put on record where a running run is within an epoch."""
    where = Progress(epoch, step, steps, train_loss=0.1, images_per_second=28_100.0)
    assert store.record_progress(run.id, this_process(), where)
    return store.get(run.id)


def summary_of(rows: Sequence[EpochMetrics], test_accuracy: float) -> Summary:
    from lenet_tui.run import metrics

    best, selected = metrics.best(rows), metrics.selected(rows)
    assert best is not None
    assert selected is not None
    return Summary(
        best_epoch=best.epoch,
        best_val_loss=best.val_loss,
        best_val_accuracy=best.val_accuracy,
        best_val_cross_entropy=best.val_cross_entropy,
        selected_epoch=selected.epoch,
        test_loss=0.03,
        test_accuracy=test_accuracy,
        epochs_done=len(rows),
        train_seconds=2.0 * len(rows),
        images_per_second=20_000.0,
        stopped_early=False,
    )


def snapshot_of(store: Store, **others: object) -> Snapshot:
    found = store.changes()
    values: dict[str, object] = {
        "runs": {run.id: run for run in found.changed},
        "queue": tuple(found.queue),
        "paused": found.paused,
    }
    return Snapshot(**(values | others))  # type: ignore[arg-type]
