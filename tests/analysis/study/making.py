"""Synthetic studies: evidence made up variant by variant, in memory or as the folders that runs leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lenet_tui.analysis.run_result import RunResult
from lenet_tui.analysis.study.plan import VARIANTS, Plan, Study, StudyRun
from lenet_tui.run import calibration, metrics
from lenet_tui.run import folder as runfolder
from lenet_tui.run.calibration import EpochCalibration
from lenet_tui.run.embedding import Embedding, Point
from lenet_tui.run.folder import Summary
from lenet_tui.run.metrics import EpochMetrics
from lenet_tui.run.predictions import Predictions
from lenet_tui.store import Store
from tests.reports.conftest import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lenet_tui.analysis.study.plan import Variant

EPOCHS, IMAGES = 10, 60


def history(best: float, seed: int) -> list[EpochMetrics]:
    """A run whose validation loss is lowest, ``best``, in its fourth epoch, and rises from there."""
    random = np.random.default_rng(seed)
    rows = []
    for epoch in range(1, EPOCHS + 1):
        train = 0.5 / epoch
        val = best * (1 + 0.08 * abs(epoch - 4)) * (1 + 0.01 * float(random.uniform()) * (epoch != 4))
        rows.append(
            EpochMetrics(epoch, train, val, 0.9, 0.9, 0.001, 2.0, 0.8 * train, 0.9, val if epoch != 4 else best)
        )
    return rows


def predicted(wrong: int, seed: int) -> Predictions:
    """Predictions of the test set, ``wrong`` of them wrong."""
    labels = np.arange(IMAGES) % 10
    text = labels.copy()
    where = np.random.default_rng(seed).permutation(IMAGES)[:wrong]
    text[where] = (text[where] + 1) % 10
    return Predictions("test", labels, (5 * np.eye(10)[text]).astype(np.float32), np.zeros((IMAGES, 3), np.float32))


def result(plan: Plan, variant: Variant, seed: int, run_id: int, best: float, wrong: int) -> RunResult:
    config = plan.config(variant, seed)
    rows = tuple(history(best, run_id))
    name = f"{config.model}/{config.folder_name()}"
    known = predicted(wrong, run_id)
    return RunResult(run_id, name, record(config), rows, known, calibrations(rows), embedding(known))


def calibrations(rows: tuple[EpochMetrics, ...]) -> tuple[EpochCalibration, ...]:
    """Half of the rise of the validation loss is over-confidence."""
    lowest = min(row.val_loss for row in rows)
    return tuple(EpochCalibration(row.epoch, 1.2, (row.val_loss + lowest) / 2, 0.01) for row in rows)


def embedding(known: Predictions) -> Embedding:
    """A map with a cluster for each predicted class."""
    random = np.random.default_rng(0)
    pairs = zip(known.labels.tolist(), known.predicted.tolist(), strict=True)
    return Embedding(
        "test",
        tuple(
            Point(n, true, guess, 20.0 * guess + float(random.normal()), float(random.normal()))
            for n, (true, guess) in enumerate(pairs)
        ),
    )


def study(
    seeds: int = 3,
    factors: Mapping[str, float] | None = None,
    *,
    noise: float = 0.02,
    start: int = 0,
    keep: Callable[[Variant, int], bool] = lambda variant, seed: True,
    wrong: Callable[[Variant, int], int] = lambda variant, seed: 5,
) -> Study:
    """A study whose variants have ``factors`` times the default's best loss, on noise of that relative size."""
    plan = Plan(seeds, EPOCHS, "mnist")
    random = np.random.default_rng(start)
    runs = []
    for run_id, (seed, variant) in enumerate(((s, a) for s in range(seeds) for a in VARIANTS), start=1):
        best = 0.05 * (factors or {}).get(variant.name, 1.0) * float(np.exp(random.normal(0, noise)))
        config = plan.config(variant, seed)
        if keep(variant, seed):
            match = result(plan, variant, seed, run_id, best, wrong(variant, seed))
            runs.append(StudyRun(variant, config, run_id, "finished", EPOCHS, None, match))
        else:
            runs.append(StudyRun(variant, config))
    return Study(plan, tuple(runs))


def write_folders(root: Path, made: Study) -> None:
    """Leave the runs of a study below ``root`` as finished runs leave them, and put them on record."""
    with Store(root) as store:
        for run in made.finished:
            folder = runfolder.create(root, run.config)
            best, selected = metrics.best(run.history), metrics.selected(run.history)
            assert best is not None
            assert selected is not None
            assert run.predictions is not None
            summary = Summary(
                epochs_done=len(run.history),
                best_epoch=best.epoch,
                selected_epoch=selected.epoch,
                best_val_loss=best.val_loss,
                best_val_accuracy=best.val_accuracy,
                best_val_cross_entropy=best.val_cross_entropy,
                train_seconds=16.0,
                images_per_second=800.0,
                test_loss=0.2,
                test_accuracy=run.predictions.accuracy,
            )
            folder.write_record(run.record.model_copy(update={"summary": summary}))
            folder.write_metrics(run.history)
            run.predictions.write(folder.predictions_path)
            folder.calibration_path.write_text(calibration.to_csv(run.calibration))
            if run.embedding is not None:
                run.embedding.write(folder.embedding_path)
            store.import_folder(folder)
