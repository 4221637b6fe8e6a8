"""Runs outlive whatever happens to the processes that work on them. Real processes, real signals, real files."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lenet_tui.host.process import is_alive
from lenet_tui.runner import daemon, tries
from lenet_tui.store import ATTEMPTS, Store
from tests.runner.conftest import runner_pid

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runner.conftest import Bench

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc to see that nothing is left over")

DIGITS = ("--dataset", "digits", "--threads", 1, "--tsne-samples", 100)


def results(root: Path) -> dict[str, tuple[bytes, list[list[str]]]]:
    """The final weights of every run, and its metrics.csv but for the seconds."""
    answer = {}
    for folder in sorted((root / "lenet").iterdir()):
        lines = [line.split(",") for line in (folder / "metrics.csv").read_text().splitlines()]
        seconds = lines[0].index("seconds")
        rows = [line[:seconds] + line[seconds + 1 :] for line in lines]
        answer[folder.name] = ((folder / "model.safetensors").read_bytes(), rows)
    return answer


@pytest.mark.timeout(1500)  # twenty kills and eight runs, beside other work
def test_runs_finish_with_the_same_bytes_after_twenty_kills_of_workers_and_runner(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    grid = (*DIGITS, "--epochs", 24, "--batch-size", "16,32", "--lr", "0.002,0.001")
    bench.call("queue", "add", *grid)
    dice = random.Random(20)
    store = Store(bench.root)
    kills = {"worker": 0, "runner": 0}
    while sum(kills.values()) < 20:
        time.sleep(dice.uniform(0.3, 1.2))
        running = store.runs("running")
        # One that is killed while it starts counts as one that cannot start, and the next waits longer.
        runner = runner_pid(bench.root) if tries.read(bench.root) is None else None
        if runner is not None and (dice.random() < 0.3 or kills["worker"] >= 16):
            os.kill(runner, signal.SIGKILL)
            kills["runner"] += 1
            bench.wait_for(lambda: not daemon.is_running(bench.root))
        elif running:
            victim = dice.choice(running)
            assert victim.owner is not None
            # A third death in the same epoch would rightly be a failure, and that is another test's business.
            if victim.attempts < ATTEMPTS and is_alive(victim.owner):
                os.kill(victim.owner.pid, signal.SIGKILL)
                kills["worker"] += 1
        elif not store.queue():
            bench.call("queue", "add", *grid)  # they were quicker than the kills; once more, in new folders
        if not daemon.is_running(bench.root):
            bench.call("queue", "list")  # which brings another runner, as soon as something waits for one
    assert min(kills.values()) >= 3
    bench.call("queue", "wait", timeout=600)
    runs = store.runs()
    assert {run.state for run in runs} == {"finished"}
    for run in runs:
        assert [row.epoch for row in store.epochs(run.id)] == list(range(1, 25))

    undisturbed = type(bench)(tmp_path_factory.mktemp("undisturbed"), bench.mark)
    undisturbed.call("queue", "add", *grid)
    undisturbed.call("queue", "wait", timeout=600)
    expected = results(undisturbed.root)
    for name, result in results(bench.root).items():
        assert result == expected[name.partition("_tsne100.")[0].removesuffix("_tsne100") + "_tsne100"]

    for root in (bench.root, undisturbed.root):
        daemon.stop(root)
    bench.wait_for(lambda: not bench.processes(), 10)  # nothing is left over


def test_a_killed_worker_is_noticed_and_its_run_goes_on(bench: Bench) -> None:
    bench.call("queue", "add", *DIGITS, "--epochs", 300)
    store = Store(bench.root)
    bench.wait_for(lambda: store.get(1).epochs_done >= 2)
    first = store.get(1).owner
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    done = store.get(1).epochs_done
    again = bench.wait_for(lambda: store.get(1).owner not in (None, first) and store.get(1).owner, 5)
    assert again != first
    bench.wait_for(lambda: store.get(1).epochs_done > done)
    assert store.get(1).folder == "lenet/bs64_lr0.001_data-digits_ep300_thr1_tsne100"
    assert "lost its worker" in bench.log() or "SIGKILL ended it" in bench.log() or "ended with" in bench.log()


def test_a_hangup_ends_neither_runner_nor_worker(bench: Bench) -> None:
    bench.call("queue", "add", *DIGITS, "--epochs", 300)
    store = Store(bench.root)
    bench.wait_for(lambda: store.get(1).epochs_done >= 1)
    for pid in bench.processes():
        os.kill(pid, signal.SIGHUP)
    done = store.get(1).epochs_done
    bench.wait_for(lambda: store.get(1).epochs_done > done + 2)
    assert daemon.is_running(bench.root)
    assert store.get(1).attempts == 1


def test_two_runners_never_serve_one_root(bench: Bench) -> None:
    bench.call("queue", "add", *DIGITS, "--epochs", 300)
    pid = bench.wait_for(lambda: runner_pid(bench.root))
    command = [sys.executable, "-m", "lenet_tui.runner", str(bench.root)]
    second = subprocess.run(command, env=bench.env, timeout=60, check=False)
    assert second.returncode == 0
    assert runner_pid(bench.root) == pid


def test_a_failing_run_does_not_stop_the_queue(bench: Bench) -> None:
    bench.call("queue", "add", *DIGITS, "--epochs", 3, "--batch-size", "1300,64")
    done = bench.call("queue", "wait", ok=1)
    runs = bench.runs()
    assert [runs[1]["state"], runs[2]["state"]] == ["failed", "finished"]
    assert "--batch-size 1300 is more than the 1,200 training images" in runs[1]["reason"]
    assert runs[1]["reason"] in done.stdout


def test_stopping_the_runner_interrupts_and_starting_it_goes_on(bench: Bench) -> None:
    bench.call("queue", "add", *DIGITS, "--epochs", 200)
    store = Store(bench.root)
    bench.wait_for(lambda: store.get(1).epochs_done >= 2)
    text = bench.call("runner", "stop").stdout
    assert text == "stopped; 1 run interrupted, it continues after 'lenet-tui runner start'\n"
    assert "the runner is stopped; 0 running, 1 waiting" in bench.call("runner").stdout
    bench.wait_for(lambda: not bench.processes(), 5)
    assert store.get(1).state == "interrupted"
    assert "interrupted #1" in bench.call("queue", "list").stdout
    assert not bench.processes()  # and looking does not start it again
    done = store.get(1).epochs_done
    bench.call("runner", "start")
    bench.wait_for(lambda: store.get(1).epochs_done > done)


def test_a_root_that_is_moved_while_it_is_at_work_goes_on_at_its_new_place(bench: Bench, tmp_path: Path) -> None:
    old, new = (type(bench)(tmp_path / name, bench.mark) for name in ("old", "new"))
    old.root.mkdir()
    old.call("queue", "add", *DIGITS, "--epochs", 300)
    with Store(old.root) as store:
        bench.wait_for(lambda: store.get(1).epochs_done >= 2)
    old.root.rename(new.root)
    bench.wait_for(lambda: not bench.processes(), 30)  # nobody works where nothing is any more
    assert not old.root.exists()
    assert "interrupted #1" in new.call("queue").stdout
    store = Store(new.root)
    done = store.get(1).epochs_done
    bench.wait_for(lambda: store.get(1).epochs_done > done)


def test_a_run_that_is_stopped_may_draw_its_pictures_before_the_runner_ends(bench: Bench) -> None:
    bench.call("queue", "add", "--dataset", "digits", "--threads", 1, "--epochs", 300)
    store = Store(bench.root)
    bench.wait_for(lambda: store.get(1).epochs_done >= 2)
    store.request_stop(1)
    assert bench.call("runner", "stop").stdout.startswith("stopped\n")
    run = store.get(1)
    assert (run.state, run.reason) == ("stopped", "on request")
    assert {"confusion.png", "loss.png", "t-SNE.png"} <= {p.name for p in (bench.root / str(run.folder)).iterdir()}


def test_a_stopped_run_keeps_its_pictures_and_resumes_to_the_same_bytes(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bench.call("queue", "add", *DIGITS, "--epochs", 30)
    store = Store(bench.root)
    bench.wait_for(lambda: store.get(1).epochs_done >= 3)
    bench.call("queue", "stop", 1)
    bench.wait_for(lambda: store.get(1).state == "stopped")
    folder = bench.root / str(store.get(1).folder)
    assert {"confusion.png", "loss.png", "t-SNE.png", "checkpoint.pt"} <= {path.name for path in folder.iterdir()}
    assert bench.call("queue", "resume", 1).stdout.strip().endswith("queued #1")
    bench.call("queue", "wait", 1)
    whole = type(bench)(tmp_path_factory.mktemp("whole"), bench.mark)
    whole.call("train", *DIGITS, "--epochs", 30)
    assert results(bench.root) == results(whole.root)


def test_a_foreground_run_shows_up_like_any_other_and_is_taken_over_when_killed(bench: Bench) -> None:
    command = [sys.executable, "-m", "lenet_tui", "train", *map(str, DIGITS), "--epochs", "300"]
    process = subprocess.Popen(command, cwd=bench.root, env=bench.env, stdout=subprocess.DEVNULL)
    bench.wait_for(lambda: (bench.root / ".lenet-tui" / "store.db").exists())
    store = Store(bench.root)
    bench.wait_for(lambda: store.runs() and store.get(1).epochs_done >= 2)
    assert "epoch " in bench.call("queue", "list").stdout
    process.kill()
    process.wait()
    assert "interrupted #1" in bench.call("queue", "list").stdout
    done = store.get(1).epochs_done
    bench.wait_for(lambda: store.get(1).epochs_done > done)
    assert len(list((bench.root / "lenet").iterdir())) == 1
