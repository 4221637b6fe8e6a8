"""The main screen, driven by keys on a real store."""

from __future__ import annotations

import asyncio
import contextlib
from operator import attrgetter
from typing import TYPE_CHECKING

import pytest
from textual.events import Key
from textual.widgets import Input
from textual.widgets._toast import Toast

from lenet_tui.config import RunConfig
from lenet_tui.tui import keys
from lenet_tui.tui.app import LabApp
from lenet_tui.tui.details.screen import DetailsScreen
from lenet_tui.tui.dialogs.ask import AskText, Confirm
from lenet_tui.tui.dialogs.help import HelpScreen
from lenet_tui.tui.main_screen import MainScreen
from lenet_tui.tui.settings import Settings
from tests.tui.runs import finished

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from lenet_tui.store import Store


class Bench:
    """An app with its pilot, and waiting for what shall become true."""

    def __init__(self, app: LabApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def main(self) -> MainScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, MainScreen))

    async def press(self, *names: str) -> None:
        await self.pilot.press(*names)
        await self.pilot.pause()

    async def until(self, holds: Callable[[], object], seconds: float = 20) -> None:
        for _ in range(int(seconds / 0.02)):
            if holds():
                return
            await asyncio.sleep(0.02)
            await self.pilot.pause()
        assert holds()

    def messages(self) -> str:
        return "\n".join(f"{n.title} {n.message}" for n in self.app._notifications)

    def history(self) -> str:
        return "\n".join(shown.text for shown in self.app._shown_messages)


@contextlib.asynccontextmanager
async def opened(
    root: Path, size: tuple[int, int] = (80, 24), settings: Settings | None = None
) -> AsyncIterator[Bench]:
    app = LabApp(root, settings)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Bench(app, pilot)


async def test_the_default_run_is_queued_with_one_key(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.press("ctrl+r")
        await bench.until(lambda: len(store.queue()) == 1)
        assert store.queue()[0].config == RunConfig()
        await bench.until(lambda: len(bench.main.runs.listed) == 1)
        assert "queued run 1, place 1" in bench.messages()


async def test_a_sweep_typed_into_the_form_is_queued_from_the_keyboard_alone(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        bench.main.form.load_values({"batch_size": "16,32,64", "epochs": "2"})
        await bench.press("ctrl+r")
        await bench.until(lambda: len(store.queue()) == 3)
        assert [run.config.batch_size for run in store.queue()] == [16, 32, 64]


async def test_what_is_wrong_in_the_form_is_not_queued(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        bench.main.form.load_values({"lr": "0"})
        await bench.press("ctrl+r")
        await bench.until(lambda: "nothing was queued: 1 problem in the form" in bench.messages())
        assert store.queue() == []


async def test_what_was_typed_right_before_the_key_that_queues_is_queued(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.press("f2", "down", "down", "down")
        for key in ("1", "6", "ctrl+r"):  # all of them before the field has seen the first
            bench.app.post_message(Key(key, key if len(key) == 1 else None))
        await bench.until(lambda: len(store.queue()) == 1)
        assert store.queue()[0].config.batch_size == 16


async def test_a_note_is_written_and_found_by_the_filter(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig(seed=1))
    finished(store, RunConfig(seed=2))
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        await bench.press("escape", "end", "n")
        assert isinstance(bench.app.screen, AskText)
        await bench.press(*"odd", "enter")
        await bench.until(lambda: store.get(1).note == "odd")
        await bench.until(lambda: bench.app.lab.snapshot.runs[1].note == "odd")
        await bench.press("slash", *"odd")
        await bench.until(lambda: [run.id for run in bench.main.runs.listed] == [1])
        await bench.press("escape")
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        assert not bench.main.query_one("#filter", Input).display


async def test_a_runs_settings_are_cloned_into_the_form(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig(batch_size=16, dropout=0.3))
    async with opened(tmp_path) as bench:
        await bench.until(lambda: bench.main.runs.listed)
        await bench.press("escape", "c", "ctrl+r")
        await bench.until(lambda: isinstance(bench.app.screen, Confirm))
        await bench.press("y")
        await bench.until(lambda: len(store.queue()) == 1)
        assert store.queue()[0].config == RunConfig(batch_size=16, dropout=0.3)


async def test_queueing_the_identity_of_another_run_says_so_and_where_its_files_will_be(
    store: Store, tmp_path: Path
) -> None:
    finished(store, RunConfig(batch_size=16))
    async with opened(tmp_path) as bench:
        await bench.until(lambda: bench.main.runs.listed)
        await bench.press("escape", "c", "ctrl+r")
        await bench.until(lambda: isinstance(bench.app.screen, Confirm))
        await bench.press("n")
        await bench.pilot.pause()
        assert not store.queue()
        await bench.press("ctrl+r")
        await bench.until(lambda: isinstance(bench.app.screen, Confirm))
        await bench.press("y")
        await bench.until(lambda: "queued run 2, place 1 in the queue; the queue is paused" in bench.messages())
        duplicate = "run {} has the same configuration, so this one's folder will be lenet/bs16_lr0.001.{}"
        assert duplicate.format(1, 2) in bench.messages()
        await bench.press("ctrl+r")
        await bench.until(lambda: isinstance(bench.app.screen, Confirm))
        await bench.press("y")
        await bench.until(lambda: "queued run 3, place 2 in the queue; " in bench.messages())
        assert duplicate.format(2, 3) in bench.messages()
        bench.main.form.load_values({"batch_size": "8,16,32"})
        await bench.press("ctrl+r")
        await bench.until(lambda: "queued runs 4–6, places 3–5 in the queue; " in bench.messages())
        assert "1 duplicate of earlier runs, in other folders" in bench.messages()
        bench.main.form.load_values({"batch_size": "4"})
        await bench.press("ctrl+r")
        await bench.until(
            lambda: bench.messages().endswith("place 6 in the queue; the queue is paused, p continues it")
        )


async def test_the_copied_command_names_the_root_unless_it_is_the_current_folder(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(store, RunConfig(batch_size=16))
    async with opened(tmp_path) as bench:
        await bench.until(lambda: bench.main.runs.listed)
        await bench.press("escape", "y")
        await bench.until(lambda: f"--root {tmp_path}" in bench.messages())
        monkeypatch.chdir(tmp_path)
        await bench.press("y")
        await bench.until(lambda: bench.messages().endswith("queue add --batch-size 16"))


async def test_curves_of_the_current_and_the_marked_runs_are_shown(store: Store, tmp_path: Path) -> None:
    for seed in (1, 2):
        finished(store, RunConfig(seed=seed))
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        await bench.press("escape", "home", "space", "down")
        await bench.until(lambda: len(bench.app.lab.snapshot.epochs) == 2)


async def test_details_and_help_open_and_close(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig())
    async with opened(tmp_path) as bench:
        await bench.until(lambda: bench.main.runs.listed)
        await bench.press("escape", "enter")
        assert isinstance(bench.app.screen, DetailsScreen)
        await bench.press("escape", "question_mark")
        assert isinstance(bench.app.screen, HelpScreen)
        await bench.press("escape")
        assert isinstance(bench.app.screen, MainScreen)


async def test_the_selection_is_written_as_csv(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig(seed=1))
    finished(store, RunConfig(seed=2))
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        await bench.press("escape", "w")
        await bench.until(lambda: list(tmp_path.glob("runs-*.csv")))
        (path,) = tmp_path.glob("runs-*.csv")
        await bench.until(lambda: len(path.read_text().splitlines()) == 3)


async def test_keys_and_form_follow_the_settings(store: Store, tmp_path: Path) -> None:
    chosen = Settings(keys={"pause": "ctrl+d"}, defaults={"epochs": 7}, theme="nord")
    async with opened(tmp_path, settings=chosen) as bench:
        assert bench.app.theme == "nord"
        await bench.press("ctrl+r")
        await bench.until(lambda: store.queue())
        assert store.queue()[0].config.epochs == 7
        await bench.press("escape", "p")
        await bench.press("ctrl+d")
        await bench.until(lambda: not store.is_paused())


async def test_two_apps_on_one_root_show_the_same(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as one:
        other = LabApp(tmp_path)
        other.lab.watcher.start()
        try:
            await one.press("ctrl+r")
            await one.until(lambda: one.app.lab.snapshot.queue)
            assert [run.id for run in other.lab.watcher.ask(lambda s: s.queue())] == [
                run.id for run in one.app.lab.snapshot.queue
            ]
        finally:
            other.lab.watcher.end()


async def test_the_command_palette_offers_what_the_keys_do(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        offered = {command.title: command for command in bench.app.get_system_commands(bench.app.screen)}
        for key in keys.MAIN:
            assert any(title.startswith(f"{key.label} (") for title in offered), key.id
        await bench.press("ctrl+p", *"queue", "enter")
        await bench.until(lambda: len(store.queue()) == 1)


@pytest.mark.parametrize(("size", "filled"), [((80, 24), True), ((140, 45), False), ((30, 8), True)])
async def test_every_key_of_the_main_screen_can_be_pressed(
    store: Store, tmp_path: Path, size: tuple[int, int], filled: bool
) -> None:
    if filled:
        finished(store, RunConfig(seed=1))
        finished(store, RunConfig(seed=2))
        store.add([RunConfig(seed=3)])
    async with opened(tmp_path, size) as bench:
        for key in keys.MAIN:
            if key.id in ("quit", "quit-now", "export"):
                continue
            for name in key.keys.split(","):
                await bench.press("escape", name)
                for _ in range(2):  # whatever it opened, closed
                    if not isinstance(bench.app.screen, MainScreen):
                        await bench.press("escape")
            assert isinstance(bench.app.screen, MainScreen), key.id


async def test_the_terminal_may_change_its_size_all_the_time(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig(), epochs=12)
    async with opened(tmp_path) as bench:
        await bench.until(lambda: bench.main.runs.listed)
        for width, height in [(200, 60), (20, 5), (80, 24), (1, 1), (120, 40), (60, 10), (80, 24)] * 3:
            await bench.pilot.resize_terminal(width, height)
        await bench.pilot.pause()
        assert bench.main.runs.current is not None


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_messages_lie_over_the_keys_and_go_by_themselves_an_error_last(
    store: Store, tmp_path: Path, size: tuple[int, int]
) -> None:
    app = LabApp(tmp_path)
    async with app.run_test(size=size, notifications=True) as pilot:
        bench = Bench(app, pilot)
        await bench.press("ctrl+r")
        await bench.until(lambda: "queued run 1, place 1" in bench.messages())
        bench.main.notify("cannot read /here/[old]/run.json", severity="error")
        bench.main.notify("not so important")
        await bench.until(lambda: len([toast for toast in bench.main.query(Toast) if toast.region]) == 2)
        seconds = {note.severity: note.timeout for note in app._notifications}
        assert seconds["information"] <= 4 < seconds["error"]
        for toast in bench.main.query(Toast):
            assert not toast.region.overlaps(bench.main.curves.region)
            assert toast.region.y >= size[1] - 2  # over the keys; two of them need one line more
        assert "/here/[old]/run.json" in str(bench.main.query(Toast).first().render())


async def test_every_key_has_a_target_and_no_key_means_two_things(store: Store, tmp_path: Path) -> None:
    pressed = [name for key in keys.MAIN for name in key.keys.split(",")]
    assert len(pressed) == len(set(pressed))
    async with opened(tmp_path) as bench:
        for key in keys.MAIN:
            assert callable(attrgetter(key.target)(bench.main)), key.id
