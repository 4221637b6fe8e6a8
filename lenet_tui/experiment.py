"""One run from a configuration to a finished folder: train, test once, draw, and keep ``run.json`` true meanwhile."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import numpy as np
import torch

from lenet_tui import reports
from lenet_tui.engine import choice
from lenet_tui.engine.choice import Engine
from lenet_tui.engine.native import native as native_of
from lenet_tui.errors import LabError, UsageError
from lenet_tui.formatting import counted, printable
from lenet_tui.host.hardware import available_cores, environment
from lenet_tui.host.safe_files import explain
from lenet_tui.run import folder as runfolder
from lenet_tui.run import metrics
from lenet_tui.run.folder import DatasetRecord, RunFolder, RunRecord, Summary, now
from lenet_tui.run.predictions import Predictions
from lenet_tui.training import device as devices
from lenet_tui.training import loop, models
from lenet_tui.training.evaluation import Scaling, outputs
from lenet_tui.training.losses import objective

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import Literal, Protocol

    from lenet_tui.config import RunConfig
    from lenet_tui.data.datasets import Dataset
    from lenet_tui.run.folder import State
    from lenet_tui.run.metrics import EpochMetrics

    class Reporter(loop.Reporter, Protocol):
        """What watches a run from its start to its reports."""

        def on_run_start(self, folder: RunFolder, record: RunRecord) -> None:
            """Called when the run has its folder and is about to train."""

        def on_training_end(self, state: State) -> None:
            """Called when training is over, before the reports; ``state`` is what the run ends with."""

        def on_reports_written(self, written: Sequence[reports.Report]) -> None:
            """Called with the reports that were written or skipped."""


def begin(
    root: Path, config: RunConfig, data: Dataset, *, threads: int | None = None, fallback_for: str | None = None
) -> tuple[RunFolder, RunRecord]:
    """Make the folder of a new run of ``config`` below ``root``, with its record in it, and return both.

    It will compute with ``threads`` CPU threads, by default with as many as its configuration says or there are cores.

    Raises as `check` does, and `UsageError` for a bad ``root``.
    """
    check(config, data)
    folder = runfolder.create(root, config)
    record = _new_record(config, data, threads, now(), fallback_for)
    folder.write_record(record)
    return folder, record


def record_of(
    folder: RunFolder, config: RunConfig, data: Dataset, *, threads: int | None, created_at: datetime
) -> RunRecord:
    """Return the record of a run that the store knows: its ``run.json`` or, where that is damaged or gone, a new one.

    A folder that is gone is made again; the run then starts again, to the same result. Raises `LabError` when the
    folder is not ours or cannot be written, and `UsageError` as `check` does.
    """
    try:
        record = folder.read_record()
        if record.config != config:
            damage = "run.json is of another configuration"
        elif record.state == "finished" and not is_tested(record):
            damage = "run.json is finished but has no test results"
        else:
            return record
    except LabError as error:
        damage = str(error)
    check(config, data)
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"cannot make {folder.path}: {explain(error)}") from None
    record = _new_record(config, data, threads, created_at)
    folder.write_record(record)
    folder.log(f"{damage}; it was written again from the store")
    return record


def _new_record(
    config: RunConfig, data: Dataset, threads: int | None, created_at: datetime, fallback_for: str | None = None
) -> RunRecord:
    device = devices.resolve(config.device)
    engine = choice.choose(config.engine, config.model, device.type)
    return RunRecord(
        state="running",
        config=config,
        threads=threads or config.threads or available_cores(),
        device=devices.describe(device),
        engine=engine.name,
        instructions=engine.instructions or None,
        environment=environment(),
        created_at=created_at,
        started_at=now(),
        dataset=DatasetRecord(
            name=data.name,
            source=data.source,
            checksum=data.checksum,
            train=len(data.train_labels),
            validation=len(data.val_labels),
            test=len(data.test_labels),
            fallback_for=fallback_for,
            mean=data.mean,
            std=data.std,
        ),
    )


def check(config: RunConfig, data: Dataset) -> None:
    """Raise `UsageError` for a device or engine that is not there or a batch larger than the training set."""
    choice.choose(config.engine, config.model, devices.resolve(config.device).type)
    if config.batch_size > len(data.train_labels):
        raise UsageError(
            f"--batch-size {config.batch_size} is more than the {len(data.train_labels):,} training images of "
            f"{config.dataset}; give at most that"
        )


def is_tested(record: RunRecord) -> bool:
    """Say whether a record has results of the test set, as each finished run's has."""
    return record.summary is not None and record.summary.test_accuracy is not None


def check_resumable(folder: RunFolder) -> RunRecord:
    """Return the record of the run in ``folder``; without a checkpoint it starts again, with the same result.

    Raises `UsageError` when the run is finished and `LabError` when the folder is no run folder.
    """
    record = folder.read_record()
    if record.state == "finished" and is_tested(record):
        raise UsageError(f"{folder.path} is finished; there is nothing to resume")
    return record


def run(folder: RunFolder, record: RunRecord, data: Dataset, reporter: Reporter) -> RunRecord:
    """Train in ``folder`` from its checkpoint or the start, to the end or until it is stopped; return the last record.

    The record's state is then ``finished``, ``stopped`` or ``failed`` with the reason. Raises `LabError` when another
    process works on the folder, when ``data`` is not what the run started with, and when the folder cannot be written;
    the state is then ``failed`` where that can still be written.
    """
    with folder.exclusively():
        if data.checksum != record.dataset.checksum:
            raise LabError(
                f"{folder.path} was started on {record.dataset.name} with checksum {record.dataset.checksum[:12]}…, "
                f"and {data.source} has {data.checksum[:12]}…; give the same images with --data-dir"
            )
        record = record.model_copy(
            update={"state": "running", "reason": None, "started_at": now(), "finished_at": None}
        )
        folder.write_record(record)
        try:
            return _run(folder, record, data, reporter)
        except LabError as error:
            _close(folder, record, "failed", str(error))
            raise
        except torch.OutOfMemoryError:
            return _close(folder, record, "failed", "the device is out of memory; a smaller --batch-size needs less")
        except KeyboardInterrupt:
            _close(folder, record, "stopped", "interrupted a second time, before its pictures were drawn")
            raise
        except Exception as error:
            folder.log(traceback.format_exc())
            _close(folder, record, "failed", f"internal error: {error!r}; log.txt has the details")
            raise


def _run(folder: RunFolder, record: RunRecord, data: Dataset, reporter: Reporter) -> RunRecord:
    config = record.config
    device = devices.resolve(config.device)
    engine, changed = choice.keep(_engine(record), config.model, device.type)
    if changed:
        folder.log(changed)
        record = record.model_copy(update={"engine": engine.name, "instructions": engine.instructions or None})
        folder.write_record(record)
    # The native engine has threads of its own; torch's would wait, spinning, on the same cores.
    devices.make_repeatable(device, 1 if engine.name == "native" else record.threads)
    training = loop.prepare(config, data, folder, device, engine)
    reporter.on_run_start(folder, record)
    verb = f"resuming after epoch {len(training.history)}" if training.history else "training"
    folder.log(f"{verb}: {config.title()} on {record.device}, {counted(record.threads, 'CPU thread')}, engine {engine}")

    state: State = "finished"
    reason = None
    stopped_early = False
    try:
        stopped_early = loop.train(config, data, folder, device, reporter, training)
    except loop.Stopped:
        state, reason = "stopped", "on request"
    except loop.Diverged as diverged:
        state, reason = "failed", f"{diverged}; a smaller --lr than {config.lr:g} may help, or --clip-norm 1"

    history = training.history
    best, selected = metrics.best(history), metrics.selected(history)
    if best is not None and selected is not None:
        reporter.on_training_end(state)
        loop.write_results(folder, training)
        predictions = _predict(folder, record, data, device, split="test" if state == "finished" else "validation")
        predictions.write(folder.predictions_path)
        record = record.model_copy(
            update={"summary": _summary(record, history, best, selected, predictions, stopped_early=stopped_early)}
        )
        folder.write_record(record)
        written = reports.write_all(folder)
        for report in written:
            folder.log(str(report))
        reporter.on_reports_written(written)
        _read_back(folder, predictions, training)
    record = _close(folder, record, state, reason)
    if state == "finished":
        if folder.read_record() != record:
            raise LabError(f"{folder.record_path} cannot be read back as it was written; check the disk")
        folder.checkpoint_path.unlink(missing_ok=True)
    return record


def _read_back(folder: RunFolder, predictions: Predictions, training: loop.State) -> None:
    """Raise `LabError` unless everything that a run leaves is on disk as it was written: then its checkpoint may go."""
    loop.write_results(folder, training)
    there = Predictions.read(folder.predictions_path)
    same = all(
        np.array_equal(getattr(there, name), getattr(predictions, name), equal_nan=name != "labels")
        for name in ("labels", "logits", "features")
    )
    weights = loop.read_weights(folder)
    same = same and all(torch.equal(weights[name], value) for name, value in (training.weights or {}).items())
    if not same or folder.read_metrics() != training.history:
        raise LabError(f"{folder.path} cannot be read back as it was written; check the disk, and resume the run")


def _engine(record: RunRecord) -> Engine:
    return Engine(record.engine, record.instructions or "", record.threads)


def _predict(
    folder: RunFolder, record: RunRecord, data: Dataset, device: torch.device, split: Literal["test", "validation"]
) -> Predictions:
    # The test set is looked at once, by the finished run; until then the validation set stands in for it.
    config = record.config
    native = native_of(config, _engine(record), data.mean, data.std)
    network = load_network(folder, config).to(device)
    if not native:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images, labels = (data.test_images, data.test_labels) if split == "test" else (data.val_images, data.val_labels)
    logits, features = outputs(network, images.to(device), Scaling(data.mean, data.std), native)
    return Predictions(split, labels.cpu().numpy(), logits.cpu().numpy(), features.cpu().numpy())


def load_network(folder: RunFolder, config: RunConfig) -> models.Network:
    """Return the network with the folder's best-validation weights, on the CPU. Raises `LabError`."""
    network = models.build(config)
    weights = loop.read_weights(folder)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        why = printable(str(error).strip().partition("\n")[0])[:200]
        raise LabError(f"{folder.weights_path} is damaged: {why}") from None
    return network


def _summary(
    record: RunRecord,
    history: list[EpochMetrics],
    best: EpochMetrics,
    selected: EpochMetrics,
    predictions: Predictions,
    *,
    stopped_early: bool,
) -> Summary:
    seconds = sum(row.seconds for row in history)
    tested = predictions.split == "test"
    loss = objective(record.config)(torch.from_numpy(predictions.logits), torch.from_numpy(predictions.labels))
    return Summary(
        epochs_done=history[-1].epoch,
        best_epoch=best.epoch,
        selected_epoch=selected.epoch,
        best_val_loss=best.val_loss,
        best_val_accuracy=best.val_accuracy,
        best_val_cross_entropy=best.val_cross_entropy,
        train_seconds=seconds,
        images_per_second=len(history) * record.dataset.train / seconds,
        test_loss=float(loss) if tested else None,
        test_accuracy=predictions.accuracy if tested else None,
        stopped_early=stopped_early,
    )


def _close(folder: RunFolder, record: RunRecord, state: State, reason: str | None) -> RunRecord:
    record = record.model_copy(update={"state": state, "reason": reason, "finished_at": now()})
    try:
        folder.write_record(record)
    except LabError:
        if state != "failed":
            raise
        # The disk may be full, which is then why the run failed, and already its reason.
    folder.log(f"{state}: {reason}" if reason else state)
    return record
