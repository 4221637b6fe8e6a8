"""The runner works whatever its environment says: folders for temporary files, Python's variables, names of roots."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lenet_tui.errors import LabError
from lenet_tui.runner import daemon
from lenet_tui.runner.executors import local
from lenet_tui.store import Store

if TYPE_CHECKING:
    from tests.runner.conftest import Bench

SHORT = ("--dataset", "digits", "--threads", 1, "--tsne-samples", 100, "--epochs", 1)


@pytest.mark.parametrize("kind", ["good", "long", "missing", "a file", "relative", "unset"])
def test_sockets_go_where_their_names_fit(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in ("TEMP", "TMP", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(dir="/tmp") as good:
        folder = {
            "good": Path(good),
            "long": tmp_path / ("x" * 90),
            "missing": tmp_path / "missing",
            "a file": tmp_path / "file",
            "relative": Path(),
            "unset": Path(),
        }[kind]
        if kind == "long":
            folder.mkdir()
        elif kind == "a file":
            folder.write_text("")
        if kind == "unset":
            monkeypatch.delenv("TMPDIR", raising=False)
        else:
            monkeypatch.setenv("TMPDIR", str(folder))
        assert local.use_short_folder() == (Path(good) if kind == "good" else Path("/tmp"))
        assert tempfile.gettempdir() == str(local.use_short_folder())
        assert list(Path(good).iterdir()) == []


def test_that_no_folder_takes_a_socket_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_ELSEWHERE", (str(tmp_path / "missing"),))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    for name in ("TEMP", "TMP", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(LabError, match="set TMPDIR"):
        local.use_short_folder()


def test_runs_finish_with_a_temporary_folder_of_a_long_name_and_nothing_is_left_in_any(
    bench: Bench, tmp_path: Path
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    bench.extra["TMPDIR"] = str(long)
    before = set(Path("/tmp").glob("pymp-*"))
    bench.call("queue", "add", *SHORT)
    bench.call("queue", "wait", timeout=120)
    ours = sockets(bench)
    assert ours
    assert not ours & before
    bench.call("runner", "stop")
    assert not any(path.exists() for path in ours)
    assert list(long.glob("pymp-*")) == []


def sockets(bench: Bench) -> set[Path]:
    """The folders of the sockets that processes of this test listen at."""
    table = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()]
    places = {row[6]: Path(row[7]).parent for row in table if len(row) == 8}
    result = set()
    for pid in bench.processes():
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            target = str(entry.readlink())
            if target.startswith("socket:[") and target[8:-1] in places:
                result.add(places[target[8:-1]])
    return result


def test_the_runner_finds_the_same_modules_from_another_folder(bench: Bench) -> None:
    # A relative PYTHONPATH, an empty entry, and a module in the current folder that is nobody's business.
    home = Path(daemon.__file__).parents[2]
    (bench.root / "torch.py").write_text("raise ImportError('poisoned')\n")
    bench.extra |= {
        "PYTHONPATH": os.path.relpath(home, bench.root) + os.pathsep,
        "PYTHONSTARTUP": str(bench.root / "torch.py"),
        "PYTHONINSPECT": "1",
        "PYTHONWARNINGS": "error",
        "PYTHONUSERBASE": "nowhere",
    }
    code = "from lenet_tui.runner import daemon; import pathlib; daemon.ensure(pathlib.Path.cwd(), at_once=True)"
    Store(bench.root).close()
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(home)!r}); {code}"]
    subprocess.run(command, cwd=bench.root, env=bench.env, check=True, stdin=subprocess.DEVNULL, timeout=60)
    daemon.wait_until_there(bench.root)
    assert daemon.is_running(bench.root), bench.log()


@pytest.mark.parametrize("name", ["with\nlines  and spaces", "-x", os.fsdecode(b"\xff\xfe"), "$(touch x)", "ü" * 40])
def test_a_root_of_any_name_reaches_the_runner_as_it_is(name: str, bench: Bench, tmp_path: Path) -> None:
    root = tmp_path / name
    root.mkdir()
    inner = type(bench)(root, bench.mark)
    inner.call("runner", "start")
    assert daemon.is_running(root)
    assert inner.call("runner", "stop").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {name}
