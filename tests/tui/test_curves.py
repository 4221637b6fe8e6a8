"""The curves panel: what it draws of runs, in words and strokes, and what its keys do."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import pytest
from rich.color import Color, ColorSystem
from textual.app import App, ComposeResult

from lenet_tui.run.metrics import EpochMetrics
from lenet_tui.tui.curves.chart import text_of
from lenet_tui.tui.curves.layout import flow, panel, room_for_both
from lenet_tui.tui.curves.panel import PALETTE, CurvesPanel
from lenet_tui.tui.curves.plots import (
    COLOURS,
    Curve,
    Options,
    colours_of,
    extent,
    fitted,
    panned,
    plot_of,
    smooth,
    trouble,
    visible_epochs,
    zoomed,
)

TITLE = "12 lenet/bs64_lr0.001 · epoch 5/5"


def epochs(*losses: tuple[float, float]) -> tuple[EpochMetrics, ...]:
    return tuple(
        EpochMetrics(n, train, val, 1 - train / 4, 1 - val / 4, 0.001, 2.0, train, 1 - train / 4, val)
        for n, (train, val) in enumerate(losses, start=1)
    )


FIVE = Curve(12, "12 lenet/bs64_lr0.001", epochs((0.5, 0.3), (0.2, 0.2), (0.1, 0.12), (0.06, 0.1), (0.03, 0.11)), 5)


def rows(curves, options=Options(), width=50, height=10, title=TITLE):  # noqa: B008 - frozen
    return text_of(panel(curves, title, options, width, height))


def test_a_run_is_drawn_with_title_legend_and_axes():
    assert rows([FIVE]) == [
        "12 lenet/bs64_lr0.001 · epoch 5/5 ────────────────",
        "loss  ⠒⠒⠒ val  ⠒ ⠒ train  ◆ lowest 0.1000, epoch 4",
        "   │⠑ ⣀                                           ",
        "0.4┤    ⠤                                         ",
        "   │⣀⡀    ⠑ ⡀                                     ",
        "   │ ⠈⠉⠑⠒⠒⠤⠤⢌⣀⣄                                   ",
        "0.2┤          ⠈⠉⠙⠒⠲⠤⢤⢄⣀⣀                          ",
        "   │                  ⠈ ⠙⠉⠲⠒⠶⠒⣒⠒⣒⠤⣤⠤⠤⠤◆⠤⠤⠤⠤⠤⠒⠒⠒⠒⠒⠒",
        "  0┤                                ⠉ ⠉ ⠉ ⠉ ⠒ ⠒ ⠒ ",
        "   └1──────────2───────────3──────────4──────────5",
    ]


def test_the_panel_says_that_there_are_no_runs():
    assert rows([], height=4) == [TITLE + " " + "─" * 16, " " * 50, "no runs yet".center(50), " " * 50]


def test_a_run_without_an_epoch_says_so():
    assert rows([Curve(1, "1 lenet", (), 20)], height=3)[2].strip() == "no epoch done yet"
    early = Curve(1, "1 lenet", (), 20, (0.4, 2.1))
    assert rows([early], width=70, height=3)[2].strip() == ("no epoch done yet; at 40 %: train loss 2.1000")


def test_the_epoch_in_progress_extends_the_train_curve():
    done = Curve(1, "1 lenet", epochs((0.5, 0.3), (0.2, 0.2)), 5)
    assert rows([done])[2:-1] != rows([replace(done, partial=(2.8, 0.1))])[2:-1]
    train = [
        line for line in plot_of([replace(done, partial=(2.8, 0.1))], "loss", Options()).lines if "train" in line.role
    ]
    assert train[-1].points == ((2.0, 0.2), (2.8, 0.1))
    assert len(list(plot_of([replace(done, partial=(2.8, 0.1))], "accuracy", Options()).lines)) == 2


def test_the_epoch_of_lowest_validation_loss_is_marked_and_named():
    assert [(mark.at, mark.text) for mark in plot_of([FIVE], "loss", Options()).marks] == [((4.0, 0.1), "◆")]
    assert "◆ lowest 0.1000, epoch 4" in rows([FIVE])[1]
    assert "◆ val acc 97.50 % at epoch 4" in rows([FIVE], Options("accuracy"), width=60)[1]


def test_divergence_is_told_first_and_leaves_a_gap():
    broken = Curve(3, "3 lenet", epochs((0.5, 0.3), (0.2, 0.2), (math.nan, 0.4)), 5)
    assert rows([broken])[1].startswith("diverged in epoch 3: train loss nan")
    assert trouble(replace(broken, epochs=epochs((0.5, math.inf)))) == "diverged in epoch 1: val loss inf"
    assert trouble(replace(FIVE, partial=(5.5, math.nan))) == "diverging in epoch 6: train loss nan"
    assert trouble(FIVE) == ""
    assert rows([replace(broken, epochs=epochs((math.nan, math.nan)))])


def test_a_run_that_diverged_from_the_start_still_draws_its_axes():
    lost = Curve(3, "3 lenet", epochs((math.nan, math.nan)), 5)
    assert "└" in rows([lost])[-1]


def test_overlaid_runs_are_told_apart_by_their_numbers():
    other = Curve(7, "7 lenet/bs16_lr0.001", epochs((0.6, 0.5), (0.4, 0.4), (0.3, 0.35)), 5)
    drawn = rows([FIVE, other], width=86, height=16)
    assert "12 lenet/bs64_lr0.001 0.1000 at epoch 4" in "".join(drawn[1:4])
    assert "7 lenet/bs16_lr0.001 0.3500 at epoch 3" in "".join(drawn[1:4])
    plot = "\n".join(drawn[4:-1])
    assert plot.count("12") == 2
    assert plot.count("7") == 2


def test_in_little_room_the_runs_in_the_legend_are_told_in_short():
    other = replace(FIVE, run_id=7, label="7 lenet/bs16_lr0.001_data-digits")
    assert [row.rstrip() for row in rows([FIVE, other], width=54, height=12)[1:3]] == [
        "loss  ⠒⠒⠒ val  ⠒ ⠒ train  12 bs64_lr0.001 0.1000",
        "7 bs16_lr0.001_d… 0.1000  ◆ lowest val loss",
    ]


def test_of_many_runs_only_the_current_one_shows_its_train_curve():
    many = [FIVE, *(replace(FIVE, run_id=n, label=f"{n} x") for n in (1, 2, 3))]
    lines = plot_of(many, "loss", Options()).lines
    assert len([line for line in lines if line.role.startswith("train")]) == 1
    assert len([line for line in lines if line.role.startswith("run")]) == 4
    assert "train of 12" in rows(many, width=90)[1]


def test_colours_stay_with_runs_and_are_shared_only_when_there_are_too_many():
    alone = colours_of([FIVE])[12]
    few = [replace(FIVE, run_id=n) for n in (12, 13, 14)]
    assert colours_of(few)[12] == alone == colours_of(few[::-1])[12]
    clash = colours_of([FIVE, replace(FIVE, run_id=12 + COLOURS)])
    assert len(set(clash.values())) == 2
    assert len(set(colours_of([replace(FIVE, run_id=n) for n in range(40)]).values())) == COLOURS


def test_colours_are_apart_in_16_colours():
    assert len(PALETTE) == COLOURS
    assert len({Color.parse(colour).downgrade(ColorSystem.STANDARD).number for colour in PALETTE}) == COLOURS


def test_smoothing_starts_at_the_data_and_keeps_what_is_no_number():
    assert smooth([1.0, 3.0], 0.0) == [1.0, 3.0]
    assert smooth([2.0, 2.0, 2.0], 0.9) == pytest.approx([2.0, 2.0, 2.0])
    assert smooth([1.0, 3.0], 0.5) == pytest.approx([1.0, (0.25 * 1 + 0.5 * 3) / 0.75])
    gap = smooth([1.0, math.nan, 1.0], 0.6)
    assert math.isnan(gap[1])
    assert gap[2] == pytest.approx(1.0)


def test_with_smoothing_the_raw_curves_stay_as_a_shadow_under_the_others():
    lines = plot_of([FIVE], "loss", Options(smoothing=0.6)).lines
    assert [line.under for line in lines] == [True, True, False, False]
    assert lines[1].points == tuple((float(row.epoch), row.val_loss) for row in FIVE.epochs)
    assert "raw; smoothed 0.6" in "".join(rows([FIVE], Options(smoothing=0.6), height=14, width=70)[1:3])


def test_overfitting_is_named_and_marked_in_the_axis():
    rising = Curve(1, "1 lenet", epochs(*((0.5 / n, 0.2 + 0.05 * abs(n - 4)) for n in range(1, 16))), 15)
    drawn = rows([rising], width=70, height=14)
    assert "overfits from epoch 4" in "".join(drawn[1:3])
    assert "═" in drawn[-1]


def test_the_axis_reaches_to_the_last_epoch_or_grows_by_doubling():
    assert extent([FIVE]) == (1, 5)
    assert extent([replace(FIVE, total_epochs=20)]) == (1, 20)
    assert extent([replace(FIVE, total_epochs=1000)]) == (1, 30)
    assert extent([replace(FIVE, total_epochs=1000, partial=(30.5, 1.0))]) == (1, 60)
    assert extent([]) == (1, 1)


def test_zoom_keeps_within_the_run():
    whole = (1.0, 20.0)
    assert zoomed(whole, whole, 0.5) == (6.0, 16.0)
    assert zoomed((6.0, 16.0), whole, 2) is None
    assert zoomed((6.0, 8.0), whole, 0.5) == (6.0, 8.0)
    assert panned((6.0, 16.0), whole, 0.25) == (8.0, 18.0)
    assert panned((16.0, 20.0), whole, 0.25) == (16.0, 20.0)
    assert panned((1.0, 5.0), whole, -0.25) == (1.0, 5.0)
    assert fitted((3.0, 90.0), (1.0, 20.0)) == (1.0, 20.0)


def test_a_zoomed_plot_fits_its_values_and_cuts_lines_at_its_border():
    plot = plot_of([FIVE], "loss", Options(zoom=(2.5, 4.0)))
    assert plot.x_range == (2.5, 4.0)
    assert plot.lines[0].points[0] == (2.5, pytest.approx(0.15))
    assert plot.y_range == (0.06, pytest.approx(0.16))


def test_two_plots_stand_side_by_side_or_stacked_where_there_is_room():
    assert room_for_both(120, 12)
    assert room_for_both(60, 20)
    assert not room_for_both(60, 12)
    wide, tall, small = (rows([FIVE], Options("both"), w, h) for w, h in ((110, 14), (50, 22), (50, 12)))
    assert any("loss" in row and "accuracy" in row for row in wide)
    assert [row.split()[0] for row in tall if row.startswith(("loss", "accuracy"))] == ["loss", "accuracy"]
    assert not any("accuracy" in row for row in small)


def test_what_has_no_room_in_the_legend_is_counted():
    items = [((word, "text"),) for word in ("one", "two", "three", "four")]
    assert text_of(flow(items, 20, 1)) == ["one  two  … 2 more  "]
    assert text_of(flow(items, 20, 2)) == ["one  two  three     ", "four                "]


@pytest.mark.parametrize("shown", ["loss", "accuracy", "both"])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (10, 3), (20, 6), (50, 9), (80, 24), (200, 60)])
def test_every_size_is_filled_exactly(shown, size):
    width, height = size
    for curves in (
        [],
        [FIVE],
        [FIVE, replace(FIVE, run_id=123456)],
        [Curve(1, "x", (), 3)],
        [Curve(1, "x", epochs((1, 1)), 1)],
    ):
        drawn = panel(
            curves, "wide 字 title that goes on and on", Options(shown, log=True, smoothing=0.9), width, height
        )
        assert [len(row) for row in drawn] == [width] * height


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
        assert "no runs yet" in "\n".join(app.panel.text())
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
        app.panel.cycle_metric()
        assert "accuracy" in shown()
        app.panel.cycle_metric()
        assert shown() == plain
        for weight in ("0.6", "0.9"):
            app.panel.cycle_smoothing()
            assert f"smoothed {weight}" in shown()
        app.panel.cycle_smoothing()
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


async def test_both_metrics_are_offered_only_where_there_is_room():
    app = Panel()
    async with app.run_test(size=(110, 20)) as pilot:
        app.panel.show([FIVE], TITLE)
        await drawn(pilot)
        app.panel.cycle_metric()
        app.panel.cycle_metric()
        assert app.panel.options.shown == "both"
        await pilot.resize_terminal(50, 10)
        await pilot.pause()
        app.panel.cycle_metric()
        assert app.panel.options.shown == "accuracy"


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


def test_importing_the_panel_brings_no_drawing_library():
    import subprocess

    unwanted = {"plotext", "PIL", "numpy", "torch"}
    code = f"import sys, lenet_tui.tui.curves.panel; print([name for name in {unwanted} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_zoom_beyond_the_run_is_pulled_back_in():
    assert visible_epochs([FIVE], Options(zoom=(7.0, 9.0))) == (3.0, 5.0)


async def test_what_was_drawn_for_a_smaller_panel_has_a_style_to_its_end():
    app = Panel()
    async with app.run_test(size=(100, 20)) as pilot:
        app.panel.show([FIVE], TITLE)
        await drawn(pilot)
        app.panel._rows = tuple(row[:40] for row in app.panel._rows)  # as between growing and being drawn anew
        strips = [app.panel.render_line(y) for y in range(20)]
        assert all(segment.style is not None for strip in strips for segment in strip)
        assert [strip.cell_length for strip in strips] == [100] * 20
