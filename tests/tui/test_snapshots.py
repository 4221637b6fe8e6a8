"""Every screen as text, at the smallest size it promises to work in and at a roomy one.

``UPDATE_SNAPSHOTS=1 pytest tests/tui/test_snapshots.py`` writes them again; look at the difference before you keep it.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.tui.dialogs.get_data import GetDataScreen
from tests.tui.runs import finished
from tests.tui.test_main import Bench, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lenet_tui.store import Store

FOLDER = Path(__file__).parent / "snapshots"
SIZES = [(80, 24), (120, 40), (200, 60)]
SIZE_NAMES = [f"{columns}x{lines}" for columns, lines in SIZES]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short path: where a line breaks hangs on how long it is, and beside other tests it is longer."""
    with tempfile.TemporaryDirectory(prefix="lenet-", dir="/tmp") as folder:
        yield Path(folder)


def fill(store: Store) -> None:
    finished(store, RunConfig(), 0.9912, epochs=12)
    finished(store, RunConfig(batch_size=16, seed=3), 0.9893, epochs=8)
    store.add([RunConfig(batch_size=size) for size in (16, 32)])
    store.request_stop(4)
    store.set_note(2, "more epochs?")


def shown(bench: Bench, root: Path) -> str:
    lines = [strip.text.rstrip() for strip in bench.app.screen._compositor.render_strips()]
    text = "\n".join(lines) + "\n"
    text = re.sub(r"(?<= · )/\S+", "ROOT", text, count=1)
    text = re.sub(rf"{re.escape(str(root)[:9])}\S*", "ROOT", text)  # cut where the path is long
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-01-01 00:00:00", text)


def compare(name: str, size: tuple[int, int], text: str) -> None:
    path = FOLDER / f"{name}-{size[0]}x{size[1]}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


# A name, the keys that lead there, and words that are there when it has settled.
WAYS = [
    ("main", ("escape", "end"), "lowest 0"),
    ("main-accuracy", ("escape", "end", "m"), "accuracy"),
    ("main-overlay", ("escape", "end", "space", "up", "space"), "*"),
    ("main-without-form", ("escape", "end", "Z"), "lowest 0"),
    ("main-filter", ("escape", "slash", "o", "d", "d"), "no run matches"),
    ("form", ("f2", "down", "down", "down", "1", "6", "comma", "3", "2"), "2 runs"),
    ("help", ("escape", "question_mark"), "esc: close"),
    ("delete", ("escape", "end", "d"), "Delete this run?"),
    ("note", ("escape", "end", "n"), "Note on run"),
    ("details", ("escape", "end", "enter"), "Configuration"),
    ("details-epochs", ("escape", "end", "enter", "3"), "◆"),
]


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
@pytest.mark.parametrize(("name", "keys", "words"), WAYS, ids=[way[0] for way in WAYS])
async def test_a_screen_looks_as_it_did(
    store: Store, tmp_path: Path, size: tuple[int, int], name: str, keys: tuple[str, ...], words: str
) -> None:
    fill(store)
    async with opened(tmp_path, size) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 4)
        for key in keys:
            await bench.press(key)
        await bench.until(lambda: words in shown(bench, tmp_path))
        await settled(bench, tmp_path)
        compare(name, size, shown(bench, tmp_path))


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
async def test_an_empty_root_says_what_can_be_done(store: Store, tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size) as bench:
        await bench.until(lambda: "queue paused" in shown(bench, tmp_path))
        await settled(bench, tmp_path)
        compare("empty", size, shown(bench, tmp_path))


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
async def test_missing_data_offers_the_ways_on(store: Store, tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size) as bench:
        await bench.until(lambda: "queue paused" in shown(bench, tmp_path))
        await bench.app.push_screen(GetDataScreen("mnist"))
        await settled(bench, tmp_path)
        compare("missing-data", size, shown(bench, tmp_path))


async def settled(bench: Bench, root: Path) -> None:
    """Wait until what is shown stays as it is: plots are drawn by a library that is loaded in a thread."""
    before, same = "", 0
    while same < 15:
        await bench.pilot.pause(0.03)
        now = shown(bench, root)
        same = same + 1 if now == before else 0
        before = now
