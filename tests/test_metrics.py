"""``metrics.csv`` and the two epochs that stand out in it."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet_tui import metrics
from lenet_tui.errors import LabError
from lenet_tui.metrics import EpochMetrics

ROW = EpochMetrics(1, 0.2, 0.1, 0.9, 0.95, 0.001, 2.5, 0.1, 0.96, 0.1)
numbers = st.floats(allow_nan=False)
rows = st.builds(EpochMetrics, st.integers(1, 1000), *[numbers] * 9)


@given(st.lists(rows))
def test_what_is_written_is_read_back_exactly(history: list[EpochMetrics]) -> None:
    assert metrics.from_csv(metrics.to_csv(history)) == history


def test_not_a_number_survives_the_file() -> None:
    (row,) = metrics.from_csv(metrics.to_csv([replace(ROW, train_loss=math.nan)]))
    assert math.isnan(row.train_loss)


@pytest.mark.parametrize("text", ["epoch,train_loss\n1,0.5\n", metrics.to_csv([ROW]).replace("0.95", "good")])
def test_a_damaged_file_is_told_with_its_line_and_what_was_expected(text: str) -> None:
    with pytest.raises(LabError, match=r"metrics.csv, line 2: expected epoch,train_loss,val_loss"):
        metrics.from_csv(text)


def test_the_best_epoch_has_the_lowest_validation_loss_and_the_first_of_equals_counts() -> None:
    history = [replace(ROW, epoch=e, val_loss=v) for e, v in enumerate([0.3, math.nan, 0.2, 0.2, 0.4], start=1)]
    best = metrics.best(history)
    assert best is not None
    assert best.epoch == 3


def test_the_weights_kept_are_those_of_highest_validation_accuracy_then_lowest_loss() -> None:
    figures = [(0.98, 0.05), (0.99, 0.08), (0.99, 0.07), (0.985, 0.04), (0.999, math.inf)]
    history = [replace(ROW, epoch=e, val_accuracy=a, val_loss=v) for e, (a, v) in enumerate(figures, start=1)]
    kept = metrics.kept(history)
    assert kept is not None
    assert kept.epoch == 3


def test_without_a_finite_epoch_there_is_neither() -> None:
    history = [replace(ROW, val_loss=math.nan)]
    assert metrics.best(history) is metrics.kept(history) is None
