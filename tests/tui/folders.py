"""Finished runs on record, with real folders, for the screens that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.config import RunConfig
from lenet_tui.run import folder as runfolder
from lenet_tui.run import metrics
from lenet_tui.run.folder import Summary
from lenet_tui.store import Store
from tests.reports.conftest import history, predictions, record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store import Run

HISTORY = history([0.9, 0.4, 0.3, 0.2], [0.8, 0.5, 0.3, 0.35])


def finished(
    root: Path, config: RunConfig | None = None, rows: Sequence[EpochMetrics] = HISTORY, *, wrong: int = 6
) -> tuple[Run, list[EpochMetrics]]:
    """A finished run of ``config`` below ``root`` and its epochs, as the store has them."""
    config = config or RunConfig(dataset="digits", batch_size=16, epochs=4)
    folder = runfolder.create(root, config)
    best, selected = metrics.best(rows), metrics.selected(rows)
    assert best is not None
    assert selected is not None
    summary = Summary(
        epochs_done=len(rows),
        best_epoch=best.epoch,
        selected_epoch=selected.epoch,
        best_val_loss=best.val_loss,
        best_val_accuracy=best.val_accuracy,
        best_val_cross_entropy=best.val_cross_entropy,
        train_seconds=6.0,
        images_per_second=800.0,
        test_loss=0.2,
        test_accuracy=0.95,
    )
    folder.write_record(record(config).model_copy(update={"summary": summary}))
    folder.write_metrics(rows)
    predictions(wrong=wrong).write(folder.predictions_path)
    folder.log("training")
    folder.log("finished")
    with Store(root) as store:
        run = store.import_folder(folder)
        return run, store.epochs(run.id)
