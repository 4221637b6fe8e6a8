"""Putting the train loss within an epoch on record, without making the device wait at every step."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import torch

from lenet_tui.errors import LabError
from lenet_tui.host.safe_files import open_own, write_own
from lenet_tui.run import steps as step_records

if TYPE_CHECKING:
    from torch import Tensor

    from lenet_tui.run.folder import RunFolder

_WRITE_SECONDS = 2.0


class StepLosses:
    """Appends to ``steps.csv``. What cannot be written is left out: the record is a convenience.

    A point is the mean of the losses of some steps, as many as make `points_an_epoch` points. It stays on the device
    until `write`.
    """

    def __init__(self, folder: RunFolder, epochs: int) -> None:
        self._folder = folder
        self._most = step_records.points_an_epoch(epochs)
        self._epoch, self._steps, self._each = 0, 1, 1
        self._losses: list[Tensor] = []
        self._points: list[tuple[int, Tensor]] = []
        self._next_write = 0.0

    def begin(self, epochs_done: int) -> None:
        """Make the file, or remove from it what is not of the epochs that are done."""
        try:
            kept = [point for point in self._folder.read_steps() if point[0] <= epochs_done]
        except LabError:
            kept = []
        with contextlib.suppress(OSError, LabError):
            text = step_records.HEADER + step_records.to_csv(kept)
            write_own(self._folder.steps_path, text.encode(), durable=False)

    def begin_epoch(self, epoch: int, steps: int) -> None:
        """Go on to an epoch of so many steps."""
        self._epoch, self._steps, self._each = epoch, steps, -(-steps // self._most)
        self._losses, self._points = [], []
        self._next_write = time.perf_counter() + _WRITE_SECONDS

    def add(self, step: int, loss: Tensor) -> None:
        """Take note of the loss, a scalar without gradient, of a step, counted from 1."""
        self._losses.append(loss)
        if len(self._losses) == self._each or step == self._steps:
            self._points.append((step, torch.stack(self._losses).mean() if self._each > 1 else loss))
            self._losses = []

    def write(self, *, now: bool = False) -> None:
        """Append the points since the last time, unless that was a moment ago; for when the device waits anyway."""
        if not self._points or not (now or time.perf_counter() >= self._next_write):
            return
        self._next_write = time.perf_counter() + _WRITE_SECONDS
        losses = torch.stack([loss for _, loss in self._points]).tolist()
        points = [(self._epoch, step, self._steps, loss) for (step, _), loss in zip(self._points, losses, strict=True)]
        self._points = []
        with contextlib.suppress(OSError, LabError), open_own(self._folder.steps_path, "ab") as file:
            file.write(step_records.to_csv(points).encode())
