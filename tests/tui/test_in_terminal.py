"""The app from end to end: real process, real pseudo-terminal, real runner, real training on digits."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lenet_tui.runner import daemon
from lenet_tui.store import Store
from tests.runner.conftest import runner_pid
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = '[defaults]\ndataset = "digits"\nepochs = 3\ntsne_samples = 100\nbatch_size = 32\n'


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    settings = tmp_path / "settings.toml"
    settings.write_text(QUICK)
    monkeypatch.setenv("LENET_TUI_SETTINGS", str(settings))
    root = tmp_path / "root"
    root.mkdir()
    yield root
    daemon.stop(root)


def test_a_sweep_is_queued_watched_to_its_end_and_exported(root: Path) -> None:
    with Terminal(root, 110, 34) as terminal:
        terminal.wait_for("epochs", "no runs yet")
        terminal.press("ctrl+r")
        terminal.wait_for("queued")
        terminal.wait_for("✓ finished", seconds=120)
        with Store(root) as store:
            (run,) = store.runs()
        assert run.state == "finished"
        assert run.folder is not None
        pictures = [root / run.folder / name for name in ("confusion.png", "loss.png", "t-SNE.png")]
        for picture in pictures:
            picture.unlink()
        terminal.press("escape", "e")
        terminal.wait_for("t-SNE.png", seconds=120)
        assert all(picture.read_bytes()[:4] == b"\x89PNG" for picture in pictures)
        terminal.press("enter", "4")
        terminal.wait_for("most frequent errors", seconds=60)
        assert libraries_in(terminal.process.pid) & {"torch", "sklearn", "matplotlib"} == set()
        terminal.press("escape")
        terminal.wait_for("finished")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
        assert terminal.is_sane()


def libraries_in(pid: int) -> set[str]:
    """Return the packages that a process has compiled parts of in its memory, as far as the system tells."""
    maps = Path(f"/proc/{pid}/maps")
    if not maps.exists():
        return set()
    return {line.partition("site-packages/")[2].partition("/")[0] for line in maps.read_text().splitlines()}


def long_run(root: Path) -> None:
    add = [sys.executable, "-m", "lenet_tui", "queue", "add", "--dataset", "digits", "--epochs", "1000"]
    subprocess.run([*add, "--root", str(root)], check=True, stdout=subprocess.DEVNULL)


def test_hanging_up_ends_the_app_and_not_the_run(root: Path) -> None:
    long_run(root)
    with Terminal(root, 120) as terminal:
        terminal.wait_for("epoch ", "images/s", seconds=60)
        terminal.process.send_signal(signal.SIGHUP)
        assert terminal.wait_for_end(5) == 128 + signal.SIGHUP
        assert terminal.is_sane()
    with Store(root) as store:
        before = store.runs()[0].epochs_done
        deadline = time.monotonic() + 30
        while store.runs()[0].epochs_done <= before:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    with Terminal(root, 120) as terminal:  # and the next day
        terminal.wait_for("epoch ", "images/s")


def test_a_terminal_that_vanishes_ends_the_app(root: Path) -> None:
    with Terminal(root) as terminal:
        terminal.wait_for("no runs yet")
        terminal.vanish()
        assert terminal.process.wait(10) != 0


def test_sigterm_ends_the_app_and_leaves_the_terminal_sane(root: Path) -> None:
    with Terminal(root) as terminal:
        terminal.wait_for("no runs yet")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait_for_end() == 128 + signal.SIGTERM
        assert terminal.is_sane()


def test_sigterm_ends_the_app_even_where_the_terminal_takes_no_more(root: Path) -> None:
    with Terminal(root) as terminal:
        terminal.wait_for("no runs yet")
        for number in range(60):  # much to draw, and nobody reads it
            terminal.resize(100 + number % 2 * 60, 50)
            time.sleep(0.03)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(25) == 128 + signal.SIGTERM


def test_leaving_says_that_runs_go_on(root: Path) -> None:
    long_run(root)
    with Terminal(root, 120) as terminal:
        terminal.wait_for("images/s", seconds=60)
        terminal.press("escape", "q")
        assert terminal.wait_for_end() == 0
        assert "1 running and 0 waiting go on in the background" in terminal.text()


def test_a_killed_runner_is_replaced_while_the_app_is_open(root: Path) -> None:
    with Terminal(root, 120) as terminal:
        terminal.wait_for("no runs yet")
        long_run(root)
        terminal.wait_for("images/s", seconds=60)
        first = runner_pid(root)
        assert first is not None
        with Store(root) as store:
            owner = store.runs()[0].owner
        assert owner is not None
        os.kill(first, signal.SIGKILL)
        os.kill(owner.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while runner_pid(root) in (None, first):
            assert time.monotonic() < deadline, terminal.text()
            terminal.wait_for("1", seconds=1)
        terminal.wait_for("images/s", seconds=60)


def test_the_screen_is_readable_without_colours_and_with_few(root: Path) -> None:
    for environment in ({"NO_COLOR": "1"}, {"TERM": "xterm", "COLORTERM": ""}, {"TERM": "screen", "COLORTERM": ""}):
        with Terminal(root, **environment) as terminal:
            terminal.wait_for("model", "lenet", "epochs", "no runs yet")


def test_the_app_imports_nothing_heavy_and_not_before_the_first_frame(root: Path) -> None:
    code = (
        "import sys, json, lenet_tui.cli.main, lenet_tui.tui.app, lenet_tui.tui.main_screen;"
        "print(json.dumps(sorted({n.partition('.')[0] for n in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert loaded & {"torch", "torchvision", "sklearn", "scipy", "matplotlib", "numpy", "PIL", "plotext"} == set()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux here")
def test_the_app_goes_on_when_tmux_is_detached_and_attached_again(root: Path) -> None:
    socket = f"lenet-{os.getpid()}"

    def tmux(*words: str) -> str:
        return subprocess.run(["tmux", "-L", socket, *words], check=True, capture_output=True, text=True).stdout

    tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", f"{sys.executable} -m lenet_tui --root {root}")
    try:
        deadline = time.monotonic() + 30
        while "no runs yet" not in tmux("capture-pane", "-p"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        tmux("resize-window", "-x", "120", "-y", "40")
        tmux("send-keys", "C-r")
        while "queued" not in tmux("capture-pane", "-p"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        tmux("kill-server")
