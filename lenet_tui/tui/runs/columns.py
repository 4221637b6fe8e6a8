"""The columns of the runs list: what each shows of a run, how it sorts, and which ones fit a width."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from lenet_tui.config import hyperparameters
from lenet_tui.differences import Differences
from lenet_tui.formatting import duration, estimate, loss, percent, printable
from lenet_tui.store.wording import share_done, state
from lenet_tui.tui.runs.bars import progress_bar, sparkline
from lenet_tui.tui.runs.baseline import BASELINE, Baseline, Delta
from lenet_tui.tui.runs.names import ShortNames
from lenet_tui.tui.store_watcher import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lenet_tui.store import Run

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
Length = Literal["words", "short", "parts"]
UNKNOWN = "…"  # time left that is still being estimated


@dataclass
class View:
    """What the columns are filled from: the runs, what differs between them, and the one they are compared with.

    ``length`` is how long the names of the runs are: what differs in words, as in folder names, or that without parts
    that others share.
    """

    snapshot: Snapshot = field(default_factory=Snapshot)
    differences: Differences = field(default_factory=Differences)
    baseline: Baseline = field(default_factory=Baseline)
    length: Length = "words"
    short_names: ShortNames = field(default_factory=lambda: ShortNames(()))

    def label(self, run: Run) -> str:
        """Return what tells a run from the others: ``batch 16 · seed 1``."""
        return self.differences.label(run.id) or name(run)

    def name(self, run: Run, room: int) -> str:
        """Return the run's label, ``bs16 seed1`` where the names are short, or ``… seed1`` in less room."""
        parts = self.differences.short_parts(run.id)
        if self.length == "words" or not parts:
            return self.label(run)
        return " ".join(parts) if self.length == "short" else self.short_names.fitted(parts, room)


@dataclass(frozen=True)
class Column:
    """One column. Those of lowest ``priority`` go first when there is little room.

    ``key`` is its name in settings. ``text`` gets the room that there is for it; it may take more, and is cut then.
    ``most`` is the width up to which it grows. One with ``wanted`` is shown, unless chosen, only where that says so.
    """

    key: str
    title: str
    width: int
    priority: int
    text: Callable[[Run, View, int], str]
    sort_key: Callable[[Run, View], Any]
    help: str
    left: bool = False
    most: int = 0
    wanted: Callable[[View], bool] | None = None


def name(run: Run) -> str:
    """Return the run's folder, or the name that it will probably get: ``lenet/bs64_lr0.001``."""
    return printable(run.name)


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


def _time(run: Run, view: View) -> str:
    if run.waiting or run.state == "running":
        seconds = view.snapshot.until.get(run.id)
        if seconds is None:
            return UNKNOWN if run.id in view.snapshot.until and not view.snapshot.paused else ""
        return f"≈ {estimate(seconds)}"
    return "" if run.train_seconds is None else duration(run.train_seconds)


def _number(value: float | None) -> float:
    return math.inf if value is None or math.isnan(value) else value


def _falling(value: float | None) -> float:
    return math.inf if value is None or math.isnan(value) else -value


def _delta(run: Run, view: View, delta: Delta | None, digits: int, room: int) -> str:
    if view.baseline.run is not None and run.id == view.baseline.run.id:
        return BASELINE
    if delta is None:
        return ""
    return delta.text(digits, room)


def _mean(delta: Delta | None) -> float:
    return math.inf if delta is None else delta.mean


_BEST = "lowest val loss so far"
COLUMNS: tuple[Column, ...] = (
    Column("id", "id", 0, 100, lambda run, *_: str(run.id), lambda run, _: run.id, "number of the run"),
    Column(
        *("run", "run", 0, 100, lambda run, view, room: view.name(run, room)),
        *(lambda run, view: view.differences.sort_key(run.id), "what differs between the runs"),
        left=True,
    ),
    Column(
        *("state", "state", 12, 90, lambda run, _, room: _signed_state(run, room)),
        *(lambda run, _: (_ORDER.get(run.state, 2), run.place or 0, run.state), "state, and the epoch it is in"),
        left=True,
        most=18,
    ),
    Column(
        *("progress", "progress", 10, 35),
        lambda run, _, room: progress_bar(share_done(run), room) if run.state == "running" else "",
        *(lambda run, _: -share_done(run), "share of the epochs done, as a bar"),
        left=True,
        wanted=lambda view: bool(view.snapshot.running),
    ),
    Column(
        *("val_loss", "val loss", 8, 80, lambda run, *_: loss(run.best_val_loss)),
        *(lambda run, _: _number(run.best_val_loss), _BEST),
    ),
    Column(
        *("loss_delta", "Δ loss %", 8, 75),
        lambda run, view, room: _delta(run, view, view.baseline.val_loss(run), 1, room),
        *(lambda run, view: _mean(view.baseline.val_loss(run)), "val loss against the baseline's, in per cent"),
        most=14,
        wanted=lambda view: view.baseline.run is not None,
    ),
    Column(
        *("curve", "loss curve", 10, 25),
        lambda run, view, room: sparkline(view.snapshot.trends.get(run.id, ()), room),
        *(lambda run, _: _number(run.best_val_loss), "val loss of every epoch, on a logarithmic scale"),
        left=True,
        most=24,
    ),
    Column(
        *("epoch", "epoch", 5, 40, lambda run, *_: str(run.best_epoch or "")),
        *(lambda run, _: _number(run.best_epoch), "epoch of lowest val loss"),
    ),
    Column(
        *("val_acc", "val acc", 7, 50, lambda run, *_: percent(run.best_val_accuracy, unit="")),
        *(lambda run, _: _falling(run.best_val_accuracy), "val acc in that epoch, in per cent"),
    ),
    Column(
        *("test_acc", "test acc", 8, 70, lambda run, *_: percent(run.test_accuracy, unit="")),
        *(lambda run, _: _falling(run.test_accuracy), "test acc of the best epoch's weights, in per cent"),
    ),
    Column(
        *("acc_delta", "Δ acc", 8, 64),
        lambda run, view, room: _delta(run, view, view.baseline.test_accuracy(run), 2, room),
        *(lambda run, view: -_mean(view.baseline.test_accuracy(run)), "test acc against the baseline's, in points"),
        most=13,
        wanted=lambda view: view.baseline.run is not None,
    ),
    Column(
        *("time", "time", 8, 60, lambda run, view, _: _time(run, view)),
        *(lambda run, view: _number(view.snapshot.until.get(run.id, run.train_seconds)), "time left, or trained"),
    ),
    Column(
        *("tags", "tags", 12, 32, lambda run, *_: " ".join(run.tags), lambda run, _: " ".join(run.tags) or "\uffff"),
        "your tags",
        left=True,
        most=30,
        wanted=lambda view: any(run.tags for run in view.snapshot.runs.values()),
    ),
    Column(
        *("note", "note", 16, 30, lambda run, *_: run.note, lambda run, _: run.note or "\uffff", "your note"),
        left=True,
        most=60,
        wanted=lambda view: any(run.note for run in view.snapshot.runs.values()),
    ),
    Column(
        *("folder", "folder", 26, 28, lambda run, *_: name(run), lambda run, _: name(run), "folder of the run"),
        left=True,
        most=60,
        wanted=lambda _: False,
    ),
    Column(
        *("speed", "images/s", 8, 27),
        lambda run, *_: f"{run.images_per_second:,.0f}" if run.images_per_second else "",
        *(lambda run, _: _falling(run.images_per_second), "images trained on in a second"),
        wanted=lambda _: False,
    ),
)
DEFAULT_SORT = ""
_NAME_SHORTEST, _NAME_LEAST, _NAME_ENOUGH = 12, 15, 26
_SOME = 500  # runs whose labels are measured


@cache
def every() -> dict[str, Column]:
    """Return all columns by key: those of `COLUMNS`, then one for each hyperparameter."""
    return {column.key: column for column in (*COLUMNS, *map(_of_hyperparameter, hyperparameters()))}


def _of_hyperparameter(parameter: Any) -> Column:
    def value(run: Run) -> Any:
        return run.values.get(parameter.name, "")

    def text(run: Run, *_: object) -> str:
        shown = value(run)
        return printable(shown if isinstance(shown, str) else repr(shown).removesuffix(".0"))

    longest = max([len(parameter.label), 6, *map(len, parameter.choices)])
    is_text = bool(parameter.choices)
    return Column(
        *(parameter.name, parameter.label, min(longest, 14), 45, text),
        *(lambda run, _: (isinstance(value(run), str), value(run)) if _is_plain(value(run)) else (True, ""),),
        parameter.help,
        left=is_text,
        wanted=lambda _: False,
    )


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def shown(view: View, chosen: Sequence[str] = ()) -> list[Column]:
    """Return the columns to show, in order: the chosen ones or, when none is, those that have something to show."""
    if chosen:
        keys = dict.fromkeys((*(key for key in ("id", "run") if key not in chosen), *chosen))
        return [every()[key] for key in keys if key in every()]
    return [column for column in COLUMNS if column.wanted is None or column.wanted(view)]


def arrange(width: int, columns: Sequence[Column], view: View) -> list[tuple[Column, int]]:
    """Return which of ``columns`` fit ``width`` cells, with the width of each, and set how long names are.

    A cell is left free at the right, for the arrow of the order. All names are in words, or all are short; where they
    do not fit either, parts are left out.
    """
    most = max(view.snapshot.runs, default=0)
    newest = sorted(view.snapshot.runs, reverse=True)[:_SOME]
    lengths: tuple[Length, ...] = ("words", "short")
    for length in lengths:
        view.length = length
        names = max((len(view.name(view.snapshot.runs[run_id], width)) for run_id in newest), default=0)
        layout = fitting(width - 1, columns, most=most, names=names)
        if any(column.key == "run" and room >= names for column, room in layout):
            return layout
    view.length = "parts"
    parts = [view.differences.short_parts(run_id) for run_id in newest]
    view.short_names = ShortNames(parts)
    least = max((len(view.short_names.least(each)) for each in parts), default=0)
    return fitting(width - 1, columns, most=most, names=names, least=least)


def fitting(
    width: int, columns: Sequence[Column], *, most: int = 9999, names: int = _NAME_ENOUGH, least: int = 0
) -> list[tuple[Column, int]]:
    """Return which of ``columns`` fit ``width`` cells, with the width of each.

    ``most`` is the highest number of a run, ``names`` the width that the names of the runs need, ``least`` that which
    they need to differ. What is left over goes to the columns that can grow, from the left.
    """
    names = max(names, 3)
    least = min(max(least, _NAME_LEAST), _NAME_ENOUGH)
    widths = {"id": max(2, len(str(most))), "run": names}
    chosen = list(columns)

    def needed(column: Column) -> int:
        return widths.get(column.key, column.width) + 1

    while True:
        widths["run"] = min(names, _NAME_ENOUGH if any(column.priority < 70 for column in chosen) else least)
        expendable = [column for column in chosen if column.priority < 100]
        if sum(map(needed, chosen)) <= width + 1 or not expendable:
            break
        if all(column.priority >= 70 for column in chosen):  # results say more than the rest of a name
            widths["run"] = min(names, _NAME_LEAST if len(expendable) > 1 else _NAME_SHORTEST)
            if sum(map(needed, chosen)) <= width + 1:
                break
        chosen.remove(min(expendable, key=lambda column: column.priority))
    rest = width + 1 - sum(map(needed, chosen))  # the first column has no gap before it
    result = []
    for column in chosen:
        room = widths.get(column.key, column.width)
        most_room = names if column.key == "run" else column.most
        more = max(0, min(most_room - room, rest))
        if column.key == "run":
            more = more if rest >= 0 else rest  # only number and name are left, and too wide
        rest -= more
        result.append((column, max(room + more, 1)))
    return result


def cell(text: str, width: int, *, left: bool) -> str:
    """Return ``text`` in exactly ``width`` cells; what does not fit is cut in the middle with an ellipsis."""
    if len(text) > width:
        tail = max(width - 1, 0) // 3  # runs differ more often at the front
        text = (text[: width - 1 - tail] + "…" + text[len(text) - tail :])[:width]
    return text.ljust(width) if left else text.rjust(width)


def heading(layout: Sequence[tuple[Column, int]], sort: str, *, reverse: bool) -> tuple[str, str, str]:
    """Return the line of titles in three parts, the second being the title of the column that sorts, with an arrow.

    ``sort`` is that column's key. The arrow stands behind the title: where that is on the right, in the gap before the
    next column, or in the cell after the last one. Each column begins with its gap.
    """
    arrow = "▼" if reverse else "▲"
    parts = ["", "", ""]
    gap = " "
    for column, room in layout:
        title = cell(column.title, min(room, len(column.title)), left=True)
        blank = " " * (room - len(title))
        if column.key != sort:
            parts[2] += gap + (title + blank if column.left else blank + title)
            gap = " "
        elif column.left:
            parts = [parts[2] + gap, (title if blank else title[:-1]) + arrow, blank[1:]]
            gap = " "
        else:
            parts = [parts[2] + gap + blank, title + arrow, ""]
            gap = ""
    return parts[0], parts[1], parts[2]


def column_at(layout: Sequence[tuple[Column, int]], x: int) -> Column | None:
    """Return the column in which cell ``x`` of the heading lies, None beyond the last."""
    end = 0
    for column, room in layout:
        end += room + 1
        if x < end:
            return column
    return None


def ordered(runs: Iterable[Run], view: View, key: str, *, reverse: bool) -> list[Run]:
    """Return the runs sorted by a column; "" is running, waiting in queue order, then the newest first.

    Runs without a figure come last, in either direction.
    """
    if key not in every():
        return sorted(runs, key=lambda run: (_ORDER.get(run.state, 2), run.place or 0, -run.id), reverse=reverse)
    column = every()[key]
    keyed = [(column.sort_key(run, view), run) for run in runs]
    without = [run for value, run in keyed if value in (math.inf, -math.inf, "\uffff")]
    with_figure = [pair for pair in keyed if pair[0] not in (math.inf, -math.inf, "\uffff")]
    with_figure.sort(key=lambda pair: pair[0], reverse=reverse)
    return [run for _, run in with_figure] + without
