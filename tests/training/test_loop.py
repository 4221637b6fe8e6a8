"""The loop on real images: it learns, it can be replayed, and an interruption leaves no trace."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
import torch

from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.run import folder as runfolder
from lenet_tui.training import checkpoint, loop
from lenet_tui.training import device as devices
from tests.conftest import Watcher

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.data.datasets import Dataset
    from lenet_tui.run.folder import RunFolder

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    devices.make_repeatable(CPU, threads=1)


def quick(**values: object) -> RunConfig:
    return RunConfig(**({"dataset": "digits", "epochs": 3, "batch_size": 32} | values))


def trained(root: Path, config: RunConfig, data: Dataset, watcher: Watcher | None = None) -> RunFolder:
    folder = runfolder.create(root, config)
    loop.train(config, data, folder, CPU, watcher or Watcher())
    return folder


def without_seconds(folder: RunFolder) -> list[object]:
    return [dataclasses.replace(row, seconds=0) for row in folder.read_metrics()]


def test_lenet_learns_digits(tmp_path: Path, digits: Dataset) -> None:
    rows = trained(tmp_path, quick(epochs=8), digits).read_metrics()
    assert rows[-1].val_accuracy > 0.9
    assert rows[-1].val_loss < rows[0].val_loss / 3
    assert rows[-1].sample_loss < rows[0].sample_loss / 3


VARIANTS = [
    {"optimizer": "adamw", "weight_decay": 0.01},
    {"optimizer": "sgd", "lr": 0.05},
    {"optimizer": "rmsprop"},
    {"loss": "nll"},
    {"loss": "mse"},
    {"loss": "focal"},
    {"label_smoothing": 0.1},
    {"lr_schedule": "cosine"},
    {"lr_schedule": "onecycle", "lr": 0.01},
    {"lr_schedule": "step"},
    {"augment": "affine+elastic"},
    {"dropout": 0.2},
    {"ema": 0.9},
    {"clip_norm": 1.0},
    {"activation": "tanh", "pooling": "avg", "lr": 0.005},
    {"model": "alexnet", "batch_size": 64},
]


@pytest.mark.parametrize("values", VARIANTS, ids=lambda v: " ".join(f"{k}={x}" for k, x in v.items()))
def test_every_hyperparameter_has_its_effect_and_still_learns(
    values: dict[str, object], tmp_path: Path, digits: Dataset
) -> None:
    config = quick(epochs=6, **values)
    rows = trained(tmp_path, config, digits).read_metrics()
    assert rows[-1].val_accuracy > 0.6
    plain = config.model_copy(update={name: RunConfig().model_dump()[name] for name in values if name != "batch_size"})
    plain_rows = trained(tmp_path, RunConfig(**plain.model_dump()), digits).read_metrics()
    if values != {"loss": "nll"}:  # the same function in two steps
        assert rows[-1].val_loss != plain_rows[-1].val_loss


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path, digits: Dataset) -> None:
    one, again, other = (trained(tmp_path, quick(seed=seed, dropout=0.1), digits) for seed in (1, 1, 2))
    assert one.path != again.path
    assert one.weights_path.read_bytes() == again.weights_path.read_bytes()
    assert without_seconds(one) == without_seconds(again)
    assert one.weights_path.read_bytes() != other.weights_path.read_bytes()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"optimizer": "sgd", "lr": 0.05, "lr_schedule": "onecycle", "augment": "affine+elastic"},
        {"optimizer": "rmsprop", "dropout": 0.3, "clip_norm": 1.0},
        {"ema": 0.999, "optimizer": "adamw", "lr_schedule": "cosine"},
        {"model": "alexnet", "batch_size": 64},
    ],
    ids=lambda v: " ".join(map(str, v.values())) or "default",
)
def test_a_resumed_run_ends_in_the_same_bytes_as_one_never_stopped(
    values: dict[str, object], tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_REPORT_SECONDS", 0.0)  # so that it can be stopped in the middle of an epoch
    config = quick(epochs=4, **values)
    whole = trained(tmp_path, config, digits)
    folder = runfolder.create(tmp_path, config)
    for stop_after in (1, 1, 1):
        with pytest.raises(loop.Stopped):
            loop.train(config, digits, folder, CPU, Watcher(stop_after=stop_after))
        torch.rand(7)  # the generator's state must not matter
    loop.train(config, digits, folder, CPU, Watcher())
    assert folder.weights_path.read_bytes() == whole.weights_path.read_bytes()
    assert without_seconds(folder) == without_seconds(whole)
    assert [row.epoch for row in folder.read_metrics()] == [1, 2, 3, 4]


def test_a_run_stopped_before_its_first_epoch_starts_anew(
    tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_REPORT_SECONDS", 0.0)
    folder = runfolder.create(tmp_path, quick())
    with pytest.raises(loop.Stopped):
        loop.train(quick(), digits, folder, CPU, Watcher(stop_after=0))
    assert not folder.checkpoint_path.exists()
    loop.train(quick(), digits, folder, CPU, Watcher())
    assert len(folder.read_metrics()) == 3


def test_early_stopping_ends_after_patience_epochs_without_a_better_one(tmp_path: Path, digits: Dataset) -> None:
    config = quick(epochs=60, patience=3, lr=0.01)
    folder = runfolder.create(tmp_path, config)
    assert loop.train(config, digits, folder, CPU, Watcher()) is True
    rows = folder.read_metrics()
    best = min(rows, key=lambda row: row.val_loss)
    assert rows[-1].epoch == best.epoch + 3 < 60
    assert loop.train(config, digits, folder, CPU, Watcher()) is True  # and resuming it trains no further
    assert folder.read_metrics() == rows


def test_a_diverging_run_says_where_and_keeps_the_best_weights(tmp_path: Path, digits: Dataset) -> None:
    config = quick(optimizer="sgd", lr=0.05, epochs=30)
    folder = trained(tmp_path, config.model_copy(update={"epochs": 2}), digits)
    weights = folder.weights_path.read_bytes()
    wild = quick(optimizer="sgd", lr=10, momentum=0.99, loss="mse", epochs=30)
    state = loop.prepare(config, digits, folder, CPU)
    for group in state.optimizer.param_groups:
        group.update(lr=10, momentum=0.99)
    with pytest.raises(loop.Diverged, match=r"loss became (nan|inf).*epoch 3"):
        loop.train(wild, digits, folder, CPU, Watcher(), state)
    assert folder.weights_path.read_bytes() == weights


def test_progress_tells_the_mean_loss_so_far_and_ends_with_the_epoch(
    tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_REPORT_SECONDS", 0.0)
    watcher = Watcher()
    trained(tmp_path, quick(epochs=1), digits, watcher)
    last = watcher.reported[-1]
    assert last.step == last.steps == 38  # 1,200 images in batches of 32, the last one smaller
    assert last.train_loss == pytest.approx(watcher.rows[0].train_loss, rel=1e-6)
    assert last.images_per_second > 0


def test_progress_is_told_of_epochs_however_short(
    tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_REPORT_SECONDS", 60.0)
    watcher = Watcher()
    trained(tmp_path, quick(epochs=3), digits, watcher)
    assert [(heard.epoch, heard.step) for heard in watcher.reported] == [(1, 38), (2, 38), (3, 38)]
    assert [heard.train_loss for heard in watcher.reported] == [row.train_loss for row in watcher.rows]


def test_metrics_are_what_a_plain_evaluation_gives(tmp_path: Path, digits: Dataset) -> None:
    import safetensors.torch
    import torch.nn.functional as F

    from lenet_tui.training.models import build

    config = quick(epochs=1)
    folder = trained(tmp_path, config, digits)
    network = build(config).eval()
    network.load_state_dict(safetensors.torch.load_file(folder.weights_path))
    images = (digits.val_images.float() / 255 - digits.mean) / digits.std
    with torch.no_grad():
        logits = network(images)
    (row,) = folder.read_metrics()
    assert row.val_loss == pytest.approx(float(F.cross_entropy(logits, digits.val_labels)), rel=1e-4)
    assert row.val_accuracy == float((logits.argmax(1) == digits.val_labels).double().mean())
    assert row.val_cross_entropy == row.val_loss


def test_a_first_step_is_that_of_a_plain_pytorch_loop(tmp_path: Path, digits: Dataset) -> None:
    """One epoch of ours equals the loop everybody writes: same order, same weights, same losses."""
    import torch.nn.functional as F

    from lenet_tui.training.models import build

    config = quick(epochs=1)
    folder = trained(tmp_path, config, digits)
    loop.seed(config, epoch=0)
    network = build(config)
    optimizer = torch.optim.Adam(network.parameters(), lr=config.lr)
    loop.seed(config, epoch=1)
    images = (digits.train_images.float() / 255 - digits.mean) / digits.std
    for chosen in torch.randperm(len(images)).split(config.batch_size):
        optimizer.zero_grad()
        F.cross_entropy(network(images[chosen]), digits.train_labels[chosen]).backward()
        optimizer.step()
    saved = checkpoint.read(folder.checkpoint_path, CPU)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(saved.network[name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("damage", ["truncated", "noise", "empty", "pickle"])
def test_a_damaged_checkpoint_is_named_and_nothing_in_it_is_executed(
    damage: str, tmp_path: Path, digits: Dataset
) -> None:
    folder = trained(tmp_path, quick(epochs=1), digits)
    path = folder.checkpoint_path
    content = path.read_bytes()
    marker = tmp_path / "executed"
    if damage == "pickle":

        class Evil:
            def __reduce__(self) -> tuple[object, tuple[str]]:
                import os

                return os.mkdir, (str(marker),)

        torch.save({"format": 1, "history": [], "network": Evil(), "optimizer": {}, "ema": None}, path)
    else:
        path.write_bytes({"truncated": content[: len(content) // 2], "noise": b"x" * 1000, "empty": b""}[damage])
    with pytest.raises(LabError, match=r"checkpoint\.pt is damaged") as caught:
        checkpoint.read(path, CPU)
    assert "\n" not in str(caught.value)
    assert not marker.exists()
