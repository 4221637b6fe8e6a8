"""The networks: shapes, sizes, and the one liberty taken, pooling before the nonlinearity."""

import pytest
import torch
from torch import nn

from lenet_tui.config import RunConfig
from lenet_tui.training.models import AlexNet, LeNet, build, parameter_count


def test_lenet_has_the_61706_parameters_of_the_textbook() -> None:
    assert parameter_count(LeNet()) == 61_706


def test_alexnet_has_five_convolutions_three_poolings_three_linear_layers_and_two_dropouts() -> None:
    layers = list(AlexNet().modules())
    counted = {
        kind: sum(isinstance(x, kind) for x in layers) for kind in (nn.Conv2d, nn.MaxPool2d, nn.Linear, nn.Dropout)
    }
    assert counted == {nn.Conv2d: 5, nn.MaxPool2d: 3, nn.Linear: 3, nn.Dropout: 2}
    assert {x.p for x in layers if isinstance(x, nn.Dropout)} == {0.5}


def test_alexnet_has_the_documented_number_of_parameters() -> None:
    count = parameter_count(AlexNet())
    assert count <= 1_500_000
    assert f"{count:,}" in (AlexNet.__doc__ or "")


@pytest.mark.parametrize(("model", "features"), [("lenet", 84), ("alexnet", 512)])
@pytest.mark.parametrize("pooling", ["max", "avg"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_networks_give_ten_logits_and_penultimate_features(
    model: str, features: int, pooling: str, activation: str
) -> None:
    network = build(RunConfig(model=model, pooling=pooling, activation=activation)).eval()
    images = torch.randn(3, 1, 28, 28)
    penultimate = network.penultimate(images)
    assert penultimate.shape == (3, features)
    assert torch.equal(network.classifier[-1](penultimate), network(images))
    assert network(images).shape == (3, 10)


def plain_lenet(network: LeNet, images: torch.Tensor, activation: nn.Module, pool: nn.Module) -> torch.Tensor:
    """LeNet as it is usually written, nonlinearity first, with the weights of ``network``."""
    conv1, conv2 = (layer for layer in network.features if isinstance(layer, nn.Conv2d))
    fc1, fc2, fc3 = (layer for layer in network.classifier if isinstance(layer, nn.Linear))
    x = pool(activation(conv1(images)))
    x = pool(activation(conv2(x)))
    return fc3(activation(fc2(activation(fc1(x.flatten(1))))))


@pytest.mark.parametrize("pooling", ["max", "avg"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_outputs_and_gradients_equal_those_with_the_nonlinearity_before_the_pooling(
    activation: str, pooling: str
) -> None:
    torch.manual_seed(1)
    network = LeNet(activation, pooling).double()
    images = torch.randn(8, 1, 28, 28, dtype=torch.float64)
    plain_activation = nn.ReLU() if activation == "relu" else nn.Tanh()
    plain_pool = nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2)
    gradients = []
    for output in (network(images), plain_lenet(network, images, plain_activation, plain_pool)):
        network.zero_grad()
        output.square().sum().backward()
        gradients.append([p.grad.clone() for p in network.parameters()] + [output.detach()])
    for ours, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, plain)


def test_dropout_of_zero_leaves_no_dropout_layer() -> None:
    assert not any(isinstance(layer, nn.Dropout) for layer in build(RunConfig(model="alexnet", dropout=0)).modules())


def test_lenet_with_dropout_has_two_dropout_layers() -> None:
    assert sum(isinstance(layer, nn.Dropout) for layer in build(RunConfig(dropout=0.3)).modules()) == 2


@pytest.mark.parametrize("model", ["lenet", "alexnet"])
def test_fresh_weights_have_glorot_s_variance_and_biases_are_zero(model: str) -> None:
    torch.manual_seed(0)
    for layer in build(RunConfig(model=model)).modules():
        if isinstance(layer, nn.Linear) and layer.out_features > 10:
            expected = (2 / (layer.in_features + layer.out_features)) ** 0.5
            assert layer.weight.std().item() == pytest.approx(expected, rel=0.05)
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert not layer.bias.any()
