"""The line about the machine: what it says, and that it measures only while asked to."""

from __future__ import annotations

import stat

import pytest
from textual.app import App, ComposeResult

from lenet_tui.tui.widgets.machine_line import Gpu, Load, MachineLine, load_text, measure, parse_gpus

GB = 2**30
LOAD = Load(0.63, 2, int(1.9 * GB), int(7.8 * GB))


def test_it_says_as_much_as_there_is_room_for():
    assert load_text(LOAD, 80) == "CPU █████░░░ 63 % of 2 cores · memory ██░░░░░░ 1.9 of 7.8 GB"
    assert load_text(LOAD, 50) == "CPU 63 % of 2 cores · memory 1.9 of 7.8 GB"
    assert load_text(LOAD, 20) == "CPU 63 % of 2 cores"
    assert load_text(LOAD, 8) == "CPU 63 %"
    assert load_text(LOAD, 3) == "CPU"


def test_gpus_are_told_and_numbered_when_there_are_several():
    gpus = (Gpu(0.87, 3 * GB, 24 * GB), Gpu(0.0, 0, 24 * GB))
    assert load_text(Load(0.1, 1, GB, 16 * GB, gpus[:1]), 100).endswith("· GPU 87 %, 3.0 of 24 GB")
    assert "GPU1 0 %, 0.0 of 24 GB" in load_text(Load(0.1, 1, GB, 16 * GB, gpus), 120)


def test_the_answer_of_nvidia_smi_is_read_and_what_has_no_figures_left_out():
    assert parse_gpus("87, 3072, 24576\n[N/A], [N/A], 24576\n") == (Gpu(0.87, 3 * GB, 24 * GB),)
    assert parse_gpus("NVIDIA-SMI has failed\n") == ()


def fake_smi(folder, monkeypatch, script):
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_machine_is_measured_with_its_gpu(tmp_path, monkeypatch):
    fake_smi(tmp_path, monkeypatch, "echo '50, 1024, 2048'")
    load = measure(0.05)
    assert 0 <= load.cpu <= 1
    assert 0 < load.used < load.total
    assert load.cores >= 1
    assert load.gpus == (Gpu(0.5, GB, 2 * GB),)


@pytest.mark.parametrize("script", ["exit 9", "echo nonsense"])
def test_a_gpu_that_does_not_answer_is_left_out(tmp_path, monkeypatch, script):
    fake_smi(tmp_path, monkeypatch, script)
    assert measure().gpus == ()


class Line(App[None]):
    def compose(self) -> ComposeResult:
        yield MachineLine()


async def test_it_measures_while_something_runs_and_is_empty_otherwise():
    app = Line()
    async with app.run_test(size=(80, 3)) as pilot:
        line = app.query_one(MachineLine)
        assert str(line.content) == ""
        assert not line.active
        line.set_active(True)
        while "CPU" not in str(line.content):
            await pilot.pause()
        line.set_active(False)
        assert str(line.content) == ""


async def test_it_can_be_switched_before_it_is_on_screen():
    class Early(App[None]):
        def compose(self) -> ComposeResult:
            line = MachineLine()
            line.set_active(True)
            yield line

    app = Early()
    async with app.run_test(size=(80, 3)) as pilot:
        while "memory" not in str(app.query_one(MachineLine).content):
            await pilot.pause()
