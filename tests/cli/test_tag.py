"""Tags from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lenet_tui.cli.main import main
from lenet_tui.config import RunConfig
from lenet_tui.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with Store(tmp_path) as store:
        store.set_paused(True)
        store.add([RunConfig(seed=seed) for seed in range(3)])
    return tmp_path


def test_tags_are_added_removed_and_shown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tag", "1", "2", "+thesis", "+best", "--root", str(root)]) == 0
    assert "1  lenet/bs64_lr0.001  best thesis" in capsys.readouterr().out
    assert main(["tag", "2", "--remove", "best", "--json", "--root", str(root)]) == 0
    assert json.loads(capsys.readouterr().out) == [{"id": 2, "tags": ["thesis"]}]
    assert main(["tag", "1", "2", "3", "--root", str(root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[-1] for line in lines] == ["best thesis", "thesis", "no tags"]
    assert main(["show", "1", "--root", str(root)]) == 0
    assert "  tags       best thesis" in capsys.readouterr().out
    assert main(["runs", "--json", "--root", str(root)]) == 0
    assert [run["tags"] for run in json.loads(capsys.readouterr().out)] == [["best", "thesis"], ["thesis"], []]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["+x"], "no run is named; as in lenet-tui tag 3 +thesis"),
        (["9", "+x"], "there is no run 9"),
        (["1", "2", "+a:b"], "a:b is not a tag; a tag is one word of up to 30"),
        (["1", "+"], "an empty word is not a tag"),
    ],
)
def test_what_is_wrong_is_one_line_and_changes_nothing(
    root: Path, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    assert main(["tag", *words, "--root", str(root)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
    with Store(root) as store:
        assert all(run.tags == () for run in store.runs())
