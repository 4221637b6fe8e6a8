"""The cursor of the list of runs is always in sight, and commands act on rows that are listed only."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from textual.events import MouseScrollDown

from lenet_tui.config import RunConfig
from lenet_tui.host.process import this_process
from lenet_tui.tui.runs.marks import Marks
from tests.tui.runs import finished, running, snapshot_of
from tests.tui.test_main import opened
from tests.tui.test_runs_list import ListApp

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from lenet_tui.store import Store


def in_sight(app: ListApp) -> bool:
    return sum(line.startswith("▸") for line in app.text()[1:]) == 1


async def filled(app: ListApp, pilot: Pilot[None], store: Store, count: int = 60) -> None:
    store.add([RunConfig(seed=n, batch_size=8 if n % 2 else 64) for n in range(count)])
    app.runs.show(snapshot_of(store))
    app.runs.focus()
    await pilot.pause()


async def test_sorting_filtering_and_reloading_keep_the_cursor_in_sight(store: Store) -> None:
    app = ListApp()
    async with app.run_test(size=(80, 10)) as pilot:
        await filled(app, pilot, store)
        app.runs.go_to(50)
        for change in (
            lambda: app.runs.reverse(),
            lambda: app.runs.sort_by_next(),
            lambda: app.runs.filter("bs8"),
            lambda: app.runs.filter(""),
            lambda: app.runs.reverse(),
            lambda: store.add([RunConfig(seed=n) for n in range(30)]) and app.runs.show(snapshot_of(store)),
        ):
            change()
            await pilot.pause()
            assert in_sight(app)
            assert app.runs.current.id == 50


async def test_whatever_is_done_one_listed_run_is_current_and_in_sight(store: Store) -> None:
    app, choice = ListApp(), random.Random(7)
    async with app.run_test(size=(80, 10)) as pilot:
        await filled(app, pilot, store)
        for _ in range(60):
            choice.choice(
                (
                    lambda: app.runs.reverse(),
                    lambda: app.runs.sort_by_next(),
                    lambda: app.runs.filter(choice.choice(("", "bs8", "seed1", "no such run"))),
                    lambda: app.runs.action_page(choice.choice((-1, 1))),
                    lambda: app.runs.action_edge(choice.choice((-1, 1))),
                    lambda: app.runs.extend(choice.choice((-3, 3))),
                    lambda: store.remove(choice.choice(store.queue()).id) and app.runs.show(snapshot_of(store)),
                )
            )()
            await pilot.pause()
            assert in_sight(app) == bool(app.runs.listed)
            assert all(run in app.runs.listed for run in app.runs.chosen)


async def test_the_wheel_takes_the_cursor_along(store: Store) -> None:
    app = ListApp()
    async with app.run_test(size=(80, 10)) as pilot:
        await filled(app, pilot, store)
        for _ in range(8):
            await pilot._post_mouse_events([MouseScrollDown], "#runs", button=0)
        await pilot.pause()
        assert app.runs.scroll_offset.y > 0
        assert in_sight(app)


async def test_a_marked_run_that_the_filter_hides_is_left_out(store: Store) -> None:
    app = ListApp()
    async with app.run_test(size=(80, 10)) as pilot:
        await filled(app, pilot, store, 6)
        app.runs.mark_all()
        app.runs.filter("bs8")
        assert [run.id for run in app.runs.marked] == [2, 4, 6] or len(app.runs.marked) == 3
        assert app.runs.hidden == 3
        assert app.runs.summary == "3 of 6 runs · 6 marked (3 hidden)"
        app.runs.mark_all()  # all that are listed are marked: none of them is
        assert app.runs.chosen == [app.runs.current]
        app.runs.filter("")
        assert len(app.runs.marked) == 3


async def test_a_run_that_stops_matching_stays_listed_until_the_cursor_leaves_it(store: Store) -> None:
    run = running(store, RunConfig())
    other = running(store, RunConfig(seed=1))
    app = ListApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.runs.show(snapshot_of(store))
        app.runs.filter("running")
        app.runs.go_to(run.id)
        assert store.end(run.id, this_process(), "stopped")
        app.runs.show(snapshot_of(store))
        await pilot.pause()
        assert app.runs.current.id == run.id  # x that is on its way does not reach the other run
        app.runs.go_to(other.id)
        app.runs.show(snapshot_of(store, paused=False, until={1: 2.0}))
        assert [each.id for each in app.runs.listed] == [other.id]


async def test_space_marks_and_stays_and_shift_and_v_mark_ranges(store: Store, tmp_path: Path) -> None:
    for seed in range(6):
        finished(store, RunConfig(seed=seed))
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 6)
        runs = bench.main.runs

        def marked() -> set[int]:
            return {run.id for run in runs.marked}

        await bench.press("escape", "home", "space")
        assert (marked(), runs.current.id) == ({6}, 6)
        await bench.press("space")
        assert marked() == set()
        await bench.press("shift+down", "shift+down")
        assert (marked(), runs.current.id) == ({6, 5, 4}, 4)
        await bench.press("shift+up")
        assert marked() == {6, 5}
        await bench.press("end", "shift+up")  # a second range beside the first
        assert marked() == {6, 5, 1, 2}
        await bench.press("escape", "home", "V", "down", "down", "V", "down")
        assert marked() == {6, 5, 4}
        await bench.press("escape", "V", "end", "space", "up")
        assert marked() == {1, 2, 3}
        await bench.press("escape")
        assert marked() == set()


async def test_a_burst_of_shift_and_x_stops_exactly_what_it_marked(store: Store, tmp_path: Path) -> None:
    from textual.events import Key

    store.add([RunConfig(seed=seed) for seed in range(6)])
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 6)
        await bench.press("escape", "home")
        meant = [run.id for run in bench.main.runs.listed]
        for key in ("shift+down", "shift+down", "x", "escape", "down"):
            bench.app.post_message(Key(key, None))
        await bench.until(lambda: sum(run.state == "stopped" for run in store.runs()) == 3)
        assert {run.id for run in store.runs() if run.state == "stopped"} == set(meant[:3])


def test_a_range_shrinks_and_leaves_earlier_marks_alone() -> None:
    marks, rows = Marks(), list(range(10, 20))
    index = {run_id: row for row, run_id in enumerate(rows)}
    marks.toggle(19)
    marks.begin_range(12)
    for end, expected in ((14, {12, 13, 14}), (13, {12, 13}), (10, {10, 11, 12})):
        marks.extend(end, rows, index)
        assert set(marks) == expected | {19}
    marks.keep({19, 11})
    assert set(marks) == {19, 11}


@pytest.mark.parametrize("keys", [("shift+down",), ("V", "down"), ("space",), ("a",)])
async def test_marking_in_an_empty_list_does_nothing(store: Store, tmp_path: Path, keys: tuple[str, ...]) -> None:
    async with opened(tmp_path) as bench:
        await bench.press("escape", *keys)
        assert bench.main.runs.chosen == []
