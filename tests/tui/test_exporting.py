from __future__ import annotations

import asyncio
import csv
import io
import math
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig, hyperparameters
from lenet_tui.errors import LabError
from lenet_tui.run.folder import PICTURES
from lenet_tui.tui import subprocesses
from lenet_tui.tui.runs import export
from tests.tui.folders import finished

if TYPE_CHECKING:
    from pathlib import Path


async def test_export_draws_the_three_pictures_of_a_run(tmp_path: Path) -> None:
    run, _ = finished(tmp_path)
    folder = tmp_path / str(run.folder)
    result = await export.export(folder)
    assert result == export.ExportResult(tuple(folder / name for name in PICTURES), {}, None)
    assert all(path.stat().st_size > 1000 for path in result.paths)


async def test_export_says_what_it_left_out(tmp_path: Path) -> None:
    run, _ = finished(tmp_path)
    (tmp_path / str(run.folder) / "predictions.npz").unlink()
    result = await export.export(tmp_path / str(run.folder))
    assert [path.name for path in result.paths] == ["loss.png"]
    assert result.skipped == dict.fromkeys(("confusion.png", "t-SNE.png"), "predictions.npz is not there yet")


async def test_what_cannot_be_exported_is_one_line(tmp_path: Path) -> None:
    assert "does not exist any more" in str((await export.export(tmp_path / "gone")).error)
    (tmp_path / "empty").mkdir()
    error = (await export.export(tmp_path / "empty")).error
    assert error == f"{tmp_path / 'empty'} is not a run folder: it has no run.json"


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_command_that_is_cancelled_takes_its_process_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, deaf: bool
) -> None:
    monkeypatch.setattr(subprocesses, "_SECONDS_TO_END", 0.2)
    told = "import os, sys; print(os.getpid(), file=sys.stderr, flush=True)"
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" if deaf else ""
    (tmp_path / "sleeper.py").write_text(f"{ignoring}\n{told}\nimport time; time.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    heard = asyncio.Queue[str]()
    task = asyncio.create_task(subprocesses.run("sleeper", on_line=heard.put_nowait))
    pid = int(await asyncio.wait_for(heard.get(), 30))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_leaving_while_a_command_runs_ends_it_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text("import time; time.sleep(60)\n")
    code = (
        "import asyncio; from lenet_tui.tui import subprocesses\n"
        "async def main():\n"
        "    task = asyncio.create_task(subprocesses.run('sleeper'))\n"
        "    await asyncio.sleep(0.5)\n"
        "    task.cancel()\n"
        "asyncio.run(main())\n"
    )
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_a_program_that_cannot_be_started_is_a_failure_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    ended = await subprocesses.run("lenet_tui", "--version")
    assert (ended.code, ended.complaint) == (127, "cannot start another process: No such file or directory")


def test_the_csv_has_every_hyperparameter_and_result_of_each_run(tmp_path: Path) -> None:
    first, epochs = finished(tmp_path)
    second, _ = finished(tmp_path, RunConfig(dataset="digits", lr=0.01, epochs=4))
    odd = replace(second, note='a "note", with\nlines', best_val_loss=math.inf)
    rows = list(csv.DictReader(io.StringIO(export.to_csv([first, odd], {first.id: epochs}))))
    assert [row["id"] for row in rows] == [str(first.id), str(second.id)]
    assert {known.name for known in hyperparameters()} <= set(rows[0])
    assert (rows[0]["batch_size"], rows[1]["lr"], rows[0]["test_accuracy"]) == ("16", "0.01", "0.95")
    assert (rows[0]["last_val_loss"], rows[1]["last_val_loss"]) == ("0.35", "")
    assert (rows[1]["note"], rows[1]["best_val_loss"]) == (odd.note, "inf")


def test_a_csv_file_never_overwrites_another(tmp_path: Path) -> None:
    run, _ = finished(tmp_path)
    moment = datetime(2026, 1, 2, 3, 4, 5).astimezone()
    paths = [export.write_csv(tmp_path, [run], moment=moment) for _ in range(3)]
    assert [path.name for path in paths] == [f"runs-20260102-030405{part}.csv" for part in ("", ".2", ".3")]
    assert {path.read_text() for path in paths} == {export.to_csv([run])}


def test_a_root_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    run, _ = finished(tmp_path)
    with pytest.raises(LabError, match=r"cannot write .*No such file"):
        export.write_csv(tmp_path / "gone", [run])


def test_a_csv_of_no_runs_is_its_heading() -> None:
    assert export.to_csv([]).startswith("id,state,folder,model,")
