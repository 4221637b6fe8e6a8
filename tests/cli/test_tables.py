"""Tables fit the terminal that they are printed in; what is left out or shortened is the least useful."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from lenet_tui.cli.tables import fitted, names, shortened
from lenet_tui.config import RunConfig
from lenet_tui.store import Store
from tests.conftest import environment

if TYPE_CHECKING:
    from pathlib import Path

NAME = "lenet/bs64_lr0.001_data-digits_ep30_thr1_tsne100"
RUNS = [
    ["id", "run", "state", "epochs", "val loss", "at epoch", "val acc", "test acc", "time"],
    ["1", NAME, "finished", "30/30", "0.0421", "17", "98.91%", "99.02%", "1:12"],
    ["12", NAME + ".2", "interrupted #1", "3/30", "0.0512", "3", "98.01%", "", ""],
]


def width(rows: list[list[str]]) -> int:
    return sum(max(map(len, column)) for column in zip(*rows, strict=True)) + 2 * (len(rows[0]) - 1)


def test_a_table_that_fits_is_left_alone() -> None:
    assert fitted(RUNS, width(RUNS)) == RUNS


def test_names_are_shortened_before_columns_are_left_out() -> None:
    assert fitted(RUNS, width(RUNS) - 10)[0] == RUNS[0]
    assert fitted(RUNS, 80)[0] == ["id", "run", "state", "epochs", "val loss", "test acc", "time"]


def test_empty_columns_are_left_out_before_names_are_shortened() -> None:
    waiting = [RUNS[0], ["3", NAME, "queued #1", "0/30", "", "", "", "", ""]]
    rows = fitted(waiting, 90)
    assert rows[1] == ["3", NAME, "queued #1", "0/30", ""]  # the test accuracy is what a table of runs is for


def test_a_table_fits_80_columns_and_keeps_both_ends_of_a_name() -> None:
    rows = fitted(RUNS, 80)
    assert width(rows) <= 80
    assert rows[2][1].startswith("lenet/bs64")
    assert rows[2][1].endswith("tsne100.2")


@given(st.integers(40, 200))
def test_a_table_fits_every_width_that_can_hold_number_name_and_state(columns: int) -> None:
    rows = fitted(RUNS, columns)
    assert width(rows) <= columns
    assert {"id", "run", "state", "test acc"} <= set(rows[0])


@given(st.text(max_size=60), st.integers(5, 70))
def test_a_shortened_text_is_as_wide_as_may_be(text: str, columns: int) -> None:
    result = shortened(text, columns)
    assert result == text if len(text) <= columns else len(result) == columns


def test_a_waiting_run_is_shown_by_the_folder_name_that_it_will_get(tmp_path: Path) -> None:
    (tmp_path / "lenet" / "bs64_lr0.001").mkdir(parents=True)
    with Store(tmp_path) as store:
        one, two, other = store.add([RunConfig(), RunConfig(), RunConfig(batch_size=16)])
        store.move(two.id, 1)
        result = names(tmp_path, store.runs(), store.queue())
    assert result == {two.id: "lenet/bs64_lr0.001.2", one.id: "lenet/bs64_lr0.001.3", other.id: "lenet/bs16_lr0.001"}


def test_runs_and_queue_do_not_wrap_in_a_terminal_and_are_whole_in_a_pipe(tmp_path: Path) -> None:
    long = RunConfig(dataset="digits", augment="affine", dropout=0.25, weight_decay=0.0005, lr_schedule="cosine")
    with Store(tmp_path) as store:
        store.set_paused(True)
        store.add([long, long])
    for command in ("runs", "queue"):
        words = [sys.executable, "-m", "lenet_tui", command]
        whole = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
        assert long.folder_name() + ".2" in whole.stdout
        lines = in_a_terminal(words, tmp_path, 80)
        assert max(map(len, lines)) <= 80
        assert any("…" in line and "queued #2" in line for line in lines)


def in_a_terminal(words: list[str], folder: Path, columns: int) -> list[str]:
    """What a command prints to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {k: v for k, v in environment().items() if k != "COLUMNS"}
    process = subprocess.Popen(words, cwd=folder, env=env, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    text = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while True:
            text += os.read(ours, 65536)
    os.close(ours)
    assert process.wait() == 0
    return text.decode().replace("\r\n", "\n").splitlines()
