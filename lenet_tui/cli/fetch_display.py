"""Progress on stderr while a data set is fetched: bars in a terminal, lines in a pipe, JSON for programs."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from lenet_tui.cli import output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import TaskID

    from lenet_tui.data import Progress


@contextlib.contextmanager
def fetch_progress(before: Callable[[], None] = lambda: None, *, as_json: bool = False) -> Iterator[Progress]:
    """Give a `Progress` that shows itself on standard error for as long as the block lasts.

    Nothing is shown while nothing is fetched; ``before`` is called before something is.
    """
    if as_json:
        yield _JsonLines()
        return
    console = output.console(output.stderr, soft_wrap=True)
    if not console.is_terminal:
        yield _Lines()
        return
    bars = Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    shown = _Bars(bars, before)
    try:
        yield shown
    finally:
        bars.stop()


class _Bars:
    """A bar for each file; one that moves to and fro while its size is unknown."""

    def __init__(self, bars: Bars, before: Callable[[], None]) -> None:
        self._bars = bars
        self._before = before
        self._tasks: dict[str, TaskID] = {}

    def step(self, what: str, done: int, total: int | None) -> None:
        if what not in self._tasks:
            self._before()
            self._bars.start()
            self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[what], completed=done, total=total)

    def notice(self, message: str) -> None:
        self._before()
        self._bars.console.print(message, markup=False)


class _Lines:
    """A line when a file begins to come, and each notice."""

    def __init__(self) -> None:
        self._begun: set[str] = set()

    def step(self, what: str, done: int, total: int | None) -> None:  # noqa: ARG002 - lines tell no bytes
        if what not in self._begun:
            self._begun.add(what)
            size = "" if total is None else f" ({total / 1e6:.1f} MB)"
            self.notice(f"fetching {what}{size}")

    def notice(self, message: str) -> None:
        output.tell(message)


class _JsonLines:
    """A line of JSON for each notice and, at most ten times a second, for what has come of a file."""

    def __init__(self) -> None:
        self._what = ""
        self._told = 0.0

    def step(self, what: str, done: int, total: int | None) -> None:
        moment = time.monotonic()
        if what == self._what and done != total and moment - self._told < 0.1:
            return
        self._what, self._told = what, moment
        self._tell({"what": what, "done": done, "total": total})

    def notice(self, message: str) -> None:
        self._tell({"notice": message})

    def _tell(self, document: dict[str, str | int | None]) -> None:
        output.tell_json(document)
