"""Random distortion of training images, a whole batch at a time and each image in its own way.

torchvision's transforms draw one distortion for a whole batch; that is why these are ours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

    from lenet_tui.config import AugmentName
    from lenet_tui.engine.native import NativeLeNet

ROTATION_DEGREES = 10.0
SCALING = 0.1
SHIFT_PIXELS = 2.0
# Simard, Steinkraus & Platt 2003, "Best practices for convolutional neural networks", for 29×29 images; pixels.
ELASTIC_SIGMA = 4.0
ELASTIC_ALPHA = 34.0

SIDE = 28
_MIDDLE = 127.5  # of a byte; 128 from it is 1, so that 256 even steps have the variance of an even noise from -1 to 1


def distort(
    images: Tensor, kind: AugmentName, index: Tensor | None = None, native: NativeLeNet | None = None
) -> Tensor:
    """Return distorted float copies of ``images`` (N, 1, 28, 28) or those that ``index`` chooses; background is 0.

    ``affine``: rotation to ±10°, scale to ±10 %, shift to ±2 pixels, each uniform. ``elastic``: a field of
    displacements, uniform noise smoothed by a Gaussian (σ = 4 pixels) and scaled by α = 34, as in Simard et al. 2003.

    Drawn from torch's generator of the CPU, so that every device and engine has the same images. ``native``, for bytes
    on the CPU, computes them where it is given, else torch.
    """
    count = len(images if index is None else index)
    if kind == "none":
        return images if index is None else images[index]
    matrices = draw_matrices(count) if "affine" in kind else None
    noise = draw_noise(count) if "elastic" in kind else None
    if native:
        return native.distorted(images, index, matrices, noise, _gaussian_matrix(), ELASTIC_ALPHA / (_MIDDLE + 0.5))
    chosen = (images if index is None else images[index]).float()
    if matrices is None:
        matrices = torch.eye(2, 3).expand(count, 2, 3)
    grid = F.affine_grid(matrices.to(chosen.device), list(chosen.shape), align_corners=False)
    if noise is not None:
        grid = grid + displacements(noise.to(chosen.device)) * (2 / SIDE)  # grid_sample's unit is half an image
    return F.grid_sample(chosen, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def draw_matrices(count: int) -> Tensor:
    """Return random matrices (N, 2, 3) for `F.affine_grid`."""
    angle, scale, shift_x, shift_y = (torch.rand(4, count) * 2 - 1).unbind()
    angle = angle * math.radians(ROTATION_DEGREES)
    scale = 1 / (1 + scale * SCALING)
    shift = 2 * SHIFT_PIXELS / SIDE
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    return torch.stack([cos, -sin, shift_x * shift, sin, cos, shift_y * shift], dim=1).view(-1, 2, 3)


def draw_noise(count: int) -> Tensor:
    """Return random bytes (N, 2, 28, 28); eight at once, which takes a tenth of the time of as many floats."""
    return (
        torch.empty(count, 2 * SIDE * SIDE // 8, dtype=torch.int64)
        .random_(-(2**63), None)
        .view(torch.uint8)
        .view(count, 2, SIDE, SIDE)
    )


def displacements(noise: Tensor) -> Tensor:
    """Return displacements (N, 28, 28, 2) in pixels, in x and in y, made of random bytes (N, 2, 28, 28)."""
    smoothing = _gaussian_matrix().to(noise.device)
    # A Gaussian is separable: smoothing rows and columns is a matrix product from either side.
    smooth = smoothing @ ((noise.float() - _MIDDLE) * (ELASTIC_ALPHA / (_MIDDLE + 0.5))) @ smoothing
    return smooth.permute(0, 2, 3, 1)


def _gaussian_matrix() -> Tensor:
    position = torch.arange(SIDE, dtype=torch.float32)
    weight = torch.exp(-((position[:, None] - position[None, :]) ** 2) / (2 * ELASTIC_SIGMA**2))
    # Divided by the sum over the infinite line, so that displacements fade towards the border, as in the paper.
    return weight / (ELASTIC_SIGMA * math.sqrt(2 * math.pi))
