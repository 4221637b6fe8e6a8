"""A run folder from elsewhere: known files, no links, whole or not at all; and a whole root of hostile ones."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.run import folder as runfolder
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import Store
from lenet_tui.store.importing import copy_into
from tests.store.conftest import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> RunFolder:
    return make_folder(tmp_path / "elsewhere", RunConfig(seed=4))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def test_known_files_are_copied_and_others_stay_behind(source: RunFolder, root: Path) -> None:
    (source.path / "notes.txt").write_text("mine")
    (source.path / ".hidden").mkdir()
    copy = copy_into(root, source)
    assert sorted(path.name for path in copy.path.iterdir()) == ["log.txt", "metrics.csv", "run.json"]
    assert copy.read_record() == source.read_record()
    assert [path.name for path in (root / "lenet").iterdir()] == [copy.path.name]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_of_another_user_becomes_ones_own(source: RunFolder, root: Path) -> None:
    for path in (source.path, *source.path.iterdir()):
        os.chown(path, 54321, 54321)
    with pytest.raises(LabError, match="belongs to another user"):
        source.read_record()
    assert copy_into(root, source).read_record().config.seed == 4


def a_link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def an_endless_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2_000_000_000)


@pytest.mark.parametrize(
    "name", ["run.json", "metrics.csv", "log.txt", "model.safetensors", "loss.png", "checkpoint.pt"]
)
@pytest.mark.parametrize("make", [a_link, an_endless_device, a_pipe, a_folder, too_large])
def test_what_is_no_file_of_a_run_is_refused_in_one_line_and_nothing_is_left(
    make: Callable[[Path], None], name: str, source: RunFolder, root: Path
) -> None:
    (source.path / name).unlink(missing_ok=True)
    make(source.path / name)
    begun = time.monotonic()
    with pytest.raises(LabError) as refused:
        copy_into(root, source)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
    assert time.monotonic() - begun < 10
    assert not any((root / "lenet").iterdir()) if root.exists() else True


def test_an_import_that_is_killed_leaves_no_run(source: RunFolder, root: Path, tmp_path: Path) -> None:
    with (source.path / "checkpoint.pt").open("wb") as file:
        file.truncate(400_000_000)
    code = "import sys; from pathlib import Path; from lenet_tui.store.importing import copy_into\n" + (
        "from lenet_tui.run.folder import RunFolder; copy_into(Path(sys.argv[1]), RunFolder(Path(sys.argv[2])))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, root, source.path])
    deadline = time.monotonic() + 60
    while not list(root.glob("lenet/.importing-*/model*")) and not list(root.glob("lenet/.importing-*/metrics.csv")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with Store(root) as store:
        assert store.runs() == []
    (source.path / "checkpoint.pt").unlink()
    copy = copy_into(root, source)
    assert copy.read_record().state == "finished"
    assert not list(root.glob("lenet/.importing-*"))


def test_a_model_folder_on_another_disk_works_by_name(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / "lenet").symlink_to(scratch)
    folder = make_folder(root, RunConfig(seed=1))
    with Store(root) as store:
        (run,) = store.runs()
        assert run.folder == f"lenet/{folder.path.name}"
        assert store.import_folder(RunFolder(scratch / folder.path.name)).id == run.id
        assert store.import_folder(RunFolder(root / "lenet" / folder.path.name)).id == run.id
        _, trash = store.delete(run.id)
    assert trash is not None
    assert (trash / "run.json").exists()
    assert not any(scratch.iterdir())
    (root / "lenet").unlink()
    (root / "lenet").symlink_to(tmp_path / "not mounted")
    with pytest.raises(LabError, match=r"is a link to .*not mounted, which is not there"):
        runfolder.create(root, RunConfig())


def write(folder: RunFolder, **changes: object) -> None:
    folder.record_path.write_text(json.dumps(json.loads(folder.record_path.read_text()) | changes))


HOSTILE: dict[str, Callable[[RunFolder], object]] = {
    "newline in device": lambda folder: write(folder, state="running", device="cpu\nssh-ed25519 AAAA x\n#"),
    "escape in reason": lambda folder: write(folder, state="failed", reason="\x1b]52;c;eA==\x07\x1b[6n red"),
    "huge threads": lambda folder: write(folder, threads=2**70),
    "many threads": lambda folder: write(folder, threads=20_000),
    "huge epoch": lambda folder: folder.metrics_path.write_text(
        folder.metrics_path.read_text().replace("\n2,", f"\n{2**70},")
    ),
    "naive time": lambda folder: write(folder, created_at="2026-01-01T00:00:00"),
    "last time": lambda folder: write(folder, created_at="9999-12-31T23:59:59-23:59"),
    "long field": lambda folder: folder.metrics_path.write_text("epoch,train_loss\n1," + "9" * 200_000 + "\n"),
    "binary metrics": lambda folder: folder.metrics_path.write_bytes(bytes(range(256)) * 9),
    "many lines": lambda folder: folder.metrics_path.write_text("epoch\n" + "1\n" * 2_000_000),
    "metrics a folder": lambda folder: (folder.metrics_path.unlink(), folder.metrics_path.mkdir()),
    "metrics a pipe": lambda folder: (folder.metrics_path.unlink(), os.mkfifo(folder.metrics_path)),
    "record a pipe": lambda folder: (folder.record_path.unlink(), os.mkfifo(folder.record_path)),
    "record a loop": lambda folder: (folder.record_path.unlink(), folder.record_path.symlink_to("run.json")),
    "record of 300 MB": lambda folder: os.truncate(folder.record_path, 300_000_000),
    "nested record": lambda folder: folder.record_path.write_text("[" * 100_000),
    "name not UTF-8": lambda folder: folder.path.rename(os.fsdecode(os.fsencode(folder.path.parent) + b"/l\xfcb")),
    "log a link": lambda folder: (folder.log_path.unlink(), folder.log_path.symlink_to("../../keys")),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_one_bad_folder_costs_at_most_itself_and_a_line(kind: str, root: Path) -> None:
    make_folder(root, RunConfig(seed=1))
    HOSTILE[kind](make_folder(root, RunConfig(seed=2), age=5))
    (root / "keys").write_text("# must stay\n")
    with Store(root) as store:
        runs = store.runs()
        assert 1 in [run.config.seed for run in runs]
        assert store.queue() == []
        notices = [line for line in store.notices if line.startswith("left out")]
        assert len(runs) + len(notices) == 2
        assert all("\n" not in line and len(line) < 600 for line in notices)
        for run in runs:
            assert not {"\x1b", "\n", "\x07"} & set(f"{run.reason}{run.device}")
    assert (root / "keys").read_text() == "# must stay\n"


@pytest.mark.parametrize("folder", ["../x", "/etc", "lenet/../../x", "lenet//x", "", "lenet/\0"])
def test_a_row_of_a_store_from_an_archive_never_leads_out_of_the_root(folder: str, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "x"
    outside.mkdir()
    with Store(root) as store:
        store.import_folder(make_folder(root, RunConfig(seed=1)))
        store.import_folder(make_folder(root, RunConfig(seed=2)))
        database = store._database._connection
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute("UPDATE runs SET folder = ? WHERE id = 2", (folder,))
    with Store(root) as store:
        assert [run.config.seed for run in store.runs()] == [1, 2]  # the second one from its folder
        assert all((root / str(run.folder)).is_dir() for run in store.runs())
        assert "damaged" in store.notices[0]
        store.delete(2)
    assert outside.exists()


BAD_VALUES = [
    ("state", "asleep"),
    ("config", "[]"),
    ("config", '{"model": 5}'),
    ("created_at", "yesterday"),
    ("created_at", "2026-01-01T00:00:00"),
    ("threads", "many"),
    ("epochs_done", "1e9"),
    ("best_val_loss", "low"),
    ("note", b"\xff\xfe"),
]


@pytest.mark.parametrize(("column", "value"), BAD_VALUES)
def test_a_row_that_this_program_never_writes_does_not_take_the_others_down(
    column: str, value: object, root: Path
) -> None:
    with Store(root) as store:
        store.import_folder(make_folder(root, RunConfig(seed=1)))
        store.add([RunConfig(seed=2)])
        database = store._database._connection
        database.execute("PRAGMA ignore_check_constraints = ON")
        for trigger in ("runs_change_state", "runs_keep_identity"):
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute(f"UPDATE runs SET {column} = CAST(? AS TEXT) WHERE id = 2", (value,))
    with Store(root) as store:
        assert [run.config.seed for run in store.runs()] == [1, 2]
        assert [run.config.seed for run in store.queue()] == [2]  # again from queue.json


def test_deleting_moves_before_it_forgets(root: Path) -> None:
    with Store(root) as store:
        run = store.import_folder(make_folder(root, RunConfig(seed=1)))
        trash = root / ".lenet-tui" / "trash"
        trash.write_text("in the way")
        with pytest.raises(LabError, match="cannot move"):
            store.delete(run.id)
        assert store.get(run.id).folder is not None
        assert (root / str(run.folder) / "run.json").exists()
        trash.unlink()
        store.delete(run.id)
        assert store.runs() == []
    shutil.rmtree(trash)
