"""Every key of every screen, pressed one after the other: whatever a key does, it is no exception.

The main screen and the one that looks into a run have tests like this of their own, where what their keys need is.
"""

from __future__ import annotations

import subprocess
import sys
from operator import attrgetter
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.runner import daemon
from lenet_tui.store import Store
from lenet_tui.tui import keys
from lenet_tui.tui.compare.screen import CompareScreen
from lenet_tui.tui.details.screen import DetailsScreen
from lenet_tui.tui.dialogs.help import HelpScreen
from lenet_tui.tui.pictures.screen import PicturesScreen
from lenet_tui.tui.runs.choose_columns import ColumnsScreen
from lenet_tui.tui.study.screen import StudyScreen
from tests.tui.folders import finished
from tests.tui.test_main import Bench, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from textual.screen import Screen

    from lenet_tui.tui.screens import LabScreen

# How each screen is opened from the list of runs, and the table of its keys.
ROOMS: dict[type[Screen[None]], tuple[tuple[str, ...], tuple[keys.Key, ...]]] = {
    DetailsScreen: (("enter",), keys.DETAILS),
    PicturesScreen: (("v",), keys.PICTURES_KEYS),
    CompareScreen: (("a", "b"), keys.COMPARE),
    StudyScreen: (("h",), keys.STUDY),
    ColumnsScreen: (("C",), keys.COLUMNS),
    HelpScreen: (("question_mark",), ()),
}
TESTED_ELSEWHERE = (keys.MAIN, keys.INSPECT, keys.MISSING_DATA)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    with Store(tmp_path) as store:
        store.set_paused(True)
    for seed in (0, 1):
        finished(tmp_path, RunConfig(dataset="digits", epochs=4, seed=seed))
    yield tmp_path
    daemon.stop(tmp_path)


def test_no_table_of_keys_is_left_out() -> None:
    walked = [table for _, table in ROOMS.values()]
    assert {key for table in (*walked, *TESTED_ELSEWHERE) for key in table} == set(keys.ALL)


@pytest.mark.parametrize("room", [room for room in ROOMS if room is not HelpScreen])
async def test_every_key_has_a_target(root: Path, room: type[LabScreen[None]]) -> None:
    way, table = ROOMS[room]
    assert table == room.KEYS
    async with opened(root) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        await go_to(bench, room, way)
        for key in table:
            assert callable(attrgetter(key.target)(bench.app.screen)), key.id


def test_no_key_means_two_things_on_one_screen() -> None:
    for _, table in ROOMS.values():
        pressed = [name for key in table for name in key.keys.split(",")]
        assert len(pressed) == len(set(pressed))


@pytest.mark.parametrize("room", ROOMS, ids=[room.__name__ for room in ROOMS])
@pytest.mark.parametrize("size", [(80, 24), (12, 4)], ids=["80x24", "12x4"])
async def test_every_key_can_be_pressed(root: Path, room: type[Screen[None]], size: tuple[int, int]) -> None:
    way, table = ROOMS[room]
    names = [name for key in table for name in key.keys.split(",")]
    async with opened(root, size) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        chosen = [] if room is HelpScreen else ["enter"]  # there it runs a key, and the last one quits
        for name in [*names, *reversed(names), "up", "down", "pageup", "pagedown", "home", "end", "tab", *chosen]:
            await go_to(bench, room, way)
            await bench.press(name)
        assert bench.app.is_running


async def go_to(bench: Bench, room: type[Screen[None]], way: tuple[str, ...]) -> None:
    """Go back to the screen from what lies above it, or open it again."""
    while bench.app.screen is not bench.main and not isinstance(bench.app.screen, room):
        await bench.press("escape")
    if bench.app.screen is bench.main:
        bench.main.runs.unmark_all()
        bench.main.runs.focus()
        await bench.press(*way)
    assert isinstance(bench.app.screen, room)


def test_no_screen_brings_numpy_or_torch_into_the_app() -> None:
    code = (
        "import sys; import lenet_tui.tui.compare.screen, lenet_tui.tui.study.screen; "
        "print({'numpy', 'scipy', 'torch', 'PIL', 'matplotlib', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("set()\n", "")


@pytest.mark.parametrize("way", [("enter",), ("v",), ("a", "b"), ("h",), ("i",)], ids="".join)
async def test_help_is_there_on_every_screen(root: Path, way: tuple[str, ...]) -> None:
    async with opened(root) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        await bench.press("escape", *way)
        below = bench.app.screen
        for key in ("f1", "question_mark"):
            await bench.press(key)
            await bench.until(lambda: isinstance(bench.app.screen, HelpScreen))
            await bench.press("escape")
            await bench.until(lambda: bench.app.screen is below)
