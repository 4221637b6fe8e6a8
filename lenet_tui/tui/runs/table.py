"""The list of all runs, queue and history in one. It draws only the rows in sight, so ten thousand scroll smoothly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lenet_tui.tui.runs import columns
from lenet_tui.tui.store_watcher import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.binding import BindingType

    from lenet_tui.store import Run

_MARK_WIDTH = 2
_NOT_FOUND = "  no run matches"
_HINTS = (
    "  no runs yet",
    "  ^r     queues the runs of the form",
    "  ← →    in the form's first line: other presets",
    "  batch  16,32,64 queues three runs",
    "  q      quits; runs go on in the background",
    "  ?      shows every key (F1 inside the form)",
)


class RunsList(ScrollView, can_focus=True):
    """Runs as rows below a heading. One is the current one; any number are marked."""

    DEFAULT_CSS = """
    RunsList { height: 1fr; background: $surface; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """
    # Bindings, and no handler of keys: those of the screen are bindings too, and all of them are done in the order in
    # which they were pressed, so that a command means the run that was current then.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", show=False),
        Binding("down,j", "step(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "edge(-1)", show=False),
        Binding("end,G", "edge(1)", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "runs--heading",
        "runs--current",
        "runs--running",
        "runs--failed",
        "runs--finished",
        "runs--quiet",
    }
    DEFAULT_CSS += """
    RunsList > .runs--heading { color: $text-muted; text-style: bold; }
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
        self._snapshot = Snapshot()
        self._rows: list[Run] = []
        self._index: dict[int, int] = {}
        self._words: tuple[str, ...] = ()
        self._sort = columns.DEFAULT_SORT
        self._reverse = False
        self._marked: dict[int, None] = {}  # in the order in which they were marked
        self._current: int | None = None
        self._colours: Mapping[int, str] = {}
        self._layout: list[tuple[columns.Column, int]] = []

    # What is chosen

    @property
    def current(self) -> Run | None:
        """The run under the cursor."""
        return self._snapshot.runs.get(self._current) if self._current is not None else None

    @property
    def marked(self) -> list[Run]:
        """The marked runs, in the order in which they were marked."""
        return [self._snapshot.runs[run_id] for run_id in self._marked if run_id in self._snapshot.runs]

    @property
    def chosen(self) -> list[Run]:
        """The runs that a command means: those marked or, when there are none, the current one."""
        return self.marked or ([self.current] if self.current else [])

    @property
    def listed(self) -> list[Run]:
        """The runs in the list as it is filtered and sorted."""
        return self._rows

    @property
    def sorting(self) -> str:
        """The column and direction of the sort; "" for the default order."""
        return f"{self._sort} {'▼' if self._reverse else '▲'}" if self._sort else ("reversed" if self._reverse else "")

    # What is shown

    def show(self, snapshot: Snapshot) -> None:
        """Show another state of the store."""
        before = self.current
        if snapshot.runs != self._snapshot.runs or snapshot.until != self._snapshot.until:
            self._snapshot = snapshot
            self._arrange()
            if self.current != before:
                self.post_message(self.Moved(by_person=False))

    def show_colours(self, colours: Mapping[int, str]) -> None:
        """Give the signs of runs the colours, ``#rrggbb`` by run, of their curves."""
        if colours != self._colours:
            self._colours = colours
            self.refresh()

    def filter(self, text: str) -> None:
        """Show only runs that have every word of ``text``."""
        self._words = tuple(text.lower().split())
        self._arrange()
        self.post_message(self.Moved(by_person=True))

    def sort_by_next(self) -> None:
        """Sort by the next column in sight, after the last in the default order."""
        titles = [columns.DEFAULT_SORT, *(column.title for column, _ in self._columns())]
        place = titles.index(self._sort) if self._sort in titles else 0
        self._sort = titles[(place + 1) % len(titles)]
        self._reverse = False
        self._arrange()
        self.post_message(self.Sorted())

    def reverse(self) -> None:
        """Reverse the order."""
        self._reverse = not self._reverse
        self._arrange()
        self.post_message(self.Sorted())

    def mark(self) -> None:
        """Mark or unmark the current run, and go to the next."""
        if self._current is None:
            return
        if self._current in self._marked:
            del self._marked[self._current]
        else:
            self._marked[self._current] = None
        self._step(1)
        self.refresh()
        self.post_message(self.Moved(by_person=True))

    def mark_all(self) -> None:
        """Mark every run in the list, or none when all are marked."""
        listed = dict.fromkeys(run.id for run in self._rows)
        self._marked = {} if listed.keys() <= self._marked.keys() else listed
        self.refresh()
        self.post_message(self.Moved(by_person=True))

    def unmark_all(self) -> None:
        """Remove every mark."""
        if self._marked:
            self._marked = {}
            self.refresh()
            self.post_message(self.Moved(by_person=True))

    def go_to(self, run_id: int, *, by_person: bool = True) -> None:
        """Make a run the current one, where it is in the list."""
        if run_id in self._index and run_id != self._current:
            self._current = run_id
            self._scroll_to_current()
            self.refresh()
            self.post_message(self.Moved(by_person=by_person))

    # Moving about

    def action_step(self, by: int) -> None:
        """Go down so many rows, or up."""
        self._step(by)

    def action_page(self, by: int) -> None:
        """Go down so many pages, or up."""
        self._step(by * max(1, self.size.height - 2))

    def action_edge(self, by: int) -> None:
        """Go to the last row, or with a negative number to the first."""
        self._step(by * len(self._rows))

    def on_click(self, event: events.Click) -> None:
        """Go to the run that was clicked."""
        row = event.y - 1 + self.scroll_offset.y
        if 0 <= row < len(self._rows):
            self.go_to(self._rows[row].id)

    def _step(self, by: int) -> None:
        if self._rows:
            here = self._index.get(self._current, 0) if self._current is not None else 0
            self.go_to(self._rows[min(max(here + by, 0), len(self._rows) - 1)].id)

    def _scroll_to_current(self) -> None:
        row = self._index.get(self._current, 0) if self._current is not None else 0
        # The heading stays in the first line and hides the row behind it.
        self.scroll_to_region(Region(0, row, 1, 2), animate=False, immediate=True)

    # Drawing

    def _arrange(self) -> None:
        here = self._index.get(self._current, 0) if self._current is not None else 0
        runs = self._snapshot.runs.values()
        matching = [run for run in runs if columns.matches(run, self._words)] if self._words else runs
        self._rows = columns.ordered(matching, self._snapshot, self._sort, reverse=self._reverse)
        self._index = {run.id: row for row, run in enumerate(self._rows)}
        self._marked = {run_id: None for run_id in self._marked if run_id in self._snapshot.runs}
        if self._current not in self._index:
            self._current = self._rows[min(here, len(self._rows) - 1)].id if self._rows else None
        self._layout = []
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self.refresh()

    def on_resize(self) -> None:
        """Choose the columns that fit."""
        self._layout = []
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self.call_after_refresh(self._scroll_to_current)

    def _columns(self) -> list[tuple[columns.Column, int]]:
        if not self._layout:
            notes = any(run.note for run in self._rows)
            most = max((run.id for run in self._rows), default=0)
            width = self.scrollable_content_region.width - _MARK_WIDTH
            self._layout = columns.fitting(width, notes=notes, most=most)
        return self._layout

    def render_line(self, y: int) -> Strip:
        """Return the heading, or the row that is in line ``y`` of what is in sight."""
        width = self.scrollable_content_region.width
        if y == 0:
            return self._heading(width)
        row = self.scroll_offset.y + y - 1
        if row < len(self._rows):
            return self._row(self._rows[row], width)
        lines = () if self._rows else (_NOT_FOUND,) if self._words else _HINTS
        text = lines[row] if row < len(lines) else ""
        style = self.get_component_rich_style("runs--quiet")
        text = text if len(text) <= width else text[: max(width - 1, 0)] + "…"
        return Strip([Segment(text, style)]).adjust_cell_length(width, self.rich_style)

    def _heading(self, width: int) -> Strip:
        before, chosen, after = columns.heading(self._columns(), self._sort, reverse=self._reverse)
        style = self.get_component_rich_style("runs--heading")
        underlined = style + Style(underline=True)  # so that the arrow visibly belongs to this column
        parts = [Segment(" " * (_MARK_WIDTH - 1) + before, style), Segment(chosen, underlined), Segment(after, style)]
        return Strip(parts).adjust_cell_length(width, style)

    def _row(self, run: Run, width: int) -> Strip:
        current = run.id == self._current
        style = self.get_component_rich_style("runs--current") if current else self._style_of(run)
        sign = ("▸" if current else " ") + ("*" if run.id in self._marked else " ")
        cells = [columns.cell(c.text(run, self._snapshot, room), room, left=c.left) for c, room in self._columns()]
        marked = style + Style(color=self._colours[run.id], bold=True) if run.id in self._colours else style
        return Strip([Segment(sign, marked), Segment(" ".join(cells), style)]).adjust_cell_length(width, style)

    def _style_of(self, run: Run) -> Style:
        kind = run.state if run.state in ("running", "failed", "finished") else "quiet"
        return self.get_component_rich_style(f"runs--{kind}")
