"""``lenet-tui compare`` on real run folders that are on record."""

from __future__ import annotations

import csv
import json
import subprocess

import pytest

from lenet_tui.cli.main import main
from lenet_tui.config import RunConfig
from lenet_tui.host.process import owner_of
from lenet_tui.run import folder as runfolder
from lenet_tui.store import Store
from tests.reports.conftest import opened, record
from tests.tui.folders import HISTORY, finished


@pytest.fixture
def root(tmp_path):
    """Runs 1 and 2 of batch size 16, run 3 of 32."""
    for number, (size, seed) in enumerate(((16, 0), (16, 1), (32, 0)), start=1):
        finished(tmp_path, RunConfig(dataset="digits", epochs=4, batch_size=size, seed=seed), wrong=20 * number)
    return tmp_path


def call(*words):
    return main(["compare", *map(str, words)])


def test_json_has_groups_runs_verdicts_and_notes(root, capsys):
    assert call(1, 2, 3, "--json", "--root", root) == 0
    text = json.loads(capsys.readouterr().out)
    assert [(group["label"], group["runs"]) for group in text["groups"]] == [("batch 16", [1, 2]), ("batch 32", [3])]
    assert text["runs"][2]["settings"] == {"batch_size": 32}
    assert text["runs"][0]["test_accuracy"] == pytest.approx(100 / 120)
    assert [(v["test"], v["runs"], v["only"]) for v in text["verdicts"]] == [
        ("McNemar", [2, 1], [0, 20]),
        ("McNemar", [3, 1], [0, 40]),
    ]
    assert text["notes"]


def test_a_person_reads_a_table_then_verdicts_then_notes(root, capsys):
    assert call(1, "lenet/bs32_lr0.001_data-digits_ep4", "--root", root) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["id", "run"]
    assert max(map(len, lines[:3])) <= 80
    assert lines[4].startswith("run 3 (batch 32): lower test accuracy than run 1 (batch 16)")
    assert lines[-1].startswith("note: single runs are compared")


def test_files_are_written_as_asked(root, tmp_path, capsys):
    files = {name: tmp_path / f"out.{name}" for name in ("markdown", "csv", "picture")}
    words = [word for name, path in files.items() for word in (f"--{name}", path)]
    assert call(1, 2, 3, *words, "--root", root) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("wrote")] == [
        f"wrote {path}" for path in files.values()
    ]
    assert files["markdown"].read_text().startswith("# Comparison of runs\n")
    assert [row["run"] for row in csv.DictReader(files["csv"].open())] == ["1", "2", "3"]
    assert opened(files["picture"]).width >= 1200


def test_a_run_that_waits_is_left_out_with_a_note(root, capsys):
    with Store(root) as store:
        waiting = store.add([RunConfig(dataset="digits")])[0]
        number = getattr(waiting, "id", waiting)
    assert call(1, 3, number, "--json", "--root", root) == 0
    text = json.loads(capsys.readouterr().out)
    assert f"run {number} is queued and has no epoch yet: left out" in text["notes"]
    assert call(1, number, "--root", root) == 1
    assert capsys.readouterr().err.endswith("left out; there is nothing to compare\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("1",), "at least two different runs"),
        (("1", "lenet/bs16_lr0.001_data-digits_ep4"), "at least two different runs"),
        (("1", "99"), "no run 99"),
        (("1", "nowhere"), "neither a run's number nor its folder"),
    ],
)
def test_wrong_usage_is_one_line(root, capsys, words, message):
    assert call(*words, "--root", root) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_an_empty_root_stays_empty(tmp_path, capsys):
    assert call(1, 2, "--root", tmp_path) == 2
    assert "has no runs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_one_line(root, capsys):
    assert call(1, 3, "--csv", root / "missing" / "x.csv", "--root", root) == 2
    assert "x.csv cannot be written: there is no folder" in capsys.readouterr().err


def test_a_run_whose_process_died_is_not_said_to_be_running(root, capsys):
    config = RunConfig(dataset="digits", epochs=4, batch_size=64)
    folder = runfolder.create(root, config)
    folder.write_record(record(config).model_copy(update={"state": "running"}))
    folder.write_metrics(HISTORY[:2])
    with subprocess.Popen(["sleep", "600"]) as process:
        owner = owner_of(process.pid)
        assert owner is not None
        with Store(root) as store:
            number = store.start(config, owner, 1).id
            assert store.begin(number, owner, folder.path, "cpu")
        assert call(1, number, "--json", "--root", root) == 0
        assert json.loads(capsys.readouterr().out)["runs"][1]["state"] == "running"
        process.kill()
    assert call(1, number, "--json", "--root", root) == 0
    text = json.loads(capsys.readouterr().out)
    assert text["runs"][1]["state"] == "interrupted"
    assert f"run {number} is interrupted after 2 of 4 epochs: shown, not tested" in text["notes"]
