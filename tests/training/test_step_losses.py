"""The record of train losses within the epochs, as the loop writes it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch

from lenet_tui.config import RunConfig
from lenet_tui.run import folder as runfolder
from lenet_tui.run.steps import MOST_OF_AN_EPOCH, points_an_epoch
from lenet_tui.training import device as devices
from lenet_tui.training import loop
from lenet_tui.training.step_losses import StepLosses
from tests.conftest import Watcher

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.data.datasets import Dataset

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    devices.make_repeatable(CPU, threads=1)


def quick(**values: object) -> RunConfig:
    return RunConfig(**({"dataset": "digits", "epochs": 3, "batch_size": 32} | values))


def test_the_mean_of_an_epochs_points_is_its_train_loss(tmp_path: Path, digits: Dataset) -> None:
    config = quick(batch_size=60)  # 1,200 images: 20 whole batches
    folder = runfolder.create(tmp_path, config)
    loop.train(config, digits, folder, CPU, Watcher())
    points = folder.read_steps()
    assert [point[:3] for point in points[:20]] == [(1, step, 20) for step in range(1, 21)]
    for row in folder.read_metrics():
        losses = [loss for epoch, _, _, loss in points if epoch == row.epoch]
        assert sum(losses) / len(losses) == pytest.approx(row.train_loss, rel=1e-4)


def test_a_run_with_many_steps_is_thinned(tmp_path: Path, digits: Dataset) -> None:
    config = quick(epochs=1, batch_size=4)
    folder = runfolder.create(tmp_path, config)
    loop.train(config, digits, folder, CPU, Watcher())
    points = folder.read_steps()
    assert len(points) == MOST_OF_AN_EPOCH
    assert points[-1][1] == points[-1][2] == 300


def test_a_resumed_run_has_the_same_record_as_one_never_stopped(
    tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_REPORT_SECONDS", 0.0)
    monkeypatch.setattr("lenet_tui.training.step_losses._WRITE_SECONDS", 0.0)
    whole, resumed = (runfolder.create(tmp_path, quick()) for _ in range(2))
    loop.train(quick(), digits, whole, CPU, Watcher())

    class Leaving(Watcher):
        def should_stop(self) -> bool:
            return len(self.reported) >= 50  # in the middle of the second epoch

    with pytest.raises(loop.Stopped):
        loop.train(quick(), digits, resumed, CPU, Leaving())
    assert resumed.read_steps()[-1][:2] > (2, 5)
    loop.train(quick(), digits, resumed, CPU, Watcher())
    assert resumed.steps_path.read_bytes() == whole.steps_path.read_bytes()


def test_a_record_that_is_damaged_or_cannot_be_written_does_not_stop_the_run(tmp_path: Path, digits: Dataset) -> None:
    config = quick(epochs=1)
    damaged, blocked = (runfolder.create(tmp_path, config) for _ in range(2))
    damaged.steps_path.write_text("nonsense")
    blocked.steps_path.mkdir()
    for folder in (damaged, blocked):
        loop.train(config, digits, folder, CPU, Watcher())
        assert len(folder.read_metrics()) == 1
    assert damaged.read_steps()


def test_a_loss_that_is_no_number_is_on_record(tmp_path: Path) -> None:
    folder = runfolder.RunFolder(tmp_path)
    losses = StepLosses(folder, epochs=1)
    losses.begin(0)
    losses.begin_epoch(1, steps=2)
    losses.add(1, torch.tensor(0.5))
    losses.add(2, torch.tensor(math.nan))
    losses.write(now=True)
    (first, second) = folder.read_steps()
    assert first == (1, 1, 2, 0.5)
    assert math.isnan(second[3])
    assert points_an_epoch(1) == MOST_OF_AN_EPOCH
