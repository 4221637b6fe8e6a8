"""``lenet-tui train`` as a person starts it: real processes, real signals, real files."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from lenet_tui.cli.display import PlainDisplay
from lenet_tui.config import RunConfig
from lenet_tui.reports import Report
from lenet_tui.run.folder import PICTURES, RunFolder
from tests.conftest import environment
from tests.reports.conftest import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Lab = Callable[..., subprocess.CompletedProcess[str]]

DIGITS = ("train", "--dataset", "digits", "--threads", "1")


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lenet_tui", *words]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # The tests themselves may run under nohup, which children inherit and `train` honours.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def weights_and_metrics(folder: Path) -> tuple[bytes, list[str]]:
    lines = (folder / "metrics.csv").read_text().splitlines()
    seconds = lines[0].split(",").index("seconds")
    rows = [[value for i, value in enumerate(line.split(",")) if i != seconds] for line in lines]
    return (folder / "model.safetensors").read_bytes(), [",".join(row) for row in rows]


def test_a_run_leaves_a_complete_folder_and_says_where(lab: Lab, tmp_path: Path) -> None:
    done = lab(*DIGITS, "--epochs", 3)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "lenet" / "bs64_lr0.001_data-digits_ep3_thr1"
    names = {path.name for path in folder.iterdir()}
    files = {
        "run.json",
        "metrics.csv",
        "steps.csv",
        "calibration.csv",
        "model.safetensors",
        "predictions.npz",
        "log.txt",
        "t-SNE.csv",
    }
    assert names == {*PICTURES, *files}
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("epoch ")] == ["1/3", "2/3", "3/3"]
    assert lines[-1].startswith("lenet/bs64_lr0.001_data-digits_ep3_thr1/: confusion.png")
    assert done.stderr == ""
    record = RunFolder(folder).read_record()
    assert record.state == "finished"
    assert record.summary is not None
    assert record.summary.test_accuracy is not None
    for name in PICTURES:
        with Image.open(folder / name) as image:
            assert image.width >= 1200


def test_a_second_run_of_the_same_configuration_gets_a_folder_of_its_own(lab: Lab, tmp_path: Path) -> None:
    words = (*DIGITS, "--epochs", 1, "--tsne-samples", 100)
    assert lab(*words).returncode == lab(*words).returncode == 0
    one, two = sorted((tmp_path / "lenet").iterdir())
    assert two.name == one.name + ".2"
    assert weights_and_metrics(one) == weights_and_metrics(two)


def test_json_gives_one_document_on_stdout_and_the_lines_on_stderr(lab: Lab, tmp_path: Path) -> None:
    done = lab(*DIGITS, "--epochs", 1, "--json", "--batch_size", "16", "--lr=0.01")
    document = json.loads(done.stdout)
    assert document["state"] == "finished"
    assert document["config"]["batch_size"] == 16
    assert document["config"]["lr"] == 0.01
    assert set(document["pictures"]) == {"confusion", "loss", "t-SNE"}
    assert all((tmp_path / path).exists() for path in document["pictures"].values())
    assert "epoch 1/1" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_run_with_its_pictures_and_resuming_gives_the_undisturbed_result(
    number: signal.Signals, lab: Lab, tmp_path: Path
) -> None:
    words = (*DIGITS, "--epochs", "25", "--tsne-samples", "100")
    assert lab(*words, "--root", "whole").returncode == 0
    process = start(tmp_path, *words)
    folder = tmp_path / "lenet" / "bs64_lr0.001_data-digits_ep25_thr1_tsne100"
    wait_for((folder / "checkpoint.pt").exists)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "run 1 stopped: on request" in output
    assert "--resume lenet/bs64_lr0.001_data-digits_ep25_thr1_tsne100" in output
    assert "Traceback" not in output
    record = RunFolder(folder).read_record()
    assert record.state == "stopped"
    assert record.summary is not None
    assert record.summary.test_accuracy is None  # the test set waits for the end
    assert all((folder / name).exists() for name in PICTURES)
    resumed = lab("train", "--resume", folder)
    assert resumed.returncode == 0, resumed.stderr
    assert "continuing after epoch" in resumed.stdout
    assert weights_and_metrics(folder) == weights_and_metrics(tmp_path / "whole" / "lenet" / folder.name)
    assert not (folder / "checkpoint.pt").exists()


def test_a_run_killed_again_and_again_ends_in_the_same_bytes(lab: Lab, tmp_path: Path) -> None:
    words = (*DIGITS, "--epochs", "30", "--tsne-samples", "100")
    assert lab(*words, "--root", "whole").returncode == 0
    folder = tmp_path / "lenet" / "bs64_lr0.001_data-digits_ep30_thr1_tsne100"
    record = folder / "run.json"
    process = start(tmp_path, *words)
    wait_for(record.exists)
    for delay in (0.05, 0.7):
        time.sleep(delay)
        process.kill()
        process.communicate(timeout=60)
        before = record.stat().st_mtime_ns
        process = start(tmp_path, "train", "--resume", str(folder))
        wait_for(lambda since=before: record.stat().st_mtime_ns != since)  # training has begun
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert weights_and_metrics(folder) == weights_and_metrics(tmp_path / "whole" / "lenet" / folder.name)


def test_a_diverging_run_fails_with_a_plain_reason_and_keeps_what_it_had(lab: Lab, tmp_path: Path) -> None:
    done = lab(*DIGITS, "--epochs", 30, "--optimizer", "sgd", "--lr", 10, "--loss", "mse")
    assert done.returncode == 1
    assert "failed: training loss became" in done.stdout
    assert "a smaller --lr than 10" in done.stdout
    (folder,) = (tmp_path / "lenet").iterdir()
    record = RunFolder(folder).read_record()
    assert record.state == "failed"
    assert record.reason is not None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--model", "resnet"), "--model resnet must be one of lenet, alexnet"),
        (("train", "--lr", "0"), "--lr 0 must be a number above 0 and at most 10"),
        (("train", "--lr", "nan"), "--lr nan must be a number above 0"),
        (("train", "--batch_size", "70000"), "--batch-size 70000 must be a whole number from 1 to 10000"),
        (("train", "--epochs", "-1"), "--epochs -1 must be a whole number from 1 to 1000"),
        (("train", "--model", "../../etc"), "--model ../../etc must be one of"),
        (("train", "--batchsize", "3"), "unknown argument --batchsize (did you mean --batch-size?)"),
        (("train", "--lr"), "argument --lr: expected one argument"),
        (("trian",), "trian is not a command (did you mean train?)"),
        ((*DIGITS, "--batch-size", "1300"), "--batch-size 1300 is more than the 1,200 training images of digits"),
        ((*DIGITS, "--val-size", "1300"), "--val-size 1300"),
        ((*DIGITS, "--root", "file"), "--root file is a file; give a folder"),
        ((*DIGITS, "--root", "/proc/nowhere"), "--root /proc/nowhere cannot be made"),
        ((*DIGITS, "--device", "mps"), "--device mps is not available on this machine; use auto or cpu"),
        (("train", "--resume", "nowhere"), "there is no run folder nowhere, neither here nor in --root"),
        (
            ("train", "--resume", "nowhere", "--lr", "0.1"),
            "--resume continues with the run's own hyperparameters; leave out --lr",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_clear_line(words: tuple[str, ...], message: str, lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = lab(*words)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not (tmp_path / "lenet").exists()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody can write to: to root, permissions mean nothing, a read-only mount does."""
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    mounted = os.geteuid() == 0 and mount("-t", "tmpfs", "-o", "ro,size=64k", "none", str(folder))
    if os.access(folder, os.W_OK) and not mounted:
        pytest.skip("running as root where nothing can be mounted: no folder is read-only")
    yield folder
    if mounted:
        subprocess.run(["umount", folder], check=True)


def mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], capture_output=True).returncode == 0


def test_a_read_only_root_is_told_in_one_line(lab: Lab, read_only: Path) -> None:
    done = lab(*DIGITS, "--root", read_only)
    assert done.returncode == 2
    assert "is not writable; give a folder that is" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small-disk"
    folder.mkdir()
    if os.geteuid() != 0 or not mount("-t", "tmpfs", "-o", "size=4m", "none", str(folder)):
        pytest.skip("only root can mount a disk small enough to fill")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_fails_the_run_with_that_reason_and_it_can_be_resumed_after(lab: Lab, small_disk: Path) -> None:
    words = (*DIGITS, "--epochs", "3", "--tsne-samples", "100", "--root", str(small_disk))
    (small_disk / "ballast").write_bytes(bytes(2_700_000))  # leaves room for the weights, not for the checkpoint
    done = lab(*words)
    assert done.returncode == 1
    assert "the disk is full; free some space and try again" in done.stderr
    assert done.stderr.count("\n") == 1
    (folder,) = (small_disk / "lenet").iterdir()
    assert not list(folder.glob(".*.tmp"))
    record = RunFolder(folder).read_record()  # whole, whatever it says
    (small_disk / "ballast").unlink()
    resumed = lab("train", "--resume", folder)
    assert resumed.returncode == 0, resumed.stderr
    assert record.state in ("failed", "running")
    assert RunFolder(folder).read_record().state == "finished"


def test_two_processes_cannot_work_on_one_run_folder(lab: Lab, tmp_path: Path) -> None:
    process = start(tmp_path, *DIGITS, "--epochs", "1000", "--tsne-samples", "100")
    try:
        folder = tmp_path / "lenet" / "bs64_lr0.001_data-digits_ep1000_thr1_tsne100"
        wait_for((folder / "checkpoint.pt").exists)
        done = lab("train", "--resume", folder)
        assert done.returncode == 2
        assert "run 1 is running already" in done.stderr
        assert done.stderr.count("\n") == 1
    finally:
        process.kill()
        process.communicate(timeout=60)


def test_two_processes_cannot_work_on_one_run_folder_even_where_no_store_knows_of_it(lab: Lab, tmp_path: Path) -> None:
    assert lab(*DIGITS, "--epochs", 3, "--tsne-samples", 100).returncode == 0
    (folder,) = (tmp_path / "lenet").iterdir()
    copy = tmp_path / "handed-in"
    shutil.copytree(folder, copy)
    record = RunFolder(copy).read_record()
    RunFolder(copy).write_record(record.model_copy(update={"state": "stopped"}))
    with RunFolder(copy).exclusively():
        done = lab("train", "--resume", copy)
    assert done.returncode == 1
    assert "another process is working on" in done.stderr
    assert lab("train", "--resume", copy).returncode == 0


def test_a_finished_run_has_nothing_to_resume(lab: Lab, tmp_path: Path) -> None:
    assert lab(*DIGITS, "--epochs", 1, "--tsne-samples", 100).returncode == 0
    (folder,) = (tmp_path / "lenet").iterdir()
    done = lab("train", "--resume", folder)
    assert done.returncode == 2
    assert "is finished; there is nothing to resume" in done.stderr


NOWHERE = {"PATH": "/nowhere", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


def test_without_mnist_a_default_run_falls_back_to_digits_and_says_so_everywhere(lab: Lab, tmp_path: Path) -> None:
    cut_off = NOWHERE | {"LENET_TUI_CACHE": str(tmp_path / "empty")}
    done = lab("train", "--epochs", 1, "--tsne-samples", 100, env=cut_off)
    assert done.returncode == 0, done.stderr
    assert "TRAINING ON DIGITS INSTEAD OF MNIST" in done.stderr
    assert "NOT on mnist" in done.stdout
    (folder,) = (tmp_path / "lenet").iterdir()
    assert "data-digits" in folder.name
    assert RunFolder(folder).read_record().dataset.fallback_for == "mnist"
    for name in PICTURES:
        with Image.open(folder / name) as image:
            assert "standing in for" in image.info["Title"].lower()


def test_without_mnist_a_run_that_names_it_is_an_error_with_the_ways_on(lab: Lab, tmp_path: Path) -> None:
    cut_off = NOWHERE | {"LENET_TUI_CACHE": str(tmp_path / "empty")}
    done = lab("train", "--dataset", "mnist", env=cut_off)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("lenet-tui: cannot get MNIST")
    for way in ("--data-dir", "--dataset digits", "lenet-tui data get mnist"):
        assert way in done.stderr
    assert not (tmp_path / "lenet").exists()


def test_an_early_ctrl_c_says_that_nothing_was_started(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "lenet_tui", *DIGITS]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = ""
    while "loading torch and digits" not in shown:  # which it prints before it loads anything
        shown += os.read(ours, 1024).decode()
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # until the other end is closed
        while True:
            shown += os.read(ours, 1024).decode()
    os.close(ours)
    assert process.wait(timeout=60) == 130
    assert "interrupted before a run started" in shown
    assert "Traceback" not in shown
    assert not (tmp_path / ".lenet-tui").exists()


def test_the_summary_says_why_a_picture_was_not_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    display = PlainDisplay()
    skipped = Report(tmp_path / "t-SNE.png", "the network has collapsed")
    display.on_reports_written([Report(tmp_path / "loss.png"), skipped])
    display.summary(RunFolder(tmp_path), record(RunConfig(dataset="digits")))
    assert "not drawn: t-SNE.png: the network has collapsed\n" in capsys.readouterr().out
