"""What training has come to is on disk soon enough, and whole, whatever ends the process."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
import torch

from lenet_tui.config import RunConfig
from lenet_tui.run import folder as runfolder
from lenet_tui.run.metrics import EpochMetrics
from lenet_tui.runner import worker
from lenet_tui.training import checkpoint, loop, saving
from lenet_tui.training import device as devices
from lenet_tui.training.checkpoint import Checkpoint
from tests.conftest import Watcher

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.data.datasets import Dataset
    from lenet_tui.run.folder import RunFolder

CPU = torch.device("cpu")
CONFIG = RunConfig(dataset="digits", epochs=4, batch_size=48, threads=1)


class Clock:
    """Time that passes when a test says so."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    result = Clock()
    monkeypatch.setattr(saving, "time", result)
    return result


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return runfolder.create(tmp_path, CONFIG)


class Training:
    """A network of one weight, whose value is the number of epochs done."""

    def __init__(self) -> None:
        self.weight = torch.zeros(1)
        self.history: list[EpochMetrics] = []

    def epoch(self) -> Checkpoint:
        self.weight += 1
        number = len(self.history) + 1
        row = EpochMetrics(number, 0.5, 0.5, 0.5, 0.5, 0.001, 1.0, 0.5, 0.5, 0.5)
        self.history.append(row)
        return Checkpoint(self.history, {"w": self.weight}, {"momentum": self.weight}, None, {"w": self.weight.clone()})


def saved(folder: RunFolder) -> int:
    """The epochs on disk, of which each file says the same."""
    there = checkpoint.read(folder.checkpoint_path, CPU)
    number = int(there.network["w"])
    assert len(there.history) == len(folder.read_metrics()) == int(there.optimizer["momentum"]) == number
    assert int(loop.read_weights(folder)["w"]) == number
    return number


def test_an_epoch_is_written_before_five_seconds_of_work_are_at_stake(clock: Clock, folder: RunFolder) -> None:
    training = Training()
    with saving.saving(folder, None) as saver:
        saver.keep(training.epoch())
        assert saved(folder) == 1  # the first one at once
        clock.now += 1
        saver.keep(training.epoch())
        clock.now += saving.MOST_UNSAVED_SECONDS - 1.5
        training.weight += 0.25  # the third epoch, under way
        saver.write_if_due()
        assert saved(folder) == 1
        clock.now += 0.5
        saver.write_if_due()
        assert saved(folder) == 2  # as it was after the second
        training.weight -= 0.25
        clock.now += 0.5
        saver.keep(training.epoch())
        assert saved(folder) == 2
        clock.now += saving.MOST_UNSAVED_SECONDS - 0.5
        saver.keep(training.epoch())
        assert saved(folder) == 4
        clock.now += 60
        saver.keep(training.epoch())
        assert saved(folder) == 5  # a long one at once


@pytest.mark.parametrize("error", [None, loop.Stopped, KeyboardInterrupt, SystemExit])
def test_what_waits_is_written_however_training_ends(
    error: type[BaseException] | None, clock: Clock, folder: RunFolder
) -> None:
    training = Training()
    ends = pytest.raises(error) if error else contextlib.nullcontext()
    with ends, saving.saving(folder, None) as saver:
        for _ in range(3):
            saver.keep(training.epoch())
        assert saved(folder) == 1
        training.weight += 0.5
        if error:
            raise error
    assert saved(folder) == 3


def test_sigterm_of_a_worker_writes_what_waits(folder: RunFolder) -> None:
    child = os.fork()
    if not child:
        try:
            signal.signal(signal.SIGTERM, worker._save_and_end)
            training = Training()
            with saving.saving(folder, None) as saver:
                for _ in range(3):
                    saver.keep(training.epoch())
                os.kill(os.getpid(), signal.SIGTERM)
                signal.pause()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
    assert saved(folder) == 3


class Copier(Watcher):
    """Copies the folder after an epoch: what a process that is killed there would leave."""

    def __init__(self, folder: RunFolder, after: int) -> None:
        super().__init__()
        self._folder = folder
        self._after = after
        self.copy = dataclasses.replace(folder, path=folder.path.with_name("killed"))

    def on_epoch_end(self, row: EpochMetrics, best: EpochMetrics) -> None:
        super().on_epoch_end(row, best)
        if row.epoch == self._after:
            shutil.copytree(self._folder.path, self.copy.path)


@pytest.mark.parametrize("values", [{}, {"ema": 0.9, "optimizer": "sgd", "lr": 0.05}], ids=["default", "ema"])
def test_a_run_that_is_killed_between_two_writings_ends_in_the_same_bytes(
    values: dict[str, object], clock: Clock, folder: RunFolder, digits: Dataset
) -> None:
    devices.make_repeatable(CPU, threads=1)
    config = CONFIG.model_copy(update=values)
    copier = Copier(folder, after=3)
    loop.train(config, digits, folder, CPU, copier)
    killed = copier.copy
    assert len(killed.read_metrics()) == 1  # the clock stands still
    watcher = Watcher()
    loop.train(config, digits, killed, CPU, watcher)
    assert [row.epoch for row in watcher.rows] == [2, 3, 4]
    assert killed.weights_path.read_bytes() == folder.weights_path.read_bytes()
    for one, other in zip(killed.read_metrics(), folder.read_metrics(), strict=True):
        assert dataclasses.replace(one, seconds=0) == dataclasses.replace(other, seconds=0)
    assert "written again" not in (killed.log_path.read_text() if killed.log_path.exists() else "")
