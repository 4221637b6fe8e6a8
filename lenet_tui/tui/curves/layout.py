"""The whole curves panel as rows of characters: title, legend, charts side by side or stacked. Pure functions."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui import formatting
from lenet_tui.formatting import percent
from lenet_tui.tui.curves.chart import BLANK, Plot, Row, draw, epoch_at, with_cursor
from lenet_tui.tui.curves.charts import METRICS
from lenet_tui.tui.curves.legend import GAP, ROOM_FOR_NAMES, cells_of, flow, head, legend, readout
from lenet_tui.tui.curves.plots import drawn_curves, plot_of, trouble
from lenet_tui.tui.curves.raster import in_marks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.tui.curves.charts import Curve, Metric, Options

LEAST_SIDE = 44  # columns of one of two charts side by side
LEAST_STACK = 8  # rows of one of two charts, one over the other
WIDE = 116  # columns from which there are two charts unless a person wants one
_ROOM_FOR_LEGEND = 5  # rows


@dataclass(frozen=True)
class Area:
    """Where a plot lies in the panel, in cells from its upper left. ``missing`` says why there is nothing to draw."""

    plot: Plot
    missing: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Sheet:
    """The panel without its title, and where its plots are."""

    rows: tuple[Row, ...]
    areas: tuple[Area, ...] = ()

    def epoch_at(self, x: int, y: int) -> float | None:
        """Return the epoch that lies in a cell, None beside the plots."""
        for area in self.areas:
            if area.x <= x < area.x + area.width and area.y <= y < area.y + area.height:
                return epoch_at(area.plot, area.width, area.height, x - area.x)
        return None


def panel(
    curves: Sequence[Curve], title: str, options: Options, width: int, height: int, *, focused: bool = False
) -> tuple[Row, ...]:
    """Return ``height`` rows of ``width`` cells: the panel."""
    if width < 1 or height < 1:
        return ()
    return (title_row(title, width, focused=focused), *body(curves, options, width, height - 1).rows)


def title_row(title: str, width: int, *, focused: bool = False, ruled: bool = True) -> Row:
    """Return the title and, where it is ``ruled``, a rule after it, a heavy one when the panel has the focus."""
    cells = cells_of(((title, "title"), (" " if title else "", "")))[: width - (len(title) >= width)]
    if len(title) >= width:
        cells.append(("…", "title"))
    rule = " " if not ruled else "━" if focused else "─"
    return (*cells, *[(rule, "focus" if focused else "rule")] * (width - len(cells)))


def charts_shown(options: Options, width: int, height: int) -> tuple[Metric, ...]:
    """Return the charts that a panel of ``height`` rows under its title shows."""
    second = options.second
    if second == "auto" and width >= WIDE:
        second = next(metric for metric in METRICS if metric != options.shown)
    if second == "auto" or second == "none" or second == options.shown or not room_for_both(width, height):
        return (options.shown,)
    return (options.shown, second)


def room_for_both(width: int, height: int) -> bool:
    """Return whether a panel of ``height`` rows under its title can hold two charts."""
    return (width >= 2 * LEAST_SIDE + GAP and height >= LEAST_STACK) or (width >= 30 and height >= 2 * LEAST_STACK + 2)


def body(runs: Sequence[Curve], options: Options, width: int, height: int, cursor: float | None = None) -> Sheet:
    """Return the panel without its title; one line of text when there is nothing to draw."""
    if height < 1:
        return Sheet(())
    curves = drawn_curves(runs, options)
    if not any(curve.epochs or (curve.steps and options.shown == "steps") for curve in curves):
        return Sheet(notice(_nothing(curves), width, height))
    charts = charts_shown(options, width, height)
    sheet = (_one if len(charts) == 1 else _two)(curves, charts, options, width, height, cursor)
    if options.marks == "braille":
        return sheet
    return Sheet(
        tuple(tuple((in_marks(char, role, options.marks), role) for char, role in row) for row in sheet.rows),
        sheet.areas,
    )


def _one(
    curves: Sequence[Curve],
    charts: Sequence[Metric],
    options: Options,
    width: int,
    height: int,
    cursor: float | None,
) -> Sheet:
    rows: list[Row] = []
    missing = curves[0].no_steps
    if height >= _ROOM_FOR_LEGEND:
        if cursor is None:
            most = max(1, height // (5 if len(curves) == 1 else 4))
            rows += flow(legend(curves, charts, options, width), width, most)
        else:
            items = readout(curves, charts[0], options, cursor, width, names=width >= ROOM_FOR_NAMES)
            rows += flow(items, width, max(1, height // 2))
    area = Area(plot_of(curves, charts[0], options), missing, 0, len(rows), width, height - len(rows))
    return Sheet((*rows, *_drawn(area, cursor)), (area,))


def _two(
    curves: Sequence[Curve],
    charts: Sequence[Metric],
    options: Options,
    width: int,
    height: int,
    cursor: float | None,
) -> Sheet:
    rows = flow(legend(curves, charts, options, width), width, max(1, height // (5 if len(curves) == 1 else 4)))
    side = width >= 2 * LEAST_SIDE + GAP
    widths = ((width - GAP) // 2, width - GAP - (width - GAP) // 2) if side else (width, width)
    heads = [_head(curves, metric, options, wide, cursor) for metric, wide in zip(charts, widths, strict=True)]
    most = max(len(lines) for lines in heads)
    heads = [[*lines, *[(BLANK,) * wide] * (most - len(lines))] for lines, wide in zip(heads, widths, strict=True)]
    left, missing = height - len(rows), curves[0].no_steps
    plots = [plot_of(curves, metric, options) for metric in charts]
    if side:
        top = len(rows) + most
        areas = (
            Area(plots[0], missing, 0, top, widths[0], left - most),
            Area(plots[1], missing, widths[0] + GAP, top, widths[1], left - most),
        )
        drawn = [[*lines, *_drawn(area, cursor)] for lines, area in zip(heads, areas, strict=True)]
        return Sheet((*rows, *((*a, *[BLANK] * GAP, *b) for a, b in zip(*drawn, strict=True))), areas)
    upper = left // 2
    areas = (
        Area(plots[0], missing, 0, len(rows) + most, width, upper - most),
        Area(plots[1], missing, 0, len(rows) + upper + most, width, left - upper - most),
    )
    return Sheet((*rows, *heads[0], *_drawn(areas[0], cursor), *heads[1], *_drawn(areas[1], cursor)), areas)


def _head(curves: Sequence[Curve], metric: Metric, options: Options, width: int, cursor: float | None) -> list[Row]:
    if cursor is None:
        return flow(head(curves, metric, options), width, 1)
    return flow(readout(curves, metric, options, cursor, width, names=False), width, 3)


def _drawn(area: Area, cursor: float | None) -> tuple[Row, ...]:
    if not area.plot.lines:
        return notice(area.missing, area.width, area.height)
    rows = draw(area.plot, area.width, area.height)
    return rows if cursor is None else with_cursor(rows, area.plot, cursor)


def _nothing(curves: Sequence[Curve]) -> str:
    if not curves:
        return "no run is selected"
    partial = curves[0].partial
    if trouble(curves[0]):
        return trouble(curves[0])
    if not curves[0].is_read:
        return "reading the epochs…"
    if partial is None:
        return "no epoch done yet"
    return f"no epoch done yet; at {percent(partial[0], 0)}: train loss {formatting.loss(partial[1])}"


def notice(text: str, width: int, height: int) -> tuple[Row, ...]:
    """Return words in the middle of rows that are blank otherwise, in as many lines as they need."""
    if height < 1:
        return ()
    lines = textwrap.wrap(text, width, max_lines=height, placeholder="…")
    first = height // 2 - len(lines) // 2
    rows: list[Row] = [(BLANK,) * width] * height
    for number, words in enumerate(lines, start=first):
        cells = cells_of(((words, "text"),))
        before = (width - len(cells)) // 2
        rows[number] = (*[BLANK] * before, *cells, *[BLANK] * (width - before - len(cells)))
    return tuple(rows)
