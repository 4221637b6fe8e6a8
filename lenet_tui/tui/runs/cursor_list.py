"""A list of runs with a cursor that is always in sight, and marks. What a row shows is for others to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.geometry import Region
from textual.scroll_view import ScrollView

from lenet_tui.tui.runs.marks import Marks

if TYPE_CHECKING:
    from textual import events
    from textual.binding import BindingType

    from lenet_tui.store import Run


class CursorList(ScrollView, can_focus=True):
    """Runs as rows below a heading. One is the current one; any number are marked."""

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

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._rows: list[Run] = []
        self._index: dict[int, int] = {}
        self._marks = Marks()
        self._current: int | None = None

    def _settle(self) -> None:
        """Do at once what would change the rows, before anything asks for them or moves among them."""

    def _moved(self, *, by_person: bool) -> None:
        """Say that another run is the current one, or others are marked."""
        raise NotImplementedError

    def _click_heading(self, x: int) -> None:
        """Do what a click on cell ``x`` of the heading means."""
        raise NotImplementedError

    @property
    def current(self) -> Run | None:
        """The run under the cursor."""
        self._settle()
        return self._rows[self._index[self._current]] if self._current in self._index else None

    @property
    def marked(self) -> list[Run]:
        """The marked runs that are listed, in the order in which they were marked.

        Commands act on them, and never on what a person does not see.
        """
        self._settle()
        return [self._rows[self._index[run_id]] for run_id in self._marks if run_id in self._index]

    @property
    def hidden(self) -> int:
        """How many marked runs the filter hides."""
        self._settle()
        return sum(run_id not in self._index for run_id in self._marks)

    @property
    def chosen(self) -> list[Run]:
        """The runs that a command means: the marked ones that are listed or, when there are none, the current one."""
        return self.marked or ([self.current] if self.current else [])

    @property
    def listed(self) -> list[Run]:
        """The runs in the list as it is filtered and sorted."""
        self._settle()
        return self._rows

    # Marking

    def mark(self) -> None:
        """Mark or unmark the current run; at the end of a range, leave it marked."""
        self._settle()
        if self._current is None:
            return
        if self._marks.sticky:
            self._marks.end_range()
        else:
            self._marks.toggle(self._current)
        self._changed_marks()

    def mark_all(self) -> None:
        """Mark every run in the list, or none when all are marked."""
        self._settle()
        self._marks.toggle_all(run.id for run in self._rows)
        self._changed_marks()

    def unmark_all(self) -> None:
        """Remove every mark, hidden ones too."""
        if self._marks or self._marks.sticky:
            self._marks.clear()
            self._changed_marks()

    def toggle_range(self) -> None:
        """Begin to mark the runs that the cursor passes, or end it."""
        self._settle()
        if self._marks.sticky:
            self._marks.end_range()
        elif self._current is not None:
            self._marks.begin_range(self._current, sticky=True)
        self._changed_marks()

    def extend(self, by: int) -> None:
        """Move the cursor so many rows, and mark from where that began to where it ends."""
        self._settle()
        if self._current is None:
            return
        self._marks.begin_range(self._current)
        self._step(by, extend=True)

    def _changed_marks(self) -> None:
        self.refresh()
        self._moved(by_person=True)

    # Moving about

    def go_to(self, run_id: int, *, by_person: bool = True) -> None:
        """Make a run the current one, where it is in the list."""
        if run_id in self._index and run_id != self._current:
            self._current = run_id
            self._scroll_to_current()
            self.refresh()
            self._moved(by_person=by_person)

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
        """Go to the run that was clicked; with shift mark all from here to there, with ctrl mark that one."""
        row = event.y - 1 + self.scroll_offset.y
        if event.y < 1:
            self._click_heading(event.x)
        elif row < len(self._rows) and event.shift and self._current is not None:
            self.extend(row - self._index[self._current])
        elif row < len(self._rows):
            self.go_to(self._rows[row].id)
            if event.ctrl:
                self.mark()

    def _step(self, by: int, *, extend: bool = False) -> None:
        self._settle()
        if not self._rows:
            return
        here = self._index.get(self._current, 0) if self._current is not None else 0
        there = self._rows[min(max(here + by, 0), len(self._rows) - 1)].id
        if extend or self._marks.sticky:
            self._marks.extend(there, [run.id for run in self._rows], self._index)
            self._changed_marks()
        else:
            self._marks.end_range()
        self.go_to(there)

    def _scroll_to_current(self) -> None:
        row = self._index.get(self._current, 0) if self._current is not None else 0
        # The heading stays in the first line and hides the row behind it.
        self.scroll_to_region(Region(0, row, 1, 2), animate=False, immediate=True)

    # When a person scrolls, the cursor stays in sight: commands never act on a row that is not.

    def on_mouse_scroll_down(self) -> None:
        """Follow."""
        self.call_next(self._bring_current)

    on_mouse_scroll_up = on_scroll_to = on_scroll_up = on_scroll_down = on_mouse_scroll_down

    def _bring_current(self) -> None:
        rows = self._rows_in_sight()
        if self._current is not None and rows:
            self.go_to(self._rows[min(max(self._index[self._current], rows[0]), rows[-1])].id)

    def _rows_in_sight(self) -> range:
        first = self.scroll_offset.y
        return range(first, min(first + max(self.scrollable_content_region.height - 1, 1), len(self._rows)))
