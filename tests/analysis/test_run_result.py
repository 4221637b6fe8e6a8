"""A run as analysis reads it is what its folder says."""

from __future__ import annotations

import dataclasses
import math

import pytest

from lenet_tui.analysis import run_result
from lenet_tui.errors import LabError
from lenet_tui.run.folder import RunFolder
from tests.reports.conftest import LEARNING, history, make_run, predictions  # noqa: F401 - a fixture


def test_a_finished_run_is_read_with_its_epochs_and_test_predictions(make_run):  # noqa: F811
    folder = make_run(predicted=predictions(120, wrong=6))
    result = run_result.read(7, folder, "lenet/bs64_lr0.001")
    assert (result.run_id, result.folder, result.state) == (7, "lenet/bs64_lr0.001", "finished")
    assert result.history == tuple(LEARNING)
    assert result.best == LEARNING[-1]
    assert result.right is not None
    assert (~result.right).nonzero()[0].tolist() == [0, 1, 2, 3, 4, 5]


def test_plain_cross_entropy_is_that_of_the_epoch_of_lowest_validation_loss(make_run):  # noqa: F811
    rows = [
        dataclasses.replace(row, val_cross_entropy=ce)
        for row, ce in zip(history([1, 1, 1], [0.5, 0.3, 0.4]), [0.2, 0.9, 0.1], strict=True)
    ]
    result = run_result.read(1, make_run(rows=rows, predicted=predictions()), "x")
    assert result.best_val_cross_entropy == 0.9
    nothing = run_result.read(1, make_run(rows=history([1], [math.nan]), predicted=predictions()), "x")
    assert nothing.best is None
    assert nothing.best_val_cross_entropy is None


@pytest.mark.parametrize("state", ["stopped", "failed", "running"])
def test_predictions_of_a_run_that_is_not_finished_are_no_evidence(make_run, state):  # noqa: F811
    folder = make_run(predicted=predictions(split="validation"))
    folder.write_record(folder.read_record().model_copy(update={"state": state}))
    result = run_result.read(1, folder, "x")
    assert result.predictions is None
    assert result.right is None


def test_the_store_knows_better_than_the_folder_what_state_a_run_is_in(make_run):  # noqa: F811
    folder = make_run(rows=[])
    folder.write_record(folder.read_record().model_copy(update={"state": "running"}))
    assert run_result.read(1, folder, "x").state == "running"
    assert run_result.read(1, folder, "x", "interrupted").state == "interrupted"
    assert run_result.read(1, folder, "x").history == ()


def test_what_is_damaged_or_missing_is_one_clear_line(make_run, tmp_path):  # noqa: F811
    with pytest.raises(LabError, match=r"has no run\.json"):
        run_result.read(1, RunFolder(tmp_path), "x")
    folder = make_run()
    with pytest.raises(LabError, match=r"predictions\.npz is missing"):
        run_result.read(1, folder, "x")
    folder.predictions_path.write_bytes(b"PK")
    with pytest.raises(LabError, match="damaged"):
        run_result.read(1, folder, "x")
