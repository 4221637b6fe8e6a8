"""When what training has come to goes to disk: after each epoch or, where epochs are short, every few seconds."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import math
import time
from typing import TYPE_CHECKING

import safetensors.torch

from lenet_tui.host.safe_files import write_own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from lenet_tui.run.folder import RunFolder
    from lenet_tui.training.checkpoint import Checkpoint

# Five are promised; until it is noticed that so many have passed, a step has to end, and writing takes time, too.
MOST_UNSAVED_SECONDS = 4.0


class Saver:
    """Writes the weights, ``metrics.csv`` and the checkpoint of a run, in this order.

    A crash costs the epoch in progress or, where epochs are shorter, at most the last five seconds. The first epoch is
    written at once, so that a run that dies again and again still gets further.
    """

    def __init__(self, folder: RunFolder, weights: dict[str, Tensor] | None) -> None:
        self._folder = folder
        self._weights = weights  # as in the file
        self._pending: Checkpoint | None = None
        self._pending_since = self._saved_at = -math.inf

    def keep(self, checkpoint: Checkpoint) -> None:
        """Write what there is after an epoch, now or, if that is soon enough, later. Raises `LabError`."""
        self._pending_since = time.monotonic()
        if self._is_due():
            self._pending = checkpoint
            self.write()
        else:  # training goes on in the very tensors
            state = {name: copy.deepcopy(getattr(checkpoint, name)) for name in ("network", "optimizer", "ema")}
            self._pending = dataclasses.replace(checkpoint, history=list(checkpoint.history), **state)

    def write_if_due(self) -> None:
        """Write what is waiting once that is long enough; to be called within an epoch. Raises `LabError`."""
        if self._pending is not None and self._is_due():
            self.write()

    def write(self) -> None:
        """Write what is waiting. Raises `LabError`."""
        pending = self._pending
        if pending is None:
            return
        try:
            if pending.weights is not None and pending.weights is not self._weights:
                write_own(self._folder.weights_path, safetensors.torch.save(pending.weights))
                self._weights = pending.weights
            self._folder.write_metrics(pending.history)
            pending.write(self._folder.checkpoint_path)
            self._saved_at = self._pending_since
        finally:
            self._pending = None  # not before: a signal may come while it is written

    def _is_due(self) -> bool:
        return time.monotonic() - self._saved_at >= MOST_UNSAVED_SECONDS


_active: Saver | None = None  # of this process; a signal handler has no other way to it


@contextlib.contextmanager
def saving(folder: RunFolder, weights: dict[str, Tensor] | None) -> Iterator[Saver]:
    """Have a `Saver` for training, and write what is waiting however training ends.

    ``weights`` are those in the folder's file, None where there are none. Raises `LabError`.
    """
    global _active
    _active = saver = Saver(folder, weights)
    try:
        yield saver
    finally:
        saver.write()
        _active = None


def write_now() -> None:
    """Write what is waiting in this process, if anything; for a signal handler. Raises `LabError`."""
    if _active is not None:
        _active.write()
