"""Everything needed to go on after an epoch as if nothing had happened, in one file."""

from __future__ import annotations

import copy
import dataclasses
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host import safe_files
from lenet_tui.host.safe_files import MB
from lenet_tui.run import metrics
from lenet_tui.run.metrics import EpochMetrics

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn
    from torch.optim.swa_utils import AveragedModel

_FORMAT = 2
_FORMATS = (1, 2)  # 1 had no weights
MOST_BYTES = 500 * MB
_LAST_STEP = 2**24  # optimizers count in float32, which gets no further


class DamagedCheckpointError(LabError):
    """The file is no checkpoint that this run wrote; training from the start gives the same result."""


@dataclass(frozen=True)
class Checkpoint:
    """The state after an epoch: the metrics so far and the state dicts of network, optimizer and moving average.

    ``weights`` are those that are selected so far, as in ``model.safetensors``, to write that file again; None in a
    checkpoint of an earlier version. Random generators are not in it: those of an epoch follow from the seed and its
    number.
    """

    history: list[EpochMetrics]
    network: dict[str, Any]
    optimizer: dict[str, Any]
    ema: dict[str, Any] | None
    weights: dict[str, Tensor] | None = None

    def write(self, path: Path) -> None:
        """Replace the file ``path``, wholly or not at all."""
        buffer = io.BytesIO()
        rows = [dataclasses.asdict(row) for row in self.history]
        content = {"network": self.network, "optimizer": self.optimizer, "ema": self.ema, "weights": self.weights}
        torch.save({"format": _FORMAT, "history": rows, **content}, buffer)
        safe_files.write_own(path, buffer.getvalue())


def read(path: Path, device: torch.device) -> Checkpoint:
    """Read a checkpoint with tensors on ``device``; nothing but tensors and plain values is ever unpickled.

    Raises FileNotFoundError where there is none, `DamagedCheckpointError` when its content is no checkpoint, and
    `LabError` when something else has its name, when it cannot be read or was written by a later version.
    """
    content = safe_files.read_own(path, MOST_BYTES)
    try:
        safe_files.check_zip(path, content, MOST_BYTES)
        saved = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
        number, rows = saved["format"], saved["history"]
        if type(number) is int and number > _FORMAT:
            raise _LaterFormatError
        if number not in _FORMATS:
            raise ValueError(f"format {number}, expected {_FORMAT}")
        if not rows or len(rows) > metrics.MAX_EPOCHS:
            raise ValueError(f"it has {len(rows)} epochs")
        # Through the text of metrics.csv, whose reader checks every value.
        history = metrics.from_csv(metrics.to_csv([EpochMetrics(**row) for row in rows]))
        return Checkpoint(history, saved["network"], saved["optimizer"], saved["ema"], saved.get("weights"))
    except _LaterFormatError:
        raise LabError(f"{path} was written by a later lenet-tui; upgrade lenet-tui") from None
    except Exception as error:  # noqa: BLE001 - what torch.load raises for damaged files is nowhere listed
        raise _damaged(path, error) from None


def restore(
    saved: Checkpoint,
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    ema: AveragedModel | None,
    *,
    steps: int,
    scheduled: bool,
) -> None:
    """Put the state in ``saved`` into a run's network, optimizer and average, which ``path`` must have been written by.

    ``scheduled`` says that the learning rate follows a schedule, ``steps`` is the number of optimizer steps an epoch.
    Raises `DamagedCheckpointError` when anything in it is not what this run has after that many epochs: other names,
    shapes, types or hyperparameters.
    """
    try:
        _check_tensors(saved.network, network.state_dict())
        _check_optimizer(saved.optimizer, optimizer, steps * len(saved.history), scheduled=scheduled)
        if saved.weights is not None:
            _check_tensors(saved.weights, network.state_dict())
        if (saved.ema is None) != (ema is None):
            raise ValueError("weight averaging is on in one of both")
        network.load_state_dict(saved.network)
        optimizer.load_state_dict(saved.optimizer)
        _lay_out(optimizer)
        if ema is not None and saved.ema is not None:
            _check_tensors(saved.ema, ema.state_dict())
            if int(saved.ema["n_averaged"]) != steps * len(saved.history):
                raise ValueError("weights were averaged in another number of steps")
            ema.load_state_dict(saved.ema)
    except Exception as error:  # noqa: BLE001 - a state of wrong types fails in any way
        raise _damaged(path, error) from None


def _lay_out(optimizer: torch.optim.Optimizer) -> None:
    """Give what is kept of a parameter its layout: fused optimizers need that, and another engine may have another."""
    for parameter, kept in optimizer.state.items():
        for name, value in kept.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                kept[name] = torch.empty_like(parameter).copy_(value)


class _LaterFormatError(Exception):
    """The checkpoint is of a later version."""


def _check_tensors(saved: dict[str, Any], own: dict[str, Any]) -> None:
    if not isinstance(saved, dict) or list(saved) != list(own):
        raise ValueError("it is of another network")
    for name, value in own.items():
        _check_tensor(saved[name], value, name)


def _check_tensor(saved: object, own: Tensor, name: str) -> None:
    if not isinstance(saved, Tensor) or saved.shape != own.shape or saved.dtype != own.dtype:
        raise ValueError(f"{name} is not as this run has it")


def _check_optimizer(saved: dict[str, Any], optimizer: torch.optim.Optimizer, steps: int, *, scheduled: bool) -> None:
    own = optimizer.state_dict()["param_groups"]
    groups = saved["param_groups"]
    if scheduled:  # which sets the learning rate at every step
        groups, own = [[{**group, "lr": float(group["lr"] >= 0)} for group in some] for some in (groups, own)]
    if groups != own:
        raise ValueError("it is of another optimizer")
    expected = _after_a_step(optimizer)
    if list(saved["state"]) != list(expected):
        raise ValueError("it is of another network")
    for number, values in expected.items():
        if list(saved["state"][number]) != list(values):
            raise ValueError("it is of another optimizer")
        for name, value in values.items():
            _check_tensor(saved["state"][number][name], value, name)
            if name == "step" and float(saved["state"][number][name]) != min(steps, _LAST_STEP):
                raise ValueError(f"it is not {steps} steps along")


def _after_a_step(optimizer: torch.optim.Optimizer) -> dict[int, dict[str, Any]]:
    """Return what an optimizer keeps of each parameter once it has made a step; ``optimizer`` makes none."""
    other = copy.deepcopy(optimizer)
    for group in other.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    other.step()
    state: dict[int, dict[str, Any]] = other.state_dict()["state"]
    return state


def _damaged(path: Path, error: Exception) -> DamagedCheckpointError:
    why = printable(str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__)
    why = why.removeprefix(f"{path} is damaged: ")
    return DamagedCheckpointError(f"{path} is damaged and cannot be resumed from ({why[:120]})")
