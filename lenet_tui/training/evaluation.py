"""Measuring a network on images it does not learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

    from lenet_tui.engine.native import NativeLeNet
    from lenet_tui.training.losses import Objective
    from lenet_tui.training.models import Network

_BATCH = 1000
_AT_ONCE = 16  # batches whose right predictions are counted together


@dataclass(frozen=True)
class Scaling:
    """Pixels 0–255 to what the network sees: zero mean and unit variance over the training set."""

    mean: float
    std: float

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return ``pixels`` (N, 1, 28, 28), uint8 or float 0–255, as normalised float32 of the same shape."""
        return (pixels - 255 * self.mean).mul_(1 / (255 * self.std))


@dataclass(frozen=True)
class Evaluation:
    """Means over the images: the run's own loss, plain cross-entropy in nats, and the share that was right.

    ``logits`` (N, 10) are those of the images.
    """

    loss: float
    cross_entropy: float
    accuracy: float
    logits: Tensor


class Correct:
    """Counts right predictions on ``device``, those of many small batches at once: one costs as much."""

    def __init__(self, device: torch.device) -> None:
        self._count = torch.zeros((), dtype=torch.int64, device=device)
        self._waiting: list[tuple[Tensor, Tensor]] = []

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Take the outputs (N, 10), which stay as they are, and the labels (N,) of a batch."""
        self._waiting.append((logits, labels))
        if len(self._waiting) == _AT_ONCE:
            self._add_up()

    def count(self) -> int:
        """Return how many were right; the device then waits."""
        if self._waiting:
            self._add_up()
        return int(self._count)

    def _add_up(self) -> None:
        logits, labels = (torch.cat(parts) for parts in zip(*self._waiting, strict=True))
        self._waiting = []
        self._count += (logits.argmax(dim=1) == labels).sum()


@torch.inference_mode()
def outputs(
    network: Network, images: Tensor, scaling: Scaling, native: NativeLeNet | None = None
) -> tuple[Tensor, Tensor]:
    """Return logits (N, 10) and penultimate features (N, F) of uint8 ``images`` in evaluation mode, on their device.

    ``native`` computes them where it is given, else torch.
    """
    network.eval()
    if native:
        return native.outputs(network, images)
    features = torch.cat([network.penultimate(scaling(part)) for part in images.split(_BATCH)])
    return network.classifier[-1](features), features


def evaluate(
    network: Network,
    images: Tensor,
    labels: Tensor,
    scaling: Scaling,
    objective: Objective,
    native: NativeLeNet | None = None,
) -> Evaluation:
    """Measure ``network`` in evaluation mode on uint8 ``images`` (N, 1, 28, 28) and ``labels`` (N,)."""
    logits, _ = outputs(network, images, scaling, native)
    return Evaluation(
        loss=float(objective(logits, labels)),
        cross_entropy=float(F.cross_entropy(logits, labels)),
        accuracy=int((logits.argmax(dim=1) == labels).sum()) / len(labels),
        logits=logits,
    )
