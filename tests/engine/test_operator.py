"""The native operators give what PyTorch's layers give, in every variant and at every instruction set that is here."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lenet_tui.config import RunConfig
from lenet_tui.engine.choice import Engine
from lenet_tui.engine.library import INSTRUCTIONS, library
from lenet_tui.engine.native import NativeLeNet, native
from lenet_tui.engine.steps import Steps
from lenet_tui.training.models import LeNet, Network, build

if TYPE_CHECKING:
    from torch import Tensor

pytestmark = pytest.mark.skipif(library().handle is None, reason=f"no native engine: {library().problem}")

HERE = library().available
OPTIONS = [(a, p, d) for a in ("relu", "tanh") for p in ("max", "avg") for d in (0.0, 0.3)]
MEAN, STD = 0.13, 0.31


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def engine_of(config: RunConfig, instructions: str = HERE[-1] if HERE else "", threads: int = 1) -> NativeLeNet:
    result = native(config, Engine("native", instructions, threads), MEAN, STD)
    assert result
    return result


def network_of(config: RunConfig) -> LeNet:
    network = build(config)
    assert isinstance(network, LeNet)
    for parameter in network.parameters():  # biases too
        parameter.data.add_(torch.randn_like(parameter), alpha=0.05)
    return network


def random_images(count: int) -> Tensor:
    """Bytes with a border of 0 as in MNIST, where neighbouring outputs are equal."""
    images = torch.randint(0, 256, (count, 1, 28, 28), dtype=torch.uint8)
    images[:, :, :5], images[:, :, :, 22:] = 0, 0
    return images


def scaled(images: Tensor) -> Tensor:
    return (images.double() - 255 * MEAN) / (255 * STD)


def gradients(network: Network, logits: Tensor, wanted: Tensor) -> list[Tensor]:
    network.zero_grad()
    (logits * wanted).sum().backward()
    result = [parameter.grad for parameter in network.parameters()]
    return [gradient for gradient in result if gradient is not None]


def same(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(
        ours.double(), theirs.double(), rtol=0, atol=2e-5 * float(theirs.detach().abs().max()) + 1e-12
    )


@pytest.mark.parametrize(("activation", "pooling", "dropout"), OPTIONS)
def test_outputs_and_gradients_are_those_of_float64_for_every_batch_size(
    activation: str, pooling: str, dropout: float
) -> None:
    torch.manual_seed(0)
    config = RunConfig(activation=activation, pooling=pooling, dropout=dropout)
    network = network_of(config)
    exact = build(config).double()
    exact.load_state_dict(network.state_dict())
    images = random_images(100)
    for count in range(1, 71):
        chosen = torch.randperm(100)[:count]
        wanted = torch.randn(count, 10)
        torch.manual_seed(count)
        # nn.Dropout draws as many numbers in float64, and so the same ones.
        theirs = exact.train()(scaled(images[chosen]))
        their_gradients = gradients(exact, theirs, wanted)
        for instructions in HERE:
            for threads in (1, 2, 3) if count % 16 == 1 else (1 + count % 3,):
                torch.manual_seed(count)
                lenet = engine_of(config, instructions, threads)
                ours = lenet.logits(list(network.parameters()), images, chosen)
                same(ours, theirs)
                for mine, other in zip(gradients(network, ours, wanted), their_gradients, strict=True):
                    same(mine, other)


@pytest.mark.parametrize("instructions", HERE)
@pytest.mark.parametrize(("activation", "pooling"), [("relu", "max"), ("tanh", "avg")])
def test_evaluation_gives_logits_and_penultimate_features(activation: str, pooling: str, instructions: str) -> None:
    torch.manual_seed(0)
    config = RunConfig(activation=activation, pooling=pooling, dropout=0.4)
    network, images = network_of(config).eval(), random_images(37)
    features = network.double().penultimate(scaled(images))
    logits = network.classifier[-1](features)
    for given in (images, images.float()):
        ours = engine_of(config, instructions, 2).outputs(network.float(), given)
        same(ours[0], logits)
        same(ours[1], features)


def test_threads_and_the_rest_of_the_batch_do_not_change_an_output() -> None:
    config = RunConfig()
    network, images = network_of(config), random_images(70)
    whole = engine_of(config, threads=3).outputs(network, images)[0]
    for count in (1, 15, 16, 33):
        assert torch.equal(engine_of(config).outputs(network, images[:count])[0], whole[:count])


@pytest.mark.parametrize("instructions", HERE)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(("activation", "pooling"), [(a, p) for a in ("relu", "tanh") for p in ("max", "avg")])
def test_nan_and_infinity_pass_as_in_pytorch(activation: str, pooling: str, value: float, instructions: str) -> None:
    torch.manual_seed(0)
    config = RunConfig(activation=activation, pooling=pooling)
    for where in range(10):
        network, images = network_of(config), random_images(19).float()
        images[5, 0, 14, 14] = value
        if where:
            parameter = list(network.parameters())[where]
            parameter.data.view(-1)[parameter.numel() // 2] = value
        ours = engine_of(config, instructions).logits(list(network.parameters()), images)
        theirs = network.double()(scaled(images))  # PyTorch's tanh of infinity is NaN in float32
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-4, equal_nan=True)


def test_lanes_without_an_image_leave_no_trace_in_gradients() -> None:
    torch.manual_seed(0)
    config = RunConfig()
    network, images, wanted = network_of(config), random_images(3), torch.randn(3, 10)
    bias = list(network.parameters())[1]
    bias.data[:] = float("inf")  # what a lane computes without an image is NaN then
    ours = gradients(network, engine_of(config).logits(list(network.parameters()), images), wanted)
    network.double()
    theirs = gradients(network, network(scaled(images)), wanted.double())
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine.isfinite(), other.isfinite())


def bits(config: RunConfig, network: LeNet, images: Tensor, threads: int) -> list[bytes]:
    logits = engine_of(config, threads=threads).logits(list(network.parameters()), images)
    logits.backward(torch.ones(len(images), 10))
    results = [logits.detach(), *(parameter.grad for parameter in network.parameters())]
    for parameter in network.parameters():
        parameter.grad = None
    return [tensor.numpy().tobytes() for tensor in results if tensor is not None]


@pytest.mark.parametrize("instructions", HERE)
def test_steps_without_the_operator_give_the_same_bits(instructions: str) -> None:
    for number, (activation, pooling, dropout) in enumerate(OPTIONS):
        config = RunConfig(activation=activation, pooling=pooling, dropout=dropout)
        network, images = network_of(config), random_images(70)
        engine = engine_of(config, instructions, 1 + number % 3)
        parameters = list(network.parameters())
        steps = Steps(engine, parameters)
        for count, is_indexed in ((64, True), (17, True), (17, False), (70, False)):  # the last batch may be smaller
            index = torch.randperm(70)[:count] if is_indexed else None
            some = images if is_indexed else images[:count].float()
            wanted = torch.randn(count, 10)
            torch.manual_seed(number)
            ours = steps.logits(some, index)
            (ours * wanted).sum().backward()
            steps.backward(ours)
            theirs = network_of(config)
            theirs.load_state_dict(network.state_dict())
            torch.manual_seed(number)
            expected = engine.logits(list(theirs.parameters()), some, index)
            for parameter, other in zip(parameters, gradients(theirs, expected, wanted), strict=True):
                assert parameter.grad is not None
                assert torch.equal(parameter.grad, other)
            assert torch.equal(ours, expected)


def test_steps_refuse_gradients_of_other_logits_and_parameters_of_another_layout() -> None:
    network, images = network_of(RunConfig()), random_images(4)
    steps = Steps(engine_of(RunConfig()), list(network.parameters()))
    first, second = steps.logits(images), steps.logits(images)
    for logits in (first, second):
        logits.sum().backward()
    steps.backward(second)
    with pytest.raises(ValueError, match="last logits"):
        steps.backward(first)
    with pytest.raises(IndexError):
        steps.logits(images, torch.tensor([4]))
    with pytest.raises(ValueError, match="not dense"):
        Steps(engine_of(RunConfig()), list(network.to(memory_format=torch.channels_last).parameters()))


def test_the_same_call_gives_the_same_bits_also_from_two_threads_at_once() -> None:
    config = RunConfig()
    networks, images = [network_of(config) for _ in range(2)], random_images(70)
    alone = [bits(config, network, images, threads=2) for network in networks]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            at_once = list(pool.map(lambda network: bits(config, network, images, threads=2), networks))
            assert at_once == alone


def test_a_process_that_was_forked_after_the_threads_started_computes_the_same() -> None:
    config = RunConfig()
    network, images = network_of(config), random_images(70)
    expected = bits(config, network, images, threads=3)
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if bits(config, network, images, threads=3) == expected else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert bits(config, network, images, threads=3) == expected


def arguments(**changed: Any) -> list[Any]:
    values: dict[str, Any] = {"images": random_images(4), "index": None, "subtract": 0.0, "multiply": 1.0}
    values |= {f"w{number}": parameter for number, parameter in enumerate(network_of(RunConfig()).parameters())}
    values |= {"is_tanh": False, "is_mean": False, "instructions": INSTRUCTIONS.index(HERE[-1]), "threads": 1}
    return list((values | changed).values())


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"images": torch.zeros(4, 1, 27, 28)}, ValueError),
        ({"images": torch.zeros(4, 1, 28, 28, dtype=torch.float64)}, ValueError),
        ({"index": torch.tensor([0, 4])}, IndexError),
        ({"index": torch.tensor([-1])}, IndexError),
        ({"index": torch.tensor([1.0])}, ValueError),
        ({"w0": torch.zeros(6, 1, 5, 4)}, ValueError),
        ({"w9": torch.zeros(10, dtype=torch.float64)}, ValueError),
        ({"instructions": 7}, ValueError),
        ({"threads": 0}, ValueError),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        torch.ops.lenet_tui.lenet_outputs(*arguments(**changed))


def test_no_images_give_no_outputs_and_gradients_of_zero() -> None:
    config = RunConfig()
    network, none = network_of(config), random_images(0)
    ours = engine_of(config).logits(list(network.parameters()), none)
    assert ours.shape == (0, 10)
    assert all(not gradient.any() for gradient in gradients(network, ours, torch.zeros(0, 10)))


def test_weights_in_another_layout_are_read_right() -> None:
    torch.manual_seed(0)
    config = RunConfig()
    network, images = network_of(config), random_images(5)
    plain = engine_of(config).outputs(network, images)[0]
    assert torch.equal(engine_of(config).outputs(network.to(memory_format=torch.channels_last), images)[0], plain)


def test_the_operators_can_be_traced_without_computing() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        network = network_of(RunConfig())
        images = mode.from_tensor(random_images(6))
        logits = engine_of(RunConfig()).logits(list(network.parameters()), images)
        assert logits.shape == (6, 10)
        logits.sum().backward()
        assert [tuple(p.grad.shape) for p in network.parameters() if p.grad is not None] == [
            tuple(p.shape) for p in network.parameters()
        ]
