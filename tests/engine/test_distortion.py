"""Both engines distort training images alike, at every instruction set that is here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
import torch.nn.functional as F

from lenet_tui.config import RunConfig
from lenet_tui.engine.choice import Engine
from lenet_tui.engine.library import library
from lenet_tui.engine.native import NativeLeNet, native
from lenet_tui.training import augment
from lenet_tui.training.augment import distort

if TYPE_CHECKING:
    from torch import Tensor

    from lenet_tui.config import AugmentName
    from lenet_tui.data.datasets import Dataset

pytestmark = pytest.mark.skipif(library().handle is None, reason=f"no native engine: {library().problem}")

HERE = library().available
KINDS: tuple[AugmentName, ...] = ("affine", "elastic", "affine+elastic")
NEAR = 255 * 1e-5  # 1e-5 of the range of pixels


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def engine_of(instructions: str, threads: int = 1) -> NativeLeNet:
    result = native(RunConfig(), Engine("native", instructions, threads), 0.13, 0.31)
    assert result
    return result


def drawn(images: Tensor, kind: AugmentName, index: Tensor | None, engine: NativeLeNet | None) -> Tensor:
    torch.manual_seed(3)
    return distort(images, kind, index, engine)


@pytest.mark.parametrize("instructions", HERE)
@pytest.mark.parametrize("kind", KINDS)
def test_the_native_engine_distorts_as_torch_does(kind: AugmentName, instructions: str, digits: Dataset) -> None:
    images = digits.train_images
    for count in (1, 2, 15, 16, 17, 63, 64, 129):
        chosen = torch.arange(count) * 5 + 1
        for index in (chosen, None):
            some = images if index is not None else images[chosen]
            theirs = drawn(some, kind, index, None)
            ours = [drawn(some, kind, index, engine_of(instructions, threads)) for threads in (1, 2, 3)]
            assert ours[0].shape == theirs.shape == (count, 1, 28, 28)
            torch.testing.assert_close(ours[0], theirs, rtol=0, atol=NEAR)
            assert all(torch.equal(other, ours[0]) for other in ours)


@pytest.mark.parametrize("instructions", HERE)
def test_noise_displaces_as_a_formula_in_float64_says(instructions: str) -> None:
    torch.manual_seed(0)
    images = torch.randint(0, 256, (40, 1, 28, 28), dtype=torch.uint8)
    torch.manual_seed(1)
    noise = augment.draw_noise(40)
    at = torch.arange(28, dtype=torch.float64)
    sigma = augment.ELASTIC_SIGMA
    gauss = torch.exp(-((at[:, None] - at) ** 2) / (2 * sigma**2)) / (sigma * (2 * torch.pi) ** 0.5)
    moved = gauss @ ((noise.double() - 127.5) / 128 * augment.ELASTIC_ALPHA) @ gauss
    grid = torch.stack([(at.expand(28, 28) + moved[:, 0]), (at[:, None].expand(28, 28) + moved[:, 1])], dim=-1)
    exact = F.grid_sample(images.double(), (2 * grid + 1) / 28 - 1, align_corners=False)
    torch.manual_seed(1)
    ours = distort(images, "elastic", None, engine_of(instructions))
    torch.testing.assert_close(ours.double(), exact, rtol=0, atol=NEAR)


@pytest.mark.parametrize("instructions", HERE)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e30, 1e9, 50.0])
def test_what_lies_outside_of_an_image_is_background(value: float, instructions: str) -> None:
    engine, smoothing = engine_of(instructions), torch.zeros(28, 28)
    images = torch.full((3, 1, 28, 28), 255, dtype=torch.uint8)
    matrices = torch.eye(2, 3).repeat(3, 1, 1)
    matrices[1, 0, 2] = value
    ours = engine.distorted(images, None, matrices, None, smoothing, 1.0)
    torch.testing.assert_close(ours[0::2], images[0::2].float(), rtol=0, atol=NEAR)
    assert not ours[1].any()


def test_no_images_are_distorted_to_none() -> None:
    none = torch.zeros(0, 1, 28, 28, dtype=torch.uint8)
    assert distort(none, "affine+elastic", None, engine_of(HERE[-1])).shape == (0, 1, 28, 28)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"images": torch.zeros(4, 1, 28, 28)}, ValueError),
        ({"images": torch.zeros(4, 1, 27, 28, dtype=torch.uint8)}, ValueError),
        ({"index": torch.tensor([0, 1, 2, 4])}, IndexError),
        ({"index": torch.tensor([0, 1, 2, -1])}, IndexError),
        ({"index": torch.tensor([0.0, 1, 2, 3])}, ValueError),
        ({"matrices": torch.zeros(3, 2, 3)}, ValueError),
        ({"noise": torch.zeros(4, 2, 28, 28)}, ValueError),
        ({"smoothing": torch.zeros(28, 27)}, ValueError),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, Any], error: type[Exception]) -> None:
    values: dict[str, Any] = {
        "images": torch.zeros(4, 1, 28, 28, dtype=torch.uint8),
        "index": torch.arange(4),
        "matrices": torch.zeros(4, 2, 3),
        "noise": torch.zeros(4, 2, 28, 28, dtype=torch.uint8),
        "smoothing": torch.zeros(28, 28),
        "strength": 1.0,
    }
    with pytest.raises(error):
        engine_of(HERE[-1]).distorted(**(values | changed))
