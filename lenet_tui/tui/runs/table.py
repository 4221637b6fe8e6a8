"""The list of all runs, queue and history in one. It draws only the rows in sight, so ten thousand scroll smoothly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from lenet_tui.formatting import counted
from lenet_tui.tui.runs import columns, filtering
from lenet_tui.tui.runs.columns import View
from lenet_tui.tui.runs.cursor_list import CursorList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from textual.timer import Timer

    from lenet_tui.store import Run
    from lenet_tui.tui.store_watcher import Snapshot

_MARK_WIDTH = 2
_SIGHT_SECONDS = 0.1  # that rows stay in sight before their losses are read
_MANY = 1000  # runs whose texts are prepared for the filter, so many at once
_WARMED_AT_ONCE, _WARM_SECONDS = 300, 0.05
_NOT_FOUND = "  no run matches"
_HINTS = (
    "  no runs yet",
    "  lists with commas queue several runs: batch 16,32,64",
    "  q quits; runs go on in the background",
)


class RunsList(CursorList):
    """The runs of a root: filtered, sorted, in the columns that fit.

    ``on_sight`` is called with the runs in sight whose losses the list shows, ``on_order`` with the key of the column
    that sorts and whether it is reversed.
    """

    DEFAULT_CSS = """
    RunsList { height: 1fr; background: $surface; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "runs--heading",
        "runs--problem",
        "runs--current",
        "runs--running",
        "runs--failed",
        "runs--finished",
        "runs--quiet",
    }
    DEFAULT_CSS += """
    RunsList > .runs--heading { color: $text-muted; text-style: bold; }
    RunsList > .runs--problem { color: $text-error; text-style: bold; }
    RunsList > .runs--current { background: $primary-muted; }
    RunsList:focus > .runs--current { background: $primary; color: $text; text-style: bold; }
    RunsList > .runs--running { color: $text-accent; }
    RunsList > .runs--failed { color: $text-error; }
    RunsList > .runs--finished { color: $foreground; }
    RunsList > .runs--quiet { color: $text-muted; }
    """

    @dataclass
    class Moved(Message):
        """Another run is the current one, or other runs are marked."""

        by_person: bool

    class Sorted(Message):
        """The order is another one."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.view = View()
        self.on_sight: Callable[[frozenset[int]], object] = lambda _: None
        self.on_order: Callable[[str, bool], object] = lambda *_: None
        self._filter = filtering.Filter()
        self._wanted: str | None = None  # a filter that is not applied yet
        self._texts: dict[int, tuple[Run, str]] = {}
        self._chosen_columns: tuple[str, ...] = ()
        self._baseline: int | None = None
        self._sort = columns.DEFAULT_SORT
        self._reverse = False
        self._colours: Mapping[int, str] = {}
        self._layout: list[tuple[columns.Column, int]] = []
        self._lost: int | None = None  # the current run before a filter that matches nothing
        self._painted: dict[int, Strip] = {}  # by line
        self._in_sight: frozenset[int] = frozenset()
        self._timer: Timer | None = None
        self._cold: Iterator[int] = iter(())
        self._warming: Timer | None = None

    @property
    def sorting(self) -> str:
        """The column and direction of the sort; "" for the default order."""
        if self._sort in columns.every():
            return f"{columns.every()[self._sort].title} {'▼' if self._reverse else '▲'}"
        return "reversed" if self._reverse else ""

    @property
    def shown_columns(self) -> list[columns.Column]:
        """The columns that are shown where there is room for them."""
        return columns.shown(self.view, self._chosen_columns)

    @property
    def baseline(self) -> int | None:
        """The number of the run that the others are compared with."""
        return self._baseline

    @property
    def summary(self) -> str:
        """How many runs are listed and marked: ``3 of 11 runs · 4 marked (1 hidden)``."""
        total = len(self.view.snapshot.runs)
        runs = counted(total, "run") if len(self._rows) == total else f"{len(self._rows):,} of {counted(total, 'run')}"
        marked = f" · {len(self._marks):,} marked" if self._marks else ""
        return runs + marked + (f" ({self.hidden:,} hidden)" if self.hidden else "")

    def _moved(self, *, by_person: bool) -> None:
        self.post_message(self.Moved(by_person=by_person))

    def begin_with(self, keys: Sequence[str], sort: str, baseline: int | None, *, reverse: bool) -> None:
        """Set columns, order and baseline before anything is shown."""
        self._chosen_columns, self._sort, self._reverse, self._baseline = tuple(keys), sort, reverse, baseline

    def show(self, snapshot: Snapshot) -> None:
        """Show another state of the store."""
        before, last = self.current, self.view.snapshot
        self.view.snapshot = snapshot
        if (snapshot.runs, snapshot.until, snapshot.paused) != (last.runs, last.until, last.paused):
            names = self.view.differences.names
            self.view.differences.update(snapshot.runs)
            self.view.baseline.update(snapshot.runs, self._baseline)
            if names != self.view.differences.names:
                self._texts = {}
            self._arrange(reloaded=True)
            if self._warming is None and len(snapshot.runs) > _MANY and self.is_mounted:
                self._cold = iter(list(snapshot.runs))
                self._warming = self.set_interval(_WARM_SECONDS, self._warm)
            if self.current != before:
                self._moved(by_person=False)
        elif snapshot.trends != last.trends:
            self._repaint()

    def show_colours(self, colours: Mapping[int, str]) -> None:
        """Give the signs of runs the colours, ``#rrggbb`` by run, of their curves."""
        if colours != self._colours:
            self._colours = colours
            self._repaint()

    def filter(self, text: str) -> None:
        """Show only runs that match ``text``; see `filtering`.

        With very many runs that waits for the next frame, so that a word typed at once is filtered by once.
        """
        self._wanted = text
        if len(self.view.snapshot.runs) > _MANY:
            self.call_after_refresh(self._settle)
            self.refresh()
        else:
            self._settle()

    def _settle(self) -> None:
        if self._wanted is not None:
            text, self._wanted = self._wanted, None
            self._filter = filtering.parse(text)
            self._arrange()
            self._moved(by_person=True)

    def completion(self, text: str) -> str | None:
        """Return the text of a filter with its last word completed."""
        return filtering.completion(text, self.view)

    def set_columns(self, keys: Sequence[str]) -> None:
        """Show these columns; none to have them chosen by what there is."""
        self._chosen_columns = tuple(keys)
        self._arrange(reloaded=True)

    def set_baseline(self, run_id: int | None) -> None:
        """Compare the runs with another one, or with none."""
        self._baseline = run_id
        self.view.baseline.update(self.view.snapshot.runs, run_id)
        self._arrange(reloaded=True)
        self._moved(by_person=True)

    def set_order(self, key: str, *, reverse: bool) -> None:
        """Sort by a column; "" is the default order."""
        self._sort, self._reverse = key, reverse
        self._arrange()
        self.on_order(key, reverse)
        self.post_message(self.Sorted())

    def sort_by_next(self) -> None:
        """Sort by the next column in sight, after the last in the default order."""
        keys = [columns.DEFAULT_SORT, *(column.key for column, _ in self._columns())]
        place = keys.index(self._sort) if self._sort in keys else 0
        self.set_order(keys[(place + 1) % len(keys)], reverse=False)

    def reverse(self) -> None:
        """Reverse the order."""
        self.set_order(self._sort, reverse=not self._reverse)

    def _click_heading(self, x: int) -> None:
        column = columns.column_at(self._columns(), x - _MARK_WIDTH + 1)
        if column is not None and not self._filter.problem:
            self.set_order(column.key, reverse=column.key == self._sort and not self._reverse)

    # Drawing

    def _arrange(self, *, reloaded: bool = False) -> None:
        """List the runs again. After a reload the current one stays listed, whether it still matches or not:
        a key that is on its way means this run.
        """
        here = self._index.get(self._current, 0) if self._current is not None else 0
        runs: Iterable[Run] = self.view.snapshot.runs.values()
        stays = self._current if reloaded and self._current in self._index else None
        if self._filter:
            view, matches = self.view, self._filter.matches
            text_of = self._text_of if self._filter.words else lambda _: ""
            runs = [run for run in runs if run.id == stays or matches(run, view, text_of(run))]
        self._rows = columns.ordered(runs, self.view, self._sort, reverse=self._reverse)
        self._index = {run.id: row for row, run in enumerate(self._rows)}
        self._marks.keep(self.view.snapshot.runs)
        if self._current is None and self._lost in self._index:  # a filter without matches was cleared
            self._current = self._lost
        if self._current not in self._index:
            self._lost = self._lost if self._rows else self._current or self._lost
            self._current = self._rows[min(here, len(self._rows) - 1)].id if self._rows else None
        self._layout = []
        size = Size(self.size.width, len(self._rows) + 1)
        if size != self.virtual_size:
            self.virtual_size = size
            self.call_after_refresh(self._scroll_to_current)  # when the scroll bar has been laid out
        self._scroll_to_current()
        self._look_at_sight()
        self._repaint()

    def _repaint(self) -> None:
        """Have the lines painted that are not as they were: most snapshots change one run, and a link may be slow."""
        for y in range(self.size.height):
            if self._line_at(y) != self._painted.get(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _warm(self) -> None:
        """Prepare the texts of some more runs for the filter, so that its first key is as quick as the others."""
        some = list(islice(self._cold, _WARMED_AT_ONCE))
        for run_id in some:
            if (run := self.view.snapshot.runs.get(run_id)) is not None:
                self._text_of(run)
        if not some and self._warming is not None:
            self._warming.stop()

    def _text_of(self, run: Run) -> str:
        known, text = self._texts.get(run.id, (None, ""))
        if known is not run:
            text = filtering.text_of(run, self.view)
            self._texts[run.id] = run, text
        return text

    def on_resize(self) -> None:
        """Choose the columns that fit."""
        self._layout = []
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self.call_after_refresh(self._scroll_to_current)
        self._look_at_sight()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Have the losses read of the rows that came into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._look_at_sight()

    def _look_at_sight(self) -> None:
        if self._timer is None and self.is_mounted:
            self._timer = self.set_timer(_SIGHT_SECONDS, self._tell_sight)

    def _tell_sight(self) -> None:
        self._timer = None
        has_curves = any(column.key == "curve" for column, _ in self._columns())
        in_sight = frozenset(self._rows[row].id for row in self._rows_in_sight()) if has_curves else frozenset()
        if in_sight != self._in_sight:
            self._in_sight = in_sight
            self.on_sight(in_sight)

    def _columns(self) -> list[tuple[columns.Column, int]]:
        if not self._layout:
            width = self.scrollable_content_region.width - _MARK_WIDTH
            self._layout = columns.arrange(width, self.shown_columns, self.view)
        return self._layout

    def render_line(self, y: int) -> Strip:
        """Return the heading, or the row that is in line ``y`` of what is in sight."""
        self._painted[y] = strip = self._line_at(y)
        return strip

    def _line_at(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if y == 0:
            return self._heading(width)
        row = self.scroll_offset.y + y - 1
        if row < len(self._rows):
            return self._row(self._rows[row], width)
        lines = () if self._rows else (_NOT_FOUND,) if self._filter else _HINTS
        text = lines[row] if row < len(lines) else ""
        return self._line(text, width, self.get_component_rich_style("runs--quiet"))

    def _line(self, text: str, width: int, style: Style) -> Strip:
        text = text if len(text) <= width else text[: max(width - 1, 0)] + "…"
        return Strip([Segment(text, style)]).adjust_cell_length(width, self.rich_style)

    def _heading(self, width: int) -> Strip:
        if self._filter.problem:
            return self._line(f"✗ {self._filter.problem}", width, self.get_component_rich_style("runs--problem"))
        before, chosen, after = columns.heading(self._columns(), self._sort, reverse=self._reverse)
        style = self.get_component_rich_style("runs--heading")
        underlined = style + Style(underline=True)  # so that the arrow visibly belongs to this column
        range_sign = "V" if self._marks.sticky else " "
        parts = [Segment(range_sign.ljust(_MARK_WIDTH - 1) + before, style), Segment(chosen, underlined)]
        return Strip([*parts, Segment(after, style)]).adjust_cell_length(width, style)

    def _row(self, run: Run, width: int) -> Strip:
        current = run.id == self._current
        style = self.get_component_rich_style("runs--current") if current else self._style_of(run)
        shown = "•" if run.id in self._colours and not current else " "  # the baseline, or a seed of a mean
        sign = ("▸" if current else " ") + ("*" if run.id in self._marks else shown)
        cells = [columns.cell(c.text(run, self.view, room), room, left=c.left) for c, room in self._columns()]
        marked = style
        if run.id in self._colours:  # on the list's own ground, where each of them can be read
            marked = self._style_of(run) + Style(color=self._colours[run.id], bold=True)
        return Strip([Segment(sign, marked), Segment(" ".join(cells), style)]).adjust_cell_length(width, style)

    def _style_of(self, run: Run) -> Style:
        kind = run.state if run.state in ("running", "failed", "finished") else "quiet"
        return self.get_component_rich_style(f"runs--{kind}")
