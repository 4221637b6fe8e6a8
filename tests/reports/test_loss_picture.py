from __future__ import annotations

import math

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.errors import NotDrawable
from lenet_tui.reports import loss
from tests.reports.conftest import LEARNING, OVERFITTING, history, opened, record, share_of_colour

RECORD = record(RunConfig(epochs=12))


def test_overfitting_is_shaded():
    assert share_of_colour(loss.draw(RECORD, OVERFITTING), loss.SHADE) > 0.1


def test_nothing_is_shaded_while_validation_improves():
    assert share_of_colour(loss.draw(RECORD, LEARNING), loss.SHADE) == 0


def test_train_and_validation_are_both_drawn():
    png = loss.draw(RECORD, LEARNING)
    assert share_of_colour(png, loss.TRAIN) > 0.001
    assert share_of_colour(png, loss.VALIDATION) > 0.001


@pytest.mark.parametrize(
    "rows",
    [
        history([0.5], [0.4]),
        history([0.0, 0.0], [0.0, 0.0]),
        history([0.5, math.nan], [0.4, math.inf]),
        history([math.nan], [math.nan]),
        history([math.inf, 0.5], [math.nan, math.inf]),
        history([1e-30, 1e30], [1e-45, 3e38]),
        history([0.1] * 1000, [0.2] * 1000),
    ],
)
def test_any_history_can_be_drawn(rows):
    png = loss.draw(RECORD, rows)
    assert opened(png).width >= 1200
    assert share_of_colour(png, "#ffffff") > 0.5


def test_no_epoch_is_nothing_to_draw():
    with pytest.raises(NotDrawable, match="no epoch"):
        loss.draw(RECORD, [])


def test_a_run_that_ended_early_says_how_far_it_came():
    assert "12 of 20 epochs done" in opened(loss.draw(record(RunConfig()), LEARNING)).info["Title"]
    assert "done" not in opened(loss.draw(RECORD, LEARNING)).info["Title"]


def test_gaps_are_explained():
    assert loss._gaps(LEARNING) == ""
    assert loss._gaps(history([1, math.nan, math.nan], [1, 1, 1])).endswith("2 epochs, the first of them 2.")


@pytest.mark.parametrize("name", ["cross_entropy", "nll", "mse", "focal"])
def test_the_axis_names_the_loss_of_the_run(name):
    assert loss._loss_name(RunConfig(loss=name)) == loss.LOSS_NAMES[name]


def test_label_smoothing_is_named_because_it_lifts_the_whole_curve():
    assert loss._loss_name(RunConfig(label_smoothing=0.1)).startswith("label-smoothed cross-entropy")
