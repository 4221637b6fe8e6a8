"""Every command on outputs that are closed, full, gone, or of an old encoding: no traceback, and the work is done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from lenet_tui.store import Store
from tests.conftest import environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SHORT = ("--dataset", "digits", "--epochs", "1", "--threads", "1", "--tsne-samples", "100")
FULL = "lenet-tui: cannot write the output: the disk is full"
COMMANDS: dict[str, tuple[str, ...]] = {
    "help": ("--help",),
    "version": ("--version",),
    "once": ("--once", "--size", "100x30"),
    "runs": ("runs",),
    "show": ("show", "1"),
    "watch": ("watch", "1"),
    "watch json": ("watch", "1", "--json"),
    "queue": ("queue", "list", "--json"),
    "queue add": ("queue", "add", *SHORT, "--seed", "5"),
    "queue stop": ("queue", "stop", "4"),
    "queue resume": ("queue", "resume", "3"),
    "queue move": ("queue", "move", "5", "1"),
    "queue remove": ("queue", "remove", "4"),
    "queue pause": ("queue", "pause"),
    "runner": ("runner",),
    "runner stop": ("runner", "stop"),
    "export": ("export", "1"),
    "export zip": ("export", "1", "--zip"),
    "compare": ("compare", "1", "2"),
    "compare json": ("compare", "1", "2", "--json"),
    "predict": ("predict", "1", "digit.png", "--show"),
    "inspect": ("inspect", "1", "--count", "1"),
    "study": ("study", "homework", "--no-queue"),
    "delete": ("delete", "1", "--yes"),
    "import": ("import",),
    "data path": ("data", "path", "digits"),
    "data verify": ("data", "verify", "digits"),
    "doctor": ("doctor",),
    "completion": ("completion", "bash"),
    "train": ("train", *SHORT),
}
# These import torch or draw: every stream that ends them otherwise, but no second encoding.
SLOW = ("export", "export zip", "compare", "compare json", "predict", "inspect", "study", "train")
# How a shell puts the command's output there, and what becomes of the environment.
STREAMS: dict[str, tuple[str, dict[str, str]]] = {
    "closed": (">&-", {}),
    "full": (">/dev/full", {}),
    "latin-1": ("", {"PYTHONIOENCODING": "latin-1"}),
    "ascii, strict": ("", {"PYTHONIOENCODING": "ascii:strict"}),
}


def start(words: Sequence[str], cwd: Path, redirection: str = "", **extra: str) -> subprocess.Popen[bytes]:
    command = ["bash", "-c", f'exec "$@" {redirection}', "bash", sys.executable, "-m", "lenet_tui", *words]
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(**extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=240)
    return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


@pytest.fixture(scope="session")
def root(trained_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained runs 1 to 3, and 4 and 5 in a queue that starts nothing. Nobody may change it."""
    from lenet_tui.config import RunConfig

    copy = tmp_path_factory.mktemp("streams") / "root"
    shutil.copytree(trained_root, copy)
    with Store(copy) as store:
        store.set_paused(True)
        store.add([RunConfig(dataset="digits", seed=8), RunConfig(dataset="digits", seed=9)])
    Image.new("L", (28, 28), 255).save(copy / "digit.png")
    with Image.open(copy / "digit.png") as picture:
        picture.paste(0, (12, 5, 16, 23))
        picture.save(copy / "digit.png")
    return copy


@pytest.mark.parametrize("command", COMMANDS)
def test_no_output_gives_a_traceback_or_a_wrong_exit_code(command: str, root: Path, tmp_path: Path) -> None:
    processes = {}
    for name, (redirection, extra) in STREAMS.items():
        if command in SLOW and name in ("closed", "latin-1"):
            continue
        shutil.copytree(root, tmp_path / name)
        processes[name] = start(COMMANDS[command], tmp_path / name, redirection, **extra)
    for name, process in processes.items():
        code, out, err = ended(process)
        assert "Traceback" not in err + out, name
        assert "Exception ignored" not in err, name
        assert "internal error" not in err, name
        assert code == (1 if name == "full" else 0), (name, out, err)
        assert (err.splitlines()[-1:] == [FULL]) == (name == "full"), (name, err)
        assert bool(out) == (STREAMS[name][0] == ""), name


def test_what_an_encoding_lacks_is_replaced_by_what_resembles_it(root: Path) -> None:
    for extra in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        _, out, _ = ended(start(("doctor",), root, **extra))
        assert {"+", "->"} <= set(out.split())
        assert out.isascii()
        assert "\\u" not in out


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full", "2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_the_work_is_done_wherever_the_output_goes(redirection: str, tmp_path: Path) -> None:
    code, _, err = ended(start(("train", *SHORT), tmp_path, redirection))
    assert code == (1 if redirection == ">/dev/full" else 0), err
    assert json.loads(next(tmp_path.glob("lenet/*/run.json")).read_text())["state"] == "finished"
    with Store(tmp_path) as store:
        store.set_paused(True)
        assert [run.state for run in store.runs()] == ["finished"]
    ended(start(("queue", "add", "--lr", "0.1,0.2"), tmp_path, redirection))
    with Store(tmp_path) as store:
        assert [run.state for run in store.runs()] == ["finished", "queued", "queued"]


def test_a_closed_output_is_not_mixed_up_with_a_file_that_is_opened_later(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "root")
    process = start(("runs",), tmp_path / "root", "<&- >&- 2>&-")
    assert ended(process)[0] == 0
    assert (tmp_path / "root" / ".lenet-tui" / "store.db").read_bytes().startswith(b"SQLite format 3\0")
    code = "import os; from lenet_tui.cli import output; output.prepare(); print(os.open('/dev/null', os.O_RDONLY))"
    done = subprocess.run(
        ["bash", "-c", f'exec {sys.executable} -c "$0" <&- 2>&-', code],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert int(done.stdout) > 2


def test_a_usage_error_keeps_its_exit_code_where_it_cannot_be_said(root: Path) -> None:
    for redirection in ("2>&-", "2>/dev/full", ">&- 2>&-"):
        assert ended(start(("show", "99"), root, redirection))[0] == 2
        assert ended(start(("nonsense",), root, redirection))[0] == 2


def test_a_reader_who_leaves_ends_what_only_prints_without_a_word(root: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [sys.executable, "-m", "lenet_tui", "runs"], cwd=root, env=environment(), stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")
