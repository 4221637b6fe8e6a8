"""Nonsense in every flag and word of every command is one line, and an error that nobody expected is one line too."""

from __future__ import annotations

import argparse
import stat
from pathlib import Path

import pytest

from lenet_tui.cli.main import build_parser, main
from lenet_tui.config import RunConfig
from lenet_tui.store import Store

NONSENSE = (
    "",
    "\udcff",
    "a\nb\n",
    "\x1b]52;c;eA==\x07",
    "9" * 5000,
    "x" * 100_000,
    "-" * 5000,
    "١٢",
    "1e999",
    "nan",
    "\u202e",
)
REQUIRED = {"RUN": "1", "IMAGE": "x.png", "N": "1", "FOLDER": "missing", "NAME": "kmnist"}
MAKING = ("train", "add", "import", "serve", "homework", "doctor", "get", "verify", "path")


def places() -> list[tuple[tuple[str, ...], argparse.Action]]:
    """Every flag that takes a value and every positional, with the words that lead to its parser."""
    result = []

    def look(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> None:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, child in action.choices.items():
                    look(child, (*words, name))
            elif action.nargs != 0:
                result.append((words, action))

    look(build_parser(), ())
    return result


def line(words: tuple[str, ...], action: argparse.Action, nonsense: str) -> list[str]:
    """The shortest command that has ``nonsense`` in this place."""
    parser: argparse.ArgumentParser = build_parser()
    for word in words:
        (sub,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
        parser = sub.choices[word]
    positionals = [a for a in parser._actions if not a.option_strings and not isinstance(a, argparse._SubParsersAction)]
    made = [*words]
    for other in positionals:
        if other.dest == action.dest:
            made += ["--", nonsense] if nonsense.startswith("-") else [nonsense]
        elif other.nargs in (None, "+"):
            made.append("get" if other.choices and "get" in other.choices else REQUIRED.get(str(other.metavar), "1"))
    return made + ([f"{action.option_strings[0]}={nonsense}"] if action.option_strings else [])


@pytest.fixture
def quiet_root(tmp_path, monkeypatch):
    with Store(tmp_path) as store:
        store.set_paused(True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "action"), places(), ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value.dest)
)
def test_nonsense_is_one_line(words, action, quiet_root, capsys):
    # Almost anything can be the name of a folder that is made.
    makes = action.dest == "root" and (words in ((), ("data",), ("study",)) or words[-1] in MAKING)
    for nonsense in ("", "x" * 100_000) if makes else NONSENSE:
        command = line(words, action, nonsense)
        code = main(command)
        out, err = capsys.readouterr()
        assert "internal error" not in err, (command, err, *map(Path.read_text, quiet_root.glob(".lenet-tui/error*")))
        assert code != 0, (command, out)
        if words[:1] not in (("train",), ("predict",)):
            assert code in (1, 2)
        assert not out
        assert err.count("\n") == 1
        assert len(err) < 2500
        assert not set("\x1b\x07\x9b\u202e") & set(err)
    assert not list(quiet_root.glob(".lenet-tui/error*"))


def test_an_error_that_nobody_expected_is_one_line_and_its_traceback_a_private_file(quiet_root, capsys, monkeypatch):
    monkeypatch.setattr("lenet_tui.cli.tables.run_rows", broken)
    with Store(quiet_root) as store:
        store.add([RunConfig()])
    assert main(["runs"]) == 1
    (name,) = (quiet_root / ".lenet-tui").glob("error-*.txt")
    line = capsys.readouterr().err
    where = name.relative_to(quiet_root)
    assert line == f"lenet-tui: internal error (OSError: a�[6n b); the details are in {where}\n"
    assert "Traceback (most recent call last)" in name.read_text()
    assert stat.S_IMODE(name.stat().st_mode) == 0o600


def test_without_a_private_folder_of_ours_the_traceback_goes_to_the_temporary_files(tmp_path, capsys, monkeypatch):
    (tmp_path / "temporary").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr("lenet_tui.cli.doctor.examine", broken)
    root = tmp_path / "root"
    root.mkdir()
    for number in (1, 2):
        assert main(["doctor", "--root", str(root)]) == 1
        names = list((tmp_path / "temporary").iterdir())
        assert len(names) == number
        assert str(tmp_path / "temporary" / "lenet-tui-") in capsys.readouterr().err
        if number == 1:
            assert list(root.iterdir()) == []
            (root / ".lenet-tui").symlink_to(tmp_path / "elsewhere")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def broken(*_: object, **__: object) -> None:
    raise OSError("a\x1b[6n\nb")


@pytest.mark.parametrize(
    "words",
    [
        ("--model", "lenet", "--batch_size", "16", "--lr", "0.01"),
        ("--model=lenet", "--batch-size=16", "--lr=0.01"),
        ("--root", "x", "--model", "lenet", "--lr", "0.01", "--batch_size", "16"),
        ("--json", "--model", "lenet", "--lr", "0.01", "--batch_size", "16"),
        ("--batch_size", "16", "--lr", "0.01", "--data-dir", "data", "--model", "lenet"),
    ],
    ids=" ".join,
)
def test_hyperparameters_without_a_command_train(words):
    from lenet_tui.cli import flags, train
    from lenet_tui.cli.main import _parse

    arguments = _parse(list(words))
    assert arguments.run is train.run
    assert flags.given(arguments) == {"model": "lenet", "batch_size": "16", "lr": "0.01"}


def test_without_hyperparameters_the_app_opens():
    from lenet_tui.cli import app
    from lenet_tui.cli.main import _parse

    for words in ([], ["--root", "x"], ["--no-mouse"], ["--quiet", "--root=x"]):
        assert _parse(words).run is app.run
