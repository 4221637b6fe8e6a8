"""The columns of the runs list: what each shows of a run, how it sorts, and which ones fit a width."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lenet_tui.formatting import duration, estimate, loss, percent, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lenet_tui.store import Run
    from lenet_tui.tui.store_watcher import Snapshot

# Each state with a sign, so that it can be text without colour.
SIGNS: Mapping[str, str] = {
    "running": "●",
    "queued": "○",
    "interrupted": "◌",
    "finished": "✓",
    "failed": "✗",
    "stopped": "■",
}
_SHORTER: Mapping[str, str] = {
    "epoch ": "",
    "stopped ": "stop ",
    "drawing pictures": "drawing",
    "interrupted": "resumes",
}
# Queued and interrupted runs wait in one queue.
_ORDER = {"running": 0, "queued": 1, "interrupted": 1}


@dataclass(frozen=True)
class Column:
    """One column. Those of lowest ``priority`` go first when there is little room.

    ``text`` gets the room that there is for it; it may take more, and is cut then.
    """

    title: str
    width: int
    priority: int
    text: Callable[[Run, Snapshot, int], str]
    sort_key: Callable[[Run, Snapshot], Any]
    left: bool = False


def name(run: Run) -> str:
    """Return the run's folder, or the name that it will probably get: ``lenet/bs64_lr0.001``."""
    return printable(run.name)


def epoch_at_work(run: Run) -> int:
    """Return the number of the epoch that a running run is in or, for the moment before the next, has just done."""
    return max(run.progress.epoch if run.progress else 0, run.epochs_done)


def state(run: Run) -> str:
    """Return the state of a run in a word or two, the same everywhere."""
    if run.is_stop_requested:
        return "stopping"
    if run.state == "stopped" and run.epochs_done:
        return f"stopped {run.epochs_done}/{run.values['epochs']}"
    if run.state != "running":
        return f"{run.state} #{run.place}" if run.waiting else run.state
    if run.epochs_done >= run.values["epochs"]:
        return "drawing pictures"
    return f"epoch {epoch_at_work(run)}/{run.values['epochs']}" if run.progress else "starting"


def _signed_state(run: Run, room: int) -> str:
    """Return the sign of a run's state and the state, shorter where there is too little room for it."""
    text = f"{SIGNS[run.state]} {state(run)}"
    now, _, total = text.partition("/")
    growth = (
        max(0, len(total) - len(now.rpartition(" ")[2])) if total else 0
    )  # so that 10/20 and 9/20 are equally short
    if len(text) + growth > room:
        for long, short in _SHORTER.items():
            text = text.replace(long, short)
    return text


def _left(run: Run, snapshot: Snapshot) -> str:
    if run.waiting or run.state == "running":
        seconds = snapshot.until.get(run.id)
        return "" if seconds is None else f"≈ {estimate(seconds)}"
    return "" if run.train_seconds is None else duration(run.train_seconds)


def _number(value: float | None) -> float:
    return math.inf if value is None or math.isnan(value) else value


COLUMNS: tuple[Column, ...] = (
    Column("id", 0, 100, lambda run, *_: str(run.id), lambda run, _: run.id),
    Column("run", 0, 100, lambda run, *_: name(run), lambda run, _: name(run), left=True),
    Column(
        "state",
        12,
        90,
        lambda run, _, room: _signed_state(run, room),
        lambda run, _: (_ORDER.get(run.state, 2), run.place or 0, run.state),
        left=True,
    ),
    Column("val loss", 8, 80, lambda run, *_: loss(run.best_val_loss), lambda run, _: _number(run.best_val_loss)),
    Column("epoch", 5, 40, lambda run, *_: str(run.best_epoch or ""), lambda run, _: _number(run.best_epoch)),
    Column(
        "val acc",
        7,
        50,
        lambda run, *_: percent(run.best_val_accuracy, unit=""),
        lambda run, _: _number(run.best_val_accuracy and -run.best_val_accuracy),
    ),
    Column(
        "test acc",
        8,
        70,
        lambda run, *_: percent(run.test_accuracy, unit=""),
        lambda run, _: _number(run.test_accuracy and -run.test_accuracy),
    ),
    Column(
        "time", 8, 60, lambda run, s, _: _left(run, s), lambda run, s: _number(s.until.get(run.id, run.train_seconds))
    ),
    Column("note", 16, 30, lambda run, *_: run.note, lambda run, _: run.note or "\uffff", left=True),
)
DEFAULT_SORT = ""
_NAME_LEAST, _NAME_ENOUGH = 14, 26
_STATE_ENOUGH = 18


def fitting(width: int, *, notes: bool, most: int = 9999) -> list[tuple[Column, int]]:
    """Return the columns for ``width`` cells with the width of each; the run's name takes what is left.

    Where the name has enough, the state is given more, so that it need not be short. ``notes`` is whether any
    run has one, ``most`` is the highest number of a run.
    """
    number = max(2, len(str(most)))
    chosen = [column for column in COLUMNS if notes or column.title != "note"]
    while True:
        fixed = number + 1 + sum(column.width + 1 for column in chosen if column.width)
        least = _NAME_ENOUGH if any(column.priority < 70 for column in chosen) else _NAME_LEAST
        expendable = [column for column in chosen if column.priority < 100]
        if width - fixed >= least or not expendable:
            break
        chosen.remove(min(expendable, key=lambda column: column.priority))
    rest = max(1, width - fixed)
    widths = {column.title: column.width or rest for column in chosen} | {"id": number}
    more = min(_STATE_ENOUGH - widths.get("state", _STATE_ENOUGH), max(0, rest - _NAME_ENOUGH))
    if more:
        widths["state"] += more
        widths["run"] -= more
    return [(column, widths[column.title]) for column in chosen]


def cell(text: str, width: int, *, left: bool) -> str:
    """Return ``text`` in exactly ``width`` cells; what does not fit is cut in the middle with an ellipsis."""
    if len(text) > width:
        tail = max(width - 1, 0) // 3  # runs differ more often at the front
        text = (text[: width - 1 - tail] + "…" + text[len(text) - tail :])[:width]
    return text.ljust(width) if left else text.rjust(width)


def heading(layout: Sequence[tuple[Column, int]], sort: str, *, reverse: bool) -> tuple[str, str, str]:
    """Return the line of titles in three parts, the second being the title that the list is sorted by, with an arrow.

    The arrow stands before a title on the right, where the gap between two columns has room for it however long the
    title is, and after a title on the left. Each column begins with its gap.
    """
    arrow = "▼" if reverse else "▲"
    before, chosen, after = "", "", ""
    for column, room in layout:
        title = cell(column.title, min(room, len(column.title)), left=True)
        blank = " " * (room - len(title))
        if column.title != sort:
            after += " " + (title + blank if column.left else blank + title)
        elif column.left:
            before, chosen, after = after + " ", (title if blank else title[:-1]) + arrow, blank[1:]
        else:
            before, chosen, after = after + blank, arrow + title, ""
    return before, chosen, after


def matches(run: Run, words: Sequence[str]) -> bool:
    """Return whether the list's text of the run has every word, in any case."""
    shown = f"{run.id} {name(run)} {run.state} {state(run)} {run.values['dataset']} {run.note}".lower()
    return all(word in shown for word in words)


def ordered(runs: Iterable[Run], snapshot: Snapshot, title: str, *, reverse: bool) -> list[Run]:
    """Return the runs sorted by a column's title; "" is running, waiting in queue order, then the newest first."""
    if title == DEFAULT_SORT:
        return sorted(runs, key=lambda run: (_ORDER.get(run.state, 2), run.place or 0, -run.id), reverse=reverse)
    column = next(column for column in COLUMNS if column.title == title)
    return sorted(runs, key=lambda run: column.sort_key(run, snapshot), reverse=reverse)
