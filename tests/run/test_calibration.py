"""``calibration.csv``: written after each epoch, the same after a stop, and what is wrong in a damaged one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.run import calibration
from lenet_tui.run import folder as runfolder
from lenet_tui.run.calibration import EpochCalibration
from lenet_tui.run.folder import RunFolder
from lenet_tui.training import device, loop
from lenet_tui.training.calibration_log import CalibrationLog
from tests.conftest import Watcher

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.data.datasets import Dataset

ROWS = [EpochCalibration(1, 1.5, 0.25, 0.01), EpochCalibration(2, 1.25, 0.125, 0.02)]
CONFIG = RunConfig(dataset="digits", epochs=2, val_size=200)


def test_what_was_written_is_read() -> None:
    assert calibration.from_csv(calibration.to_csv(ROWS)) == ROWS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "epoch,temperature\n1,2\n",
        calibration.to_csv(ROWS[1:]),
        calibration.to_csv(ROWS).replace("1.5", "nan"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "calibration.csv").write_text(text)
    with pytest.raises(LabError, match=r"calibration.csv is damaged: line \d+: expected epoch,temperature"):
        RunFolder(tmp_path).read_calibration()


def test_a_run_has_a_line_an_epoch_and_a_resumed_one_the_same(tmp_path: Path, digits: Dataset) -> None:
    cpu = device.resolve("cpu")
    whole, resumed = (runfolder.create(tmp_path / name, CONFIG) for name in ("whole", "resumed"))
    watcher = Watcher()
    loop.train(CONFIG, digits, whole, cpu, watcher)
    rows = whole.read_calibration()
    assert [row.epoch for row in rows] == [1, 2]
    for row, epoch in zip(rows, watcher.rows, strict=True):
        assert 0 < row.scaled_cross_entropy < epoch.val_cross_entropy + 0.1
    with pytest.raises(loop.Stopped):
        loop.train(CONFIG, digits, resumed, cpu, Watcher(stop_after=1))
    assert len(resumed.read_calibration()) == 1
    loop.train(CONFIG, digits, resumed, cpu, Watcher())
    assert resumed.read_calibration() == rows


def test_a_run_without_its_first_lines_goes_on_without_any(tmp_path: Path) -> None:
    lost = CalibrationLog(RunFolder(tmp_path), epochs_done=1)
    lost.add(2, torch.eye(10), torch.arange(10))
    assert RunFolder(tmp_path).read_calibration() == []
