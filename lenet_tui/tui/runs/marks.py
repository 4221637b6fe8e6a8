"""Which runs are marked: one by one, all, or a range that grows while the cursor moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence


class Marks:
    """Numbers of marked runs, in the order in which they were marked.

    A range begins at the run where `extend` was called first, and ends with `end_range`. ``sticky`` is whether plain
    moves of the cursor extend it too.
    """

    def __init__(self) -> None:
        self._marked: dict[int, None] = {}
        self._before: dict[int, None] = {}
        self._anchor: int | None = None
        self.sticky = False

    def __iter__(self) -> Iterator[int]:
        return iter(self._marked)

    def __contains__(self, run_id: int) -> bool:
        return run_id in self._marked

    def __len__(self) -> int:
        return len(self._marked)

    def toggle(self, run_id: int) -> None:
        """Mark a run, or unmark it."""
        self.end_range()
        if self._marked.pop(run_id, self) is self:
            self._marked[run_id] = None

    def toggle_all(self, listed: Iterable[int]) -> None:
        """Mark all that are listed, or unmark them when they are all marked."""
        self.end_range()
        wanted = dict.fromkeys(listed)
        if wanted.keys() <= self._marked.keys():
            self._marked = {run_id: None for run_id in self._marked if run_id not in wanted}
        else:
            self._marked |= wanted

    def clear(self) -> None:
        """Remove every mark."""
        self.end_range()
        self._marked = {}

    def begin_range(self, run_id: int, *, sticky: bool = False) -> None:
        """Begin a range at a run, unless there is one."""
        if self._anchor is None:
            self._anchor, self._before = run_id, dict(self._marked)
            self._marked[run_id] = None
        self.sticky = self.sticky or sticky

    def end_range(self) -> None:
        """Leave the marks as they are; the next range begins elsewhere."""
        self._anchor, self.sticky = None, False

    def extend(self, run_id: int, rows: Sequence[int], index: Mapping[int, int]) -> None:
        """Mark from the run where the range began to another, and nothing else of what the range had before.

        ``rows`` are the numbers that are listed, ``index`` where each is.
        """
        if self._anchor is None or self._anchor not in index:  # the run was deleted or is hidden by the filter
            self.end_range()
            self.begin_range(run_id)
            return
        first, last = sorted((index[self._anchor], index[run_id]))
        self._marked = self._before | dict.fromkeys(rows[first : last + 1])

    def keep(self, existing: Container[int]) -> None:
        """Forget the runs that do not exist any more."""
        self._marked = {run_id: None for run_id in self._marked if run_id in existing}
        self._before = {run_id: None for run_id in self._before if run_id in existing}
