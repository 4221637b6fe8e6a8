"""What ``calibration.csv`` gets: how certain the network is of the validation images after each epoch."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from lenet_tui.analysis.calibration import calibration
from lenet_tui.errors import LabError
from lenet_tui.host.safe_files import write_own
from lenet_tui.run.calibration import EpochCalibration, to_csv

if TYPE_CHECKING:
    from torch import Tensor

    from lenet_tui.run.folder import RunFolder


class CalibrationLog:
    """Keeps ``calibration.csv``. What cannot be measured or written is left out: a run is complete without it."""

    def __init__(self, folder: RunFolder, epochs_done: int) -> None:
        self._folder = folder
        self._rows: list[EpochCalibration] = []
        with contextlib.suppress(LabError):
            self._rows = folder.read_calibration()[:epochs_done]

    def add(self, epoch: int, logits: Tensor, labels: Tensor) -> None:
        """Measure logits (N, 10) and labels (N,) of the validation images after an epoch, and write the file."""
        if len(self._rows) != epoch - 1:  # the file was lost on the way, and cannot have gaps
            return
        with contextlib.suppress(OSError, LabError, ValueError):
            found = calibration(logits.cpu().numpy(), labels.cpu().numpy())
            self._rows.append(EpochCalibration(epoch, found.temperature, found.scaled_loss, found.error))
            write_own(self._folder.calibration_path, to_csv(self._rows).encode(), durable=False)
