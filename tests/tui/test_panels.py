"""What is around the panels of the main screen: help, messages, jumping, sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.events import Key
from textual.widgets import OptionList

from lenet_tui.config import RunConfig
from lenet_tui.tui.app import LabApp
from lenet_tui.tui.choices import Choices
from lenet_tui.tui.dialogs.help import HelpScreen
from lenet_tui.tui.dialogs.jump import JumpScreen
from lenet_tui.tui.dialogs.messages import MessagesScreen
from lenet_tui.tui.settings import Settings
from lenet_tui.tui.widgets.plain_text import PlainStatic
from tests.tui.runs import finished
from tests.tui.test_main import Bench, opened

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store import Store


async def test_messages_can_be_read_again(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.press("ctrl+r")
        await bench.until(lambda: "queued run 1" in bench.messages())
        await bench.press("escape", "p")
        await bench.until(lambda: "the queue is" in bench.messages())
        assert "queued run 1" not in bench.messages()  # one at a time
        await bench.press("N")
        await bench.until(lambda: isinstance(bench.app.screen, MessagesScreen))
        text = "\n".join(str(line.render()) for line in bench.app.screen.query(PlainStatic))
        assert text.index("the queue is") < text.index("queued run 1")
        await bench.press("N")
        assert bench.app.screen is bench.main


async def test_help_finds_a_key_and_runs_it(store: Store, tmp_path: Path) -> None:
    paused = store.is_paused()
    async with opened(tmp_path) as bench:
        await bench.press("escape", "question_mark", "slash", *"pause", "space", *"queue")
        await bench.press("enter")
        await bench.until(lambda: bench.app.screen is bench.main)
        await bench.until(lambda: store.is_paused() is not paused)


async def test_help_begins_with_the_panel_that_has_the_focus(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        for way, section in (("escape", "Runs"), ("2", "Curves"), ("1", "New run")):
            await bench.press(way, "f1")
            await bench.until(lambda: isinstance(bench.app.screen, HelpScreen))
            assert str(bench.app.screen.query_one(OptionList).options[0].prompt) == section
            await bench.press("escape")


async def test_one_panel_fills_the_screen_and_gives_it_back(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        for way, panel in (("escape", "#runs-panel"), ("2", "#curves-panel")):
            await bench.press(way, "z")
            assert bench.main.query_one(panel).outer_size.width == 80
            assert bench.main.query_one(panel).outer_size.height == 22
            await bench.press("z")
            assert bench.main.query_one(panel).outer_size.width < 60
        await bench.press("f2", "escape", "z", "f2")  # who goes elsewhere sees all of it
        assert bench.main.form.region.width < 40


@pytest.mark.parametrize("size", [(20, 5), (40, 24), (80, 8)])
async def test_a_screen_too_small_for_three_panels_has_the_one_with_the_focus(
    store: Store, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened(tmp_path, size) as bench:
        ways = {
            "f2": "#form",
            "escape": "#runs-panel",
            "f3": "#curves-panel",
            "slash": "#runs-panel",
            "f4": "#runs-panel",
        }
        for way, panel in ways.items():
            await bench.press(way)
            await bench.pilot.pause()
            assert [f"#{shown.id}" for shown in bench.main._panels if shown.region] == [panel]
            assert bench.main.query_one(panel).region.width == size[0]
            assert bench.main.panel is bench.main.query_one(panel)
        await bench.pilot.resize_terminal(80, 24)
        assert all(shown.region for shown in bench.main._panels)


async def test_the_filter_of_a_hidden_panel_comes_into_sight(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.press("f3", "z", "slash")
        assert bench.main.query_one("#runs-panel").region.width == 80
        await bench.press("escape")
        assert all(shown.region for shown in bench.main._panels)


async def test_panels_change_their_size_within_bounds(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.press("escape")
        width, height = bench.main.form.outer_size.width, bench.main.query_one("#curves-panel").size.height
        await bench.press("greater_than_sign", "right_curly_bracket")
        assert bench.main.form.outer_size.width == width + 2
        assert bench.main.query_one("#curves-panel").size.height == height + 1
        await bench.press(*["less_than_sign"] * 30, *["left_curly_bracket"] * 30)
        assert bench.main.form.outer_size.width == 20
        assert bench.main.query_one("#curves-panel").size.height >= 4


async def test_a_letter_jumps_to_a_field(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.press("ctrl+o")
        await bench.until(lambda: isinstance(bench.app.screen, JumpScreen))
        labels = {str(label.render()): label.region.offset for label in bench.app.screen.query(PlainStatic)}
        batch = bench.main.form._rows["batch_size"]
        letter = next(letter for letter, offset in labels.items() if batch.region.contains_point(offset))
        await bench.press(letter)
        await bench.until(lambda: bench.app.focused is batch.input)
        await bench.press("ctrl+o", "escape")
        assert bench.app.focused is batch.input


async def test_theme_sizes_and_the_hidden_form_are_there_the_next_time(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENET_TUI_SETTINGS", str(tmp_path / "settings.toml"))

    def settings() -> Settings:
        return Choices(tmp_path, Settings()).applied()

    app = LabApp(tmp_path, settings(), choices=Choices(tmp_path, Settings()))
    async with app.run_test(size=(120, 40)) as pilot:
        bench = Bench(app, pilot)
        await bench.press("escape", "greater_than_sign", "right_curly_bracket", "Z")
        app.theme = "nord"
        width, height = bench.main.form.styles.width, bench.main.query_one("#curves-panel").size.height
        await bench.until(lambda: (settings().theme, settings().form) == ("nord", False))
    app = LabApp(tmp_path, settings(), choices=Choices(tmp_path, Settings()))
    async with app.run_test(size=(120, 40)) as pilot:
        bench = Bench(app, pilot)
        await bench.until(lambda: bench.main.runs.has_focus)
        assert (app.theme, bench.main.form.display, bench.main.form.styles.width) == ("nord", False, width)
        await bench.until(lambda: bench.main.query_one("#curves-panel").size.height == height)


async def test_keys_in_one_write_resize_as_often_as_they_were_pressed(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.press("escape")
        width, height = bench.main.form.outer_size.width, bench.main.query_one("#curves-panel").outer_size.height
        for _ in range(3):
            bench.app.post_message(Key("greater_than_sign", ">"))
            bench.app.post_message(Key("right_curly_bracket", "}"))
        await bench.until(lambda: bench.main.form.outer_size.width == width + 6)
        await bench.until(lambda: bench.main.query_one("#curves-panel").outer_size.height == height + 3)


async def test_a_dialog_dims_what_is_behind_it_and_leaves_it_in_sight(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig(), 0.99)
    async with opened(tmp_path) as bench:
        await bench.until(lambda: bench.main.runs.listed)
        for keys in (("escape", "d"), ("ctrl+o",), ("question_mark",)):
            await bench.press(*keys)
            assert bench.app.screen is not bench.main
            assert bench.app.screen.styles.background.a < 1
            await bench.press("escape")


async def test_a_search_in_help_prefers_the_key_that_is_called_so(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.press("escape", "question_mark", "slash", *"wider")
        options = bench.app.screen.query_one(OptionList)
        assert options.highlighted_option is not None
        assert options.highlighted_option.id == "wider"


async def test_a_filter_without_matches_gives_the_cursor_back(store: Store, tmp_path: Path) -> None:
    for seed in range(3):
        finished(store, RunConfig(seed=seed), 0.99)
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 3)
        bench.main.runs.go_to(2)
        await bench.press("escape", "slash", *"odd")
        await bench.until(lambda: not bench.main.runs.listed)
        assert bench.main.runs.current is None
        await bench.press("escape")
        await bench.until(lambda: len(bench.main.runs.listed) == 3)
        assert bench.main.runs.current is not None
        assert bench.main.runs.current.id == 2
