"""The curves panel: what it draws of runs, in words and strokes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color, ColorSystem

from lenet_tui.run.metrics import EpochMetrics
from lenet_tui.tui.curves.chart import text_of
from lenet_tui.tui.curves.charts import Curve, Options, smooth
from lenet_tui.tui.curves.layout import body, charts_shown, panel, room_for_both
from lenet_tui.tui.curves.legend import flow
from lenet_tui.tui.curves.panel import PALETTE
from lenet_tui.tui.curves.plots import COLOURS, colours_of, plot_of, trouble
from lenet_tui.tui.curves.raster import Stroke
from lenet_tui.tui.curves.step_reader import NONE
from lenet_tui.tui.curves.view import extent, fitted, panned, visible_epochs, with_epoch, zoomed

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
        "  0.6┤ · · · · · · · · · · · · · · · · · · · · · ·",
        "     │⡀          ·          ·         ·          ·",
        "  0.4┤⠈ ⠢ ⡀  · · · · · · · · · · · · · · · · · · ·",
        "     │⣀⡀  ⠈ ⠤    ·          ·         ·          ·",
        "  0.2┤ ⠈⠉⠉⠑⠒⠒⠤⠭⠤⣤⣀⣀  · · · · · · · · · · · · · · ·",
        "     │·           ⠈⠉⠉⠉⠛⠒⠶⠒⠦⠤⣤⠤⣤⠤⠤⢄⣀⣀⣀⣀◆⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀",
        "    0┤ · · · · · · · · · · · ·  ⠉ ⠉ ⠒ ⠒ ⠒ ⠒ ⠢ ⠤ ⠤ ",
        "epoch└1──────────2──────────3─────────4──────────5",
    ]


def test_train_and_val_have_one_colour_and_differ_in_their_strokes():
    train, val = plot_of([FIVE], "loss", Options()).lines
    assert (train.role, train.stroke, val.role, val.stroke) == ("train3", Stroke.DASHED, "run3", Stroke.SOLID)


def test_the_train_curve_can_be_hidden():
    hidden = Options(train=False)
    assert [line.role for line in plot_of([FIVE], "loss", hidden).lines] == ["run3"]
    assert "train" not in rows([FIVE], hidden)[1]
    both = plot_of([FIVE], "loss", Options(train=False, smoothing=0.6)).lines
    assert [line.role for line in both] == ["shadow", "run3"]


def test_the_panel_says_that_there_are_no_runs():
    assert rows([], height=4) == [TITLE + " " + "─" * 16, " " * 50, "no run is selected".center(50), " " * 50]


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


def test_the_epoch_of_lowest_val_loss_or_highest_val_acc_is_marked_and_named():
    assert [(mark.at, mark.text) for mark in plot_of([FIVE], "loss", Options()).marks] == [((4.0, 0.1), "◆")]
    assert "◆ lowest 0.1000, epoch 4" in rows([FIVE])[1]
    assert "◆ highest 97.50 %, epoch 4" in rows([FIVE], Options("accuracy"), width=60)[1]


@pytest.mark.parametrize("smoothing", [0.0, 0.6, 0.9])
def test_the_mark_of_the_best_epoch_lies_on_its_value_however_smooth_the_curve_is(smoothing):
    plot = plot_of([FIVE], "loss", Options(smoothing=smoothing))
    assert [mark.at for mark in plot.marks] == [(4.0, 0.1)]
    assert plot.y_range[0] <= 0.1


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
    assert lines[0].points == tuple((float(row.epoch), row.val_loss) for row in FIVE.epochs)
    assert "raw; smoothed 0.6" in "".join(rows([FIVE], Options(smoothing=0.6), height=14, width=70)[1:3])


def test_overfitting_is_named_and_marked_in_the_axis():
    rising = Curve(1, "1 lenet", epochs(*((0.5 / n, 0.2 + 0.05 * abs(n - 4)) for n in range(1, 16))), 15)
    drawn = rows([rising], width=70, height=14)
    assert "overfits from epoch 4" in "".join(drawn[1:3])
    assert "═" in drawn[-1]


def test_the_axis_spans_the_epochs_that_there_are_and_on_demand_those_planned():
    ahead = replace(FIVE, total_epochs=20)
    assert extent([ahead], Options()) == (1, 5)
    assert extent([ahead], Options(planned=True)) == (1, 20)
    assert extent([replace(ahead, partial=(5.5, 1.0))], Options()) == (1, 6)
    assert extent([ahead], Options("steps")) == (0, 5)
    assert extent([], Options()) == (1, 1)
    assert plot_of([ahead], "loss", Options()).planned == 20
    assert plot_of([FIVE], "loss", Options()).planned is None
    assert rows([ahead], width=70)[-1].endswith("▸20 planned")


def test_the_axis_of_a_long_run_at_work_moves_seldom_and_never_beyond_its_plan():
    def reach(epochs: int) -> float:
        curve = Curve(1, "x", (), 500, (epochs - 0.5, 1.0), at_work=True)
        return extent([curve], Options())[1]

    assert reach(10) == 10
    assert all(epochs <= reach(epochs) <= epochs * 17 / 16 for epochs in range(1, 501))
    assert reach(497) == 500
    assert len({reach(epochs) for epochs in range(250, 501)}) < 20


def test_zoom_keeps_within_the_run():
    whole = (1.0, 20.0)
    assert zoomed(whole, whole, 0.5) == (6.0, 16.0)
    assert zoomed((6.0, 16.0), whole, 2) is None
    assert zoomed((6.0, 8.0), whole, 0.5) == (6.0, 8.0)
    assert panned((6.0, 16.0), whole, 0.25) == (8.0, 18.0)
    assert panned((16.0, 20.0), whole, 0.25) == (16.0, 20.0)
    assert panned((1.0, 5.0), whole, -0.25) == (1.0, 5.0)
    assert fitted((3.0, 90.0), (1.0, 20.0)) == (1.0, 20.0)
    assert with_epoch((6.0, 16.0), whole, 18.0) == (8.0, 18.0)
    assert with_epoch((6.0, 16.0), whole, 7.0) == (6.0, 16.0)


@given(
    low=st.integers(1, 99),
    span=st.integers(1, 99),
    factor=st.sampled_from([0.1, 0.5, 0.8, 1.25, 2, 10]),
    around=st.none() | st.floats(-50, 200),
    share=st.floats(-2, 2),
)
def test_zoom_and_pan_never_leave_the_data(low, span, factor, around, share):
    whole = (1.0, 100.0)
    view = fitted((float(low), float(low + span)), whole)
    for after in (zoomed(view, whole, factor, around) or whole, panned(view, whole, share)):
        assert whole[0] <= after[0] < after[1] <= whole[1]


def test_zoom_keeps_the_epoch_below_the_mouse_where_it_is():
    assert zoomed((1.0, 101.0), (1.0, 101.0), 0.8, 81.0) == (17.0, 97.0)  # four fifths of the way, before and after


def test_a_step_of_the_wheel_always_shows_more_or_less():
    assert zoomed((5.0, 7.0), (1.0, 20.0), 1.25) == (4.0, 7.0)


def test_a_zoomed_plot_fits_its_values_and_cuts_lines_at_its_border():
    plot = plot_of([FIVE], "loss", Options(zoom=(2.5, 4.0)))
    assert plot.x_range == (2.5, 4.0)
    assert plot.lines[0].points[0] == (2.5, pytest.approx(0.15))
    assert plot.y_range == (0.06, pytest.approx(0.16))


WITHIN = replace(FIVE, steps=tuple((n / 10, 1 / (n + 1)) for n in range(50)))


@pytest.mark.parametrize(
    ("chart", "title", "points"),
    [
        ("loss", "loss", (4.0, 0.1)),
        ("accuracy", "accuracy", (4.0, 0.975)),
        ("lr", "learning rate", (4.0, 0.001)),
        ("speed", "images/s", (4.0, 27_500.0)),
        ("gap", "gap (val loss − train loss)", (4.0, pytest.approx(0.04))),
        ("steps", "train loss by step", (4.0, pytest.approx(1 / 41))),
    ],
)
def test_each_chart_has_its_values_and_says_what_they_are(chart, title, points):
    curve = replace(WITHIN, images=55_000)
    assert points in plot_of([curve], chart, Options(chart)).lines[-1].points
    assert rows([curve], Options(chart))[1].startswith(title)


def test_a_run_without_a_record_of_its_steps_says_so_in_a_line():
    old = replace(FIVE, run_id=7, steps=(), no_steps=NONE)
    alone = rows([old], Options("steps"), width=60)
    assert sum(NONE in row for row in alone) == 1
    assert not any("┤" in row for row in alone)
    among = rows([WITHIN, old], Options("steps"), width=90, height=16)
    assert f"7: {NONE}" in "".join(among[1:4])
    assert any("┤" in row for row in among)
    assert NONE not in "".join(rows([FIVE], Options("steps"), width=60))  # not read yet


def test_only_what_has_a_logarithm_has_a_log_axis():
    assert plot_of([FIVE], "lr", Options("lr", log=True)).log
    assert not plot_of([FIVE], "gap", Options("gap", log=True)).log
    assert "(log)" not in rows([FIVE], Options("accuracy", log=True))[1]


def test_a_second_chart_is_there_by_itself_only_where_the_panel_is_wide():
    assert charts_shown(Options(), 121, 20) == ("loss", "accuracy")
    assert charts_shown(Options("accuracy"), 121, 20) == ("accuracy", "loss")
    assert charts_shown(Options(), 100, 20) == ("loss",)
    assert charts_shown(Options(second="gap"), 100, 20) == ("loss", "gap")
    assert charts_shown(Options(second="gap"), 40, 12) == ("loss",)
    assert charts_shown(Options(second="none"), 200, 50) == ("loss",)


def test_the_cursor_reads_out_every_curve_in_both_charts():
    other = replace(FIVE, run_id=7, label="7 lenet/bs16")
    sheet = body([FIVE, other], Options(), 130, 24, 2.0)
    text = text_of(sheet.rows)
    (line,) = [row for row in text if "epoch 2 " in row]
    for values in ("12 ⠒⠒⠒ val 0.2000 ⠒ ⠒ train 0.2000", "7 ⠒⠒⠒ val 0.2000"):
        assert values in "".join(text)
    assert line.count("epoch 2") == 2
    assert sum("│" in row[7:60] and "│" in row[73:] for row in text) > 10
    assert "epoch 5  ⠒⠒⠒ val 97.25 %" in "".join(text_of(body([FIVE], Options("accuracy"), 80, 20, 5.0).rows))


def test_where_a_run_has_no_such_epoch_the_readout_has_a_dash():
    short = replace(FIVE, run_id=7, label="7 lenet/bs16", epochs=FIVE.epochs[:2])
    text = "".join(text_of(body([FIVE, short], Options(second="none"), 100, 24, 4.0).rows))
    assert "7 lenet/bs16 ⠒⠒⠒ val –" in text


def test_a_cell_of_a_plot_says_its_epoch_in_each_of_two_charts():
    sheet = body([FIVE], Options(), 130, 24)
    first, second = sheet.areas
    for area in (first, second):
        assert sheet.epoch_at(area.x + area.width - 1, area.y + 3) == pytest.approx(5.0)
    assert sheet.epoch_at(first.x + 6, first.y) == pytest.approx(1.0)
    assert sheet.epoch_at(0, 0) is None


def test_the_baseline_is_named_at_its_curve_and_in_the_legend():
    base = replace(FIVE, run_id=7, label="7 lenet/bs16", is_baseline=True)
    marks = plot_of([FIVE, base], "loss", Options()).marks
    assert [mark.text for mark in marks if mark.tag] == ["12", "7 base"]
    assert "7 lenet/bs16 baseline" in "".join(rows([FIVE, base], width=100, height=16)[1:4])
    assert "baseline" in rows([base], width=100)[1]


def test_two_plots_stand_side_by_side_or_stacked_where_there_is_room():
    assert room_for_both(120, 12)
    assert room_for_both(60, 20)
    assert not room_for_both(60, 12)
    wide, tall, small = (rows([FIVE], Options(second="accuracy"), w, h) for w, h in ((110, 14), (50, 22), (50, 12)))
    assert any("loss" in row and "accuracy" in row for row in wide)
    assert [row.split()[0] for row in tall if row.startswith(("loss", "accuracy"))] == ["loss", "accuracy"]
    assert not any("accuracy" in row for row in small)


def test_what_has_no_room_in_the_legend_is_counted():
    items = [((word, "text"),) for word in ("one", "two", "three", "four")]
    assert text_of(flow(items, 20, 1)) == ["one  two  … 2 more  "]
    assert text_of(flow(items, 20, 2)) == ["one  two  three     ", "four                "]


@pytest.mark.parametrize(("shown", "second"), [("loss", "auto"), ("accuracy", "loss"), ("steps", "gap")])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (10, 3), (20, 6), (50, 9), (80, 24), (200, 60)])
def test_every_size_is_filled_exactly(shown, second, size):
    width, height = size
    options = Options(shown, second, log=True, smoothing=0.9)
    for curves in (
        [],
        [FIVE],
        [FIVE, replace(FIVE, run_id=123456)],
        [Curve(1, "x", (), 3)],
        [Curve(1, "x", epochs((1, 1)), 1)],
    ):
        drawn = panel(curves, "wide 字 title that goes on and on", options, width, height)
        assert [len(row) for row in drawn] == [width] * height
        for more in (replace(options, seeds=True, marks="ascii"), replace(options, marks="blocks")):
            sheet = body(curves, more, width, height, 1.0)
            assert [len(row) for row in sheet.rows] == [width] * height


def test_zoom_beyond_the_run_is_pulled_back_in():
    assert visible_epochs([FIVE], Options(zoom=(7.0, 9.0))) == (3.0, 5.0)
