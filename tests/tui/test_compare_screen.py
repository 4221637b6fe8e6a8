"""Marked runs side by side in the app: compared by the real command, and written by key."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from rich.console import Console
from textual.containers import VerticalScroll
from textual.widgets import Static

from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.tui.compare import text as comparison_text
from lenet_tui.tui.compare.screen import FILES, MAX_RUNS, CompareScreen
from tests.reports.conftest import history
from tests.tui.folders import finished
from tests.tui.test_main import Bench, opened
from tests.tui.test_snapshots import SIZE_NAMES, SIZES, compare, settled

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store import Store


def fill(root: Path) -> None:
    """Two configurations with two seeds each, one of which overfits."""
    good = history([0.9, 0.4, 0.3, 0.2], [0.8, 0.5, 0.3, 0.25])
    worse = history([0.9, 0.3, 0.1, 0.05], [0.8, 0.5, 0.6, 0.7])
    for seed in (0, 1):
        finished(root, RunConfig(dataset="digits", epochs=4, seed=seed), good, wrong=4 + seed)
        finished(root, RunConfig(dataset="digits", epochs=4, lr=0.01, seed=seed), worse, wrong=16 + seed)


def seen(bench: Bench) -> str:
    return "\n".join(strip.text.rstrip() for strip in bench.app.screen._compositor.render_strips())


def says(bench: Bench, name: str) -> str:
    return str(bench.app.screen.query_one(name, Static).content)


async def open_comparison(bench: Bench, count: int) -> None:
    await bench.until(lambda: len(bench.main.runs.listed) == count)
    await bench.press("escape", "end", "a", "b")
    await bench.until(lambda: isinstance(bench.app.screen, CompareScreen))


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_marked_runs_are_compared_by_key(store: Store, tmp_path: Path, size: tuple[int, int]) -> None:
    fill(tmp_path)
    async with opened(tmp_path, size) as bench:
        await open_comparison(bench, 4)
        assert "comparing…" in seen(bench)
        await bench.until(lambda: "Hyperparameters that differ" in seen(bench))
        assert "Comparison of 4 runs: 4, 3, 2, 1" in seen(bench)
        for words in ("lr 0.01, seed 1", "0.2500", "96.67", "86.67"):
            assert words in seen(bench)
        assert ("overfits" in seen(bench)) is (size[0] == 160)
        pane = bench.app.screen.query_one(VerticalScroll)
        for _ in range(8):
            await bench.press("pagedown")
        assert pane.scroll_offset.y == pane.max_scroll_y
        assert "seed" in seen(bench)
        await bench.press("escape")
        assert bench.app.screen is bench.main


async def test_files_are_written_and_it_says_where(store: Store, tmp_path: Path) -> None:
    fill(tmp_path)
    async with opened(tmp_path, (160, 50)) as bench:
        await open_comparison(bench, 4)
        await bench.press("w")
        await bench.until(lambda: says(bench, "#where").startswith("wrote "))
        assert str(tmp_path / "study") in says(bench, "#where")
        png, table, text = (tmp_path / "study" / name for name in FILES)
        with Image.open(png) as picture:
            assert picture.format == "PNG"
        assert table.read_text().startswith("run,label,folder")
        assert text.read_text().startswith("# Comparison of runs")


async def test_what_cannot_be_written_is_a_message(store: Store, tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "study").write_text("in the way")
    async with opened(tmp_path) as bench:
        await open_comparison(bench, 4)
        await bench.press("w")
        await bench.until(lambda: "cannot make" in bench.messages())
        (tmp_path / "study").unlink()
        (tmp_path / "study" / FILES[1]).mkdir(parents=True)
        await bench.press("w")
        await bench.until(lambda: "is a folder" in bench.messages())
        assert "wrote" not in says(bench, "#where")


async def test_runs_that_cannot_be_compared_are_a_message(store: Store, tmp_path: Path) -> None:
    fill(tmp_path)
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 4)
        shutil.rmtree(tmp_path / "lenet")
        await bench.press("escape", "a", "b")
        await bench.until(lambda: "is not a run folder" in says(bench, "#comparison"))


async def test_fewer_than_two_marks_say_how_to_mark(store: Store, tmp_path: Path) -> None:
    fill(tmp_path)
    store.add([RunConfig(seed=seed) for seed in range(MAX_RUNS)])
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == MAX_RUNS + 4)
        await bench.press("escape", "b")
        assert "no run is marked: mark runs with space" in bench.messages()
        await bench.press("space", "b")
        assert "only one run is marked: mark runs with space" in bench.messages()
        await bench.press("a", "b")
        assert f"{MAX_RUNS + 4} runs are marked; at most {MAX_RUNS} can be compared" in bench.messages()
        assert bench.app.screen is bench.main


async def test_a_run_that_comes_to_another_state_is_compared_anew(store: Store, tmp_path: Path) -> None:
    fill(tmp_path)
    store.add([RunConfig(dataset="digits", epochs=4, seed=2)])
    async with opened(tmp_path) as bench:
        await open_comparison(bench, 5)
        await bench.until(lambda: "Notes" in _whole(bench))
        assert "run 5 is queued and has no epoch yet" in _whole(bench)
        store.request_stop(5)
        await bench.until(lambda: "run 5 is stopped and has no epoch yet" in _whole(bench))


def _whole(bench: Bench) -> str:
    static = bench.app.screen.query_one("#comparison", Static)
    return " ".join(" ".join(static.render_line(y).text for y in range(static.size.height)).split())


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
async def test_a_comparison_looks_as_it_did(store: Store, tmp_path: Path, size: tuple[int, int]) -> None:
    fill(tmp_path)
    async with opened(tmp_path, size) as bench:
        await open_comparison(bench, 4)
        await bench.until(lambda: "Hyperparameters that differ" in seen(bench))
        bench.app.screen.query_one("#where", Static).update("where")
        await settled(bench, tmp_path)
        compare("compare", size, seen(bench) + "\n")


def rendered(document: comparison_text.Document, width: int = 80) -> str:
    console = Console(width=width, no_color=True)
    with console.capture() as capture:
        console.print(comparison_text.render(document, width))
    return capture.get()


RUN = {
    "run": 1, "label": "defaults", "folder": "lenet/x", "state": "stopped", "seed": 0, "settings": {}, "epochs": 2,
    "best_epoch": None, "best_val_loss": None, "best_val_cross_entropy": None, "best_val_accuracy": None,
    "best_gap": None, "end_gap": None, "test_accuracy": None, "train_seconds": 61.0, "images_per_second": None,
    "overfitting": None, "accuracy_change": None,
}  # fmt: skip
GROUP = {"label": "defaults", "settings": {}, "runs": [1], "counted": [1], "best_val_cross_entropy": None}


def test_what_is_not_known_is_left_empty_and_nothing_that_differs_is_said() -> None:
    document = {"differing": [], "groups": [GROUP], "runs": [RUN, RUN], "verdicts": [], "notes": []}
    text = rendered(document)
    assert "differ at most in the seed" in text
    assert "1:01" in text
    assert "None" not in text
    assert "Differences" not in text


def test_many_settings_that_differ_stand_below_each_other_where_columns_do_not_fit() -> None:
    names = [f"setting_{number}" for number in range(12)]
    group = GROUP | {"settings": dict.fromkeys(names, 0.5)}
    document = {"differing": names, "groups": [group], "runs": [RUN], "verdicts": [], "notes": []}
    assert "setting_11 0.5" in " ".join(rendered(document).split())
    assert "setting_11 0.5" not in rendered(document, 300)


def test_what_is_no_comparison_is_one_clear_line() -> None:
    for output in ("", "no document", "[]", json.dumps({"runs": []})):
        with pytest.raises(LabError, match="gave no answer"):
            comparison_text.parse(output)


async def test_the_curves_of_the_runs_are_shown_by_what_differs(store: Store, tmp_path: Path) -> None:
    fill(tmp_path)
    async with opened(tmp_path, (120, 24)) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 4)
        await bench.press("escape", "a", "b")
        await bench.until(lambda: isinstance(bench.app.screen, CompareScreen))
        assert not bench.app.screen.curves.display  # the tables need the room
        await bench.press("c")
        await bench.until(lambda: "lr 0.01 · seed 1" in seen(bench))
        await bench.press("m")
        await bench.until(lambda: "accuracy" in seen(bench))
        await bench.press("c")
        assert not bench.app.screen.curves.display
