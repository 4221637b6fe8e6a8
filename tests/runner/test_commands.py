"""``queue``, ``runs``, ``show``, ``delete``, ``import`` and ``runner`` as a person types them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.host.hardware import available_cores
from lenet_tui.host.process import this_process
from lenet_tui.run.metrics import Progress
from lenet_tui.runner import daemon
from lenet_tui.runner.estimate import PICTURES_SECONDS
from lenet_tui.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.runner.conftest import Bench

SHORT = ("--dataset", "digits", "--threads", 1, "--tsne-samples", 100, "--epochs", 2)


@pytest.fixture
def paused(bench: Bench) -> Bench:
    """A root whose queue starts nothing, so that what is said of it stays true."""
    bench.call("queue", "pause")
    return bench


def test_comma_lists_make_a_grid_and_seeds_make_replicates(paused: Bench) -> None:
    done = paused.call("queue", "add", "--batch_size", "16,32", "--lr", "0.01,0.001", "--seeds", 3)
    lines = done.stdout.splitlines()
    assert len(lines) == 12
    assert lines[0] == "1  lenet/bs16_lr0.01  queued #1"
    assert lines[-1] == "12  lenet/bs32_lr0.001_seed2  queued #12"
    assert "the queue is paused, so no run starts" in done.stderr
    configs = {
        (run["config"]["batch_size"], run["config"]["lr"], run["config"]["seed"]) for run in paused.runs().values()
    }
    assert configs == {(b, lr, s) for b in (16, 32) for lr in (0.01, 0.001) for s in range(3)}


def test_a_run_that_waits_already_is_named(paused: Bench) -> None:
    paused.call("queue", "add", "--lr", "0.01,0.001")
    done = paused.call("queue", "add")
    assert done.stdout == "3  lenet/bs64_lr0.001.2  queued #3, the same as run 2, queued #2\n"
    assert paused.json("queue", "add", "--lr", "0.01")[0]["same_as"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("add", "--batch-size", "16,abc"), "--batch-size abc must be a whole number from 1 to 10000"),
        (("add", "--lr", "0.1,,1"), "--lr  must be a number above 0"),
        (("add", "--lr", "0.1,0.1"), "--lr 0.1,0.1 names a value twice"),
        (("add", "--seeds", "0"), "0 must be a whole number from 1"),
        (("add", "--seed", "0,1", "--seeds", "2"), "--seed 0,1 overlaps with --seeds"),
        (("add", "--seed", "4294967295", "--seeds", "2"), "--seed 4294967296 must be a whole number"),
        (("add", "--seeds", "10000", "--lr", "0.1,0.2"), "these lists make 20,000 runs"),
        (("stop", "7"), "there is no run 7"),
        (("stop", "x"), "x is neither a run's number nor its folder"),
        (("move", "1", "0"), "0 must be a whole number from 1"),
        (("resume", "1"), "run 1 is queued"),
        (("retry", "1"), "run 1 is queued"),
        (("nonsense",), "nonsense is none of add, list,"),
        (("lsit",), "did you mean list?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_clear_line(words: tuple[str, ...], message: str, paused: Bench) -> None:
    with Store(paused.root) as store:
        store.add([RunConfig()])
    done = paused.call("queue", *words, ok=None)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(Store(paused.root).runs()) == 1


def test_waiting_runs_are_moved_removed_stopped_and_resumed(paused: Bench) -> None:
    paused.call("queue", "add", "--seeds", 4)
    assert paused.call("queue", "move", 4, 1).stdout == "4  lenet/bs64_lr0.001_seed3  queued #1\n"
    assert paused.call("queue", "remove", 2).stdout == "2  removed\n"
    assert paused.call("queue", "stop", 3).stdout == "3  lenet/bs64_lr0.001_seed2  stopped\n"
    assert [run["id"] for run in paused.json("queue")["runs"]] == [4, 1]
    assert paused.call("queue", "resume", 3).stdout == "3  lenet/bs64_lr0.001_seed2  queued #3\n"
    done = paused.call("queue", "stop", 1, 99, 4, ok=2)  # one that is not there keeps nobody else from stopping
    assert "there is no run 99" in done.stderr
    assert {run["state"] for run in paused.runs().values() if run["id"] in (1, 4)} == {"stopped"}


def test_the_queue_lists_what_runs_and_waits_with_the_time_it_takes(bench: Bench) -> None:
    me = this_process()
    with Store(bench.root) as store:
        store.start(RunConfig(epochs=10), me, threads=available_cores())  # so that there is no room for the others
        store.record_progress(1, me, Progress(1, 430, 860, 2.3, 27_500.0, datetime.now(UTC)))
        store.add([RunConfig(epochs=10, seed=1), RunConfig(epochs=10, seed=2)])
    lines = bench.call("queue").stdout.splitlines()
    assert lines[0].split() == ["id", "run", "state", "train", "loss", "val", "loss", "images/s", "time", "left"]
    assert [line.split()[2:4] for line in lines[1:]] == [["epoch", "1/10"], ["queued", "#1"], ["queued", "#2"]]
    until = [run["done_in_seconds"] for run in bench.json("queue", "list")["runs"]]
    steps = 9.5 * 2
    assert steps + PICTURES_SECONDS < until[0] < 1.1 * steps + PICTURES_SECONDS  # with the evaluations
    assert until[0] < until[1] <= until[2]


def test_wait_says_how_each_run_ended_and_fails_where_one_did_not_finish(bench: Bench) -> None:
    bench.call("queue", "add", *SHORT, "--batch-size", "64,1300")
    done = bench.call("queue", "wait", ok=1)
    assert "1  lenet/bs64_lr0.001_data-digits_ep2_thr1_tsne100  finished: test acc" in done.stdout
    assert "failed: --batch-size 1300 is more than" in done.stdout
    retried = bench.call("queue", "retry", 2).stdout
    assert retried.endswith("queued #1\n")


def test_waiting_for_a_paused_queue_is_an_error_and_not_for_ever(paused: Bench) -> None:
    paused.call("queue", "add", *SHORT)
    assert "the queue is paused, so no run starts" in paused.call("queue", "wait", ok=1).stderr


def test_a_pause_lets_what_runs_finish_and_starts_nothing(bench: Bench) -> None:
    bench.call("queue", "add", *SHORT[:-1], 30, "--seeds", 3)
    store = Store(bench.root)
    bench.wait_for(lambda: len(store.runs("running")) >= 1)
    bench.call("queue", "pause")
    running = {run.id for run in store.runs("running")}
    bench.wait_for(lambda: not store.runs("running"))
    assert {run.id for run in store.runs("finished")} == running
    assert store.runs("queued")
    assert "the queue is active" in bench.call("queue", "start").stdout
    bench.call("queue", "wait")


def test_a_paused_queue_tells_no_time_for_what_waits(bench: Bench) -> None:
    bench.call("train", *SHORT)
    bench.call("queue", "pause")
    bench.call("queue", "add", *SHORT)
    assert bench.json("queue")["runs"][0]["done_in_seconds"] is None
    assert bench.call("queue").stdout.splitlines()[1].endswith("queued #1")  # and no time after it


@pytest.mark.parametrize("words", [("queue", "resume", 1), ("queue", "remove", 1), ("delete", 1, "--yes")])
def test_what_a_stopping_run_cannot_do_yet_is_told_with_the_advice_to_wait(
    words: tuple[object, ...], paused: Bench
) -> None:
    with Store(paused.root) as store:
        store.start(RunConfig(), this_process(), threads=1)
        store.request_stop(1)
    done = paused.call(*words, ok=2)
    assert done.stderr == (
        "lenet-tui: run 1 is stopping; wait a moment, until it has drawn its pictures, and ask again\n"
    )
    assert "the queue is paused: 0 running, 1 stopping, 0 waiting" in paused.call("queue", "drain").stdout


def test_waiting_for_nothing_says_so(paused: Bench) -> None:
    assert paused.call("queue", "wait").stderr == "the queue is empty\n"


def test_stopping_a_runner_that_is_not_there_leaves_the_queue_on_unless_something_waits(bench: Bench) -> None:
    assert "nothing changed" in bench.call("runner", "stop").stdout
    bench.call("train", *SHORT)
    assert "nothing changed" in bench.call("runner", "stop").stdout
    assert not Store(bench.root).is_paused()
    Store(bench.root).add([RunConfig()])
    answer = bench.call("runner", "stop").stdout
    assert answer == "the runner was not running\n1 run waiting; no run starts until 'lenet-tui runner start'\n"
    assert Store(bench.root).is_paused()


def test_runs_are_named_by_number_or_by_folder(bench: Bench) -> None:
    answer = bench.call("train", *SHORT).stdout
    folder = str(Store(bench.root).get(1).folder)
    assert "; run 1: cpu, 1 thread, into " in answer
    assert "\nrun 1 finished: test acc " in answer
    for name in (1, folder, bench.root / folder):
        assert bench.json("show", name)["id"] == 1
        (bench.root / folder / "loss.png").unlink()
        bench.call("export", name)
        assert (bench.root / folder / "loss.png").exists()
        assert "is finished; there is nothing to resume" in bench.call("train", "--resume", name, ok=2).stderr
    assert "there is no run 2" in bench.call("export", 2, ok=2).stderr
    bench.call("queue", "pause")
    bench.call("queue", "add", *SHORT)
    assert "run 2 is queued and has no folder yet" in bench.call("train", "--resume", 2, ok=2).stderr
    assert bench.call("delete", folder, "--yes").stdout.startswith("1  ")


def test_show_tells_settings_epochs_and_log(bench: Bench) -> None:
    bench.call("train", *SHORT)
    text = bench.call("show", 1).stdout
    assert "run 1, finished" in text
    assert "dataset=digits" in text
    assert "test acc" in text
    assert "val loss" in text
    assert "log.txt, last lines:" in text
    assert [row["epoch"] for row in bench.json("show", 1)["epochs"]] == [1, 2]
    assert "there is no run 2" in bench.call("show", 2, ok=2).stderr


def test_delete_asks_and_moves_the_folder_to_the_trash(bench: Bench) -> None:
    bench.call("train", *SHORT)
    folder = bench.root / Store(bench.root).get(1).folder
    assert "add --yes" in bench.call("delete", 1, ok=2).stderr
    assert folder.exists()
    (entry,) = bench.json("delete", 1, "--yes")
    assert not folder.exists()
    assert (bench.root / entry["trash"] / "loss.png").exists()
    assert Store(bench.root).runs() == []


def test_a_run_that_waits_cannot_be_deleted(paused: Bench) -> None:
    paused.call("queue", "add")
    assert "run 1 is queued" in paused.call("delete", 1, "--yes", ok=2).stderr


def test_a_folder_of_another_root_is_imported_as_a_copy(bench: Bench, tmp_path: Path) -> None:
    bench.call("train", *SHORT)
    folder = bench.root / Store(bench.root).get(1).folder
    other = type(bench)(tmp_path / "other", bench.mark)
    other.root.mkdir()
    done = other.call("import", folder)
    assert done.stdout == "1  lenet/bs64_lr0.001_data-digits_ep2_thr1_tsne100  finished\n"
    copy = other.root / "lenet" / folder.name
    assert (copy / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert other.runs()[1]["test_accuracy"] == bench.runs()[1]["test_accuracy"]
    assert "is not a run folder" in other.call("import", tmp_path, ok=1).stderr


def test_a_deleted_store_is_rebuilt_and_a_moved_root_is_the_same_root(bench: Bench, tmp_path: Path) -> None:
    bench.call("train", *SHORT)
    bench.call("queue", "add", *SHORT, "--seed", 5)
    bench.call("queue", "wait")
    before = {(run["folder"], run["test_accuracy"]) for run in bench.runs().values()}
    daemon.stop(bench.root)
    moved = type(bench)(tmp_path / "moved", bench.mark)
    moved.root.mkdir()
    for name in ("lenet", ".lenet-tui"):
        (bench.root / name).rename(moved.root / name)
    assert {(run["folder"], run["test_accuracy"]) for run in moved.runs().values()} == before
    shutil.rmtree(moved.root / ".lenet-tui")
    assert {(run["folder"], run["test_accuracy"]) for run in moved.runs().values()} == before
    moved.call("queue", "add", *SHORT, "--seed", 6)
    moved.call("queue", "wait")


def test_a_damaged_store_is_kept_aside_and_rebuilt(bench: Bench) -> None:
    bench.call("train", *SHORT)
    private = bench.root / ".lenet-tui"
    (private / "store.db").write_bytes(b"not a database " * 1000)
    done = bench.call("runs")
    assert "finished" in done.stdout
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(private.glob("store.db.damaged-*"))


def test_eight_people_at_once_lose_nothing_and_see_no_locked_database(paused: Bench) -> None:
    def act(number: int) -> str:
        words = ["--lr", "0.1,0.2,0.3", "--seed", str(number)]
        ids = [run["id"] for run in json.loads(paused.call("queue", "add", *words, "--json").stdout)]
        paused.call("queue", "move", ids[0], 1)
        paused.call("queue", "stop", ids[1])
        return paused.call("queue", "remove", ids[2]).stderr

    with ThreadPoolExecutor(8) as pool:
        output = "".join(pool.map(act, range(8)))
    assert "locked" not in output
    runs = Store(paused.root).runs()
    assert len(runs) == 16
    assert sum(run.state == "stopped" for run in runs) == 8
    assert sorted(run.place for run in runs if run.place) == list(range(1, 9))


def test_looking_at_an_empty_root_makes_nothing_there(bench: Bench) -> None:
    assert "the queue is empty" in bench.call("queue").stdout
    assert "no runs yet" in bench.call("runs").stdout
    assert "the runner is stopped" in bench.call("runner", "status").stdout
    assert list(bench.root.iterdir()) == []


def test_queueing_imports_neither_torch_nor_numpy(bench: Bench) -> None:
    bench.call("queue", "pause")
    code = "import sys; from lenet_tui.cli.main import main; main(['queue', 'add']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=bench.root, env=bench.env, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded & {"torch", "numpy", "sklearn", "matplotlib", "rich", "textual", "multiprocessing"} == set()


def log_of(bench: Bench) -> str:
    return "".join(path.read_text() for path in bench.root.glob("lenet/*/log.txt"))


@pytest.fixture
def small_disk(bench: Bench) -> Iterator[Bench]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "none", str(bench.root)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a disk small enough to fill")
    yield bench
    daemon.stop(bench.root)
    bench.wait_for(lambda: not bench.processes(), 10)
    subprocess.run(["umount", "--lazy", bench.root], check=True)  # the test's own store may still be open


def test_a_full_disk_fails_the_run_with_that_reason_and_retrying_after_making_room_finishes_it(
    small_disk: Bench,
) -> None:
    bench = small_disk
    bench.call("queue", "add", *SHORT[:-1], 400)
    store = Store(bench.root)
    bench.wait_for(lambda: store.get(1).epochs_done >= 2)
    ballast = bench.root / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    # A run that fails for want of room cannot even be put on record as failed until there is a little.
    # What the store did not take in between may be said before, and ends nothing.
    bench.wait_for(lambda: "failed: cannot write" in log_of(bench), 60)
    ballast.unlink()
    bench.wait_for(lambda: store.get(1).state == "failed", 60)
    reason = store.get(1).reason
    assert reason is not None
    assert "the disk is full" in reason
    assert daemon.is_running(bench.root)
    done = store.get(1).epochs_done
    bench.call("queue", "retry", 1)
    bench.wait_for(lambda: store.get(1).epochs_done > done)
    bench.call("queue", "stop", 1)
    bench.wait_for(lambda: store.get(1).state == "stopped")
