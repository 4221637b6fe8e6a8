"""Seeds of one configuration as one curve: their mean, between the lowest and the highest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lenet_tui.tui.curves.charts import Options
from lenet_tui.tui.curves.plots import drawn_curves, plot_of
from lenet_tui.tui.curves.raster import Stroke
from tests.tui.test_curves import FIVE, epochs, rows

SEEDS = [
    replace(
        FIVE,
        run_id=20 + seed,
        label=f"{20 + seed} lenet/bs64_lr0.001{f'_seed{seed}' * bool(seed)}",
        group="a",
        epochs=epochs(*((0.5 / n, (0.3 + 0.1 * seed) / n) for n in range(1, 6 - seed))),
    )
    for seed in range(3)
]


def test_seeds_of_one_configuration_are_one_curve_of_their_mean_with_a_band():
    (mean,) = drawn_curves(SEEDS, Options(seeds=True))
    assert mean.number == "20–22"
    assert mean.label == "lenet/bs64_lr0.001 · mean of 3 seeds"
    assert [row.val_loss for row in mean.epochs] == pytest.approx([0.4, 0.2, 0.4 / 3])  # as far as all have come
    plot = plot_of([mean], "loss", Options(seeds=True))
    (band,) = plot.bands
    assert [y for _, y in band.low] == pytest.approx([0.3, 0.15, 0.1])
    assert [y for _, y in band.high] == pytest.approx([0.5, 0.25, 0.5 / 3])
    assert "mean of 3 seeds" in "".join(rows(SEEDS, Options(seeds=True), width=100, height=16)[1:3])
    # Without colours, its limits are dotted.
    assert [line.stroke for line in plot.lines if line.under] == [Stroke.DOTTED] * 2


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("20 batch 16 · seed 1", "batch 16 · mean of 3 seeds"),
        ("20 seed 1", "mean of 3 seeds"),
        ("20 lenet/bs64_lr0.001_seed3.2", "lenet/bs64_lr0.001 · mean of 3 seeds"),
    ],
)
def test_the_mean_of_seeds_is_named_without_a_seed(label, shown):
    (mean,) = drawn_curves([replace(SEEDS[0], label=label), *SEEDS[1:]], Options(seeds=True))
    assert mean.label == shown


def test_a_configuration_of_one_seed_stays_the_run_that_it_is():
    other = replace(FIVE, group="b")
    mean, alone = drawn_curves([SEEDS[0], other, SEEDS[1]], Options(seeds=True))
    assert (len(mean.members), alone) == (2, other)
    assert drawn_curves(SEEDS, Options()) == tuple(SEEDS)


def test_the_steps_of_a_mean_go_as_far_as_the_runs_have_the_same() -> None:
    first = replace(SEEDS[0], steps=((0.1, 2.0), (0.2, 1.0), (0.3, 0.5)))
    second = replace(SEEDS[1], steps=((0.1, 1.0), (0.2, 0.0), (0.25, 0.5)))
    (mean,) = drawn_curves([first, second], Options("steps", seeds=True))
    assert mean.steps == ((0.1, 1.5), (0.2, 0.5))
    (unread,) = drawn_curves([first, replace(second, steps=None)], Options("steps", seeds=True))
    assert unread.steps is None
