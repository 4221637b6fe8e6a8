"""Runs are stopped, resumed, moved and deleted by key, and the queue is paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.events import Key

from lenet_tui.config import RunConfig
from lenet_tui.host.process import this_process
from lenet_tui.tui.dialogs.ask import Confirm
from tests.tui.runs import finished, running
from tests.tui.test_main import opened

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store import Store


async def test_the_cursor_stays_on_a_run_that_was_stopped_by_key(store: Store, tmp_path: Path) -> None:
    running(store, RunConfig())
    async with opened(tmp_path) as bench:
        await bench.press("escape")
        await bench.until(lambda: bench.main.runs.current is not None)
        await bench.press("x")
        await bench.until(lambda: store.get(1).is_stop_requested)
        assert store.end(1, this_process(), "stopped")
        other = running(store, RunConfig(seed=1))
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        assert other.id == 2
        assert bench.main.runs.current.id == 1


async def test_a_run_that_is_stopping_still_is_resumed_once_it_has_stopped(store: Store, tmp_path: Path) -> None:
    running(store, RunConfig())
    async with opened(tmp_path) as bench:
        await bench.press("escape")
        await bench.until(lambda: bench.main.runs.current is not None)
        await bench.press("x")
        await bench.until(lambda: store.get(1).is_stop_requested)
        await bench.press("r")
        await bench.until(lambda: "run 1 is still stopping; queued again as soon as stopped" in bench.messages())
        assert store.get(1).state == "running"
        assert store.end(1, this_process(), "stopped")
        await bench.until(lambda: store.get(1).state == "queued")
        await bench.until(lambda: "run 1 queued again" in bench.messages())


async def test_stopping_a_run_once_more_takes_the_wish_to_resume_it_back(store: Store, tmp_path: Path) -> None:
    running(store, RunConfig())
    async with opened(tmp_path) as bench:
        await bench.press("escape")
        await bench.until(lambda: bench.main.runs.current is not None)
        await bench.press("x")
        await bench.until(lambda: store.get(1).is_stop_requested)
        await bench.press("r")
        await bench.until(lambda: "queued again as soon as" in bench.messages())
        await bench.press("x")
        assert store.end(1, this_process(), "stopped")
        await bench.until(lambda: bench.app.lab.snapshot.runs[1].state == "stopped")
        await bench.until(lambda: not bench.main.workers)
        assert store.get(1).state == "stopped"


async def test_runs_are_stopped_moved_resumed_and_deleted_by_key(store: Store, tmp_path: Path) -> None:
    first, second = store.add([RunConfig(seed=1), RunConfig(seed=2)])
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        await bench.press("escape", "home", "J")
        await bench.until(lambda: [run.id for run in store.queue()] == [second.id, first.id])
        await bench.press("K")
        await bench.until(lambda: [run.id for run in store.queue()] == [first.id, second.id])
        bench.main.runs.go_to(first.id)
        await bench.press("x")
        await bench.until(lambda: store.get(first.id).state == "stopped")
        await bench.until(lambda: bench.app.lab.snapshot.runs[first.id].state == "stopped")
        bench.main.runs.go_to(first.id)
        await bench.press("r")
        await bench.until(lambda: store.get(first.id).state == "queued")
        await bench.until(lambda: bench.app.lab.snapshot.runs[first.id].state == "queued")
        await bench.press("d")
        assert isinstance(bench.app.screen, Confirm)
        await bench.press("n")
        assert len(store.runs()) == 2
        await bench.press("d", "y")
        await bench.until(lambda: len(store.runs()) == 1)


async def test_a_deleted_runs_folder_is_in_the_trash(store: Store, tmp_path: Path) -> None:
    run = finished(store, RunConfig())
    assert run.folder is not None
    (tmp_path / run.folder / "run.json").write_text("{}")  # what makes it a run folder
    async with opened(tmp_path) as bench:
        await bench.until(lambda: bench.main.runs.listed)
        await bench.press("escape", "d", "y")
        await bench.until(lambda: store.runs() == [])
        await bench.until(lambda: not (tmp_path / run.folder).exists())
        assert len(list((tmp_path / ".lenet-tui" / "trash").iterdir())) == 1


async def test_keys_in_a_burst_are_about_the_run_that_was_current_when_they_were_pressed(
    store: Store, tmp_path: Path
) -> None:
    store.add([RunConfig(seed=seed) for seed in range(4)])
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 4)
        await bench.press("escape", "home")
        await bench.pilot.pause()
        meant = [run.id for run in bench.main.runs.listed]
        for key in ("x", "down", "down", "space", "x", "down"):  # all are there before the first is done
            bench.app.post_message(Key(key, key if len(key) == 1 else None))
        await bench.until(lambda: sum(run.state == "stopped" for run in store.runs()) == 2)
        assert {run.id for run in store.runs() if run.state == "stopped"} == {meant[0], meant[2]}
        assert [run.id for run in bench.main.runs.marked] == [meant[2]]


async def test_a_question_takes_the_key_that_follows_at_once(store: Store, tmp_path: Path) -> None:
    store.add([RunConfig(seed=seed) for seed in range(3)])
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 3)
        await bench.press("escape", "home")
        await bench.pilot.pause()
        meant = bench.main.runs.current
        for key in ("d", "y", "down"):
            bench.app.post_message(Key(key, key if len(key) == 1 else None))
        await bench.until(lambda: len(store.runs()) == 2)
        assert meant.id not in {run.id for run in store.runs()}


async def test_a_running_run_is_not_offered_for_deletion(store: Store, tmp_path: Path) -> None:
    running(store, RunConfig())
    async with opened(tmp_path) as bench:
        await bench.until(lambda: bench.main.runs.listed)
        await bench.press("escape", "d")
        await bench.until(lambda: "run 1 is running; stop first (x)" in bench.messages())
        assert not isinstance(bench.app.screen, Confirm)


async def test_the_queue_is_paused_and_goes_on(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.until(lambda: bench.app.lab.snapshot.paused)
        await bench.press("escape", "p")
        await bench.until(lambda: not store.is_paused())
        await bench.until(lambda: not bench.app.lab.snapshot.paused)
        await bench.press("p")
        await bench.until(store.is_paused)
