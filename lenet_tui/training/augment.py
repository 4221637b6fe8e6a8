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

ROTATION_DEGREES = 10.0
SCALING = 0.1
SHIFT_PIXELS = 2.0
# Simard, Steinkraus & Platt 2003, "Best practices for convolutional neural networks", for 29×29 images; pixels.
ELASTIC_SIGMA = 4.0
ELASTIC_ALPHA = 34.0


def distort(images: Tensor, kind: AugmentName) -> Tensor:
    """Return distorted float copies of ``images``, (N, 1, H, W) with background 0, drawn from the global generator.

    ``affine``: rotation to ±10°, scale to ±10 %, shift to ±2 pixels, each uniform. ``elastic``: a field of
    displacements, uniform noise smoothed by a Gaussian (σ = 4 pixels) and scaled by α = 34, as in Simard et al. 2003.
    """
    if kind == "none":
        return images
    images = images.float()
    if "affine" in kind:
        grid = F.affine_grid(_affine_matrices(images), list(images.shape), align_corners=False)
    else:
        identity = torch.eye(2, 3, device=images.device).expand(len(images), 2, 3)
        grid = F.affine_grid(identity, list(images.shape), align_corners=False)
    if "elastic" in kind:
        grid = grid + _elastic_field(images)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _affine_matrices(images: Tensor) -> Tensor:
    angle, scale, shift_x, shift_y = (torch.rand(4, len(images), device=images.device) * 2 - 1).unbind()
    angle = angle * math.radians(ROTATION_DEGREES)
    scale = 1 / (1 + scale * SCALING)
    shift = 2 * SHIFT_PIXELS / images.shape[-1]
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    return torch.stack([cos, -sin, shift_x * shift, sin, cos, shift_y * shift], dim=1).view(-1, 2, 3)


def _elastic_field(images: Tensor) -> Tensor:
    """Return displacements (N, H, W, 2) in grid_sample's units, where 2 is the width of the image."""
    count, _, height, width = images.shape
    noise = torch.rand(count, 2, height, width, device=images.device) * 2 - 1
    # A Gaussian is separable: smoothing rows and columns is a matrix product from either side.
    smooth = _gaussian_matrix(height, images) @ noise @ _gaussian_matrix(width, images).T
    return (smooth * (2 * ELASTIC_ALPHA / width)).permute(0, 2, 3, 1)


def _gaussian_matrix(size: int, like: Tensor) -> Tensor:
    position = torch.arange(size, device=like.device, dtype=like.dtype)
    weight = torch.exp(-((position[:, None] - position[None, :]) ** 2) / (2 * ELASTIC_SIGMA**2))
    # Divided by the sum over the infinite line, so that displacements fade towards the border, as in the paper.
    return weight / (ELASTIC_SIGMA * math.sqrt(2 * math.pi))
