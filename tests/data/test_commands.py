from __future__ import annotations

import argparse
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from lenet_tui.cli import data as command
from lenet_tui.data import DamagedFileError, DataError, is_here
from tests.data.conftest import Mirror, write_files


def lenet_tui(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["data", *words])
    code: int = arguments.run(arguments)
    return code


def test_path_prints_just_the_folder(
    tmp_path: Path, fashion: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path / "raw", fashion)
    assert lenet_tui("path", "kmnist", "--data-dir", str(tmp_path)) == 0
    assert capsys.readouterr() == (f"{tmp_path / 'raw'}\n", "")


def test_path_of_what_is_not_here_is_an_error_that_says_how_to_get_it() -> None:
    with pytest.raises(DataError, match="MNIST is not here; `lenet-tui data get mnist` fetches it") as caught:
        lenet_tui("path", "mnist")
    assert caught.value.exit_code == 1


def test_verify_gives_one_json_document(
    tmp_path: Path, fashion: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, fashion)
    assert lenet_tui("verify", "fashion-mnist", "--data-dir", str(tmp_path), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["dataset"] == "fashion-mnist"
    assert document["folder"] == str(tmp_path)
    assert [file["checked"] for file in document["files"]] == ["structure only"] * 4
    assert "no checksum is published" in document["source"]


def test_verify_refuses_a_damaged_file(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    write_files(tmp_path, fashion | {"t10k-labels-idx1-ubyte": b""})
    with pytest.raises(DamagedFileError, match=r"t10k-labels-idx1-ubyte is not .* found 0;"):
        lenet_tui("verify", "kmnist", "--data-dir", str(tmp_path))


def test_get_tells_in_plain_lines_what_it_fetches(
    fashion_mirrors: list[Mirror], capsys: pytest.CaptureFixture[str]
) -> None:
    assert lenet_tui("get", "fashion-mnist") == 0
    out, err = capsys.readouterr()
    assert out.count("md5 recorded at download") == 4
    assert [line.split(" (")[0] for line in err.splitlines()[:4]] == [
        f"fetching {name}" for name in fashion_mirrors[0].requests
    ]


def test_get_with_json_keeps_stdout_for_the_document(
    fashion_mirrors: list[Mirror], capsys: pytest.CaptureFixture[str]
) -> None:
    assert lenet_tui("get", "fashion-mnist", "--json") == 0
    assert json.loads(capsys.readouterr().out)["source"] == "cache"


def test_digits_are_always_there(capsys: pytest.CaptureFixture[str], offline: Path) -> None:
    for action in ("get", "verify", "path"):
        assert lenet_tui(action, "digits") == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("sklearn/datasets/data")


def test_a_name_that_is_none_of_the_four_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as caught:
        lenet_tui("get", "imagenet")
    assert caught.value.code == 2


SHOW = """
from lenet_tui.cli.fetch_display import fetch_progress
with fetch_progress() as progress:
    progress.step("labels.gz", 0, None)
    progress.notice("a notice with [brackets]")
    progress.step("labels.gz", 9_500_000, 9_500_000)
"""


def test_a_terminal_gets_a_bar_and_notices_as_they_are_written() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SHOW],
        stderr=theirs,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # how a pty says that its other end is closed
        pass
    os.close(ours)
    out, _ = process.communicate()
    assert out == b""
    text = shown.decode()
    assert "labels.gz" in text
    assert "9.5/9.5 MB" in text
    assert "a notice with [brackets]" in text
    assert "\x1b[?25h" in text  # the cursor is back


def test_an_imported_folder_is_in_the_cache_for_every_run(
    tmp_path: Path, fashion: dict[str, bytes], cache_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not is_here("fashion-mnist")
    write_files(tmp_path / "mine", fashion)
    assert lenet_tui("import", "fashion-mnist", str(tmp_path / "mine"), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["source"], Path(document["folder"]).is_relative_to(cache_dir)) == ("cache", True)
    assert is_here("fashion-mnist")
    assert lenet_tui("verify", "fashion-mnist") == 0


def test_nothing_is_imported_from_a_folder_without_the_files(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(DataError, match="none of Fashion-MNIST's four files is in"):
        lenet_tui("import", "fashion-mnist", str(tmp_path / "mine"))
    write_files(tmp_path / "mine", fashion | {"t10k-labels-idx1-ubyte": b""})
    with pytest.raises(DamagedFileError):
        lenet_tui("import", "fashion-mnist", str(tmp_path / "mine"))
    assert not is_here("fashion-mnist")


def test_progress_for_programs_is_a_line_of_json_for_each_step(
    fashion_mirrors: list[Mirror], capsys: pytest.CaptureFixture[str]
) -> None:
    assert lenet_tui("get", "fashion-mnist", "--json", "--json-progress") == 0
    out, err = capsys.readouterr()
    text = [json.loads(line) for line in err.splitlines()]
    steps = [line for line in text if "what" in line]
    assert {line["what"] for line in steps} == set(fashion_mirrors[0].requests)
    assert [line["what"] for line in steps if line["done"] == line["total"]] == fashion_mirrors[0].requests
    assert "is here, from" in text[-1]["notice"]
    assert json.loads(out)["source"] == "cache"


def test_asking_whether_data_is_here_imports_neither_numpy_nor_torch() -> None:
    code = (
        "import sys; from lenet_tui.data import is_here; assert is_here('digits'); is_here('mnist'); "
        "print({'numpy', 'torch', 'torchvision', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("set()\n", "")
