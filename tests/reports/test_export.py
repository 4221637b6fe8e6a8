from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

import pytest

from lenet_tui.cli import export
from lenet_tui.config import RunConfig
from lenet_tui.run.folder import PICTURES, ROOT_VARIABLE
from tests.reports.conftest import predictions


def call(*words: object) -> int:
    parser = argparse.ArgumentParser()
    export.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["export", *map(str, words)])
    return arguments.run(arguments)


def test_the_paths_of_the_pictures_are_printed(make_run, capsys):
    folder = make_run(predicted=predictions())
    assert call(folder.path) == 0
    assert capsys.readouterr().out.splitlines() == [str(folder.path / name) for name in PICTURES]


def test_a_run_is_found_below_the_root(make_run, tmp_path, monkeypatch, capsys):
    make_run()
    assert call("lenet/bs64_lr0.001", "--root", tmp_path) == 0
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    assert call("lenet/bs64_lr0.001") == 0
    assert capsys.readouterr().out.count("loss.png") == 2


def test_what_is_not_drawn_is_told_on_standard_error(make_run, capsys):
    assert call(make_run().path) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert err.count("predictions.npz is not there yet") == 2


def test_a_bad_folder_does_not_stop_the_others(make_run, tmp_path, capsys):
    good = make_run()
    (tmp_path / "empty").mkdir()
    assert call(tmp_path / "empty", good.path) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [str(good.path / "loss.png")]
    assert f"lenet-tui: {tmp_path / 'empty'} is not a run folder" in err


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("nowhere", 2, "there is no run folder nowhere"),
        ("lenet/bs64_lr0.001/run.json", 2, "is a file; give the folder of the run"),
        ("lenet", 1, "is not a run folder"),
        ("lenet/bs64_lr0.001_seed1", 1, "is damaged"),
    ],
)
def test_what_is_not_a_run_is_one_clear_line(make_run, tmp_path, capsys, name, code, message):
    make_run()
    make_run(RunConfig(seed=1)).record_path.write_text('{"format": 1')
    assert call(name, "--root", tmp_path) == code
    out, err = capsys.readouterr()
    assert not out
    assert message in err
    assert err.startswith("lenet-tui: ")
    assert err.count("\n") == 1


def test_a_picture_that_cannot_be_drawn_is_told_and_the_others_are_drawn(make_run, capsys):
    folder = make_run(predicted=predictions())
    folder.metrics_path.write_text("epoch,train_loss\n1,much\n")
    assert call(folder.path) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [str(folder.path / name) for name in ("confusion.png", "t-SNE.png")]
    assert err.startswith(f"lenet-tui: {folder.path / 'loss.png'} not drawn: ")
    assert "metrics.csv is damaged: line 1" in err
    assert err.count("\n") == 1
    assert call(folder.path, "--json") == 1
    (text,) = json.loads(capsys.readouterr().out)["runs"]
    assert text["failed"] == ["loss.png"]


def test_json_is_one_document_with_what_was_drawn_skipped_and_wrong(make_run, capsys):
    folder = make_run()
    assert call(folder.path, "nowhere", "--json") == 1
    good, bad = json.loads(capsys.readouterr().out)["runs"]
    assert good["pictures"] == [str(folder.path / "loss.png")]
    assert set(good["skipped"]) == {"confusion.png", "t-SNE.png"}
    assert bad["run"] == "nowhere"
    assert bad["error"].startswith("there is no run folder")


def test_a_real_process_draws_without_torch(make_run, tmp_path):
    folder = make_run(predicted=predictions())
    (tmp_path / "torch.py").write_text("raise SystemExit('torch was imported')")
    elsewhere = tmp_path / "elsewhere"  # a run of the same name in the folder of the tests must not count
    elsewhere.mkdir()
    code = f"import sys; from lenet_tui.cli import export; sys.path.insert(0, {str(tmp_path)!r})\n" + (
        "import argparse; p = argparse.ArgumentParser(); export.add_parser(p.add_subparsers()); a = p.parse_args()\n"
        "code = a.run(a); assert 'torch' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "export", "lenet/bs64_lr0.001"],
        cwd=elsewhere,
        env=os.environ | {ROOT_VARIABLE: str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(folder.path / name) for name in PICTURES]
