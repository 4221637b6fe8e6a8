"""The layers of a run's network: what each gives out and how many parameters it has, without torch.

Weights are counted as the run's file has them. What has no weights (padding, pooling, activation, dropout) follows
from the configuration; a test holds this against the networks themselves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lenet_tui.config import RunConfig

    Shape = tuple[int, ...]

_INPUT = (1, 28, 28)
_ACTIVATIONS = {"relu": "ReLU", "tanh": "tanh"}
_POOLINGS = {"max": "max pooling", "avg": "mean pooling"}


class _Convolution(NamedTuple):
    padding: int
    pool: tuple[int, int] | None = None  # side and stride of the pooling after it


# Of `training.models`, whose fully connected layers are alike: dropout before the first two, no activation at the end.
_CONVOLUTIONS = {
    "lenet": (_Convolution(2, (2, 2)), _Convolution(0, (2, 2))),
    "alexnet": (
        *(_Convolution(2, (3, 2)), _Convolution(2, (3, 2))),
        *(_Convolution(1), _Convolution(1), _Convolution(1, (3, 2))),
    ),
}
_WITH_DROPOUT = 2


@dataclass(frozen=True)
class Layer:
    """``output`` is (maps, height, width) or (units,), None where it is not known; ``weights`` is None without any."""

    title: str
    output: Shape | None
    parameters: int = 0
    weights: Shape | None = None


def layers(config: RunConfig, shapes: Mapping[str, Shape]) -> list[Layer]:
    """Return the layers of the network of ``config`` from the ``shapes`` of its weights, by their names.

    Of a network that this does not know, the layers with weights only, without what they give out.
    """
    try:
        return list(_known(config, shapes))
    except (KeyError, ValueError, IndexError):
        return list(_unknown(shapes))


def count(shapes: Mapping[str, Shape]) -> int:
    """Return the number of parameters."""
    return sum(map(math.prod, shapes.values()))


def _known(config: RunConfig, shapes: Mapping[str, Shape]) -> Iterator[Layer]:
    used: set[str] = set()

    def weighted(part: str, number: int, title: str, output: Shape) -> Layer:
        names = f"{part}.{number}.weight", f"{part}.{number}.bias"
        used.update(names)
        weights = shapes[names[0]]
        return Layer(title, output, math.prod(weights) + math.prod(shapes[names[1]]), weights)

    activation, pooling = _ACTIVATIONS[config.activation], _POOLINGS[config.pooling]
    number = 0
    output: Shape = _INPUT
    for convolution in _CONVOLUTIONS[config.model]:
        maps, inputs, side, other = shapes[f"features.{number}.weight"]
        if inputs != output[0] or side != other:
            raise ValueError("another network")
        height = output[1] + 2 * convolution.padding - side + 1
        output = (maps, height, height)
        padding = f", padding {convolution.padding}" if convolution.padding else ""
        yield weighted("features", number, f"convolution {side}×{side}{padding}", output)
        after: list[tuple[str, Shape]] = [(activation, output)]
        if convolution.pool:
            size, stride = convolution.pool
            small: Shape = (maps, *((length - size) // stride + 1 for length in output[1:]))
            pool = f"{pooling} {size}×{size}" + (f", stride {stride}" if stride != size else "")
            # A maximum comes before the activation, which then has less to do; a mean comes after it.
            after = [(pool, small), (activation, small)] if config.pooling == "max" else [*after, (pool, small)]
            output = small
        yield from (Layer(title, shape) for title, shape in after)
        number += 1 + len(after)
    units = math.prod(output)
    yield Layer("flatten", (units,))
    connected = [name for name in shapes if name.startswith("classifier.") and name.endswith(".weight")]
    number = 0
    for place in range(len(connected)):
        if config.dropout and place < _WITH_DROPOUT:
            yield Layer(f"dropout {config.dropout:g}", (units,))
            number += 1
        outputs, inputs = shapes[f"classifier.{number}.weight"]
        if inputs != units:
            raise ValueError("another network")
        units = outputs
        yield weighted("classifier", number, "fully connected", (units,))
        if place < len(connected) - 1:
            yield Layer(activation, (units,))
        number += 2
    if used != set(shapes):
        raise ValueError("another network")


def _unknown(shapes: Mapping[str, Shape]) -> Iterator[Layer]:
    for name in dict.fromkeys(name.rpartition(".")[0] or name for name in shapes):
        own = {tensor: shape for tensor, shape in shapes.items() if (tensor.rpartition(".")[0] or tensor) == name}
        yield Layer(name, None, count(own), next(iter(own.values())))
