from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet_tui.analysis.overfitting import generalisation_loss, overfitting_region
from lenet_tui.run.metrics import EpochMetrics

LOSSES = st.floats(1e-6, 1e6)


def history(train, validation):
    return [
        EpochMetrics(epoch, float(t), float(v), 0.9, 0.9, 0.001, 1.0, float(t), 0.9, float(v))
        for epoch, (t, v) in enumerate(zip(train, validation, strict=True), start=1)
    ]


@st.composite
def falling(draw, least=6):
    steps = draw(st.lists(st.floats(0.01, 0.2), min_size=least, max_size=40))
    return np.exp(-np.cumsum(steps))


@given(falling(), st.floats(1e-3, 1e3))
def test_a_validation_loss_that_falls_is_never_overfitting(train, scale):
    assert overfitting_region(history(train, scale * train)) is None


@given(st.integers(3, 20), st.integers(8, 30), st.floats(0.02, 0.3), st.floats(1e-3, 1e3))
def test_a_valley_in_the_validation_loss_is_overfitting_from_its_bottom(before, after, slope, scale):
    epochs = np.arange(before + after + 1)
    validation = scale * (1 + slope * np.abs(epochs - before))
    region = overfitting_region(history(np.exp(-epochs / 10), validation))
    assert region is not None
    assert (region.first, region.last) == (before + 1, before + after + 1)
    assert 0 < region.rise <= slope * after


@given(falling(), st.integers(0, 2**32 - 1), st.floats(0, 0.024))
def test_a_plateau_with_little_noise_is_not_overfitting(train, seed, amplitude):
    validation = 1 + np.random.default_rng(seed).uniform(-amplitude, amplitude, len(train))
    assert overfitting_region(history(train, validation)) is None


@given(st.integers(3, 20), st.integers(8, 30), st.floats(0, 0.049))
def test_a_rise_of_less_than_five_percent_is_not_overfitting(before, after, rise):
    epochs = np.arange(before + after + 1)
    validation = 1 + np.where(epochs < before, 0.1 * (before - epochs), rise * (epochs - before) / after)
    assert overfitting_region(history(np.exp(-epochs / 10), validation)) is None


def test_a_plateau_with_much_noise_is_hardly_ever_taken_for_overfitting():
    random = np.random.default_rng(0)
    train = np.exp(-np.arange(30) / 10)
    result = [overfitting_region(history(train, np.exp(random.normal(0, 0.2, 30)))) for _ in range(300)]
    assert sum(region is not None for region in result) <= 12


@given(falling(least=10), st.floats(1.2, 100))
def test_one_bad_epoch_at_the_end_is_not_overfitting(train, jump):
    validation = train.copy()
    validation[-1] *= jump
    assert overfitting_region(history(train, validation)) is None


@given(st.integers(8, 30))
def test_a_run_whose_train_loss_rises_too_does_not_overfit(after):
    validation = 1 + 0.1 * np.abs(np.arange(after + 5) - 4)
    assert overfitting_region(history(validation, validation)) is None


@given(st.lists(st.tuples(LOSSES, LOSSES), max_size=30))
def test_a_region_lies_within_the_run_and_ends_with_it(losses):
    region = overfitting_region(history(*zip(*losses, strict=True))) if losses else overfitting_region([])
    if region is not None:
        assert 1 <= region.first < region.last == len(losses)
        assert region.rise > 0.05


@pytest.mark.parametrize("where", [0, 6, -1])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_run_that_diverged_is_not_said_to_overfit(where, value):
    validation = [1 + 0.1 * abs(epoch - 4) for epoch in range(14)]
    train = [1 / epoch for epoch in range(1, 15)]
    assert overfitting_region(history(train, validation)) is not None
    validation[where] = value
    assert overfitting_region(history(train, validation)) is None


def test_a_validation_loss_that_was_zero_can_rise():
    validation = [1, 0, 0, 0, *(0.1 * step for step in range(1, 10))]
    region = overfitting_region(history(np.exp(-np.arange(13.0)), validation))
    assert region is not None
    assert region.rise == math.inf


def test_generalisation_loss_is_prechelts():
    assert generalisation_loss(history([1, 1, 1], [2.0, 1.0, 1.25])) == pytest.approx(25)


@given(st.lists(LOSSES, min_size=1, max_size=30))
def test_generalisation_loss_is_zero_exactly_at_the_lowest_loss(validation):
    loss = generalisation_loss(history(validation, validation))
    assert loss is not None
    assert (loss == 0) == (validation[-1] == min(validation)) or validation[-1] / min(validation) == 1
    assert loss >= 0


def test_generalisation_loss_of_a_run_that_diverged_is_infinite_and_of_none_is_none():
    assert generalisation_loss(history([1, 1], [1.0, math.nan])) == math.inf
    assert generalisation_loss(history([1], [math.inf])) is None
    assert generalisation_loss([]) is None


def losses(random, epochs, rise, noise):
    """A validation loss that falls until epoch 8 and has risen by a share at the end, with noise around it."""
    places = np.arange(epochs)
    curve = np.where(places < 8, 0.12 * (8 - places), np.log1p(rise) * (places - 8) / (epochs - 9))
    return np.exp(curve + random.normal(0, noise, epochs))


def share_found(runs, rise, noise=0.1, studies=200):
    random = np.random.default_rng(3)
    train = np.exp(-np.arange(20) / 10)
    found = 0
    for _ in range(studies):
        histories = [history(train, losses(random, 20, rise, noise)) for _ in range(runs)]
        found += overfitting_region(*histories) is not None
    return found / studies


def test_five_seeds_find_a_rise_of_30_percent_and_see_none_on_a_plateau():
    assert share_found(5, 0.3) >= 0.8
    assert share_found(5, 0.0) <= 0.02
    assert share_found(1, 0.0) <= 0.02


def test_runs_together_are_as_long_as_the_shortest():
    valley = [1 + 0.1 * abs(epoch - 4) for epoch in range(20)]
    train = np.exp(-np.arange(20) / 10)
    region = overfitting_region(history(train, valley), history(train[:15], valley[:15]))
    assert region is not None
    assert (region.first, region.last) == (5, 15)
    assert overfitting_region() is None
