"""A root that lenet-tui 0.1.0 left behind (``old_root.tar.xz``, without its pictures) opens, resumes and compares.

Runs of digits: 1 finished, 2 stopped after an epoch, 3 failed, 5 and 4 queued in this order in a paused queue. The tar
never changes: what a later version writes differently, it still has to read.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from lenet_tui.run.folder import RunFolder
from lenet_tui.store import Store
from lenet_tui.tui import keys, settings
from tests.conftest import environment


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with tarfile.open(Path(__file__).with_name("old_root.tar.xz")) as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / "lab"


def ask(root: Path, *words: str) -> Any:
    command = [sys.executable, "-m", "lenet_tui", *words, "--json", "--root", str(root)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_old_root_is_listed_with_its_queue_pause_and_notes(root: Path) -> None:
    states = {run["id"]: run["state"] for run in ask(root, "runs")}
    assert states == {1: "finished", 2: "stopped", 3: "failed", 4: "queued", 5: "queued"}
    queue = ask(root, "queue")
    assert queue["draining"] is True  # the name that scripts may know
    assert [run["id"] for run in queue["runs"]] == [5, 4]
    finished = ask(root, "show", "1")
    assert finished["note"] == "the first one – keep it"
    assert finished["test_accuracy"] == pytest.approx(0.9169, abs=1e-4)
    assert len(finished["epochs"]) == 2
    with Store(root) as store:
        assert not store.notices, "nothing had to be repaired"
        assert store.get(4).note == "only if there is time"
        assert "became nan" in str(store.get(3).reason)


def test_a_stopped_run_of_an_old_root_is_resumed_and_compared(root: Path) -> None:
    with Store(root) as store:
        before = store.epochs(2)
    ask(root, "train", "--resume", "2")
    with Store(root) as store:
        assert store.get(2).state == "finished"
        assert store.epochs(2)[0] == before[0]
        assert [row.epoch for row in store.epochs(2)] == [1, 2]
        assert RunFolder(root / str(store.get(2).folder)).read_metrics() == store.epochs(2)
        assert [run.id for run in store.queue()] == [5, 4]
    assert [group["counted"] for group in ask(root, "compare", "1", "2")["groups"]] == [[1, 2]]


def test_an_old_root_whose_store_is_lost_is_rebuilt_from_its_backup_and_folders(root: Path) -> None:
    (root / ".lenet-tui" / "store.db").unlink()
    queue = ask(root, "queue")
    assert queue["draining"] is True
    assert [run["note"] for run in queue["runs"]] == ["", "only if there is time"]
    assert sorted(run["state"] for run in ask(root, "runs")) == ["failed", "finished", "queued", "queued", "stopped"]


def test_a_damaged_store_of_an_old_root_is_rebuilt_with_the_numbers_and_notes_of_its_runs(root: Path) -> None:
    damaged = sqlite3.connect(root / ".lenet-tui" / "store.db")
    damaged.execute("DROP INDEX runs_revision")
    damaged.close()
    with Store(root) as store:
        assert "5 runs saved from it" in store.notices[0]
        assert [(run.id, run.state) for run in store.queue()] == [(5, "queued"), (4, "queued")]
        assert store.get(1).note == "the first one – keep it"
        assert store.is_paused()


def test_the_settings_of_an_old_root_keep_their_meaning(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENET_TUI_SETTINGS", str(root / "none.toml"))
    chosen, complaints = settings.load(root, keys.NAMES)
    assert not complaints
    assert chosen.theme == "nord"
    assert sorted(chosen.keys.values()) == ["U", "ctrl+k", "f9"], "the names of the keys are still understood"
    assert chosen.defaults == {"epochs": 5, "seed": 1}
