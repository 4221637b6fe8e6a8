"""The line of keys: whole items, the most important ones, at every width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets._footer import FooterKey

from lenet_tui.config import RunConfig
from lenet_tui.tui.widgets.key_footer import KeyFooter, fitting
from tests.tui.runs import finished
from tests.tui.test_main import Bench, opened

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store import Store


def test_what_is_worth_least_goes_first_and_of_equals_what_is_on_the_right() -> None:
    items = [(10, 50), (10, 90), (10, 50), (10, 100)]
    assert fitting(items, 39) == [0, 1, 2, 3]
    assert fitting(items, 38) == [0, 1, 3]
    assert fitting(items, 28) == [1, 3]
    assert fitting(items, 9) == [3]
    assert fitting(items, 8) == []


def labels(bench: Bench) -> list[str]:
    return [item.description for item in bench.app.screen.query_one(KeyFooter).query(FooterKey)]


@pytest.mark.parametrize("way", [(), ("enter",), ("v",), ("i",), ("h",)], ids=lambda way: "".join(way) or "main")
async def test_no_item_is_cut_at_any_width_and_the_way_out_is_always_told(
    store: Store, tmp_path: Path, way: tuple[str, ...]
) -> None:
    finished(store, RunConfig())
    async with opened(tmp_path, (130, 24)) as bench:
        await bench.until(lambda: bench.main.runs.listed)
        await bench.press("escape", *way)
        await bench.until(lambda: labels(bench))
        everything = labels(bench)
        for width in (100, 79, 60, 41, 30):
            await bench.pilot.resize_terminal(width, 20)
            await bench.until(lambda width=width: bench.app.screen.query_one(KeyFooter).size.width == width)
            await bench.pilot.pause()
            footer = bench.app.screen.query_one(KeyFooter)
            for item in footer.query(FooterKey):
                words = item.render().plain.rstrip()
                assert item.region.x + len(words) <= width, item.description
                assert len(words) <= item.region.width
            assert set(labels(bench)) <= set(everything)
            assert {"Quit", "Back"} & set(labels(bench))
        await bench.pilot.resize_terminal(130, 24)
        await bench.until(lambda: labels(bench) == everything)


async def test_at_sixty_columns_the_main_screen_names_what_is_needed_most(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig())
    async with opened(tmp_path, (60, 20)) as bench:
        await bench.press("escape")
        await bench.until(lambda: labels(bench) == ["Queue", "Details", "Export", "Stop", "Runs", "Help", "Quit"])


async def test_the_footer_offers_to_resume_a_stopped_run_and_to_stop_any_other(store: Store, tmp_path: Path) -> None:
    store.add([RunConfig(), RunConfig(seed=1)])
    store.request_stop(1)
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        bench.main.runs.focus()
        bench.main.runs.go_to(1)
        await bench.until(lambda: "Resume" in labels(bench))
        assert "Stop" not in labels(bench)
        bench.main.runs.go_to(2)
        await bench.until(lambda: "Stop" in labels(bench) and "Resume" not in labels(bench))
