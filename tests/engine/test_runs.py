"""Runs with the native engine: the same bits every time and through any interruption, and what is on record."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
import torch

from lenet_tui import experiment
from lenet_tui.config import RunConfig
from lenet_tui.engine import choice
from lenet_tui.engine.choice import TORCH, Engine
from lenet_tui.engine.library import Library, library
from lenet_tui.run import folder as runfolder
from lenet_tui.training import device as devices
from lenet_tui.training import loop
from tests.conftest import Watcher

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.data.datasets import Dataset
    from lenet_tui.run.folder import RunFolder

pytestmark = pytest.mark.skipif(library().handle is None, reason=f"no native engine: {library().problem}")

CPU = torch.device("cpu")
ENGINE = Engine("native", library().available[-1] if library().available else "", threads=2)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    devices.make_repeatable(CPU, threads=1)


def quick(**values: object) -> RunConfig:
    short = {"dataset": "digits", "epochs": 3, "batch_size": 48, "threads": 2, "tsne_samples": 100}
    return RunConfig(**(short | values))


def go_on(folder: RunFolder, config: RunConfig, data: Dataset, engine: Engine, watcher: Watcher) -> None:
    loop.train(config, data, folder, CPU, watcher, loop.prepare(config, data, folder, CPU, engine))


def trained(root: Path, config: RunConfig, data: Dataset, engine: Engine = ENGINE) -> RunFolder:
    folder = runfolder.create(root, config)
    go_on(folder, config, data, engine, Watcher())
    return folder


def without_seconds(folder: RunFolder) -> list[object]:
    return [dataclasses.replace(row, seconds=0) for row in folder.read_metrics()]


VARIANTS = [
    {},
    {"optimizer": "sgd", "lr": 0.05, "augment": "affine+elastic", "pooling": "avg"},
    {"dropout": 0.3, "clip_norm": 1.0, "activation": "tanh"},
    {"ema": 0.99, "optimizer": "adamw", "weight_decay": 0.01, "lr_schedule": "cosine"},
]


@pytest.mark.parametrize("values", VARIANTS, ids=lambda v: " ".join(map(str, v.values())) or "default")
def test_a_resumed_run_ends_in_the_same_bytes_and_torch_in_almost_the_same(
    values: dict[str, object], tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_REPORT_SECONDS", 0.0)  # so that it can be stopped in the middle of an epoch
    config = quick(**values)
    whole = trained(tmp_path, config, digits)
    folder = runfolder.create(tmp_path, config)
    for _ in range(2):
        with pytest.raises(loop.Stopped):
            go_on(folder, config, digits, ENGINE, Watcher(stop_after=1))
        torch.rand(7)  # the generator's state must not matter
    go_on(folder, config, digits, ENGINE, Watcher())
    assert folder.weights_path.read_bytes() == whole.weights_path.read_bytes()
    assert without_seconds(folder) == without_seconds(whole)

    # The same masks of dropout and the same distortions are drawn.
    first, other = whole.read_metrics()[0], trained(tmp_path, config, digits, TORCH).read_metrics()[0]
    assert first.train_loss == pytest.approx(other.train_loss, rel=1e-2)
    assert first.val_loss == pytest.approx(other.val_loss, rel=0.1)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_run_of_one_engine_can_be_resumed_with_the_other(optimizer: str, tmp_path: Path, digits: Dataset) -> None:
    config = quick(optimizer=optimizer, lr=0.003)
    whole = trained(tmp_path, config, digits, TORCH).read_metrics()
    for first, second in ((TORCH, ENGINE), (ENGINE, TORCH)):
        folder = runfolder.create(tmp_path, config)
        with pytest.raises(loop.Stopped):
            go_on(folder, config, digits, first, Watcher(stop_after=1))
        go_on(folder, config, digits, second, Watcher())
        # Where layouts got mixed up, training would have fallen back.
        assert folder.read_metrics()[-1].train_loss == pytest.approx(whole[-1].train_loss, rel=0.05)


def test_engine_and_instruction_set_are_on_record_and_kept(
    tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = quick(epochs=2)
    folder, record = experiment.begin(tmp_path, config, digits)
    assert (record.engine, record.instructions, record.threads) == ("native", ENGINE.instructions, 2)
    stopped = experiment.run(folder, record, digits, Watcher(stop_after=1))
    assert stopped.state == "stopped"
    assert f"2 CPU threads, engine native ({ENGINE.instructions})" in folder.log_path.read_text()

    monkeypatch.setenv("LENET_TUI_INSTRUCTIONS", "baseline")  # for new runs
    again = experiment.run(folder, folder.read_record(), digits, Watcher(stop_after=1))
    assert again.instructions == ENGINE.instructions

    for module in (choice, choice.loading):
        monkeypatch.setattr(module, "library", lambda: Library(None, "the compiler is gone"))
    ended = experiment.run(folder, folder.read_record(), digits, Watcher())
    assert (ended.state, ended.engine, ended.instructions) == ("finished", "torch", None)
    assert folder.read_record() == ended
    log = folder.log_path.read_text()
    assert f"begun with engine native ({ENGINE.instructions}), which cannot be used here: the compiler is gone" in log


def test_the_engine_is_no_part_of_what_makes_two_runs_the_same() -> None:
    assert quick(engine="torch").identity() == quick(engine="native").identity() == quick().identity()


def test_a_record_of_an_earlier_version_was_computed_by_torch(tmp_path: Path, digits: Dataset) -> None:
    _, record = experiment.begin(tmp_path, quick(engine="torch"), digits)
    old = record.model_dump(mode="json", exclude={"engine": True, "instructions": True, "config": {"engine"}})
    read = type(record).model_validate(old)
    assert (read.engine, read.instructions, read.config.engine) == ("torch", None, "auto")
