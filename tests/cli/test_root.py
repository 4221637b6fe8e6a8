"""``--root``: expanded once, before or after the command, and never silently the wrong one."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from lenet_tui.cli.main import main
from lenet_tui.config import RunConfig
from lenet_tui.store import Store
from tests.cli.test_streams import COMMANDS, SHORT
from tests.conftest import environment

LOOKING = [
    *(["runs"], ["show", "1"], ["watch", "1"], ["queue"], ["queue", "list"], ["queue", "stop", "1"], ["queue", "wait"]),
    *(["queue", "pause"], ["compare", "1", "2"], ["export", "1"], ["predict", "1", "x.png"], ["inspect", "1"]),
    *(["study", "homework", "--no-queue"], ["runner"], ["runner", "stop"], ["runner", "start"], ["delete", "1"]),
]


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_a_root_that_is_not_there_is_said_and_not_made(words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for root, message in (
        ("mistyped", "does not exist"),
        ("file", "is a file; give a folder"),
        ("file/x", "does not exist"),
        ("x" * 300, "File name too long"),
        ("", "is empty"),
        ("~nobody-of-this-name/x", "there is no home folder for"),
    ):
        assert main([*words, "--root", root]) == 2
        out, err = capsys.readouterr()
        assert not out
        assert err.count("\n") == 1
        assert "--root" in err
        assert message in err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_empty_root_is_an_answer_and_stays_empty(tmp_path, capsys):
    assert main(["runs", "--root", str(tmp_path)]) == 0
    assert "no runs yet" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_what_makes_runs_makes_the_root(lab, tmp_path):
    assert lab("queue", "add", "--root", "a/b", "--dataset", "nonsense").returncode == 2
    assert not (tmp_path / "a").exists()
    with_runs = tmp_path / "a" / "b"
    assert lab("train", *SHORT, "--root", "a/b").returncode == 0
    assert (with_runs / "lenet").is_dir()
    assert lab("doctor", "--root", "c", "--json").returncode == 0
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("help", "version", "train")])
def test_root_stands_before_or_after_the_command(command):
    from lenet_tui.cli.main import _parse

    words = list(COMMANDS[command])
    for line in (
        ["--root", "/some/where", *words],
        ["--root=/some/where", *words],
        [words[0], "--root", "/some/where", *words[1:]],
        [*words, "--root", "/some/where"],
        ["--root", "/else", *words, "--root", "/some/where"],
    ):
        arguments = _parse(line)
        assert str(arguments.root) == "/some/where", line
        assert arguments.run == _parse(words).run


@pytest.mark.parametrize("words", [["runs"], ["queue", "add"], ["train"], ["study", "homework"], ["export", "1"], []])
def test_the_home_folder_is_meant_by_a_tilde_in_the_same_way_everywhere(words, monkeypatch):
    from lenet_tui.cli.main import _parse

    monkeypatch.setenv("HOME", "/home/me")
    for root, expected in (("~/mn", "/home/me/mn"), ("~", "/home/me"), ("./~/mn", "~/mn"), ("a~b", "a~b")):
        assert str(_parse([*words, f"--root={root}"]).root) == expected
        assert str(_parse([f"--root={root}", *words]).root) == expected
    monkeypatch.setenv("LENET_TUI_ROOT", "~/mn")
    assert str(_parse(words).root) == "/home/me/mn"


def test_a_tilde_root_is_one_folder_for_queue_and_list(lab, tmp_path):
    home = tmp_path / "home"
    with Store(home / "mn") as store:
        store.set_paused(True)
    env = {"HOME": str(home)}
    assert lab("queue", "add", "--root=~/mn", env=env).returncode == 0
    done = lab("--root=~/mn", "runs", "--json", env=env)
    assert [run["state"] for run in json.loads(done.stdout)] == ["queued"]
    assert not (tmp_path / "~").exists()


def test_a_root_whose_name_is_not_utf_8_works_from_training_to_comparison(tmp_path):
    root = os.fsencode(tmp_path) + b"/l\xfc"

    def call(*words: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "lenet_tui", *words, "--root", root]
        return subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, timeout=240)

    for seed in ("0", "1"):
        done = call("train", *SHORT, "--seed", seed)
        assert done.returncode == 0, done.stderr
    shown = json.loads(call("runs", "--json").stdout)
    assert [run["state"] for run in shown] == ["finished", "finished"]
    pictures = json.loads(call("export", "1", "--json").stdout)["runs"][0]["pictures"]
    assert len(pictures) == 3
    assert all(os.path.exists(picture) for picture in pictures)  # noqa: PTH110
    for words in (("compare", "1", "2"), ("inspect", "1", "--count", "0"), ("show", "1")):
        done = call(*words)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr
    for path in (tmp_path / os.fsdecode(b"l\xfc") / ".lenet-tui").glob("store.db*"):
        path.unlink()
    done = call("runs")
    assert done.stdout.count(b"finished") == 2
    with Store(tmp_path / os.fsdecode(b"l\xfc")) as store:
        assert next(run.config for run in store.runs()) == RunConfig(
            dataset="digits", epochs=1, threads=1, tsne_samples=100
        )
