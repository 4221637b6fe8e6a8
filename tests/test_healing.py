"""Every file of a run that is not finished, damaged in every way: the same result in the end, or one true line."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
import torch

from lenet_tui import experiment
from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.host.process import this_process
from lenet_tui.run.folder import RunFolder
from lenet_tui.runner import worker
from lenet_tui.store import Store
from tests.conftest import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lenet_tui.data.datasets import Dataset

CONFIG = RunConfig(dataset="digits", epochs=3, threads=1, tsne_samples=100, lr=0.003)
DAMAGES = ("empty", "half", "nul", "gone", "flipped", "link", "fifo", "folder", "foreign")
FILES = ("checkpoint.pt", "metrics.csv", "model.safetensors", "run.json", "predictions.npz", "log.txt", "loss.png")


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "flipped":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :])
        return
    path.unlink()
    if how == "empty":
        path.touch()
    elif how == "half":
        path.write_bytes(content[: len(content) // 2])
    elif how == "nul":
        path.write_bytes(bytes(len(content)))
    elif how == "link":
        (path.parent.parent / "elsewhere").write_bytes(content)
        path.symlink_to(path.parent.parent / "elsewhere")
    elif how == "fifo":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    elif how == "foreign":
        path.write_bytes(content)
        os.chown(path, 54321, -1)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, digits: Dataset) -> tuple[Path, dict[str, bytes]]:
    """A root with run 1, stopped after two epochs of three, and the results of the same run never stopped."""
    roots = [tmp_path_factory.mktemp(name) for name in ("stopped", "whole")]
    for root, stop_after in zip(roots, (2, None), strict=True):
        folder, record = experiment.begin(root, CONFIG, digits)
        experiment.run(folder, record, digits, Watcher(stop_after))
        with Store(root) as store:
            store.import_folder(folder)
    return roots[0], results(roots[1] / "lenet" / CONFIG.folder_name())


def results(folder: Path) -> dict[str, bytes]:
    lines = (folder / "metrics.csv").read_text().splitlines()
    seconds = lines[0].split(",").index("seconds")
    rows = [[value for i, value in enumerate(line.split(",")) if i != seconds] for line in lines]
    return {
        "weights": (folder / "model.safetensors").read_bytes(),
        "predictions": (folder / "predictions.npz").read_bytes(),
        "metrics": repr(rows).encode(),
    }


def resume(root: Path, digits: Dataset) -> RunFolder:
    """Let run 1 go on, as its worker does."""
    with Store(root) as store:
        store.resume(1)
        owner = this_process()
        assert store.claim(1, owner, 1)
        folder, record = worker.execute(store, root, store.get(1), owner, digits, Watcher())  # type: ignore[arg-type]
        assert record.state == "finished"
        run = store.get(1)
        assert (run.state, run.epochs_done) == ("finished", 3)
    return folder


# Where something else lies under a file's name that may be read, a person has to look; it is never written into.
REFUSED = {
    *(("checkpoint.pt", how) for how in ("link", "fifo", "folder", "foreign")),
    *(("log.txt", how) for how in ("link", "fifo", "folder", "foreign")),
    *((name, "folder") for name in FILES[:-1]),
}


@pytest.mark.parametrize(
    ("name", "how"),
    [(name, how) for name in FILES[:4] for how in DAMAGES]
    + [(name, how) for name in FILES[4:] for how in ("half", "link", "fifo", "folder")],
)
def test_a_stopped_run_with_a_damaged_file_ends_in_the_same_bytes_or_says_why_not(
    name: str, how: str, stopped: tuple[Path, dict[str, bytes]], digits: Dataset, tmp_path: Path
) -> None:
    if how == "foreign" and os.geteuid() != 0:
        pytest.skip("only root can give files away")
    root, wanted = stopped
    copy = tmp_path / "root"
    shutil.copytree(root, copy)
    path = copy / "lenet" / CONFIG.folder_name() / name
    damage(path, how)
    if (name, how) in REFUSED:
        with pytest.raises(LabError) as refused:
            resume(copy, digits)
        assert str(path) in str(refused.value)
        assert "\n" not in str(refused.value)
        with Store(copy) as store:
            assert store.get(1).state == "failed"
            assert name in str(store.get(1).reason)
    else:
        folder = resume(copy, digits)
        assert results(folder.path) == wanted
        assert not folder.checkpoint_path.exists()
        drawn = [picture.name for picture in folder.pictures if picture.is_file() and picture.stat().st_size > 10_000]
        assert len(drawn) == (2 if (name, how) == ("loss.png", "folder") else 3)  # no picture costs a result
    if how == "link":
        assert (copy / "lenet" / "elsewhere").read_bytes() == (
            root / "lenet" / CONFIG.folder_name() / name
        ).read_bytes()


def triple(content: dict[str, object]) -> None:
    content["history"] = content["history"] * 3  # type: ignore[operator]


def no_history(content: dict[str, object]) -> None:
    content["history"] = []


def text_history(content: dict[str, object]) -> None:
    content["history"] = [row | {"val_loss": "low"} for row in content["history"]]  # type: ignore[attr-defined]


def fewer_epochs(content: dict[str, object]) -> None:
    content["history"] = content["history"][:1]  # type: ignore[index]


def whole_numbers(content: dict[str, object]) -> None:
    network = {name: value.to(torch.int32) for name, value in content["network"].items()}  # type: ignore[attr-defined]
    content["network"] = network


def other_shape(content: dict[str, object]) -> None:
    first = next(iter(content["network"]))  # type: ignore[call-overload]
    content["network"][first] = torch.zeros(2)  # type: ignore[index]


def other_rate(content: dict[str, object]) -> None:
    content["optimizer"]["param_groups"][0]["lr"] = 0.5  # type: ignore[index]


def no_moments(content: dict[str, object]) -> None:
    content["optimizer"]["state"] = {}  # type: ignore[index]


def an_average(content: dict[str, object]) -> None:
    content["ema"] = content["network"]


def lists(content: dict[str, object]) -> None:
    content["network"], content["optimizer"], content["weights"] = [1], [2], [3]


@pytest.mark.parametrize(
    "change",
    [
        triple,
        no_history,
        text_history,
        fewer_epochs,
        whole_numbers,
        other_shape,
        other_rate,
        no_moments,
        an_average,
        lists,
    ],
)
def test_a_checkpoint_that_this_run_did_not_write_is_not_gone_on_from(
    change: Callable[[dict[str, object]], None],
    stopped: tuple[Path, dict[str, bytes]],
    digits: Dataset,
    tmp_path: Path,
) -> None:
    root, wanted = stopped
    copy = tmp_path / "root"
    shutil.copytree(root, copy)
    path = copy / "lenet" / CONFIG.folder_name() / "checkpoint.pt"
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(content, path)
    folder = resume(copy, digits)
    assert results(folder.path) == wanted
    assert "cannot be resumed from" in folder.log_path.read_text()


def test_a_record_that_says_finished_without_results_is_trained_again(
    stopped: tuple[Path, dict[str, bytes]], digits: Dataset, tmp_path: Path
) -> None:
    root, wanted = stopped
    copy = tmp_path / "root"
    shutil.copytree(root, copy)
    folder = RunFolder(copy / "lenet" / CONFIG.folder_name())
    folder.write_record(folder.read_record().model_copy(update={"state": "finished", "summary": None}))
    assert results(resume(copy, digits).path) == wanted


def test_a_run_whose_folder_is_gone_is_trained_again(
    stopped: tuple[Path, dict[str, bytes]], digits: Dataset, tmp_path: Path
) -> None:
    root, wanted = stopped
    copy = tmp_path / "root"
    shutil.copytree(root, copy)
    shutil.rmtree(copy / "lenet")
    assert results(resume(copy, digits).path) == wanted


@pytest.mark.parametrize("name", ["metrics.csv", "model.safetensors"])
@pytest.mark.parametrize("how", ["gone", "empty", "half"])
def test_a_file_damaged_after_the_last_epoch_is_written_again_before_the_checkpoint_goes(
    name: str, how: str, digits: Dataset, tmp_path: Path, stopped: tuple[Path, dict[str, bytes]]
) -> None:
    class Saboteur(Watcher):
        def on_epoch_end(self, row: object, best: object) -> None:
            super().on_epoch_end(row, best)  # type: ignore[arg-type]
            if len(self.rows) == 3:
                damage(folder.path / name, how)

    folder, record = experiment.begin(tmp_path, CONFIG, digits)
    record = experiment.run(folder, record, digits, Saboteur())
    assert record.state == "finished"
    assert results(folder.path) == stopped[1]
    assert not folder.checkpoint_path.exists()


@pytest.mark.parametrize("failures", [1, 3, 1000])
def test_what_a_store_did_not_take_is_told_again(
    failures: int, digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path) as store:
        owner = this_process()
        run = store.start(CONFIG, owner, 1)
        taken = store.begin
        left = [failures]

        def begin(*words: object, **more: object) -> bool:
            left[0] -= 1
            if left[0] >= 0:
                raise LabError("cannot use store.db: the disk is full")
            return taken(*words, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(store, "begin", begin)
        worker.execute(store, tmp_path, run, owner, digits, Watcher())  # type: ignore[arg-type]
        ended = store.get(run.id)
        if failures < 1000:
            assert (ended.state, ended.epochs_done) == ("finished", 3)
            assert ended.folder == f"lenet/{CONFIG.folder_name()}"
        else:  # given up after a while; the folder is the record
            assert ended.state == "running"


def test_a_worker_goes_on_when_a_rebuilt_store_gave_its_number_to_another_run(digits: Dataset, tmp_path: Path) -> None:
    class Destroyer(Watcher):
        def on_epoch_end(self, row: object, best: object) -> None:
            super().on_epoch_end(row, best)  # type: ignore[arg-type]
            if len(self.rows) == 1:
                for path in (tmp_path / ".lenet-tui").glob("store.db*"):
                    path.unlink()
                Store(tmp_path).close()

    owner = this_process()
    with Store(tmp_path) as store:
        run = store.start(CONFIG, owner, 1)
        other, record = experiment.begin(tmp_path, CONFIG.model_copy(update={"seed": 5}), digits)
        other.write_record(record.model_copy(update={"state": "failed", "reason": "it broke"}))
        store.import_folder(other)
        worker.execute(store, tmp_path, run, owner, digits, Destroyer())  # type: ignore[arg-type]
        ended = {run.folder: (run.state, run.epochs_done) for run in store.runs()}
    assert ended == {
        f"lenet/{CONFIG.folder_name()}": ("finished", 3),
        f"lenet/{other.path.name}": ("failed", 0),
    }
