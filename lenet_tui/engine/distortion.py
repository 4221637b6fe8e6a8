"""Distorting training images with the native engine. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lenet_tui.engine.library import Distortion, compute

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 28


def distorted(
    images: Tensor,
    index: Tensor | None,
    matrices: Tensor | None,
    noise: Tensor | None,
    smoothing: Tensor,
    strength: float,
    *,
    instructions: int,
    threads: int,
) -> Tensor:
    """Return (N, 1, 28, 28) float32 of uint8 ``images``, or of those that ``index`` (N,) chooses, distorted.

    ``matrices`` (N, 2, 3) are as `torch.nn.functional.affine_grid` has them, ``noise`` (N, 2, 28, 28) is uint8: less
    127.5, times ``strength``, and with rows and columns smoothed by the symmetric matrix ``smoothing`` (28, 28), it
    is the displacement in pixels. Raises ValueError and IndexError for what does not fit.
    """
    count = len(images if index is None else index)
    _check(images, torch.uint8, (len(images), 1, SIDE, SIDE), "images")
    _check(index, torch.int64, (count,), "index")
    _check(matrices, torch.float32, (count, 2, 3), "matrices")
    _check(noise, torch.uint8, (count, 2, SIDE, SIDE), "noise")
    _check(smoothing, torch.float32, (SIDE, SIDE), "smoothing")
    result = torch.empty(count, 1, SIDE, SIDE)
    given = [
        tensor if tensor is None else tensor.contiguous() for tensor in (images, index, matrices, noise, smoothing)
    ]
    call = Distortion(total=len(images), count=count, strength=strength, result=result.data_ptr())
    for name, tensor in zip(("images", "index", "matrices", "noise", "smoothing"), given, strict=True):
        setattr(call, name, None if tensor is None else tensor.data_ptr())
    compute("lenet_distort", instructions, threads, call)
    return result


def _check(tensor: Tensor | None, kind: torch.dtype, shape: tuple[int, ...], name: str) -> None:
    """Raise ValueError for what the library would misread."""
    if tensor is not None and (tensor.dtype != kind or tensor.shape != shape or tensor.device.type != "cpu"):
        raise ValueError(f"{name} is not {shape} of {kind} on the CPU")
