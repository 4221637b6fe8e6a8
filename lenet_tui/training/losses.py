"""The training losses: what the gradient is taken of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor, nn

from lenet_tui.config import CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from lenet_tui.config import RunConfig

    Objective = Callable[[Tensor, Tensor], Tensor]

FOCAL_GAMMA = 2.0


def objective(config: RunConfig) -> Objective:
    """Return the loss of ``config``: logits (N, 10) and labels (N,) to the mean per image, a scalar."""
    losses: dict[str, Objective] = {
        "cross_entropy": nn.CrossEntropyLoss(label_smoothing=config.label_smoothing),
        "nll": negative_log_likelihood,
        "mse": squared_error,
        "focal": focal,
    }
    return losses[config.loss]


def negative_log_likelihood(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy in its two steps, log-softmax and negative log-likelihood; nats per image."""
    return F.nll_loss(F.log_softmax(logits, dim=1), labels)


def squared_error(logits: Tensor, labels: Tensor) -> Tensor:
    """Squared distance of the ten outputs from a one-hot target, summed over classes (LeCun et al. 1998, eq. 8)."""
    return (logits - F.one_hot(labels, CLASSES)).square().sum(dim=1).mean()


def focal(logits: Tensor, labels: Tensor) -> Tensor:
    """Focal loss (Lin et al. 2017, eq. 4, γ = 2): cross-entropy weighted by (1 - p of the true class) ** γ."""
    log_p = F.log_softmax(logits, dim=1).gather(1, labels.unsqueeze(1)).squeeze(1)
    return -((1 - log_p.exp()) ** FOCAL_GAMMA * log_p).mean()
