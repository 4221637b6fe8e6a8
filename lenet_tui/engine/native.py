"""A LeNet of PyTorch, computed by the native engine. Imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from lenet_tui.engine import distortion
from lenet_tui.engine import operator as operator  # registers the operators
from lenet_tui.engine.library import INSTRUCTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from lenet_tui.config import RunConfig
    from lenet_tui.engine.choice import Engine


@dataclass(frozen=True)
class NativeLeNet:
    """How to compute `models.LeNet` of a configuration; its parameters stay those of the module.

    Pixels are scaled on the way: the network sees ``(pixel - subtract) * multiply``.
    """

    is_tanh: bool
    is_mean: bool
    dropout: float
    instructions: int
    threads: int
    subtract: float
    multiply: float

    def logits(self, parameters: Sequence[Tensor], images: Tensor, index: Tensor | None = None) -> Tensor:
        """Return logits (N, 10) in training mode, of ``images`` (N, 1, 28, 28) or those that ``index`` (N,) chooses.

        ``parameters`` are those of the network, in its order.

        Images are uint8 or float32 from 0 to 255. Dropout draws from torch's generator what `nn.Dropout` would.
        """
        count = len(images if index is None else index)
        logits: Tensor = torch.ops.lenet_tui.lenet(
            images, index, self.subtract, self.multiply, *self.masks(count), *parameters, *self._how()
        )[0]
        return logits

    def masks(self, count: int) -> tuple[Tensor | None, Tensor | None]:
        """Draw the two masks of dropout from torch's generator, (N, 400) and (N, 120)."""
        return self._mask(count, 400), self._mask(count, 120)

    def outputs(self, network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, 10) and penultimate features (N, 84) of ``images`` in evaluation mode."""
        result: tuple[Tensor, Tensor] = torch.ops.lenet_tui.lenet_outputs(
            images, None, self.subtract, self.multiply, *network.parameters(), *self._how()
        )
        return result

    def distorted(
        self,
        images: Tensor,
        index: Tensor | None,
        matrices: Tensor | None,
        noise: Tensor | None,
        smoothing: Tensor,
        strength: float,
    ) -> Tensor:
        """Return distorted copies of images, see `engine.distortion`."""
        return distortion.distorted(
            images, index, matrices, noise, smoothing, strength, instructions=self.instructions, threads=self.threads
        )

    def _mask(self, count: int, width: int) -> Tensor | None:
        if not self.dropout:
            return None
        return torch.empty(count, width).bernoulli_(1 - self.dropout).div_(1 - self.dropout)

    def _how(self) -> tuple[Any, ...]:
        return self.is_tanh, self.is_mean, self.instructions, self.threads


def native(config: RunConfig, engine: Engine, mean: float, std: float) -> NativeLeNet | None:
    """Return how to compute ``config`` with ``engine`` on pixels with this ``mean`` and ``std``; None for torch."""
    if engine.name == "torch":
        return None
    return NativeLeNet(
        is_tanh=config.activation == "tanh",
        is_mean=config.pooling == "avg",
        dropout=config.dropout,
        instructions=INSTRUCTIONS.index(engine.instructions),
        threads=engine.threads,
        subtract=255 * mean,
        multiply=1 / (255 * std),
    )
