"""A runner or worker that cannot start says why to the command that waits for it, and is not started for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.host.process import this_process
from lenet_tui.runner import daemon, log, tries
from lenet_tui.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runner.conftest import Bench

SHORT = ("--dataset", "digits", "--threads", 1, "--tsne-samples", 100, "--epochs", 1)
BROKEN = {
    "raises": ('raise OSError("libtorch: none\\x1b[2J")', "OSError: libtorch: none\N{REPLACEMENT CHARACTER}[2J"),
    "leaves": ("raise SystemExit(3)", "SystemExit: 3"),
    "crashes": ("import os; os.abort()", "no worker can start: "),
}


def fake(bench: Bench, name: str, text: str) -> Path:
    """Put a module before the real one."""
    folder = bench.root / "fake"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text + "\n")
    path = os.environ.get("PYTHONPATH", "")
    bench.extra["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), path)))
    return folder / f"{name}.py"


@pytest.mark.parametrize("kind", BROKEN)
def test_waiting_ends_with_the_reason_when_torch_cannot_be_imported_and_no_run_is_lost(kind: str, bench: Bench) -> None:
    text, reason = BROKEN[kind]
    fake(bench, "torch", text)
    bench.call("queue", "add", *SHORT)
    done = bench.call("queue", "wait", ok=1, timeout=100)
    assert done.stderr.splitlines()[-1].startswith(f"lenet-tui: the runner cannot start: {reason}")
    assert done.stderr.count("\n") == 2  # and once before, while there was hope
    assert "\x1b" not in bench.log()
    assert f"the runner cannot start: {reason}" in bench.call("queue", "list").stderr
    assert f"the runner cannot start: {reason}" in bench.call("queue", "add", *SHORT).stderr
    assert f"the runner cannot start: {reason}" in bench.call("runner").stderr
    assert bench.json("runner")["failure"].startswith(reason)
    assert {run["state"] for run in bench.runs().values()} == {"queued"}


def test_a_runner_that_can_start_again_works_on_what_waited_and_forgets_the_reason(bench: Bench) -> None:
    torch = fake(bench, "torch", BROKEN["raises"][0])
    bench.call("queue", "add", *SHORT)
    assert "the runner cannot start: OSError: libtorch" in bench.call("runner", "start", ok=1).stderr
    findings = {finding["topic"]: finding for finding in json.loads(bench.call("doctor", "--json", ok=1).stdout)}
    assert findings["runner"]["verdict"] == "problem"
    assert "libtorch" in findings["runner"]["found"]
    assert "libtorch" in findings["torch"]["found"]
    torch.unlink()
    assert "the runner is process" in bench.call("runner", "start").stdout
    assert daemon.last_failure(bench.root) is None
    assert bench.call("queue", "wait").stderr == ""
    assert list((bench.root / ".lenet-tui").glob("runner.tries*")) == []


def test_a_run_whose_worker_cannot_start_fails_with_that_reason(bench: Bench) -> None:
    fake(bench, "sitecustomize", "import os\ndef nice(_): raise OSError('no\\nnice')\nos.nice = nice")
    bench.call("queue", "add", *SHORT)
    answer = bench.call("queue", "wait", ok=1).stdout
    assert "failed: its worker cannot start: OSError: no nice" in answer
    assert bench.runs()[1]["reason"] == "its worker cannot start: OSError: no nice"


def test_an_interrupted_run_whose_worker_cannot_start_does_not_try_for_ever(bench: Bench) -> None:
    fake(bench, "sitecustomize", "import os\ndef nice(_): raise OSError('no nice')\nos.nice = nice")
    with Store(bench.root) as store:
        run = store.add([RunConfig(dataset="digits")])[0]
        gone = subprocess.Popen(["sleep", "0"])
        owner = tries.Owner(gone.pid, this_process().host, "another-boot 1")
        gone.wait()
        assert store.claim(run.id, owner, 1)  # so that this is its second attempt
    assert "its worker cannot start" in bench.call("queue", "wait", ok=1).stdout


@pytest.fixture
def program(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is started as the runner: a program that counts its starts and fails."""
    path = bench.root / "program"
    path.write_text(f"#!/bin/sh\necho start >> {bench.root}/starts\necho 'ImportError: no numpy\x1b[2J' >&2\nexit 1\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))
    Store(bench.root).close()
    return path


def starts(bench: Bench) -> int:
    path = bench.root / "starts"
    return path.read_text().count("start") if path.exists() else 0


def test_tries_back_off_no_matter_who_makes_them(bench: Bench, program: Path) -> None:
    begun = time.monotonic()
    for _ in range(140):
        daemon.ensure(bench.root)
        time.sleep(0.05)
    assert 2 <= starts(bench) <= 4  # at 0, 1 and 3 s
    assert time.monotonic() - begun < 15
    result = daemon.failed_tries(bench.root)
    assert result is not None
    assert result.count == starts(bench)
    assert daemon.last_failure(bench.root) == "ImportError: no numpy\N{REPLACEMENT CHARACTER}[2J"
    before = starts(bench)
    assert daemon.ensure(bench.root, at_once=True)
    bench.wait_for(lambda: starts(bench) == before + 1)


def test_starting_one_by_hand_says_why_it_died_without_a_word_of_its_own(bench: Bench, program: Path) -> None:
    daemon.ensure(bench.root)
    with pytest.raises(LabError, match="the runner cannot start: ImportError: no numpy"):
        daemon.wait_until_there(bench.root)
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    tries.clear(bench.root)
    daemon.ensure(bench.root)
    with pytest.raises(LabError, match="it ended without saying why"):
        daemon.wait_until_there(bench.root)


def test_one_that_died_before_its_number_could_be_noted_has_failed(bench: Bench) -> None:
    Store(bench.root).close()
    note = tries.begin(bench.root)
    gone = subprocess.Popen(["true"])
    gone.wait()
    tries.note_process(note, gone.pid)
    assert daemon.last_failure(bench.root) == "it ended without saying why"


@pytest.mark.parametrize("damage", ["missing", "not a program", "a folder", "empty"])
def test_a_python_that_cannot_be_started_is_told(damage: str, bench: Bench, program: Path, monkeypatch) -> None:
    program.unlink()
    if damage == "not a program":
        program.write_text("")
    elif damage == "a folder":
        program.mkdir()
    elif damage == "empty":
        monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(LabError, match=r"cannot start the runner: .*cannot be started: ") as caught:
        daemon.ensure(bench.root)
    assert str(caught.value).endswith(str(daemon.last_failure(bench.root)))
    assert not daemon.ensure(bench.root)  # not before it is due again


def test_a_log_that_cannot_be_opened_is_why_the_runner_cannot_start(bench: Bench, program: Path) -> None:
    (bench.root / ".lenet-tui" / "runner.log").mkdir()
    with pytest.raises(LabError, match=r"runner\.log is a folder, where .* move it away or delete it"):
        daemon.ensure(bench.root)
    assert str(daemon.last_failure(bench.root)).endswith("move it away or delete it")
    assert not daemon.ensure(bench.root)  # not before it is due again
    assert starts(bench) == 0


@pytest.mark.parametrize("count", range(1, 9))
def test_the_pause_doubles_up_to_a_minute(count: int) -> None:
    pause = min(60, 2 ** (count - 1))
    moment = time.time()
    assert tries.Tries(count, moment).seconds_left == pytest.approx(pause, abs=0.5)
    assert tries.Tries(count, moment - pause - 0.1).seconds_left == 0
    assert tries.Tries(count, moment + 10_000).seconds_left == 0  # the clock was set back


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"null",
        b"[1]",
        b'{"count": 1}',
        b'{"count": 1e999, "at": 0, "reason": "", "log_offset": 0}',
        b'{"count": -1, "at": 0, "reason": "", "log_offset": 0}',
        b'{"count": 1, "at": NaN, "reason": "", "log_offset": 0}',
        b'{"count": 1, "at": 0, "reason": "", "log_offset": 1e300}',
        b'{"count": 1' + b"0" * 4000 + b', "at": 0, "reason": "", "log_offset": 0}',
        b"[" * 4000,
        b"x" * 1_000_000,
        b"\xff\xfe",
    ],
    ids=lambda content: repr(content[:30]),
)
def test_a_damaged_note_of_tries_is_none(content: bytes, bench: Bench, program: Path) -> None:
    path = bench.root / ".lenet-tui" / tries.NAME
    path.write_bytes(content)
    assert daemon.last_failure(bench.root) is None
    assert daemon.ensure(bench.root)
    bench.wait_for(lambda: daemon.last_failure(bench.root))


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_a_note_of_tries_that_is_no_file_keeps_nobody_waiting(kind: str, bench: Bench, program: Path) -> None:
    path = bench.root / ".lenet-tui" / tries.NAME
    if kind == "link":
        path.symlink_to(bench.root / "aside")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert daemon.last_failure(bench.root) is None
    if kind == "folder":
        with pytest.raises(LabError, match="cannot write"):
            daemon.ensure(bench.root)
    else:
        assert daemon.ensure(bench.root)
        assert path.is_file()
    assert not (bench.root / "aside").exists()


def test_the_log_is_cut_while_others_write_to_it_and_one_old_part_is_kept(bench: Bench) -> None:
    Store(bench.root).close()
    with log.open_log(bench.root) as file:  # a worker's, for as long as it lives
        for number in range(5):
            os.write(file.fileno(), b"x" * log.LOG_BYTES + b"%d\n" % number)
            log.rotate(bench.root)
        os.write(file.fileno(), b"the end\n")
    result = {path.name: path.stat().st_size for path in (bench.root / ".lenet-tui").glob("runner.log*")}
    assert result == {"runner.log": 8, "runner.log.1": log.LOG_BYTES}
    assert (bench.root / ".lenet-tui" / "runner.log.1").read_bytes().endswith(b"x4\n")


def test_many_failing_starts_do_not_fill_the_disk(bench: Bench, program: Path) -> None:
    program.write_text(f"#!/bin/sh\nhead -c 700000 /dev/zero >&2\necho start >> {bench.root}/starts\n")
    for number in range(6):
        daemon.ensure(bench.root, at_once=True)
        bench.wait_for(lambda number=number: starts(bench) == number + 1)
    total = sum(path.stat().st_size for path in (bench.root / ".lenet-tui").glob("runner.log*"))
    assert total <= 2 * log.LOG_BYTES + 700_000


def test_waiting_says_that_the_root_is_gone(bench: Bench, tmp_path: Path) -> None:
    inner = type(bench)(tmp_path / "root", bench.mark)
    inner.root.mkdir()
    inner.call("queue", "add", *SHORT[:-1], 300)
    command = [sys.executable, "-m", "lenet_tui", "queue", "wait", "--root", str(inner.root)]
    waiting = subprocess.Popen(command, cwd=tmp_path, env=inner.env, stderr=subprocess.PIPE, text=True)
    bench.wait_for(lambda: Store(inner.root).get(1).epochs_done >= 1)
    inner.root.rename(tmp_path / "elsewhere")
    _, answer = waiting.communicate(timeout=30)
    assert waiting.returncode == 1
    assert answer.count("\n") == 1
    bench.wait_for(lambda: not bench.processes(), 30)


def test_a_read_only_root_is_told_in_one_line(bench: Bench) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "none", str(bench.root)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount")
    try:
        with Store(bench.root) as store:
            store.add([RunConfig()])
        subprocess.run(["mount", "-o", "remount,ro", str(bench.root)], check=True)
        for words in (("add", *SHORT), ("wait",)):
            done = bench.call("queue", *words, ok=None, timeout=60)
            assert done.returncode in (1, 2)
            notice, reason = done.stderr.splitlines()
            assert "can only be looked at" in notice
            assert reason.startswith("lenet-tui: cannot ")
    finally:
        subprocess.run(["umount", "--lazy", bench.root], check=True)
