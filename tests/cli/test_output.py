"""What the one module that prints does to texts, to JSON and to streams."""

from __future__ import annotations

import ast
import io
import json
import math
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from lenet_tui.cli import output, tables
from lenet_tui.cli.main import main
from lenet_tui.config import RunConfig
from lenet_tui.store import Store
from tests.conftest import environment

HOSTILE = "a\x1b]52;c;cm0gLXJm\x07b\x1b[6nc\x9b31md\u202ee\udcfcf\ng\rh"
CLEAN = "a�]52;c;cm0gLXJm�b�[6nc�31md�e�f g h"


@pytest.mark.parametrize("call", [output.say, output.tell, output.complain, output.note])
def test_a_line_is_one_line_that_no_terminal_obeys(call, capsys):
    output.prepare()
    call(HOSTILE)
    out, err = capsys.readouterr()
    assert (out + err).removeprefix("lenet-tui: ").rstrip("\n") == ("" if call is output.note else CLEAN)


def test_rich_texts_keep_our_colours_and_lose_what_is_in_the_text():
    from rich.progress import Progress, TextColumn
    from rich.table import Table

    file = io.StringIO()
    console = output.console(output.stdout, force_terminal=True, color_system="standard", width=200)
    console.file = file
    table = Table.grid()
    table.add_row(HOSTILE)
    console.print(table, style="bold red")
    console.print(HOSTILE, markup=False)
    with Progress(TextColumn("{task.description}", markup=False), console=console) as bars:
        bars.add_task(HOSTILE)
    text = file.getvalue()
    assert "\x1b[1;31m" in text
    for sequence in ("\x1b]52", "\x1b[6n", "\x9b", "\u202e", "\x07"):
        assert sequence not in text


def test_nothing_else_in_the_command_line_prints():
    for path in Path(output.__file__).parent.glob("*.py"):
        if path.name == "output.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = ast.unparse(node)
            if isinstance(node, ast.Call):
                assert text.partition("(")[0] not in ("print", "Console", "os.write"), f"{path.name}: {text}"
            if isinstance(node, ast.Attribute):
                assert text not in ("sys.stdout", "sys.stderr", "sys.__stdout__"), f"{path.name}: {text}"
                assert not text.startswith("json.dump"), f"{path.name}: {text}"


def test_what_json_does_not_have_is_null():
    document = {"a": [math.inf, -math.inf, math.nan, 1.5], "b": {"c": (math.nan,)}, "d": "NaN"}
    assert json.loads(output.json_text(document), parse_constant=pytest.fail) == {
        "a": [None, None, None, 1.5],
        "b": {"c": [None]},
        "d": "NaN",
    }
    assert output.json_text({"x": HOSTILE}).isascii()


def test_runs_as_json_is_json_whatever_the_store_holds(tmp_path, capsys):
    with Store(tmp_path) as store:
        store.set_paused(True)
        store.add([RunConfig(), RunConfig(lr=1e-300), RunConfig(seed=3)])
        with store._database.write() as database:
            database.execute("UPDATE runs SET best_val_loss = 9e999, best_epoch = 1, epochs_done = 1 WHERE id = 1")
            database.execute('UPDATE runs SET note = \'}, {"state": "\' || char(27) WHERE id = 3')
            columns = "state, position, created_at"
            database.execute(
                f"INSERT INTO runs (config, {columns}) "
                f"SELECT replace(config, '0.001', '1e999'), state, 99, created_at FROM runs WHERE id = 1"
            )
        runs = store.runs()
    assert main(["runs", "--json", "--root", str(tmp_path)]) == 0
    result = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert result == json.loads(output.json_text([tables.as_json(run) for run in runs]))
    assert result[0]["best_val_loss"] is None
    assert result[1]["config"]["lr"] == 1e-300
    assert result[3]["config"]["lr"] is None
    assert tables.json_lines([]) == []


def test_a_very_long_complaint_is_shortened_and_keeps_its_ends(capsys):
    output.prepare()
    output.complain(f"--lr {'9' * 100_000} must be a number")
    error = capsys.readouterr().err
    assert len(error) < 500
    assert error.startswith("lenet-tui: --lr 999")
    assert error.endswith("9 must be a number\n")
    output.complain("x " * 100_000)
    assert len(capsys.readouterr().err) < 2100


def test_an_error_of_ours_is_one_clean_line_for_the_store_and_files_too():
    from lenet_tui.errors import LabError

    assert str(LabError(f"cannot read {HOSTILE}")) == f"cannot read {CLEAN}"


def test_hostile_names_and_notes_do_not_reach_a_terminal(tmp_path):
    """Through a real terminal: names as arguments, and what is on record."""
    with Store(tmp_path) as store:
        store.set_paused(True)
        store.add([RunConfig()])
        with store._database.write() as database:
            database.execute("UPDATE runs SET note = ?", ("\x1b]52;c;eA==\x07",))
    lines = (["show", "1"], ["show", "\x1b[6n"], ["runs", "--\x1b[6n"], ["\x1b]0;x\x07"], ["train", "--lr", "\x9b6n"])
    for words in lines:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "lenet_tui", *words]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment(TERM="xterm"), stdout=theirs, stderr=theirs)
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
        except OSError:  # how a pty says that its other end is closed
            pass
        os.close(ours)
        assert process.wait(60) == (0 if words == ["show", "1"] else 2)
        assert "�" in shown.decode()
        assert not {"\x1b", "\x07", "\x9b"} & set(shown.decode())
