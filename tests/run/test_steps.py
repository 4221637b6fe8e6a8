"""``steps.csv``: the train loss within the epochs, and what is wrong in a damaged one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lenet_tui.errors import LabError
from lenet_tui.run.folder import MOST_STEPS, RunFolder
from lenet_tui.run.metrics import MAX_EPOCHS
from lenet_tui.run.steps import HEADER, MOST_OF_AN_EPOCH, from_csv, points_an_epoch, to_csv

if TYPE_CHECKING:
    from pathlib import Path

POINTS = [(1, 10, 20, 2.25), (1, 20, 20, 1.5), (2, 10, 20, 0.125)]


def test_what_is_written_is_read() -> None:
    assert from_csv(HEADER + to_csv(POINTS)) == POINTS


def test_a_line_without_its_end_is_left_out() -> None:
    assert from_csv(HEADER + to_csv(POINTS)[:-4]) == POINTS[:-1]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "line 1"),
        ("epoch,loss\n", "line 1"),
        (HEADER + "1,2,3\n", "line 2"),
        (HEADER + "1,2,20,x\n", "line 2"),
        (HEADER + "1,21,20,1\n", "line 2: epoch 1, step 21 does not belong there"),
        (HEADER + "1,0,20,1\n", "line 2"),
        (HEADER + "2,1,20,1\n1,5,20,1\n", "line 3: epoch 1, step 5"),
    ],
)
def test_a_damaged_file_costs_one_line(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "steps.csv").write_text(text)
    with pytest.raises(LabError, match=named):
        RunFolder(tmp_path).read_steps()


def test_a_folder_of_an_older_version_has_no_steps(tmp_path: Path) -> None:
    assert RunFolder(tmp_path).read_steps() == []


def test_the_longest_run_stays_below_the_limit() -> None:
    assert points_an_epoch(20) == MOST_OF_AN_EPOCH
    for epochs in (1, 20, 40, 41, 500, MAX_EPOCHS):
        line = to_csv([(epochs, 60_000, 60_000, 0.000123456)])
        assert epochs * points_an_epoch(epochs) * len(line) < MOST_STEPS
