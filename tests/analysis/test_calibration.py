from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from lenet_tui.analysis.calibration import calibration, image_losses


def logits_of(sharpness, count=4000, seed=0):
    """Logits of which a temperature of ``sharpness`` is the right one: labels are drawn from their probabilities."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (count, 10))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([random.choice(10, p=share) for share in shares])
    return sharpness * logits, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature):
    found = calibration(*logits_of(temperature))
    assert found.temperature == pytest.approx(temperature, rel=0.1)
    assert found.scaled_loss == pytest.approx(calibration(*logits_of(1.0)).loss, rel=0.02)


def test_it_is_the_temperature_of_lowest_cross_entropy():
    logits, labels = logits_of(2.0, count=200)
    both = np.repeat(logits, 2, axis=0), np.repeat(labels, 2)  # both halves are the same images
    best = optimize.minimize_scalar(
        lambda t: image_losses(logits / t, labels).mean(), bounds=(0.1, 10), method="bounded"
    )
    found = calibration(*both)
    assert found.temperature == pytest.approx(best.x, rel=1e-4)
    assert found.scaled_loss == pytest.approx(best.fun)


def test_a_network_as_certain_as_it_is_right_has_no_calibration_error():
    assert calibration(*logits_of(1.0)).error < 0.03
    assert calibration(*logits_of(5.0)).error > 0.15


@given(st.integers(2, 40), st.integers(0, 1000), st.floats(1e-3, 1e3))
def test_any_logits_are_measured(count, seed, scale):
    random = np.random.default_rng(seed)
    found = calibration(scale * random.normal(size=(count, 10)), random.integers(0, 10, count))
    assert np.isfinite([found.loss, found.scaled_loss, found.temperature, found.error]).all()
    assert 0 <= found.error <= 1
    assert found.certainty_loss == found.loss - found.scaled_loss


def test_logits_that_are_not_finite_and_single_images_are_refused():
    with pytest.raises(ValueError, match="finite"):
        calibration(np.full((4, 10), np.nan), np.zeros(4, int))
    with pytest.raises(ValueError, match="two images"):
        calibration(np.zeros((1, 10)), np.zeros(1, int))
