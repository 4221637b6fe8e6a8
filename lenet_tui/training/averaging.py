"""The exponential moving average of a network's weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

# The decay of the first steps is (1 + t) / (10 + t), as TensorFlow's ExponentialMovingAverage has it: about the last
# tenth of the steps so far counts, so that the initial weights are forgotten however short the run is.
_WARM_UP = 10


def averaged(network: nn.Module, decay: float) -> AveragedModel:
    """Return the average of the weights of ``network``, to be updated after every step, with ``decay`` at the end."""

    @torch.no_grad()
    def update(averages: list[Tensor], weights: list[Tensor], _: Tensor | int) -> None:
        # Not the count that is handed in: it was copied to the device, and reading it would make the device wait.
        torch._foreach_lerp_(averages, weights, 1 - decay_at(int(model.n_averaged), decay))

    model = AveragedModel(network, multi_avg_fn=update)  # type: ignore[arg-type]
    return model


def decay_at(step: int, decay: float) -> float:
    """Return the decay at ``step``, counted from 0 over the whole run: ``decay``, or less where it is early."""
    return min(decay, (1 + step) / (_WARM_UP + step))
