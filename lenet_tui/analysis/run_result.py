"""The result of one run, read from its folder alone: record, epochs, and test predictions."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.run import metrics
from lenet_tui.run.embedding import Embedding
from lenet_tui.run.predictions import Predictions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lenet_tui.config import RunConfig
    from lenet_tui.run.calibration import EpochCalibration
    from lenet_tui.run.folder import RunFolder, RunRecord, State, Summary
    from lenet_tui.run.metrics import EpochMetrics


@dataclass(frozen=True, eq=False)
class RunResult:
    """One run as analysis reads it.

    ``run_id`` is its number in the store and ``folder`` its folder relative to the root, for people. ``predictions``
    are those of the test set, and None unless the run is finished: predictions of a validation set do not
    compare with them. ``calibration`` and ``embedding`` are the content of ``calibration.csv`` and ``t-SNE.csv`` where
    they were asked for and can be read.
    """

    run_id: int
    folder: str
    record: RunRecord
    history: tuple[EpochMetrics, ...]
    predictions: Predictions | None
    calibration: tuple[EpochCalibration, ...] = ()
    embedding: Embedding | None = None

    @property
    def config(self) -> RunConfig:
        """The run's configuration."""
        return self.record.config

    @property
    def state(self) -> State:
        """Its state."""
        return self.record.state

    @property
    def summary(self) -> Summary | None:
        """Its summary metrics, None while ``run.json`` has none."""
        return self.record.summary

    @cached_property
    def best(self) -> EpochMetrics | None:
        """The epoch of lowest validation loss, None when no epoch has a finite one."""
        return metrics.best(self.history)

    @cached_property
    def right(self) -> NDArray[np.bool_] | None:
        """Whether each test image was recognised, (N,) bool; None without predictions."""
        if self.predictions is None:
            return None
        result: NDArray[np.bool_] = self.predictions.predicted == self.predictions.labels
        return result

    @property
    def best_val_cross_entropy(self) -> float | None:
        """Plain cross-entropy on the validation set (nats) at the epoch of lowest validation loss.

        Runs with different training losses are compared by it. None when there is no such epoch.
        """
        return None if self.best is None else self.best.val_cross_entropy


def read(run_id: int, folder: RunFolder, name: str, state: State | None = None, *, details: bool = False) -> RunResult:
    """Read the run in ``folder``, which people know as ``name``.

    ``state`` is the state in the store, where it was read: the ``run.json`` of a run whose process died still says
    ``running``. With ``details`` it also reads what a run is complete without. Raises `LabError` when the folder isn't
    a run or one of its files is damaged or missing.
    """
    record = folder.read_record()
    predictions = Predictions.read(folder.predictions_path) if record.state == "finished" else None
    if state is not None and state != record.state:
        record = record.model_copy(update={"state": state})
    calibration: tuple[EpochCalibration, ...] = ()
    embedding = None
    if details:
        with contextlib.suppress(LabError):
            calibration = tuple(folder.read_calibration())
        with contextlib.suppress(LabError, FileNotFoundError):
            embedding = Embedding.read(folder.embedding_path)
    return RunResult(
        run_id,
        name,
        record,
        tuple(folder.read_metrics()),
        predictions if predictions is not None and predictions.split == "test" else None,
        calibration,
        embedding,
    )
