"""What stands above the plots: what each line is, the best epoch, and the values at the cursor. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from lenet_tui import formatting
from lenet_tui.formatting import percent
from lenet_tui.tui.curves.chart import BLANK, FRAME, Cell, Row
from lenet_tui.tui.curves.charts import CHARTS, best, dashed, format_value, solid, title_of
from lenet_tui.tui.curves.plots import colours_of, overfitting, trained, trouble
from lenet_tui.tui.curves.view import extent, visible_epochs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.tui.curves.chart import Point
    from lenet_tui.tui.curves.charts import Curve, Metric, Options

Span = tuple[str, str]  # text and its role
Item = tuple[Span, ...]

SOLID, DASHED, RAW = "⠒⠒⠒", "⠒ ⠒", "⠂ ⠂"
GAP = 2
ROOM_FOR_NAMES = 80  # columns


def legend(curves: Sequence[Curve], charts: Sequence[Metric], options: Options, width: int) -> list[Item]:
    """Return the items above the plots, the most important first; of one chart with its own."""
    current, several = curves[0], len(curves) > 1
    colour = colours_of(curves)[current.run_id]
    items: list[Item] = []
    if trouble(current):
        items.append(((trouble(current), "warn"),))
    if len(charts) == 1:
        items += head(curves, charts[0], options)[:1]
    with_both = next((metric for metric in charts if CHARTS[metric].dashed), None)
    if with_both:
        items.append(((SOLID, f"run{colour}"), (f" {CHARTS[with_both].solid}", "text")))
        if trains := trained(curves, options):
            which = "" if len(trains) == len(curves) else f" of {current.number}"
            items.append(((DASHED, f"train{colour}"), (f" {CHARTS[with_both].dashed}{which}", "text")))
    if several or options.seeds:
        items += _run_items(curves, charts[0], width)
        if with_both:
            what = "lowest val loss" if charts[0] == "loss" else "highest val acc"
            items.append((("◆", "text"), (f" {what}", "text")))
    elif current.is_baseline:
        items.append((("baseline", f"best{colour}"),))
    if len(charts) == 1:
        items += head(curves, charts[0], options)[1:]
    region = overfitting(current.epochs) if "loss" in charts else None
    if region:
        items.append((("═", FRAME), (f" overfits from epoch {region[0]}", "warn")))
    if options.smoothing:
        of = f" of {current.number}" * several
        items.append(((RAW, "shadow"), (f" raw{of}; smoothed {options.smoothing:g}", "text")))
    if options.zoom:
        view = visible_epochs(curves, options)
        items.append(((f"epochs {view[0]:g}–{view[1]:g} of {extent(curves, options)[1]:g}", "text"),))
    return items


def head(curves: Sequence[Curve], metric: Metric, options: Options) -> list[Item]:
    """Return the title of a chart and, of a single run, its best value."""
    items: list[Item] = [((title_of(metric, options), "name"),)]
    if metric == "steps" and any(curve.steps for curve in curves):
        items += [((f"{curve.number}: {curve.no_steps}", "text"),) for curve in curves if curve.no_steps]
    if len(curves) == 1 and (text := best_text(curves[0], metric)):
        items.append((("◆ ", f"best{colours_of(curves)[curves[0].run_id]}"), (text, "text")))
    return items


def best_text(curve: Curve, metric: Metric) -> str:
    """Return ``lowest 0.0398, epoch 7``, ``highest 98.91 %, epoch 7`` or, where there is no best, ""."""
    row = best(curve, metric)
    if row is None:
        return ""
    if metric == "loss":
        return f"lowest {formatting.loss(row.val_loss)}, epoch {row.epoch}"
    return f"highest {percent(row.val_accuracy)}, epoch {row.epoch}"


def readout(
    curves: Sequence[Curve], metric: Metric, options: Options, cursor: float, width: int, *, names: bool
) -> list[Item]:
    """Return the values of each curve of a chart at the epoch of the cursor."""
    cursor = cursor if metric == "steps" else max(1.0, float(round(cursor)))
    items: list[Item] = [((title_of(metric, options), "name"),), ((f"epoch {cursor:g}", "cursor"),)]
    labels = short_labels(curves, width) if names else [""] * len(curves)
    chart, colours = CHARTS[metric], colours_of(curves)
    for curve, label in zip(curves, labels, strict=True):
        colour = colours[curve.run_id]
        value = format_value(metric, value_at(solid(curve, metric), cursor))
        parts: list[Span] = []
        if len(curves) > 1:
            parts = [(f"{curve.number} ", f"best{colour}"), (f"{label} " if label else "", f"run{colour}")]
        train = value_at(dashed(curve, metric), cursor) if curve in trained(curves, options) else None
        if chart.dashed:
            parts += [(SOLID, f"run{colour}"), (f" {chart.solid} {value}", "value")]
        else:
            parts += [(value, "value")]
        if train is not None:
            gap = " " if len(curves) > 1 else " " * GAP
            parts += [(gap, "text"), (DASHED, f"train{colour}")]
            parts += [(f" {chart.dashed} {format_value(metric, train)}", "value")]
        items.append(tuple(parts))
    return items


def value_at(points: Sequence[Point], epoch: float) -> float | None:
    """Return the value of the point nearest to an epoch, None where none is within half an epoch."""
    nearest = min(points, key=lambda point: abs(point[0] - epoch), default=None)
    return nearest[1] if nearest and abs(nearest[0] - epoch) <= 0.5 else None


def flow(items: Sequence[Item], width: int, most: int) -> list[Row]:
    """Set items one after the other in at most ``most`` rows; the last one counts those that had no room."""
    for kept in range(len(items), -1, -1):
        note: list[Item] = [((f"… {len(items) - kept} more", "text"),)] if kept < len(items) else []
        rows = _wrapped([*items[:kept], *note], width)
        if len(rows) <= most:
            return [(*row, *[BLANK] * (width - len(row))) for row in rows]
    return []


def _wrapped(items: Sequence[Item], width: int) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for item in items:
        cells = cells_of(item)[:width]
        if rows and len(rows[-1]) + GAP + len(cells) <= width:
            rows[-1] += [*[BLANK] * GAP, *cells]
        else:
            rows.append(cells)
    return rows


def short_labels(curves: Sequence[Curve], width: int) -> list[str]:
    """Return what each run is, without its number; in little room without the model that all have, and cut."""
    labels = [curve.label.removeprefix(str(curve.run_id)).strip() for curve in curves]
    if width < ROOM_FOR_NAMES:  # two to a row
        kinds = {label.partition("/")[0] for label in labels if "/" in label}
        labels = [label.partition("/")[2] or label for label in labels] if len(kinds) == 1 else labels
        room = max(4, width // 2 - 12)
        labels = [label if len(label) <= room else label[: room - 1] + "…" for label in labels]
    return labels


def _run_items(curves: Sequence[Curve], metric: Metric, width: int) -> list[Item]:
    """Return an item for each run: its number as on its curve, what it is, its best value."""
    items: list[Item] = []
    colours = colours_of(curves)
    for curve, label in zip(curves, short_labels(curves, width), strict=True):
        colour, current = colours[curve.run_id], curve is curves[0]
        row = best(curve, "accuracy" if metric == "accuracy" else "loss")
        value = (
            "" if row is None else percent(row.val_accuracy) if metric == "accuracy" else formatting.loss(row.val_loss)
        )
        epoch = f" at epoch {row.epoch}" if row and width >= ROOM_FOR_NAMES else ""
        warning = "" if current or not trouble(curve) else f" {trouble(curve)}"
        items.append(
            (
                (f"{curve.number} ", f"best{colour}"),
                (label, f"best{colour}" if current else f"run{colour}"),
                (" baseline" if curve.is_baseline else "", f"best{colour}"),
                (f" {value}{epoch}" if value else " no epoch yet", "text"),
                (warning, "warn"),
            )
        )
    return items


def cells_of(spans: Sequence[Span]) -> list[Cell]:
    """Return text as cells; a cell is one column, and wider characters are replaced."""
    return [(char if cell_len(char) == 1 else "?", role) for text, role in spans for char in text]
