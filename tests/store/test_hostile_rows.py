"""Stores and ``queue.json`` that this program never wrote: one line each, nothing outside the root is touched."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from lenet_tui.cli.main import main
from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.host.process import owner_of
from lenet_tui.runner.executors.local import LocalExecutor
from lenet_tui.store import PRIVATE_FOLDER, Store
from tests.tui.folders import finished

if TYPE_CHECKING:
    from pathlib import Path

NAME = "lenet/bs16_lr0.001_data-digits_ep4"
DEEP = "[" * 100_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with one finished run and a paused queue."""
    root = tmp_path / "root"
    root.mkdir()
    finished(root)
    with Store(root) as store:
        store.set_paused(True)
    return root


def tamper(root: Path, statement: str, *values: object) -> None:
    """Change the store as nobody can who uses it: without its triggers and checks."""
    with sqlite3.connect(root / PRIVATE_FOLDER / "store.db") as database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(statement, values)
        for _, sql in triggers:
            database.execute(sql)
    database.close()


@pytest.mark.parametrize("command", [["runs"], ["show", "1"], ["queue"]], ids=" ".join)
@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("UPDATE runs SET config = ?", (DEEP,)),
        ("UPDATE runs SET train_seconds = ?", (float("inf"),)),
        ("UPDATE runs SET train_seconds = 1e300", ()),
        ("UPDATE runs SET test_accuracy = ?", (float("inf"),)),
        ("UPDATE runs SET epochs_done = -5", ()),
        ("UPDATE runs SET id = 9223372036854775807", ()),
        ("UPDATE runs SET created_at = '9998-12-31T23:59:59-14:00'", ()),
        ("UPDATE epochs SET train_loss = 'x'", ()),
        ("UPDATE epochs SET train_loss = ?", (b"\0",)),
        ("UPDATE epochs SET epoch = epoch + 5000", ()),
        ("DELETE FROM control", ()),
    ],
)
def test_a_store_with_rows_of_no_run_is_rebuilt_in_one_line(
    command: list[str], statement: str, values: tuple[object, ...], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(root, statement, *values)
    first = main([*command, "--root", str(root)])
    complaint = capsys.readouterr().err
    assert "internal error" not in complaint
    if complaint and first < 2:  # `queue` does not look at what `show` stumbles over
        assert "the store was damaged" in complaint
        assert first in (0, 1, 2)  # 2 where the run has lost its number
    assert main(["runs", "--root", str(root)]) == 0
    assert NAME in capsys.readouterr().out
    assert main(["queue", "remove", "7", "--root", str(root)]) == 2  # and it can be written


def row(**changes: Any) -> dict[str, Any]:
    plain = {"id": 9, "config": RunConfig(dataset="digits").model_dump_json(), "state": "queued", "position": 1}
    more = {"folder": None, "threads": None, "attempts": 0, "note": "", "created_at": "2026-01-01T00:00:00+00:00"}
    return plain | more | {"started_at": None} | changes


@pytest.mark.parametrize(
    "entry",
    [
        row(folder="lenet/a\0b"),
        row(folder="lenet/\ud800"),
        row(folder="../elsewhere"),
        row(config=DEEP),
        row(id=2**63 - 1),
        row(id=-5),
        row(note=None),
        row(created_at="yesterday"),
        1,
        None,
        [],
        {"id": 3},
    ],
)
def test_a_queue_backup_with_an_entry_of_no_run_loses_only_that_one_and_says_so(
    entry: object, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = {"format": 1, "paused": True, "runs": [entry, row(id=5)], "notes": [1]}
    (root / PRIVATE_FOLDER / "queue.json").write_text(json.dumps(document))
    for path in (root / PRIVATE_FOLDER).glob("store.db*"):
        path.unlink()
    assert main(["queue", "--root", str(root)]) == 0
    shown = capsys.readouterr()
    assert "1 entry of queue.json left out" in shown.err
    assert shown.out.splitlines()[1].split()[0] == "5"


@pytest.mark.parametrize("folder", ["link/thesis", "lenet/thesis", "notes", "lenet"])
def test_delete_moves_nothing_but_a_run_folder_of_the_root(folder: str, root: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim" / "thesis"
    victim.mkdir(parents=True)
    (victim / "text").write_text("years of work")
    (root / "notes").mkdir()
    (root / "link").symlink_to(victim.parent)
    if folder == "lenet/thesis":
        (root / "lenet").rename(tmp_path / "moved")
        (root / "lenet").symlink_to(victim.parent)
    tamper(root, "UPDATE runs SET folder = ?", folder)
    with Store(root) as store:
        if folder.startswith("link"):
            with pytest.raises(LabError, match="is a link"):
                store.delete(1)
        else:
            assert store.delete(1)[1] is None
    assert (victim / "text").read_text() == "years of work"
    assert (root / "notes").is_dir()
    assert (root / "lenet").exists()


def test_a_private_folder_that_is_a_link_is_not_written_through(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    public = tmp_path / "public"
    public.mkdir(mode=0o755)
    (root / PRIVATE_FOLDER).rename(tmp_path / "private")
    (root / PRIVATE_FOLDER).symlink_to(public)
    assert main(["runs", "--root", str(root)]) == 2
    assert "is a link" in capsys.readouterr().err
    assert list(public.iterdir()) == []
    assert public.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00+14:00", "9998-12-31T23:59:59-14:00"])
def test_a_folder_with_an_impossible_time_is_left_out_and_nothing_else(
    moment: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finished(root, RunConfig(dataset="digits", seed=3))
    record = root / NAME / "run.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"created_at": moment}))
    for path in (root / PRIVATE_FOLDER).glob("store.db*"):
        path.unlink()
    assert main(["runs", "--root", str(root)]) == 0
    shown = capsys.readouterr()
    assert "left out of the new store" in shown.err
    assert len(shown.out.splitlines()) == 2
    assert not list((root / PRIVATE_FOLDER).glob("*damaged*"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which files a process has open")
def test_a_process_that_a_store_names_is_not_signalled_unless_it_works_on_the_run(root: Path) -> None:
    log = root / NAME / "log.txt"
    log.touch()
    with subprocess.Popen(["sleep", "60"]) as stranger, log.open() as file:
        own = subprocess.Popen(["sleep", "60"], stdin=file)
        try:
            for process, ended in ((stranger, False), (own, True)):
                owner = owner_of(process.pid)
                assert owner is not None
                tamper(
                    root,
                    "UPDATE runs SET state = 'running', stop_request = 'stop', finished_at = NULL, owner_pid = ?, "
                    "owner_host = ?, owner_start = ?, heartbeat = '2026-01-01T00:00:00+00:00'",
                    owner.pid,
                    owner.host,
                    owner.start,
                )
                with Store(root) as store:
                    assert LocalExecutor(root).terminate(1, store.get(1)) is ended
            assert own.wait(10) < 0
            time.sleep(0.1)
            assert stranger.poll() is None
        finally:
            stranger.kill()
            own.kill()
            own.wait()


def test_in_a_folder_that_was_deleted_each_command_says_so(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    code = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); from lenet_tui.cli.main import main; main()"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for command in ("runs", "queue"):
        gone.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", code, command], env=env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.stderr.startswith("lenet-tui: the current folder cannot be used")
        assert len(done.stderr.splitlines()) == 1


def test_a_library_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    (tmp_path / "poison").mkdir()
    (tmp_path / "poison" / "torch.py").write_text("raise ImportError('poisoned')\n")
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "poison"), *filter(None, sys.path)])}
    command = [sys.executable, "-m", "lenet_tui", "train", "--dataset", "digits"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("lenet-tui: a library cannot be imported (poisoned)")


@pytest.mark.parametrize("name", ["store.db", "store.db-wal"])
def test_a_file_elsewhere_that_is_the_store_by_a_hard_link_is_left_as_it_is(
    name: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes((root / PRIVATE_FOLDER / "store.db").read_bytes())
    outside.chmod(0o644)
    (root / PRIVATE_FOLDER / name).unlink(missing_ok=True)
    os.link(outside, root / PRIVATE_FOLDER / name)
    before = outside.read_bytes()
    assert main(["runs", "--root", str(root)]) == 0
    assert NAME in capsys.readouterr().out
    assert outside.stat().st_mode & 0o777 == 0o644
    assert outside.read_bytes() == before
