from __future__ import annotations

import itertools
import json
import struct
from typing import TYPE_CHECKING

import pytest
import safetensors.torch
import torch
from torch import nn

from lenet_tui.analysis import layers
from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.run.weights import MOST_HEAD, read_shapes
from lenet_tui.training import models

if TYPE_CHECKING:
    from pathlib import Path

TITLES = {
    nn.Conv2d: "convolution",
    nn.Linear: "fully connected",
    nn.ReLU: "ReLU",
    nn.Tanh: "tanh",
    nn.MaxPool2d: "max pooling",
    nn.AvgPool2d: "mean pooling",
    nn.Flatten: "flatten",
    nn.Dropout: "dropout",
}
CHOICES = list(itertools.product(("lenet", "alexnet"), ("relu", "tanh"), ("max", "avg"), (0.0, 0.25)))


@pytest.mark.parametrize(("model", "activation", "pooling", "dropout"), CHOICES)
def test_the_layers_are_those_of_the_network(model: str, activation: str, pooling: str, dropout: float) -> None:
    config = RunConfig(model=model, activation=activation, pooling=pooling, dropout=dropout)  # type: ignore[arg-type]
    network = models.build(config)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    table = layers.layers(config, shapes)
    modules = [*network.features, *network.classifier]
    assert len(table) == len(modules)
    seen = torch.zeros(1, 1, 28, 28)
    for layer, module in zip(table, modules, strict=True):
        seen = module(seen)
        assert layer.title.startswith(TITLES[type(module)])
        assert layer.output == tuple(seen.shape[1:])
        assert layer.parameters == models.parameter_count(module)
    assert sum(layer.parameters for layer in table) == layers.count(shapes) == models.parameter_count(network)


def test_titles_say_what_has_no_weights() -> None:
    titles = [layer.title for layer in layers.layers(RunConfig(), lenet())]
    assert titles[:4] == ["convolution 5×5, padding 2", "max pooling 2×2", "ReLU", "convolution 5×5"]
    titles = [layer.title for layer in layers.layers(RunConfig(model="alexnet", pooling="avg"), shapes_of("alexnet"))]
    assert titles[:3] == ["convolution 5×5, padding 2", "ReLU", "mean pooling 3×3, stride 2"]
    assert "dropout 0.5" in titles


def shapes_of(model: str) -> dict[str, tuple[int, ...]]:
    network = models.build(RunConfig(model=model))  # type: ignore[arg-type]
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def lenet() -> dict[str, tuple[int, ...]]:
    return shapes_of("lenet")


@pytest.mark.parametrize(
    "shapes",
    [
        shapes_of("alexnet"),
        {name: shape for name, shape in lenet().items() if name != "features.3.bias"},
        lenet() | {"extra.weight": (3, 4)},
        {"weight": (3, 4)},
        lenet() | {"features.3.weight": (16, 7, 5, 5)},
    ],
)
def test_another_network_is_listed_by_the_names_of_its_weights(shapes: dict[str, tuple[int, ...]]) -> None:
    table = layers.layers(RunConfig(), shapes)
    assert {layer.output for layer in table} == {None}
    assert sum(layer.parameters for layer in table) == layers.count(shapes)


def test_shapes_are_read_from_the_head_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    network = models.build(RunConfig())
    safetensors.torch.save_file(network.state_dict(), path, metadata={"format": "pt"})
    assert read_shapes(path) == {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    path.write_bytes(path.read_bytes()[:-100_000])  # the numbers are not needed
    assert len(read_shapes(path)) == 10
    with pytest.raises(FileNotFoundError):
        read_shapes(tmp_path / "none")


@pytest.mark.parametrize(
    "head",
    [
        b"", b"[]", b"{}", b"{", b"7", b"\xff", b'{"a": 3}', b'{"a": {"shape": 3}}', b'{"a": {"shape": [-1]}}',
        b'{"a": {"shape": [1e3]}}', b'{"a": {"shape": ["x"]}}', b'{"a": {"shape": [1,1,1,1,1,1,1,1,1]}}',
        b"[" * 100_000, json.dumps({str(n): {"shape": [1]} for n in range(2000)}).encode(),
    ],
)  # fmt: skip
def test_what_is_no_file_of_weights_is_one_line(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(head)) + head)
    with pytest.raises(LabError, match="is damaged"):
        read_shapes(path)


@pytest.mark.parametrize("content", [b"", b"abc", struct.pack("<Q", 100) + b"{}", struct.pack("<Q", MOST_HEAD + 1)])
def test_a_file_that_ends_too_early_or_claims_too_much_is_not_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(LabError, match="is damaged: it ends too early"):
        read_shapes(path)
