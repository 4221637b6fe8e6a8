"""A process is told from every other one, whatever happens to the clock or to its id."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lenet_tui.host import process
from lenet_tui.host.process import Owner

if TYPE_CHECKING:
    from tests.store.conftest import Actors


def test_this_process_is_alive_and_is_the_same_whenever_asked() -> None:
    assert process.this_process() == process.this_process()
    assert process.is_alive(process.this_process()) is True


def test_a_process_that_was_killed_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = process.owner_of(child.pid)
    assert owner is not None
    assert process.is_alive(owner) is True
    child.kill()
    child.communicate()
    assert process.is_alive(owner) is False
    assert process.owner_of(child.pid) is None


def test_a_reused_id_is_another_process() -> None:
    me = process.this_process()
    assert process.is_alive(dataclasses.replace(me, start=me.start + "0")) is False


def test_nothing_that_ran_before_a_reboot_is_alive() -> None:
    me = process.this_process()
    _, _, tick = me.start.rpartition(" ")
    assert process.is_alive(dataclasses.replace(me, start=f"00000000-dead-boot-0000-000000000000 {tick}")) is False


def test_of_another_host_nothing_is_known() -> None:
    assert process.is_alive(dataclasses.replace(process.this_process(), host="elsewhere")) is None


def test_a_zombie_is_dead(actors: Actors) -> None:
    parent = actors.start("zombie")
    assert parent.stdout
    assert parent.stdin
    owner = Owner(*json.loads(parent.stdout.readline()))
    assert process.is_alive(owner) is True
    parent.stdin.write("\n")
    parent.stdin.flush()
    deadline = time.monotonic() + 20
    while process.is_alive(owner) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(owner.pid, 0)  # its id is still taken, or this raises
    assert process.is_alive(owner) is False


@pytest.mark.skipif(sys.platform != "linux", reason="only /proc writes names among numbers")
def test_a_command_with_spaces_and_brackets_in_its_name_is_recognised() -> None:
    rename = (
        "import pathlib; pathlib.Path('/proc/self/comm').write_text('a) S 1 (b'); print('renamed', flush=True); input()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", rename], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert child.stdout
    before = process.owner_of(child.pid)
    assert child.stdout.readline() == "renamed\n"
    try:
        assert process.owner_of(child.pid) == before
        assert before is not None
        assert process.is_alive(before) is True
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1])
def test_an_id_that_no_process_has_is_nobody(pid: int) -> None:
    assert process.owner_of(pid) is None


@pytest.mark.skipif(not shutil.which("ps"), reason="ps is not installed")
def test_where_there_is_no_proc_the_start_is_that_which_ps_tells() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        start = process._start_by_ps(child.pid)
        assert start is not None
        assert len(start.split()) == 5  # Mon Jun 1 12:00:00 2026
    finally:
        child.kill()
    deadline = time.monotonic() + 20
    while process._start_by_ps(child.pid) and time.monotonic() < deadline:  # dead, but nobody has asked how it ended
        time.sleep(0.05)
    assert process._start_by_ps(child.pid) is None
    child.communicate()
    assert process._start_by_ps(child.pid) is None
