"""The private folder stays private, and the file system decides how the store is written."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError, UsageError
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import Store
from lenet_tui.store.files import on_network
from tests.store.conftest import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_nobody_else_can_read_or_write_the_private_folder_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with Store(tmp_path) as store:
            store.add([RunConfig()])
            answer = modes(tmp_path / ".lenet-tui")  # while the log is there too
    finally:
        os.umask(before)
    assert (tmp_path / ".lenet-tui").stat().st_mode & 0o777 == 0o700
    assert {"store.db", "store.db-wal", "store.db-shm"} <= set(answer)
    assert set(answer.values()) == {0o600}, answer


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_strictest_umask_does_not_lock_an_ordinary_user_out(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    (tmp_path / "root").mkdir()
    os.chown(tmp_path / "root", 12345, 12345)
    before = os.umask(0o777)
    os.seteuid(12345)
    try:
        for number in (1, 2):
            with Store(tmp_path / "root") as store:
                assert store.add([RunConfig()])[0].id == number
    finally:
        os.seteuid(0)
        os.umask(before)


def test_a_folder_and_files_that_were_open_to_others_are_closed(tmp_path: Path) -> None:
    Store(tmp_path).close()
    folder = tmp_path / ".lenet-tui"
    folder.chmod(0o777)
    (folder / "store.db").chmod(0o666)
    with Store(tmp_path) as store:
        store.add([RunConfig()])
        assert folder.stat().st_mode & 0o777 == 0o700
        assert set(modes(folder).values()) == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_the_private_folder_of_another_user_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / ".lenet-tui").mkdir()
    os.chown(tmp_path / ".lenet-tui", 12345, 12345)
    with pytest.raises(UsageError, match="belongs to another user") as refused:
        Store(tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_can_neither_list_nor_read_nor_replace_the_store(tmp_path: Path) -> None:
    Store(tmp_path).close()
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    attempts = ["ls .lenet-tui", "cat .lenet-tui/store.db", "touch .lenet-tui/store.db", "ls ."]
    results = [
        subprocess.run(["sh", "-c", act], cwd=tmp_path, user=12345, group=12345, extra_groups=[], capture_output=True)
        for act in attempts
    ]
    assert [result.returncode == 0 for result in results] == [False, False, False, True]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / ".lenet-tui").touch()
    with pytest.raises(UsageError, match=r"\.lenet-tui is in the way"):
        Store(tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        Store(tmp_path / ".lenet-tui")


def test_a_root_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    with Store(tmp_path / "some" / "where?#% else") as store:
        assert store.add([RunConfig()])[0].id == 1
    with Store(tmp_path / "some" / "where?#% else") as store:
        assert len(store.runs()) == 1


MOUNTS = """\
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:22 / /home rw - nfs4 server:/home rw
24 23 0:23 / /home/ada/local rw master:2 propagate_from:3 - xfs /dev/vdb rw
25 22 0:24 / /mnt/a\\040share rw - cifs //server/share rw
26 22 0:25 / /sshfs rw - fuse.sshfs me@there: rw
27 22 0:26 / /later rw - ext4 /dev/vdc rw
28 27 0:27 / /later rw - lustre server:/scratch rw
29 22 0:28 / /nfs rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/var/lab", False),
        ("/home/ada/lab", True),
        ("/home/ada/local/lab", False),
        ("/homes/lab", False),
        ("/mnt/a share/lab", True),
        ("/sshfs", True),
        ("/later/lab", True),
        ("/nfs/lab", False),
    ],
)
def test_the_mount_that_a_folder_is_on_tells_whether_other_machines_share_it(folder: str, expected: bool) -> None:
    assert on_network(Path(folder), MOUNTS) is expected


@pytest.mark.parametrize(
    "kind",
    ["nfs", "nfs4", "cifs", "smb3", "9p", "lustre", "gpfs", "beegfs", "ceph", "afs", "fuse.sshfs", "fuse.glusterfs"],
)
def test_every_common_network_file_system_is_known(kind: str) -> None:
    assert on_network(Path("/data"), f"22 1 0:21 / / rw - {kind} x rw\n")


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "f2fs", "something"])
def test_local_and_unknown_file_systems_are_taken_for_local(kind: str) -> None:
    assert not on_network(Path("/data"), f"22 1 0:21 / / rw - {kind} x rw\n")


def test_the_log_is_written_ahead_on_a_local_disk_and_rolled_back_on_a_network(tmp_path: Path) -> None:
    folder = tmp_path / ".lenet-tui"
    with Store(tmp_path, network=False) as store:
        store.add([RunConfig()])
        assert (folder / "store.db-wal").exists()
    with Store(tmp_path, network=True) as store:
        store.add([RunConfig()])
        assert not (folder / "store.db-wal").exists()
    with Store(tmp_path, network=False) as store:
        assert len(store.add([RunConfig()])) == 1
        assert (folder / "store.db-wal").exists()
        with Store(tmp_path, network=True) as second:  # cannot change it now, and works all the same
            assert len(second.runs()) == 3


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("a disk can be mounted by root only")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_is_told_in_one_line_and_harms_nothing(small_disk: Path) -> None:
    with Store(small_disk) as store:
        store.add([RunConfig()] * 3)
        with pytest.raises(
            LabError, match=r"^cannot use .*store\.db: the disk is full; free some space and try again$"
        ):
            store.add([RunConfig()] * 2000)
        assert len(store.runs()) == 3
        assert len(store.add([RunConfig()])) == 1


def test_on_a_disk_too_full_for_a_store_one_can_look_and_change_nothing(small_disk: Path) -> None:
    make_folder(small_disk, RunConfig(seed=1))
    with contextlib.suppress(OSError):
        (small_disk / "something").write_bytes(bytes(400_000))
    with Store(small_disk) as store:
        assert [run.config.seed for run in store.runs()] == [1]
        assert store.notices[-1] == (
            f"{small_disk} can only be looked at: the disk is full; free some space and try again"
        )
        with pytest.raises(LabError, match="the disk is full"):
            store.add([RunConfig()])
    (small_disk / "something").unlink()
    with Store(small_disk) as store:
        store.add([RunConfig()])
        assert len(store.runs()) == 2


def test_a_run_can_be_deleted_on_a_full_disk(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
    with Store(small_disk) as store:
        runs = [store.import_folder(make_folder(small_disk, RunConfig(seed=seed))) for seed in (1, 2)]
    with contextlib.suppress(OSError), (small_disk / "something").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))
    with Store(small_disk) as store:
        assert len(store.runs()) == 2
        with pytest.raises(LabError, match="the disk is full"):
            store.add([RunConfig()] * 1000)
        _, place = store.delete(runs[0].id)
        assert place is not None
        assert (place / "run.json").exists()
        assert [run.id for run in store.runs()] == [2]
    with Store(small_disk) as store:
        assert [run.id for run in store.runs()] == [2]


def test_a_read_only_root_can_be_looked_at(small_disk: Path, tmp_path: Path) -> None:
    with Store(small_disk) as store:
        store.add([RunConfig(seed=1)])
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with Store(small_disk) as store:
        assert [run.config.seed for run in store.queue()] == [1]
        assert store.notices == [f"{small_disk} can only be looked at: Read-only file system"]
        with pytest.raises(LabError, match=r"^cannot write in .*: Read-only file system$"):
            store.add([RunConfig()])


def test_a_damaged_store_on_a_read_only_root_is_not_said_to_be_kept_elsewhere(small_disk: Path) -> None:
    Store(small_disk).close()
    (small_disk / ".lenet-tui" / "store.db").write_bytes(b"nonsense" * 100)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with Store(small_disk) as store:
        assert store.notices == [
            "its store is damaged or missing: this is what the run folders hold",
            f"{small_disk} can only be looked at: Read-only file system",
        ]


def test_a_run_folder_is_held_while_a_process_holds_its_log(tmp_path: Path) -> None:
    assert RunFolder(tmp_path).is_held() is False
    with (tmp_path / "log.txt").open("a") as log:
        assert RunFolder(tmp_path).is_held() is False
        fcntl.flock(log, fcntl.LOCK_EX)
        assert RunFolder(tmp_path).is_held() is True
    assert RunFolder(tmp_path).is_held() is False


def test_a_store_does_not_outlive_its_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    with Store(root) as store:
        store.add([RunConfig()])
        root.rename(tmp_path / "moved")
        with pytest.raises(LabError, match="cannot write in"):
            store.runs()
    with Store(tmp_path / "moved") as store:
        assert len(store.runs()) == 1
