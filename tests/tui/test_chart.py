"""Drawing: ticks, axes, strokes, marks, and whatever odd values and sizes come along."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lenet_tui.tui.curves.chart import (
    AT_CURSOR,
    GRID,
    IN_BAND,
    SHADED,
    Band,
    Line,
    Mark,
    Plot,
    draw,
    epoch_at,
    text_of,
    with_cursor,
)
from lenet_tui.tui.curves.raster import Stroke, in_marks
from lenet_tui.tui.curves.ticks import Axis, epoch_ticks, linear_axis, log_axis, tick_label


def plot(*lines: Line, marks: tuple[Mark, ...] = (), x=(1.0, 5.0), y=(0.0, 1.0), **more) -> Plot:
    return Plot(lines, marks, x, y, **more)


def line(*ys: float, stroke: Stroke = Stroke.SOLID, role: str = "run0", under: bool = False) -> Line:
    return Line(tuple((float(n), y) for n, y in enumerate(ys, start=1)), stroke, role, under)


def test_a_falling_line_is_drawn_between_its_axes():
    assert text_of(draw(plot(line(1, 0.5, 0.25, 0.125, 0), marks=(Mark((5, 0), "◆", "best0"),)), 28, 7)) == [
        "    1┤⡀  · · · · · · · · · ·",
        "     │⠈⠢⡀  ·          ·     ",
        "     │  ⠈⠑⢄           ·     ",
        "     │     ⠑⠢⢄⡀       ·     ",
        "     │     ·  ⠈⠑⠢⠤⣀⣀  ·     ",
        "    0┤ · · · · · ·  ⠉⠑⠒⠢⠤⠤⢄◆",
        "epoch└─────2──────────4─────",
    ]


def test_solid_dashed_and_dotted_lines_are_told_apart_without_colour():
    level = [text_of(draw(plot(line(1, 1, 1, 1, 1, stroke=stroke)), 17, 3))[0] for stroke in Stroke]
    assert level == [
        "⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉",
        "⠉ ⠉ ⠉ ⠉ ⠉ ⠉ ⠉ ⠉ ⠁",
        "⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁",
    ]


def test_dashes_of_two_lines_one_over_the_other_leave_the_same_gaps():
    # As far along, the second has come a longer way.
    first, second = line(1, 1, 1, stroke=Stroke.DASHED), line(0.5, 0.9, 0.9, stroke=Stroke.DASHED)
    assert text_of(draw(plot(first, second, x=(1, 3)), 16, 1)) == ["⠛ ⠛ ⠋ ⠉ ⠉ ⠉ ⠉ ⠉ "]


def test_a_value_that_is_no_number_leaves_a_gap():
    rows = text_of(draw(plot(line(0, 0, math.nan, 0, 0)), 17, 3))
    assert rows[-1] == "⣀⣀⣀⣀⡀       ⢀⣀⣀⣀⣀"


def test_zero_has_no_place_on_a_log_axis_and_leaves_a_gap():
    assert text_of(draw(plot(line(1, 1, 0, 0.1, 0.1), y=(0.1, 1), log=True), 24, 6)) == [
        "    1┤⣀⣀⣀⣀⣀  · · · · · ·",
        "     │    ·        ·    ",
        "     │    ·        ·    ",
        "     │    ·        ·    ",
        "  0.1┤ · · · · · · ⣀⣀⣀⣀⣀",
        "epoch└────2────────4────",
    ]


def test_a_shadow_gives_way_where_another_line_passes():
    shadow = line(0.7, 0.7, 0.7, 0.7, 0.7, stroke=Stroke.DOTTED, role="shadow", under=True)
    over = line(1, 1, 1, 1, 1)
    assert draw(plot(shadow, over), 17, 1) == ((("⠉", "run0"),) * 17,)


def test_lines_in_one_cell_both_keep_their_dots_and_the_later_one_its_colour():
    first, second = line(1, 1, 1, 1, 1, role="run1"), line(0.75, 0.75, 0.75, 0.75, 0.75, role="run2")
    assert draw(plot(first, second), 8, 1) == ((("⠛", "run2"),) * 8,)


def test_tags_stand_right_of_their_lines_and_make_room_for_each_other():
    marks = tuple(Mark((5, 0.5), tag, "run0", tag=True) for tag in ("7", "12"))
    assert text_of(draw(plot(line(0.5, 0.5, 0.5, 0.5, 0.5), marks=marks), 26, 6)) == [
        "  1.0┤ · · · · · · · · ·  ",
        "     │    ·        ·    12",
        "  0.5┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀7 ",
        "     │    ·        ·      ",
        "    0┤ · · · · · · · · ·  ",
        "epoch└────2────────4────  ",
    ]


def test_a_marked_range_shows_in_the_axis_and_behind_the_curves():
    rows = draw(plot(line(1, 0, 0, 0, 0), shaded=(3.0, 5.0)), 26, 6)
    assert text_of(rows)[-1] == "epoch└─────2────════4═════"
    assert [role.endswith(SHADED) for _, role in rows[0]] == [False] * 16 + [True] * 10


def test_a_grid_lies_in_the_rows_and_columns_of_the_ticks_and_gives_way_to_lines():
    rows = draw(plot(line(0, 0, 0, 0, 0)), 26, 8)
    dotted = {(y, x) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell == ("·", GRID)}
    labelled = {y for y, row in enumerate(rows) if row[5][0] == "┤"}
    ticks = {x for x, (char, _) in enumerate(rows[-1]) if char in "24" and x > 5}
    assert {y for y, x in dotted if x not in ticks} == labelled - {6}  # the line itself is in the lowest
    assert {x for y, x in dotted if y not in labelled} == ticks
    assert not any(cell[1] == GRID for row in draw(plot(line(0, 0)), 26, 4) for cell in row)


def test_the_length_that_is_planned_is_marked_where_it_is_or_beyond_the_axis():
    beyond = text_of(draw(plot(line(1, 0), planned=30), 70, 6))[-1]
    assert beyond.endswith("▸30 planned")
    assert text_of(draw(plot(line(1, 0), planned=30), 24, 6))[-1].endswith("─▸30")
    within = text_of(draw(plot(line(1, 0), x=(1.0, 10.0), planned=5), 90, 6))[-1]
    assert within.index("5 planned") + len("5 planned") - 1 == 6 + round(83 * 4 / 9)
    assert "planned" not in text_of(draw(plot(line(1, 0)), 70, 6))[-1]


def test_the_cursor_is_a_line_that_leaves_the_curves_as_they_are():
    falling = plot(line(1, 0.5, 0.25, 0.125, 0))
    rows = draw(falling, 28, 7)
    crossed = with_cursor(rows, falling, 3.0)
    (column,) = {x for before, after in zip(rows, crossed, strict=True) for x in range(28) if before[x] != after[x]}
    assert epoch_at(falling, 28, 7, column) == pytest.approx(3.0, abs=0.2)
    assert {row[column][0] for row in crossed[:-1]} - {"│"} == {rows[4][column][0]}
    assert all(row[column][1].endswith(AT_CURSOR) for row in crossed)
    assert with_cursor(rows, falling, 6.0) == rows


def test_a_column_says_its_epoch_and_what_is_beside_the_axes_none():
    assert [epoch_at(plot(line(1, 0)), 28, 7, column) for column in (0, 5, 6, 27, 28)] == [None, None, 1.0, 5.0, None]


def test_a_band_lies_between_its_limits():
    low, high = line(0, 0, 0, 0, 0).points, line(0.5, 0.5, 0.5, 0.5, 0.5).points
    rows = draw(plot(bands=(Band(low, high, 3),)), 26, 6)
    banded = [{role.endswith(f"{IN_BAND}3") for _, role in row[6:]} for row in rows]
    assert banded == [{False}, {False}, {True}, {True}, {True}, {False}]


@pytest.mark.parametrize(
    ("marks", "drawn"), [("blocks", ["▀▀▀▀▀▀▀▀", "▄▄▄▄▄▄▄▄"]), ("ascii", ["********", "oooooooo"])]
)
def test_a_font_without_braille_gets_blocks_or_letters(marks, drawn):
    rows = draw(plot(line(1, 1, 1, 1, 1), line(0, 0, 0, 0, 0, role="train0")), 8, 2)
    assert ["".join(in_marks(char, role, marks) for char, role in row) for row in rows] == drawn


def test_every_braille_character_has_a_block_and_a_letter():
    blocks = {in_marks(chr(number), "run0", "blocks") for number in range(0x2801, 0x2900)}
    assert len(blocks) == 15
    assert {in_marks(chr(number), "run0", "ascii") for number in range(0x2801, 0x2900)} == {"*"}
    plain = [in_marks(char, "frame", "ascii") for char in "◆▸·┤│└─═━"]
    assert all(char.isascii() for char in plain)


def test_axes_go_before_the_curve_does():
    narrow = draw(plot(line(1, 0.5, 0)), 12, 3)
    assert not any("┤" in row or "└" in row for row in text_of(narrow))
    assert any(char.strip() for row in text_of(narrow) for char in row)


@pytest.mark.parametrize("width", [0, 1, 2, 9, 20, 80])
@pytest.mark.parametrize("height", [0, 1, 2, 3, 4, 30])
def test_a_plot_of_any_size_has_that_size(width, height):
    rows = draw(plot(line(1, 0.5, math.nan, 0.1, 1e9), marks=(Mark((5, 1), "123", "run0", tag=True),)), width, height)
    assert [len(row) for row in rows] == [width] * height


@settings(max_examples=60, deadline=None)
@example(ys=[5e-324], log=False, width=20, height=6)
@example(ys=[1e300, -1e300, 0.0], log=False, width=20, height=6)
@given(
    ys=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30),
    log=st.booleans(),
    width=st.integers(1, 40),
    height=st.integers(1, 10),
)
def test_no_values_break_it(ys, log, width, height):
    known = [y for y in ys if math.isfinite(y) and abs(y) < 1e300 and (y > 1e-300 or not log)]
    y_range = (min(known), max(known)) if known else (0.1, 1.0)
    rows = draw(plot(line(*ys), x=(1.0, float(len(ys))), y=y_range, log=log), width, height)
    assert [len(row) for row in rows] == [width] * height


def test_a_thousand_epochs_draw_their_highest_and_lowest():
    ys = [0.5 + 0.5 * (-1) ** n for n in range(1000)]
    assert text_of(draw(plot(line(*ys), x=(1, 1000)), 12, 3)) == ["⣿" * 12] * 3


def labels(axis: Axis) -> list[str]:
    return [label for _, label in axis.ticks]


def test_ticks_are_few_and_round():
    assert labels(linear_axis(0.03, 0.47, 16)) == ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]
    assert labels(linear_axis(0.984, 0.991, 12)) == ["0.984", "0.986", "0.988", "0.990"]
    assert labels(log_axis(0.03, 0.47, 12)) == ["0.04", "0.16", "0.64"]
    assert labels(log_axis(1e-6, 3.0, 10)) == ["1e-6", "0.0001", "0.01", "1"]
    assert labels(linear_axis(0.7, 1.0, 12, percent=True))[-1] == "100%"


@settings(max_examples=150, deadline=None)
@given(low=st.floats(1e-6, 10), span=st.floats(1e-4, 1e3), rows=st.integers(4, 60), log=st.booleans())
def test_ticks_are_the_same_number_of_rows_apart_and_the_axis_holds_the_values(low, span, rows, log):
    high = low * (1 + span)
    axis = (log_axis if log else linear_axis)(low, high, rows)
    assert axis.low <= low * (1 + 1e-6)
    assert axis.high >= high * (1 - 1e-6)
    scale = math.log10 if log else float
    per_dot = (scale(axis.high) - scale(axis.low)) / (4 * rows - 1)
    at = [round((scale(value) - scale(axis.low)) / per_dot) // 4 for value, _ in axis.ticks]
    assert len({b - a for a, b in pairwise(at)}) == 1
    assert len(at) <= 10


def test_a_constant_curve_has_an_axis_too():
    axis = linear_axis(0.5, 0.5, 10)
    assert axis.low < 0.5 < axis.high
    assert len(axis.ticks) > 1


@pytest.mark.parametrize(
    ("value", "step", "percent", "text"),
    [
        (0, 0.1, False, "0"),
        (0.5, 0.1, False, "0.5"),
        (0.35, 0.05, False, "0.35"),
        (2e-5, 1e-5, False, "2e-5"),
        (20_000, 5_000, False, "20k"),
        (3e7, 1e7, False, "3e7"),
        (0.975, 0.005, True, "97.5%"),
        (1.0, 0.05, True, "100%"),
    ],
)
def test_labels_are_as_short_as_the_ticks_allow(value, step, percent, text):
    assert tick_label(value, step, percent=percent) == text


def test_epochs_are_whole_and_round_and_evenly_apart():
    assert epoch_ticks(1, 20, 50) == [5, 10, 15, 20]
    assert epoch_ticks(1, 1000, 60) == [200, 400, 600, 800, 1000]
    assert epoch_ticks(3, 5, 80) == [3, 4, 5]
    assert epoch_ticks(0.5, 1.5, 40) == [1]
    assert epoch_ticks(1.2, 1.8, 40) == []
