"""The whole curves panel as rows of characters: title, legend, plots side by side or stacked. Pure functions."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.cells import cell_len

from lenet_tui import formatting
from lenet_tui.formatting import percent
from lenet_tui.run import metrics
from lenet_tui.tui.curves.chart import BLANK, FRAME, Cell, Row, draw
from lenet_tui.tui.curves.plots import (
    Curve,
    Metric,
    Options,
    colours_of,
    extent,
    overfitting,
    plot_of,
    trained,
    trouble,
    visible_epochs,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

Span = tuple[str, str]  # text and its role
Item = tuple[Span, ...]

VALIDATION, TRAIN, RAW = "⠒⠒⠒", "⠒ ⠒", "⠂ ⠂"
LEAST_SIDE = 44  # columns of one of two plots side by side
LEAST_STACK = 8  # rows of one of two plots, one over the other
GAP = 2


def panel(
    curves: Sequence[Curve], title: str, options: Options, width: int, height: int, *, focused: bool = False
) -> tuple[Row, ...]:
    """Return ``height`` rows of ``width`` cells: the panel."""
    if width < 1 or height < 1:
        return ()
    return (title_row(title, width, focused=focused), *body(curves, options, width, height - 1))


def title_row(title: str, width: int, *, focused: bool = False) -> Row:
    """Return the title with a rule after it, a heavy one when the panel has the focus."""
    cells = _cells(((title, "title"), (" " if title else "", "")))[: width - (len(title) >= width)]
    if len(title) >= width:
        cells.append(("…", "title"))
    rule = "━" if focused else "─"
    return (*cells, *[(rule, "focus" if focused else "rule")] * (width - len(cells)))


def body(curves: Sequence[Curve], options: Options, width: int, height: int) -> tuple[Row, ...]:
    """Return the panel without its title; one line of text when there is nothing to draw."""
    if height < 1:
        return ()
    if not any(curve.epochs for curve in curves):
        return notice(_nothing(curves), width, height)
    rows: list[Row] = []
    if height >= 5:
        rows += flow(legend(curves, options, width, height), width, max(1, height // (5 if len(curves) == 1 else 4)))
    left = height - len(rows)
    if options.shown != "both":
        return (*rows, *draw(plot_of(curves, options.shown, options), width, left))
    if not room_for_both(width, height):
        return (*rows, *draw(plot_of(curves, "loss", options), width, left))
    if width >= 2 * LEAST_SIDE + GAP:
        half = (width - GAP) // 2
        losses = _titled(curves, "loss", options, half, left)
        accuracies = _titled(curves, "accuracy", options, width - GAP - half, left)
        return (*rows, *((*a, *[BLANK] * GAP, *b) for a, b in zip(losses, accuracies, strict=True)))
    upper = left // 2
    return (
        *rows,
        *_titled(curves, "loss", options, width, upper),
        *_titled(curves, "accuracy", options, width, left - upper),
    )


def room_for_both(width: int, height: int) -> bool:
    """Return whether a panel of ``height`` rows under its title can hold two plots."""
    return (width >= 2 * LEAST_SIDE + GAP and height >= LEAST_STACK) or (width >= 30 and height >= 2 * LEAST_STACK + 2)


def legend(curves: Sequence[Curve], options: Options, width: int, height: int) -> list[Item]:
    """Return the items above the plot, the most important first."""
    current, several = curves[0], len(curves) > 1
    both = options.shown == "both" and room_for_both(width, height)
    name = "" if both else "loss" if options.shown == "both" else options.shown
    colour = colours_of(curves)[current.run_id]
    items: list[Item] = []
    if trouble(current):
        items.append(((trouble(current), "warn"),))
    if name:
        items.append(((name + " (log)" * (options.log and name == "loss"), "name"),))
    items.append(((VALIDATION, f"run{colour}"), (" val", "text")))
    which = "" if len(trained(curves)) == len(curves) else f" of {current.run_id}"
    items.append(((TRAIN, f"train{colour}"), (f" train{which}", "text")))
    if several:
        items += _run_items(curves, width)
        items.append((("◆", "text"), (" lowest val loss", "text")))
    elif metrics.best(current.epochs):
        best = best_text(current, "accuracy" if name == "accuracy" else "loss")
        items.append((("◆ ", f"best{colour}"), (best, "text")))
    region = overfitting(current.epochs)
    if region:
        items.append((("═", FRAME), (f" overfits from epoch {region[0]}", "warn")))
    if options.smoothing:
        items.append(
            ((RAW, "shadow"), (f" raw{f' of {current.run_id}' * several}; smoothed {options.smoothing:g}", "text"))
        )
    if options.zoom:
        view = visible_epochs(curves, options)
        items.append(((f"epochs {view[0]:g}–{view[1]:g} of {extent(curves)[1]:g}", "text"),))
    return items


def best_text(curve: Curve, metric: Metric) -> str:
    """Return ``lowest 0.0398, epoch 7`` or, of that epoch, ``val acc 98.91 % at epoch 7``."""
    best = metrics.best(curve.epochs)
    if best is None:
        return ""
    return (
        f"lowest {formatting.loss(best.val_loss)}, epoch {best.epoch}"
        if metric == "loss"
        else f"val acc {percent(best.val_accuracy)} at epoch {best.epoch}"
    )


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
        cells = _cells(item)[:width]
        if rows and len(rows[-1]) + GAP + len(cells) <= width:
            rows[-1] += [*[BLANK] * GAP, *cells]
        else:
            rows.append(cells)
    return rows


def _run_items(curves: Sequence[Curve], width: int) -> list[Item]:
    """Return an item for each run: its number as on its curve, what it is, its best loss."""
    labels = [curve.label.removeprefix(str(curve.run_id)).strip() for curve in curves]
    if width < 80:  # two to a row
        kinds = {label.partition("/")[0] for label in labels if "/" in label}
        labels = [label.partition("/")[2] or label for label in labels] if len(kinds) == 1 else labels
        room = max(4, width // 2 - 12)
        labels = [label if len(label) <= room else label[: room - 1] + "…" for label in labels]
    items: list[Item] = []
    for curve, label in zip(curves, labels, strict=True):
        colour, current = colours_of(curves)[curve.run_id], curve is curves[0]
        best = metrics.best(curve.epochs)
        loss = f" {formatting.loss(best.val_loss)}" if best else " no epoch yet"
        epoch = f" at epoch {best.epoch}" if best and width >= 80 else ""
        warning = "" if current or not trouble(curve) else f" {trouble(curve)}"
        items.append(
            (
                (f"{curve.run_id} ", f"best{colour}"),
                (label, f"best{colour}" if current else f"run{colour}"),
                (loss + epoch, "text"),
                (warning, "warn"),
            )
        )
    return items


def _titled(curves: Sequence[Curve], metric: Metric, options: Options, width: int, height: int) -> tuple[Row, ...]:
    items: list[Item] = [((metric + " (log)" * (options.log and metric == "loss"), "name"),)]
    if len(curves) == 1 and metrics.best(curves[0].epochs):
        colour = colours_of(curves)[curves[0].run_id]
        items.append((("◆ ", f"best{colour}"), (best_text(curves[0], metric), "text")))
    return (*flow(items, width, 1), *draw(plot_of(curves, metric, options), width, height - 1))


def _nothing(curves: Sequence[Curve]) -> str:
    if not curves:
        return "no runs yet"
    partial = curves[0].partial
    if trouble(curves[0]):
        return trouble(curves[0])
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
        cells = _cells(((words, "text"),))
        before = (width - len(cells)) // 2
        rows[number] = (*[BLANK] * before, *cells, *[BLANK] * (width - before - len(cells)))
    return tuple(rows)


def _cells(spans: Sequence[Span]) -> list[Cell]:
    # A cell is one column; wider characters are replaced.
    return [(char if cell_len(char) == 1 else "?", role) for text, role in spans for char in text]
