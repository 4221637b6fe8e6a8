"""Only what is known to be our own process is signalled; every other runner is asked to end by a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.host import process
from lenet_tui.host.process import Owner, this_host
from lenet_tui.runner import daemon, tries
from lenet_tui.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.runner.conftest import Bench

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

DIGITS = ("--dataset", "digits", "--threads", 1, "--tsne-samples", 100, "--epochs", 300)
# It holds the lock as a runner does, and ends when it is asked to.
HOLDER = """
import fcntl, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
lock = (folder / "runner.lock").open("a")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
while not (folder / "runner.stop").exists():
    time.sleep(0.05)
print((folder / "runner.stop").read_text(), end="")
"""


@pytest.fixture
def innocent() -> Iterator[subprocess.Popen[bytes]]:
    stranger = subprocess.Popen(["sleep", "300"])
    yield stranger
    stranger.kill()
    stranger.wait()


def lines(pid: int, host: str, start: str) -> bytes:
    return f"{pid}\n{host}\n{start}\n".encode()


def start_of(pid: int) -> str:
    owner = process.owner_of(pid)
    assert owner is not None
    return owner.start


LOCKS: dict[str, Callable[[int], bytes]] = {
    "empty": lambda pid: b"",
    "a bare number, as older versions wrote it": lambda pid: b"%d\n" % pid,
    "garbage": lambda pid: b"%d\nnonsense" % pid,
    "NUL bytes": lambda pid: bytes(4096),
    "not UTF-8": lambda pid: b"%d\n\xff\xfe\n\xff\n" % pid,
    "huge": lambda pid: b"%d\n" % pid * 1_000_000,
    "of another host": lambda pid: lines(pid, "elsewhere 0123 pid:[1]", start_of(pid)),
    "of another container of this name": lambda pid: lines(
        pid, f"{this_host().split(' ')[0]} - pid:[1]", start_of(pid)
    ),
    "a reused process id": lambda pid: lines(pid, this_host(), "another-boot 1"),
    "a true identity of a process without the lock": lambda pid: lines(pid, this_host(), start_of(pid)),
    "an enormous process id": lambda pid: lines(2**80, this_host(), start_of(pid)),
    "process id 0, which would be a whole group": lambda pid: lines(0, this_host(), start_of(pid)),
}


@contextmanager
def holding(root: Path) -> Iterator[subprocess.Popen[str]]:
    folder = root / ".lenet-tui"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    yield holder
    holder.kill()
    holder.communicate()


@pytest.mark.parametrize("kind", LOCKS)
def test_stopping_the_runner_asks_by_a_file_and_signals_nobody_that_the_lock_only_names(
    kind: str, bench: Bench, innocent: subprocess.Popen[bytes]
) -> None:
    Store(bench.root).close()
    (bench.root / ".lenet-tui" / "runner.lock").write_bytes(LOCKS[kind](innocent.pid))
    with holding(bench.root) as holder:
        done = bench.call("runner", "stop", timeout=60)
        assert "stopped" in done.stdout
        assert done.stderr.count("\n") == 1
        assert "so it is asked to end" in done.stderr
        if "host" in kind:
            assert f"process {innocent.pid} on elsewhere" in done.stderr
        assert holder.wait(5) == 0
    assert innocent.poll() is None
    assert not (bench.root / ".lenet-tui" / "runner.stop").exists()


def a_link(path: Path, aside: Path) -> None:
    path.symlink_to(aside)


def a_dangling_link(path: Path, aside: Path) -> None:
    path.symlink_to(aside.with_name("nothing"))


def a_hard_link(path: Path, aside: Path) -> None:
    path.hardlink_to(aside)


def a_fifo(path: Path, aside: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path, aside: Path) -> None:
    path.mkdir()


def of_another_user(path: Path, aside: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path.write_bytes(b"")
    os.chown(path, 12345, 12345)


KINDS = (a_link, a_dangling_link, a_hard_link, a_fifo, a_folder, of_another_user)


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", ["runner.lock", "runner.log"])
def test_what_is_no_file_of_ours_is_told_in_one_line_and_left_alone(
    name: str, make: Callable[[Path, Path], None], bench: Bench, tmp_path: Path
) -> None:
    with Store(bench.root) as store:
        store.add([RunConfig()])
    aside = tmp_path / "aside"
    aside.write_text("precious\n")
    make(bench.root / ".lenet-tui" / name, aside)
    words = bench.call("queue", "list", timeout=20).stderr
    assert words.count("\n") == 1
    assert f"{name} " in words
    assert "delete it" in words
    if name == "runner.lock":
        assert bench.call("runner", "stop", ok=1, timeout=20).stderr.count("\n") == 1
        assert "delete it" in bench.call("doctor", ok=None, timeout=100).stdout.replace("\n", " ")
    assert aside.read_text() == "precious\n"
    assert not aside.with_name("nothing").exists()
    assert not bench.processes()


def test_a_runner_whose_lock_was_overwritten_ends_in_order_when_it_is_asked(bench: Bench) -> None:
    bench.call("queue", "add", *DIGITS)
    store = Store(bench.root)
    bench.wait_for(lambda: store.get(1).epochs_done >= 2)
    private = bench.root / ".lenet-tui"
    daemon.ask_to_end(bench.root, Owner(1, "elsewhere", "1"))  # meant for another
    time.sleep(2.5)
    assert daemon.is_running(bench.root)
    private.joinpath("runner.lock").write_bytes(b"garbage")
    done = bench.call("runner", "stop")
    assert done.stdout == "stopped; 1 run interrupted, it continues after 'lenet-tui runner start'\n"
    assert "asked to end" in bench.log()
    bench.wait_for(lambda: not bench.processes(), 10)
    assert store.get(1).state == "interrupted"
    assert not private.joinpath("runner.stop").exists()


def test_a_request_that_was_left_over_does_not_stop_the_next_runner(bench: Bench) -> None:
    Store(bench.root).close()
    daemon.ask_to_end(bench.root, None)
    bench.call("runner", "start")
    time.sleep(2.5)
    assert daemon.is_running(bench.root)
    assert bench.call("runner", "stop").returncode == 0


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_request_is_only_a_file_of_our_own(make: Callable[[Path, Path], None], tmp_path: Path) -> None:
    (tmp_path / "aside").write_bytes(b"")  # empty: would be for any runner
    (tmp_path / ".lenet-tui").mkdir()
    make(tmp_path / ".lenet-tui" / "runner.stop", tmp_path / "aside")
    assert not daemon.is_asked_to_end(tmp_path, process.this_process())


def test_a_signal_reaches_the_process_meant_and_no_other(innocent: subprocess.Popen[bytes]) -> None:
    owner = process.owner_of(innocent.pid)
    assert owner is not None
    for other in (
        Owner(owner.pid, owner.host, "another-boot 1"),
        Owner(owner.pid, "elsewhere", owner.start),
        Owner(0, owner.host, owner.start),
        Owner(-owner.pid, owner.host, owner.start),
        Owner(2**80, owner.host, owner.start),
    ):
        assert not process.send_signal(other, signal.SIGKILL)
    assert innocent.poll() is None
    assert process.send_signal(owner, signal.SIGTERM)
    assert innocent.wait(5) == -signal.SIGTERM
    assert not process.send_signal(owner, signal.SIGTERM)


def test_an_identity_is_read_back_as_it_was_written() -> None:
    me = process.this_process()
    assert tries.parse_owner(tries.owner_lines(me).decode()) == me


def test_a_runner_whose_root_was_deleted_and_made_again_ends(bench: Bench, tmp_path: Path) -> None:
    inner = type(bench)(tmp_path / "root", bench.mark)
    inner.root.mkdir()
    inner.call("runner", "start")
    (inner.root / ".lenet-tui").rename(tmp_path / "away")
    Store(inner.root).close()
    (inner.root / ".lenet-tui" / "runner.lock").touch()  # as the next runner makes it
    bench.wait_for(lambda: not bench.processes(), 20)  # else another runner would serve it beside this one
