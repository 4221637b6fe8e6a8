"""Training steps without torch's way through operators and autograd, which takes as long as a third of the kernels.

Autograd goes as far as the logits; from there the engine writes the gradients of the parameters, always into the same
tensors. What is computed is the same, bit for bit, as with the operator in `engine.operator`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lenet_tui.engine.library import Call, compute
from lenet_tui.engine.operator import check, state_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from lenet_tui.engine.native import NativeLeNet


class Steps:
    """Logits and gradients of the ``parameters`` of a network, which stay where they are while this is used.

    Each gets a ``grad`` that `backward` overwrites. Raises ValueError where they are not those of `models.LeNet`,
    dense and in float32.
    """

    def __init__(self, lenet: NativeLeNet, parameters: Sequence[Tensor]) -> None:
        check(torch.empty(0, 784, dtype=torch.uint8), None, (None, None), parameters)
        if not all(parameter.is_contiguous() for parameter in parameters):
            raise ValueError("parameters are not dense")
        self._lenet = lenet
        self._parameters = parameters
        for parameter in parameters:
            parameter.grad = torch.empty_like(parameter)
        self._state = torch.empty(0, dtype=torch.uint8)
        self._count = -1
        self._kept: tuple[Tensor | None, ...] = ()  # what the call points to
        self._call = Call(is_tanh=lenet.is_tanh, is_mean=lenet.is_mean)
        self._call.subtract, self._call.multiply = lenet.subtract, lenet.multiply
        self._call.weights[:] = [parameter.data_ptr() for parameter in parameters]
        self._call.gradients[:] = [parameter.grad.data_ptr() for parameter in parameters if parameter.grad is not None]

    def logits(self, images: Tensor, index: Tensor | None = None) -> Tensor:
        """Return logits as `NativeLeNet.logits` does, which a loss can be differentiated by."""
        images, index = images.contiguous(), None if index is None else index.contiguous()
        count = len(images if index is None else index)
        masks = self._lenet.masks(count)
        check(images, index, masks, ())
        if count != self._count:
            how = (self._lenet.is_tanh, self._lenet.is_mean, self._lenet.instructions, self._lenet.threads)
            self._state = torch.empty(state_bytes(count, how), dtype=torch.uint8)
            self._count = count
        result = torch.empty(count, 10)
        call = self._call
        call.images, call.total, call.count = images.data_ptr(), len(images), count
        call.index = None if index is None else index.data_ptr()
        call.is_bytes = images.dtype == torch.uint8
        call.mask1, call.mask2 = (None if mask is None else mask.data_ptr() for mask in masks)
        call.logits, call.state = result.data_ptr(), self._state.data_ptr()
        self._kept = (images, index, *masks, result)
        compute("lenet_forward", self._lenet.instructions, self._lenet.threads, call)
        return result.requires_grad_()

    def backward(self, logits: Tensor) -> None:
        """Set the gradients of the parameters from that of ``logits``, the last ones that were computed."""
        gradient = logits.grad
        if gradient is None or logits is not self._kept[-1]:
            raise ValueError("the gradient is not that of the last logits")
        gradient = gradient.contiguous()
        self._call.logits_gradient = gradient.data_ptr()
        compute("lenet_backward", self._lenet.instructions, self._lenet.threads, self._call)
