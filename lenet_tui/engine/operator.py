"""LeNet as operators of torch, with the compiled library behind them.

``lenet_tui::lenet`` gives logits that can be differentiated, ``lenet_tui::lenet_outputs`` logits and penultimate
features without. Both take images as they are in the data set and scale them: ``(pixel - subtract) * multiply``.
Parameters are those of `models.LeNet` in its order, contiguous in torch's default layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lenet_tui.engine.library import Call, compute, library

if TYPE_CHECKING:
    from collections.abc import Sequence

SHAPES = ((6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,), (120, 400), (120,), (84, 120), (84,), (10, 84), (10,))
_PARAMETERS = ", ".join(f"Tensor w{number}" for number in range(len(SHAPES)))
_IMAGES = "Tensor images, Tensor? index, float subtract, float multiply"
_HOW = "bool is_tanh, bool is_mean, int instructions, int threads"

_operators = torch.library.Library("lenet_tui", "DEF")
_operators.define(f"lenet({_IMAGES}, Tensor? mask1, Tensor? mask2, {_PARAMETERS}, {_HOW}) -> (Tensor, Tensor)")
_operators.define(
    f"lenet_backward(Tensor gradient, Tensor state, {_IMAGES}, Tensor? mask1, Tensor? mask2, {_PARAMETERS}, {_HOW})"
    " -> Tensor[]"
)
_operators.define(f"lenet_outputs({_IMAGES}, {_PARAMETERS}, {_HOW}) -> (Tensor, Tensor)")


def _count(images: Tensor, index: Tensor | None) -> int:
    return len(images if index is None else index)


def check(images: Tensor, index: Tensor | None, masks: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> None:
    """Raise ValueError for what the library would misread; ``parameters`` may be empty where they were checked."""
    if images.dtype not in (torch.uint8, torch.float32) or images.numel() != 784 * len(images):
        raise ValueError("images are not (N, 1, 28, 28), uint8 or float32")
    if index is not None and (index.dtype != torch.int64 or index.ndim != 1):
        raise ValueError("index is not (N,) int64")
    for tensor, shape in zip(parameters, SHAPES if parameters else (), strict=True):
        if tensor.shape != shape or tensor.dtype != torch.float32:
            raise ValueError("parameters are not those of LeNet in float32")
    for mask, width in zip(masks, (400, 120), strict=True):
        if mask is not None and (mask.shape != (_count(images, index), width) or mask.dtype != torch.float32):
            raise ValueError("a dropout mask does not fit the images")


def _dense(tensor: Tensor | None) -> Tensor | None:
    return tensor if tensor is None else tensor.contiguous()


def _pointer(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _fill(
    images: Tensor,
    index: Tensor | None,
    subtract: float,
    multiply: float,
    mask1: Tensor | None,
    mask2: Tensor | None,
    parameters: Sequence[Tensor],
    how: Sequence[Any],
) -> Call:
    call = Call()
    call.images, call.total = images.data_ptr(), len(images)
    call.index, call.count = _pointer(index), _count(images, index)
    call.is_bytes, (call.is_tanh, call.is_mean) = images.dtype == torch.uint8, how[:2]
    call.subtract, call.multiply = subtract, multiply
    call.mask1, call.mask2 = _pointer(mask1), _pointer(mask2)
    call.weights[:] = [parameter.data_ptr() for parameter in parameters]
    return call


def _run(function: str, how: Sequence[Any], call: Call) -> None:
    _, _, instructions, threads = how
    compute(function, instructions, threads, call)


def state_bytes(count: int, how: Sequence[Any]) -> int:
    """Return what a backward call needs of a forward call of ``count`` images."""
    is_tanh, is_mean, instructions, _ = how
    handle = library().handle
    return int(handle.lenet_state_bytes(instructions, count, is_tanh, is_mean)) if handle else 0


def _forward(
    images: Tensor,
    index: Tensor | None,
    subtract: float,
    multiply: float,
    mask1: Tensor | None,
    mask2: Tensor | None,
    *rest: Any,
) -> tuple[Tensor, Tensor]:
    parameters: Sequence[Tensor] = rest[:10]
    how = rest[10:]
    check(images, index, (mask1, mask2), parameters)
    images, index, mask1, mask2 = images.contiguous(), _dense(index), _dense(mask1), _dense(mask2)
    parameters = [parameter.contiguous() for parameter in parameters]
    count = _count(images, index)
    size = state_bytes(count, how)
    logits, state = torch.empty(count, 10), torch.empty(size, dtype=torch.uint8)
    call = _fill(images, index, subtract, multiply, mask1, mask2, parameters, how)
    call.logits, call.state = logits.data_ptr(), state.data_ptr()
    _run("lenet_forward", how, call)
    return logits, state


def _backward(
    gradient: Tensor,
    state: Tensor,
    images: Tensor,
    index: Tensor | None,
    subtract: float,
    multiply: float,
    mask1: Tensor | None,
    mask2: Tensor | None,
    *rest: Any,
) -> list[Tensor]:
    parameters: Sequence[Tensor] = rest[:10]
    how = rest[10:]
    images, index, mask1, mask2 = images.contiguous(), _dense(index), _dense(mask1), _dense(mask2)
    gradient, parameters = gradient.contiguous(), [parameter.contiguous() for parameter in parameters]
    gradients = [torch.empty(shape) for shape in SHAPES]
    call = _fill(images, index, subtract, multiply, mask1, mask2, parameters, how)
    call.state, call.logits_gradient = state.data_ptr(), gradient.data_ptr()
    call.gradients[:] = [tensor.data_ptr() for tensor in gradients]
    _run("lenet_backward", how, call)
    return gradients


def _outputs(
    images: Tensor, index: Tensor | None, subtract: float, multiply: float, *rest: Any
) -> tuple[Tensor, Tensor]:
    parameters: Sequence[Tensor] = rest[:10]
    how = rest[10:]
    check(images, index, (None, None), parameters)
    images, index = images.contiguous(), _dense(index)
    parameters = [parameter.contiguous() for parameter in parameters]
    logits, features = torch.empty(_count(images, index), 10), torch.empty(_count(images, index), 84)
    call = _fill(images, index, subtract, multiply, None, None, parameters, how)
    call.logits, call.features = logits.data_ptr(), features.data_ptr()
    _run("lenet_forward", how, call)
    return logits, features


def _fake_forward(images: Tensor, index: Tensor | None, *rest: Any) -> tuple[Tensor, Tensor]:
    count = _count(images, index)
    size = state_bytes(count, rest[-4:])
    return images.new_empty(count, 10, dtype=torch.float32), images.new_empty(size, dtype=torch.uint8)


def _fake_backward(gradient: Tensor, *_: Any) -> list[Tensor]:
    return [gradient.new_empty(shape) for shape in SHAPES]


def _fake_outputs(images: Tensor, index: Tensor | None, *_: Any) -> tuple[Tensor, Tensor]:
    count = _count(images, index)
    return tuple(images.new_empty(count, width, dtype=torch.float32) for width in (10, 84))  # type: ignore[return-value]


class _Differentiable(torch.autograd.Function):
    """The derivative of the operator. Not `torch.library.register_autograd`, which takes three times as long a call."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, Tensor]:
        if type(arguments[0]) is Tensor:  # the dispatcher with 20 arguments takes longer than a layer
            logits, state = _forward(*arguments)
        else:
            with torch._C._AutoDispatchBelowAutograd():
                logits, state = torch.ops.lenet_tui.lenet(*arguments)
        images, index, subtract, multiply, mask1, mask2, *rest = arguments
        ctx.mark_non_differentiable(state)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(state, images, index, mask1, mask2, *rest[:10])
        ctx.how = subtract, multiply, rest[10:]
        return logits, state

    @staticmethod
    def backward(ctx: Any, *output_gradients: Tensor | None) -> Any:
        gradient, _ = output_gradients
        if gradient is None:
            return (None,) * 20
        state, images, index, mask1, mask2, *parameters = ctx.saved_tensors
        subtract, multiply, how = ctx.how
        compute = _backward if type(gradient) is Tensor else torch.ops.lenet_tui.lenet_backward
        gradients = compute(gradient, state, images, index, subtract, multiply, mask1, mask2, *parameters, *how)
        return (*(None,) * 6, *gradients, *(None,) * 4)


_operators.impl("lenet", _forward, "CPU")
_operators.impl("lenet", _Differentiable.apply, "AutogradCPU")
_operators.impl("lenet_backward", _backward, "CPU")
_operators.impl("lenet_outputs", _outputs, "CPU")
_operators._register_fake("lenet", _fake_forward)
_operators._register_fake("lenet_backward", _fake_backward)
_operators._register_fake("lenet_outputs", _fake_outputs)
