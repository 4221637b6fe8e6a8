"""What the loop is made of, each against a plain formulation or torch's own."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from lenet_tui.config import RunConfig
from lenet_tui.training.augment import ELASTIC_ALPHA, ELASTIC_SIGMA, displacements, distort, draw_noise
from lenet_tui.training.evaluation import Scaling
from lenet_tui.training.losses import objective
from lenet_tui.training.schedule import lr_factor

LOGITS = torch.randn(16, 10, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(16) % 10


def test_cross_entropy_is_minus_the_log_of_the_probability_of_the_true_class() -> None:
    p = LOGITS.exp() / LOGITS.exp().sum(dim=1, keepdim=True)
    plain = -p[torch.arange(16), LABELS].log().mean()
    torch.testing.assert_close(objective(RunConfig())(LOGITS, LABELS), plain)


def test_nll_of_log_softmax_is_cross_entropy() -> None:
    torch.testing.assert_close(objective(RunConfig(loss="nll"))(LOGITS, LABELS), F.cross_entropy(LOGITS, LABELS))


def test_label_smoothing_mixes_in_the_uniform_distribution() -> None:
    target = 0.9 * F.one_hot(LABELS, 10) + 0.1 / 10
    plain = -(target * F.log_softmax(LOGITS, dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(objective(RunConfig(label_smoothing=0.1))(LOGITS, LABELS), plain)


def test_mse_sums_over_the_ten_outputs() -> None:
    plain = sum((LOGITS[i, c] - (1.0 if c == LABELS[i] else 0.0)) ** 2 for i in range(16) for c in range(10)) / 16
    torch.testing.assert_close(objective(RunConfig(loss="mse"))(LOGITS, LABELS), plain)


def test_focal_loss_weighs_cross_entropy_by_the_squared_miss() -> None:
    p = LOGITS.softmax(dim=1)[torch.arange(16), LABELS]
    torch.testing.assert_close(objective(RunConfig(loss="focal"))(LOGITS, LABELS), (-((1 - p) ** 2) * p.log()).mean())


def factors_of(scheduler_class: type, steps: int, **options: object) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = scheduler_class(optimizer, **options)
    factors = []
    for _ in range(steps):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return factors


@pytest.mark.parametrize("steps", [10, 97, 400])
def test_cosine_is_torch_s(steps: int) -> None:
    theirs = factors_of(torch.optim.lr_scheduler.CosineAnnealingLR, steps, T_max=steps)
    assert [lr_factor("cosine", i, steps) for i in range(steps)] == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("steps", [10, 97, 400])
def test_onecycle_is_torch_s(steps: int) -> None:
    theirs = factors_of(torch.optim.lr_scheduler.OneCycleLR, steps - 1, max_lr=1.0, total_steps=steps)
    assert [lr_factor("onecycle", i, steps) for i in range(steps - 1)] == pytest.approx(theirs, abs=1e-9)


def test_step_divides_by_ten_at_half_and_at_three_quarters() -> None:
    factors = [lr_factor("step", i, 8) for i in range(8)]
    assert factors == [1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01]


@given(st.sampled_from(["constant", "cosine", "onecycle", "step"]), st.integers(1, 500), st.data())
def test_a_learning_rate_is_never_negative_nor_above_the_configured_one(
    name: str, steps: int, data: st.DataObject
) -> None:
    factor = lr_factor(name, data.draw(st.integers(0, steps - 1)), steps)
    assert 0 <= factor <= 1 + 1e-12


def digit_like(count: int = 64) -> torch.Tensor:
    images = torch.zeros(count, 1, 28, 28)
    images[:, :, 8:20, 12:16] = 255
    return images


def test_no_augmentation_returns_the_same_images() -> None:
    images = digit_like()
    assert distort(images, "none") is images


@pytest.mark.parametrize("kind", ["affine", "elastic", "affine+elastic"])
def test_a_distortion_differs_from_image_to_image_and_keeps_the_digit_in_sight(kind: str) -> None:
    torch.manual_seed(0)
    before = digit_like()
    after = distort(before, kind)
    assert after.shape == before.shape
    assert not torch.equal(after[0], after[1])
    assert after.min() >= 0
    assert after.max() <= 255.001
    ink = after.sum(dim=(1, 2, 3)) / before.sum(dim=(1, 2, 3))
    assert ink.min() > 0.4
    assert ink.max() < 2
    assert after[:, :, 0].abs().max() == 0  # the background stays background


def test_a_distortion_follows_from_the_seed() -> None:
    torch.manual_seed(5)
    one = distort(digit_like(), "affine+elastic")
    torch.manual_seed(5)
    assert torch.equal(one, distort(digit_like(), "affine+elastic"))


def test_an_affine_distortion_shifts_by_about_two_pixels_at_most_and_in_every_direction() -> None:
    torch.manual_seed(0)
    images = torch.zeros(2000, 1, 28, 28)
    images[:, :, 13:15, 13:15] = 1  # a dot in the middle: turning and scaling leave it there
    after = distort(images, "affine").squeeze(1)
    axis = torch.arange(28.0) - 13.5
    shift = (after.sum(dim=1) * axis).sum(dim=1) / after.sum(dim=(1, 2))
    assert shift.abs().max() < 2.6  # two pixels, turned by 10° and scaled by 10 %
    assert shift.min() < -1.5
    assert shift.max() > 1.5


def test_elastic_displacements_have_the_size_that_simard_s_constants_imply() -> None:
    # Uniform noise has variance 1/3; a Gaussian of σ = 4 pixels leaves a share 1/(4πσ²) of it in the middle.
    torch.manual_seed(0)
    field = displacements(draw_noise(4000))[:, 13, 13]
    expected = ELASTIC_ALPHA * math.sqrt(1 / 3 / (4 * math.pi * ELASTIC_SIGMA**2))
    assert field.std() == pytest.approx(expected, rel=0.05)


def test_scaling_normalises_bytes_as_the_textbook_does() -> None:
    pixels = torch.arange(0, 256, dtype=torch.uint8).view(1, 1, 16, 16)
    plain = (pixels.float() / 255 - 0.1307) / 0.3081
    torch.testing.assert_close(Scaling(0.1307, 0.3081)(pixels), plain)
    assert pixels.dtype == torch.uint8  # and leaves them as they were
