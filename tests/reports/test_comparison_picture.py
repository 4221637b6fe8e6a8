"""The picture of a comparison can be read, whatever was compared."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lenet_tui.analysis.comparison.compare import compare
from lenet_tui.reports import NotDrawable, comparison
from tests.analysis.test_comparison import WORSE, run
from tests.reports.conftest import LEARNING, history, opened, share_of_colour


def test_every_group_is_drawn_and_the_picture_says_of_which_runs_it_is():
    png = comparison.draw(compare(WORSE))
    assert opened(png).width >= 1200
    assert opened(png).info["lenet-tui:runs"] == "1, 2, 3, 4, 5, 6"
    assert "batch 64; batch 16" in opened(png).info["Title"]
    for colour in comparison.COLOURS[:2]:
        assert share_of_colour(png, colour) > 0.0005
    assert share_of_colour(png, comparison.COLOURS[2]) == 0


def test_no_two_groups_look_alike_even_without_colour():
    looks = [comparison.look(number) for number in range(84)]
    assert len(set(looks)) == 84
    assert len({marker for _, _, marker in looks[:12]}) == 12


def test_a_mean_is_drawn_as_far_as_all_runs_of_the_group_got():
    values = np.array([[0.4, 0.2, 0.1], [0.6, 0.4, np.nan]])
    mean, low, high = comparison._band(values)
    assert mean.tolist()[:2] == pytest.approx([0.5, 0.3])
    assert (low[0], high[0]) == (0.4, 0.6)
    assert np.isnan([mean[2], low[2], high[2]]).all()


def test_runs_of_different_losses_are_drawn_by_their_plain_cross_entropy():
    rows = history([0.5, 0.4], [900, 700])
    rows = [type(row)(**(row.__dict__ | {"val_cross_entropy": 0.5})) for row in rows]
    mixed = compare([run(1, rows=rows), run(2, loss="mse", rows=rows)])
    same = compare([run(1, rows=rows), run(2, lr=0.1, rows=rows)])
    assert "plain" in comparison._loss(mixed)[1]
    assert comparison._loss(mixed)[0] == "val_cross_entropy"
    assert comparison._loss(same)[0] == "val_loss"
    assert opened(comparison.draw(mixed)).width >= 1200


@pytest.mark.parametrize(
    "rows",
    [
        history([0.5], [0.4]),
        history([0.0, 0.0], [0.0, 0.0]),
        history([0.5, math.nan], [0.4, math.inf]),
        history([1e-30, 1e30], [1e-45, 3e38]),
    ],
)
def test_any_history_can_be_drawn(rows):
    result = compare([run(1, rows=rows), run(2, lr=0.1, rows=LEARNING), run(3, lr=0.1, seed=1, rows=rows)])
    assert share_of_colour(comparison.draw(result), "#ffffff") > 0.5


def test_many_groups_and_long_labels_stay_on_the_page():
    configs = [{"batch_size": size, "ema": 0.5, "patience": 3, "augment": "affine+elastic"} for size in range(2, 18)]
    png = comparison.draw(compare([run(1), *(run(2 + i, **config) for i, config in enumerate(configs))]))
    image = np.asarray(opened(png).convert("L"))
    assert (image[:, -8:] == 255).all()
    assert (image[-8:] == 255).all()


def test_nothing_finite_is_nothing_to_draw():
    rows = history([math.nan], [math.nan])
    with pytest.raises(NotDrawable, match="finite"):
        comparison.draw(compare([run(1, rows=rows), run(2, lr=0.1, rows=rows)]))
