"""What is done to the table of runs by key and mouse: columns, order, tags, deleting and undoing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.config import RunConfig
from lenet_tui.tui.dialogs.ask import AskText, Confirm
from lenet_tui.tui.runs.choose_columns import ColumnsScreen
from tests.tui.runs import at_work, finished, running
from tests.tui.test_main import opened

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store import Store
    from tests.tui.test_main import Bench


def heading(bench: Bench) -> str:
    return str(bench.main.runs.render_line(0).text)


async def test_columns_are_chosen_moved_and_reset_by_key(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig(dropout=0.2))
    async with opened(tmp_path, (140, 40)) as bench:
        await bench.until(lambda: bench.main.runs.listed)
        usual = heading(bench)
        await bench.press("escape", "C")
        assert isinstance(bench.app.screen, ColumnsScreen)
        place = bench.app.screen._keys.index("dropout")
        await bench.press(*["down"] * place, "space")
        assert "dropout" in heading(bench)
        assert "0.2" in bench.main.runs.render_line(1).text
        assert bench.app.lab.settings.columns[-1] == "dropout"
        await bench.press(*["K"] * (place - 2))
        assert heading(bench).split()[:3] == ["id", "run", "dropout"]
        await bench.press("J", "home", "space")  # the number stays
        assert heading(bench).split()[:4] == ["id", "run", "state", "dropout"]
        await bench.press("r")
        assert heading(bench) == usual
        assert bench.app.lab.settings.columns == []
        await bench.press("end", "enter", "escape")
        assert bench.app.screen is bench.main
        assert heading(bench) != usual


async def test_a_click_on_a_title_sorts_and_another_reverses(store: Store, tmp_path: Path) -> None:
    for accuracy in (0.98, 0.99, 0.97):
        finished(store, RunConfig(seed=int(1000 * accuracy)), accuracy)
    async with opened(tmp_path, (120, 40)) as bench:
        runs = bench.main.runs
        await bench.until(lambda: len(runs.listed) == 3)
        await bench.pilot.click("#runs", offset=(heading(bench).index("test acc") + 2, 0))
        await bench.until(lambda: [run.id for run in runs.listed] == [2, 1, 3])
        assert "test acc▲" in heading(bench)
        assert bench.app.lab.settings.sort == "test_acc"
        await bench.pilot.click("#runs", offset=(heading(bench).index("test acc") + 2, 0))
        await bench.until(lambda: [run.id for run in runs.listed] == [3, 1, 2])
        assert bench.app.lab.settings.reverse


async def test_a_running_run_has_a_bar_and_rows_in_sight_have_their_losses(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig(), epochs=6)
    at_work(store, running(store, RunConfig(seed=1, epochs=10), epochs=4), epoch=5, step=25)
    async with opened(tmp_path, (160, 40)) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        await bench.until(lambda: "█" in bench.main.runs.render_line(2).text)
        row = bench.main.runs.render_line(1).text
        assert "━━━━──────" in row
        assert "█" in row
        assert set(bench.app.lab.snapshot.trends) == {1, 2}


async def test_what_was_deleted_is_restored_batch_by_batch(store: Store, tmp_path: Path) -> None:
    for seed in range(2):
        run = finished(store, RunConfig(seed=seed))
        (tmp_path / str(run.folder) / "run.json").write_text("{}")
    store.add([RunConfig(seed=7), RunConfig(seed=8)])
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 4)
        await bench.press("escape", "u")
        assert "nothing was deleted since the app was opened" in bench.messages()
        before = {run.id: (run.config, run.state, run.folder, run.place) for run in store.runs()}
        await bench.press("end", "d", "y")
        await bench.until(lambda: "run 1 deleted; u undoes it" in bench.messages())
        await bench.until(lambda: len(bench.main.runs.listed) == 3)
        await bench.press("home", "V", "end", "d")
        assert isinstance(bench.app.screen, Confirm)
        await bench.press("y")
        await bench.until(lambda: store.runs() == [])
        await bench.until(lambda: "3 runs deleted; u undoes it" in bench.messages())
        await bench.press("u")
        await bench.until(lambda: "3 runs restored" in bench.messages())
        await bench.press("u")
        await bench.until(lambda: "run 1 restored" in bench.messages())
        after = {run.id: (run.config, run.state, run.folder, run.place) for run in store.runs()}
        assert after == before
        assert all((tmp_path / f"{run.folder}/run.json").is_file() for run in store.runs() if run.folder)
        await bench.until(lambda: len(bench.main.runs.listed) == 4)


async def test_tags_are_written_shown_and_found(store: Store, tmp_path: Path) -> None:
    for seed in range(3):
        finished(store, RunConfig(seed=seed))
    async with opened(tmp_path, (140, 40)) as bench:
        runs = bench.main.runs
        await bench.until(lambda: len(runs.listed) == 3)
        await bench.press("escape", "home", "t")
        assert isinstance(bench.app.screen, AskText)
        await bench.press(*"best odd", "enter")
        await bench.until(lambda: store.get(3).tags == ("best", "odd"))
        await bench.until(lambda: "tags" in heading(bench) and "best odd" in runs.render_line(1).text)
        await bench.press("V", "down", "V", "t", *"+new -odd", "enter")
        await bench.until(lambda: [store.get(n).tags for n in (1, 2, 3)] == [(), ("new",), ("best", "new")])
        await bench.press("slash", *"tag:new", "enter")
        await bench.until(lambda: [run.id for run in runs.listed] == [3, 2])
        await bench.press("escape", "escape", "end", "t", *"a:b", "enter")
        await bench.until(lambda: "a:b is not a tag" in bench.messages())
        assert store.get(1).tags == ()
