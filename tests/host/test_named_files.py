"""A name that a person gives for a file to write means what it means to every other program."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import threading
from pathlib import Path

import pytest

from lenet_tui.errors import LabError, UsageError
from lenet_tui.host import named_files


def device(path: Path, minor: int) -> Path:
    """A node like /dev/null (3) or /dev/full (7) in a folder of the test's: what goes wrong hits no real device."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        path.open("wb").close()
    except PermissionError:
        pytest.skip("no device can be made here")
    return path


def test_a_file_is_made_or_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "out.csv"
    named_files.write(path, b"one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~_umask()
    path.chmod(0o640)
    before = path.open("rb")
    named_files.write(path, b"two")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"two", 0o640)
    assert before.read() == b"one"  # replaced, not written into
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_and_its_target_is_written(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target.csv"
    for link, to in ((tmp_path / "a", target), (tmp_path / "b", Path("a"))):
        link.symlink_to(to)
        for content in (b"made", b"replaced"):
            named_files.write(link, content)
            assert target.read_bytes() == content
        assert link.is_symlink()
        target.unlink()


def test_a_device_stays_a_device(tmp_path):
    null = device(tmp_path / "null", 3)
    (tmp_path / "link").symlink_to(null)
    named_files.write(null, b"x")
    named_files.write(tmp_path / "link", b"x")
    assert stat.S_ISCHR(null.stat().st_mode)
    with pytest.raises(LabError, match="the disk is full"):
        named_files.write(device(tmp_path / "full", 7), b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "link", "null"]


def test_a_pipe_gets_the_content(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    named_files.write(tmp_path / "pipe", b"x" * 200_000)
    reader.join(10)
    assert got == [b"x" * 200_000]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_what_cannot_be_a_file_is_said_before_any_work(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "to folder").symlink_to(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(tmp_path)
        server.bind("socket")
    for name, message in (
        ("", "is empty"),
        (tmp_path, "is a folder"),
        (tmp_path / "to folder", "is a folder"),
        (tmp_path / "missing" / "x", "there is no folder"),
        (tmp_path / "socket", "is a socket"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        with pytest.raises(LabError, match=message):
            named_files.write(name, b"x")
    with pytest.raises(UsageError):
        named_files.check("")
    with pytest.raises(LabError, match="cannot write"):
        named_files.write(tmp_path / "loop", b"x")


def test_standard_streams_are_known_by_every_name(tmp_path):
    (tmp_path / "link").symlink_to("/dev/stdout")
    (tmp_path / "other").symlink_to("link")
    names = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", tmp_path / "link", tmp_path / "other")
    assert {named_files.descriptor(name) for name in names} == {1}
    assert named_files.descriptor("/dev/stderr") == 2
    assert named_files.descriptor("/dev/fd/7") == 7
    for name in ("", "./-", "/dev/null", tmp_path / "x", tmp_path):
        assert named_files.descriptor(name) is None


def test_an_open_descriptor_is_written_into(tmp_path):
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.write(b"before ")
        file.flush()
        named_files.write(f"/dev/fd/{file.fileno()}", b"after")
    assert path.read_bytes() == b"before after"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_file_that_is_not_writable_is_left_alone_and_one_in_a_locked_folder_is_written():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        locked, free = folder / "locked", folder / "free"
        for path, mode in ((locked, 0o644), (free, 0o666)):
            path.write_bytes(b"old")
            path.chmod(mode)
        folder.chmod(0o755)
        assert as_another_user(free) == ""
        assert free.read_bytes() == b"new"
        folder.chmod(0o777)
        assert as_another_user(locked) == f"cannot write {locked}: Permission denied"
        assert locked.read_bytes() == b"old"


def as_another_user(path: Path) -> str:
    """Write ``new`` in a process of another user; return what is said."""
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        output = b"?"
        try:
            os.setuid(12345)
            named_files.write(path, b"new")
            output = b""
        except LabError as error:
            output = str(error).encode()
        finally:
            os.write(write, output)
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as file:
        return file.read().decode()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
