"""What is inside a network: its first filters, and what each layer makes of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lenet_tui.inspection.messages import Layer

if TYPE_CHECKING:
    from lenet_tui.training.evaluation import Scaling
    from lenet_tui.training.models import Network

_LARGEST = 127
_TITLES = {nn.MaxPool2d: "max pooling", nn.AvgPool2d: "mean pooling", nn.ReLU: "ReLU", nn.Tanh: "tanh"}


@torch.inference_mode()
def first_filters(network: Network) -> Layer:
    """Return the filters of the first convolution, one plane each."""
    first = next(layer for layer in network.features if isinstance(layer, nn.Conv2d))
    return _layer("filters 1", first.weight[:, 0])


@torch.inference_mode()
def feature_maps(network: Network, image: Tensor, scaling: Scaling) -> list[Layer]:
    """Return the maps of uint8 ``image`` (1, 1, 28, 28) after each layer of the network's features."""
    network.eval()
    result, convolutions = [], 0
    seen = scaling(image)
    for layer in network.features:
        seen = layer(seen)
        if seen.ndim != 4:
            break
        convolutions += isinstance(layer, nn.Conv2d)
        name = "convolution" if isinstance(layer, nn.Conv2d) else _TITLES.get(type(layer), type(layer).__name__)
        result.append(_layer(f"{name} {convolutions}", seen[0]))
    return result


def _layer(title: str, planes: Tensor) -> Layer:
    """Return ``planes`` (N, H, W) as signed bytes, a copy, since activations work in place.

    Numbers that are none, as of a run that diverged, become 0.
    """
    values = planes.nan_to_num(0.0, 0.0, 0.0)
    largest = float(values.abs().max())
    scaled = values * (_LARGEST / largest) if largest else values
    count, height, width = values.shape
    content = scaled.round().to(torch.int8).contiguous().numpy().tobytes()
    return Layer(title=title, count=count, height=height, width=width, largest=largest, values=content)
