"""``metrics.csv`` and the two epochs that stand out in it."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet_tui.errors import LabError
from lenet_tui.run import metrics
from lenet_tui.run.metrics import EpochMetrics

ROW = EpochMetrics(1, 0.2, 0.1, 0.9, 0.95, 0.001, 2.5, 0.1, 0.96, 0.1)
numbers = st.floats(allow_nan=False)
finite = st.floats(0, allow_infinity=False)
rows = st.builds(EpochMetrics, st.just(1), *[numbers] * 4, finite, finite, *[numbers] * 3)


@given(st.lists(rows))
def test_what_is_written_is_read_back_exactly(history: list[EpochMetrics]) -> None:
    history = [replace(row, epoch=epoch) for epoch, row in enumerate(history, start=1)]
    assert metrics.from_csv(metrics.to_csv(history)) == history


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        (metrics.to_csv([ROW, ROW]), "line 3: epoch 1 where 2 belongs"),
        (metrics.to_csv([replace(ROW, epoch=2)]), "line 2: epoch 2 where 1 belongs"),
        (metrics.to_csv([replace(ROW, epoch=2**70)]), "line 2: epoch"),
        (metrics.to_csv([replace(ROW, epoch=n) for n in range(1, 1002)]), "line 1002: epoch 1001"),
        (metrics.to_csv([replace(ROW, seconds=math.inf)]), "line 2: expected"),
        (metrics.to_csv([ROW]).replace("0.95", "9" * 200_000), "expected"),
        ("epoch,train_loss\0\n1,2\n", "line 1: expected"),
        ('epoch\n"1', "line 1: expected"),
        ("\0" * 500, "line 1: expected"),
    ],
)
def test_what_no_run_writes_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(LabError, match=message) as refused:
        metrics.from_csv(text)
    assert len(str(refused.value)) < 200


def test_not_a_number_survives_the_file() -> None:
    (row,) = metrics.from_csv(metrics.to_csv([replace(ROW, train_loss=math.nan)]))
    assert math.isnan(row.train_loss)


@pytest.mark.parametrize("text", ["epoch,train_loss\n1,0.5\n", metrics.to_csv([ROW]).replace("0.95", "good")])
def test_a_damaged_file_is_told_with_its_line_and_what_was_expected(text: str) -> None:
    with pytest.raises(LabError, match=r"line [12]: expected epoch,train_loss,val_loss"):
        metrics.from_csv(text)


def test_the_best_epoch_has_the_lowest_validation_loss_and_the_first_of_equals_counts() -> None:
    history = [replace(ROW, epoch=e, val_loss=v) for e, v in enumerate([0.3, math.nan, 0.2, 0.2, 0.4], start=1)]
    best = metrics.best(history)
    assert best is not None
    assert best.epoch == 3


def test_the_weights_kept_are_those_of_highest_validation_accuracy_then_lowest_loss() -> None:
    figures = [(0.98, 0.05), (0.99, 0.08), (0.99, 0.07), (0.985, 0.04), (0.999, math.inf)]
    history = [replace(ROW, epoch=e, val_accuracy=a, val_loss=v) for e, (a, v) in enumerate(figures, start=1)]
    selected = metrics.selected(history)
    assert selected is not None
    assert selected.epoch == 3


def test_without_a_finite_epoch_there_is_neither() -> None:
    history = [replace(ROW, val_loss=math.nan)]
    assert metrics.best(history) is metrics.selected(history) is None
