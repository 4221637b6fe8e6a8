"""Everything needed to go on after an epoch as if nothing had happened, in one file."""

from __future__ import annotations

import dataclasses
import io
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from lenet_tui.errors import LabError
from lenet_tui.metrics import EpochMetrics
from lenet_tui.runfolder import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """The state after an epoch: the metrics so far and the state dicts of network, optimizer and moving average.

    Random generators are not in it: those of an epoch follow from the seed and its number.
    """

    history: list[EpochMetrics]
    network: dict[str, Any]
    optimizer: dict[str, Any]
    ema: dict[str, Any] | None

    def write(self, path: Path) -> None:
        """Replace the file ``path``, wholly or not at all."""
        buffer = io.BytesIO()
        rows = [dataclasses.asdict(row) for row in self.history]
        content = {"network": self.network, "optimizer": self.optimizer, "ema": self.ema}
        torch.save({"format": _FORMAT, "history": rows, **content}, buffer)
        write_bytes(path, buffer.getvalue())


def read(path: Path, device: torch.device) -> Checkpoint:
    """Read a checkpoint with tensors on ``device``; nothing but tensors and plain values is ever unpickled.

    Raises `LabError` when the file is damaged or not a checkpoint of ours.
    """
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']}, expected {_FORMAT}")
        history = [EpochMetrics(**row) for row in content["history"]]
        return Checkpoint(history, content["network"], content["optimizer"], content["ema"])
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        why = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
        raise LabError(f"{path} is damaged and cannot be resumed from ({why[:120]}); train again") from None
