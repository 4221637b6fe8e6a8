"""The curves panel as a widget: what it shows, and what its keys and the mouse do."""

from __future__ import annotations

import sys
from dataclasses import replace

from textual.app import App, ComposeResult
from textual.events import Leave, MouseScrollDown, MouseScrollUp

from lenet_tui.tui.curves.chart import text_of
from lenet_tui.tui.curves.layout import title_row
from lenet_tui.tui.curves.panel import PALETTE, CurvesPanel
from tests.tui.test_curves import FIVE, TITLE


class Panel(App[None]):
    def compose(self) -> ComposeResult:
        yield CurvesPanel()

    @property
    def panel(self) -> CurvesPanel:
        return self.query_one(CurvesPanel)


async def drawn(pilot) -> str:
    """Wait until the panel shows a plot."""
    while "└" not in "\n".join(pilot.app.panel.text()):
        await pilot.pause()
    return "\n".join(pilot.app.panel.text())


async def test_the_widget_shows_runs_and_changes_with_them():
    app = Panel()
    async with app.run_test(size=(60, 14)) as pilot:
        app.panel.show([], "no run")
        assert "no run is selected" in "\n".join(app.panel.text())
        app.panel.show([FIVE], TITLE)
        first = await drawn(pilot)
        assert "◆ lowest 0.1000, epoch 4" in first
        assert [strip.text for strip in (app.panel.render_line(y) for y in range(14))] == first.split("\n")
        app.panel.show([replace(FIVE, epochs=FIVE.epochs[:2])], TITLE)
        assert "◆ lowest 0.2000, epoch 2" in "\n".join(app.panel.text())
        await pilot.resize_terminal(100, 20)
        await pilot.pause()
        assert [len(row) for row in app.panel.text()] == [100] * 20


async def test_only_what_changed_is_painted_again(monkeypatch):
    app = Panel()
    async with app.run_test(size=(60, 14)) as pilot:
        app.panel.show([FIVE], TITLE)
        await drawn(pilot)
        painted = []
        monkeypatch.setattr(app.panel, "refresh", lambda *regions, **_: painted.append(regions))
        app.panel.show([FIVE], TITLE)
        assert painted == []
        app.panel.show([FIVE], TITLE.replace("5/5", "4/5"))
        assert [(region.x, region.y, region.width, region.height) for region in painted[0]] == [(30, 0, 1, 1)]


async def test_each_action_changes_the_picture_and_back():
    app = Panel()
    async with app.run_test(size=(60, 14)) as pilot:
        app.panel.show([FIVE], TITLE)
        plain = await drawn(pilot)

        def shown() -> str:
            return "\n".join(app.panel.text())

        app.panel.toggle_log()
        assert "loss (log)" in shown()
        app.panel.toggle_log()
        assert shown() == plain
        for title in ("accuracy", "train loss by step", "learning rate", "images/s", "gap (val loss − train loss)"):
            app.panel.cycle_metric()
            assert title in shown()
        app.panel.cycle_metric()
        assert shown() == plain
        for weight in ("0.6", "0.9"):
            app.panel.cycle_smoothing()
            assert f"smoothed {weight}" in shown()
        app.panel.cycle_smoothing()
        assert shown() == plain
        app.panel.toggle_train()
        assert "train" not in shown()
        app.panel.toggle_train()
        assert shown() == plain
        app.panel.cycle_marks()
        assert "▀" in shown()
        app.panel.cycle_marks()
        assert all(char.isascii() for row in app.panel.text()[1:] for char in row)
        app.panel.cycle_marks()
        assert shown() == plain
        app.panel.pan(-0.25)
        assert shown() == plain
        app.panel.zoom(0.5)
        assert "epochs 2–4 of 5" in shown()
        app.panel.pan(0.25)
        assert "epochs 3–5 of 5" in shown()
        app.panel.zoom(2)
        assert shown() == plain
        app.panel.zoom(0.5)
        app.panel.reset_zoom()
        assert shown() == plain


async def test_one_key_shows_the_planned_epochs_and_hides_them_again():
    app = Panel()
    async with app.run_test(size=(60, 14)) as pilot:
        app.panel.show([replace(FIVE, total_epochs=30)], TITLE)
        assert (await drawn(pilot)).split("\n")[-1].endswith("▸30")
        app.panel.reset_zoom()
        assert app.panel.text()[-1].endswith("─30 planned")
        app.panel.reset_zoom()
        assert app.panel.text()[-1].endswith("▸30")


async def test_a_second_chart_can_be_chosen_where_there_is_room():
    app = Panel()
    async with app.run_test(size=(100, 20)) as pilot:
        app.panel.show([FIVE], TITLE)
        assert "accuracy" not in await drawn(pilot)
        for name in ("accuracy", "train loss by step", "learning rate", "images/s", "gap"):
            app.panel.cycle_second()
            assert name in "\n".join(app.panel.text()[1:4])
        app.panel.cycle_second()
        assert app.panel.options.second == "none"
        await pilot.resize_terminal(50, 10)
        await pilot.pause()
        app.panel.cycle_second()
        await pilot.pause()
        assert app.panel.options.second == "none"
        assert "no room for two charts" in "".join(note.message for note in app._notifications)
        await pilot.resize_terminal(130, 20)
        await pilot.pause()
        app.panel._choose(second="auto")
        assert "accuracy" in "\n".join(app.panel.text())
        app.panel.cycle_second()
        assert app.panel.options.second == "steps"


async def test_the_cursor_goes_from_epoch_to_epoch_and_away_beyond_the_last():
    app = Panel()
    async with app.run_test(size=(80, 14)) as pilot:
        app.panel.show([FIVE], TITLE)
        plain = await drawn(pilot)
        app.panel.move_cursor(-1)
        assert "epoch 5  ⠒⠒⠒ val 0.1100  ⠒ ⠒ train 0.0300" in app.panel.text()[1]
        app.panel.move_cursor(-1)
        assert "epoch 4  ⠒⠒⠒ val 0.1000  ⠒ ⠒ train 0.0600" in app.panel.text()[1]
        for _ in range(9):
            app.panel.move_cursor(-1)
        assert app.panel.cursor == 1
        for _ in range(5):
            app.panel.move_cursor(1)
        assert app.panel.cursor is None
        assert "\n".join(app.panel.text()) == plain
        app.panel.move_cursor(1)
        assert app.panel.cursor == 1


async def test_the_view_follows_the_cursor():
    app = Panel()
    async with app.run_test(size=(80, 14)) as pilot:
        app.panel.show([FIVE], TITLE)
        await drawn(pilot)
        app.panel.zoom(0.5)
        app.panel.move_cursor(-1)
        for _ in range(3):
            app.panel.move_cursor(-1)
        assert (app.panel.cursor, app.panel.options.zoom) == (1.0, (1.0, 3.0))


async def test_the_mouse_reads_out_while_it_is_there_and_a_click_keeps_the_cursor():
    app = Panel()
    async with app.run_test(size=(80, 14)) as pilot:
        app.panel.show([FIVE], TITLE)
        await drawn(pilot)
        await pilot.hover(CurvesPanel, offset=(79, 6))
        assert app.panel.cursor == 5
        await pilot.hover(CurvesPanel, offset=(6, 6))
        assert app.panel.cursor == 1
        await pilot.hover(CurvesPanel, offset=(2, 6))  # the labels of the axis
        assert app.panel.cursor is None
        await pilot.click(CurvesPanel, offset=(42, 6))
        assert app.panel.cursor == 3
        assert app.panel.has_focus
        await pilot.hover(CurvesPanel, offset=(6, 6))
        assert app.panel.cursor == 3
        app.set_focus(None)
        await pilot.pause()
        assert app.panel.cursor is None


async def test_the_cursor_that_follows_the_mouse_leaves_with_it():
    app = Panel()
    async with app.run_test(size=(80, 14)) as pilot:
        app.panel.show([FIVE], TITLE)
        await drawn(pilot)
        await pilot.hover(CurvesPanel, offset=(42, 6))
        assert app.panel.cursor == 3
        app.panel.post_message(Leave(app.panel))
        await pilot.pause()
        assert app.panel.cursor is None


async def test_the_wheel_zooms_around_the_mouse_and_back_to_all():
    app = Panel()
    async with app.run_test(size=(80, 14)) as pilot:
        app.panel.show([FIVE], TITLE)
        plain = await drawn(pilot)
        await wheel(pilot, MouseScrollUp, 79)
        assert app.panel.options.zoom == (2.0, 5.0)
        await wheel(pilot, MouseScrollUp, 79)
        await wheel(pilot, MouseScrollUp, 79)
        assert app.panel.options.zoom == (3.0, 5.0)
        for _ in range(3):
            await wheel(pilot, MouseScrollDown, 6)
        assert app.panel.options.zoom is None
        app.panel.on_leave()
        assert "\n".join(app.panel.text()) == plain


async def wheel(pilot, event: type[MouseScrollUp | MouseScrollDown], x: int) -> None:
    panel = pilot.app.panel
    panel.post_message(event(panel, x, 6, 0, 0, 0, shift=False, meta=False, ctrl=False))
    await pilot.pause()


async def test_each_run_has_the_colour_of_its_curve():
    app = Panel()
    async with app.run_test(size=(80, 14)) as pilot:
        other = replace(FIVE, run_id=13)
        app.panel.show([FIVE, other], TITLE)
        await drawn(pilot)
        assert app.panel.colours == {12: PALETTE[3].upper(), 13: PALETTE[4].upper()}
        seeds = [replace(curve, group="a") for curve in (FIVE, other)]
        app.panel.show(seeds, TITLE)
        app.panel.toggle_seeds()
        assert app.panel.colours == {12: PALETTE[3].upper(), 13: PALETTE[3].upper()}


async def test_what_a_person_chose_is_told_and_a_zoom_is_not():
    chosen = []

    class Listening(Panel):
        def on_curves_panel_chosen(self, event: CurvesPanel.Chosen) -> None:
            chosen.append(event.options)

    app = Listening()
    async with app.run_test(size=(80, 14)) as pilot:
        app.panel.show([FIVE], TITLE)
        await drawn(pilot)
        app.panel.zoom(0.5)
        app.panel.toggle_train()
        await pilot.pause()
        assert [options.train for options in chosen] == [False]


async def test_another_run_is_shown_whole():
    app = Panel()
    async with app.run_test(size=(60, 14)) as pilot:
        app.panel.show([FIVE], TITLE)
        await drawn(pilot)
        app.panel.zoom(0.5)
        app.panel.show([replace(FIVE, total_epochs=6)], TITLE)
        assert app.panel.options.zoom is not None
        app.panel.show([replace(FIVE, run_id=13)], TITLE)
        assert app.panel.options.zoom is None


async def test_the_focus_shows_without_colour():
    app = Panel()
    async with app.run_test(size=(60, 14)) as pilot:
        app.panel.show([FIVE], TITLE)
        app.panel.focus()
        await pilot.pause()
        assert "━" in app.panel.text()[0]
        app.set_focus(None)
        await pilot.pause()
        assert "─" in app.panel.text()[0]


def test_a_panel_in_a_frame_has_no_rule_of_its_own():
    assert text_of([title_row("run 1", 12, focused=True, ruled=False)]) == ["run 1       "]


def test_importing_the_panel_brings_no_drawing_library():
    import subprocess

    unwanted = {"plotext", "PIL", "numpy", "torch"}
    code = f"import sys, lenet_tui.tui.curves.panel; print([name for name in {unwanted} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


async def test_what_was_drawn_for_a_smaller_panel_has_a_style_to_its_end():
    app = Panel()
    async with app.run_test(size=(100, 20)) as pilot:
        app.panel.show([FIVE], TITLE)
        await drawn(pilot)
        app.panel._rows = tuple(row[:40] for row in app.panel._rows)  # as between growing and being drawn again
        strips = [app.panel.render_line(y) for y in range(20)]
        assert all(segment.style is not None for strip in strips for segment in strip)
        assert [strip.cell_length for strip in strips] == [100] * 20
