"""What is below the fields: help for the focused one, what would be queued and how long it takes, the button."""

from __future__ import annotations

import textwrap
import time
from typing import TYPE_CHECKING

from textual.widget import Widget

from lenet_tui.formatting import counted
from lenet_tui.host.hardware import Capacity
from lenet_tui.runner.estimate import seconds_for
from lenet_tui.tui.form import duplicates
from lenet_tui.tui.form import values as form_values
from lenet_tui.tui.form.lines import QueueButton
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.timer import Timer

    from lenet_tui.store import Run, SpeedKey
    from lenet_tui.sweep import Sweep
    from lenet_tui.tui.form.duplicates import Identity

# An estimate of a long queue and a large sweep is costly; it takes at most this share of the time.
_SHARE_OF_TIME = 0.01
_SHORTEST_WAIT = 0.5
_SUMMARY_LINES = 4
_COMPARED = 300  # at most so many runs of a sweep are checked for duplicates


class FormFoot(Widget):
    """Help, summary and button. Texts are wrapped here, so that most changes need no new layout."""

    DEFAULT_CSS = """
    FormFoot { layout: vertical; height: 1fr; }
    FormFoot > .help { height: 1fr; padding: 1 0 0 1; color: $text-muted; }
    FormFoot > .summary { height: 1; padding: 0 0 0 1; }
    FormFoot > .summary.-wrong { color: $text-error; text-style: bold; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._help = PlainStatic("", classes="help")
        self._summary = PlainStatic("", classes="summary")
        self._help_text = ""
        self._summary_lines = 1
        self._sweep: Sweep | None = None
        self._count = 1
        self._wanted: list[Identity] = []
        self._existing: Mapping[Identity, int] = {}
        self._capacity = Capacity(1)
        self._speeds: Mapping[SpeedKey, float] = {}
        self._queue: Sequence[Run] = ()
        self._seconds: float | None = None
        self._cost = 0.0
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield self._help
        yield self._summary
        yield QueueButton()

    def show_help(self, text: str) -> None:
        """Show another help text."""
        self._help_text = text
        room = max(self._help.size.height, 1)
        self._set(self._help, textwrap.wrap(text, self._width, max_lines=room, placeholder=" …"))

    def show_sweep(self, sweep: Sweep | None, count: int) -> None:
        """Show what would be queued; None while those ``count`` runs are still being made."""
        self._sweep, self._count = sweep, count
        configs = sweep.configs if sweep and len(sweep.configs) <= _COMPARED else ()
        self._wanted = [config.identity() for config in configs]
        self._estimate()

    def set_existing(self, existing: Mapping[Identity, int]) -> None:
        """Set which configurations have runs."""
        self._existing = existing
        self._show_summary()

    def set_speeds(self, speeds: Mapping[SpeedKey, float], queue: Sequence[Run], capacity: Capacity) -> None:
        """Set how fast runs were, which runs come first, and what they are computed on."""
        self._speeds, self._queue, self._capacity = speeds, queue, capacity
        if self._timer is not None:
            return
        wait = self._cost / _SHARE_OF_TIME
        if wait > _SHORTEST_WAIT:
            self._timer = self.set_timer(wait, self._estimate)
        else:
            self._estimate()

    def on_resize(self) -> None:
        """Show as much as there is room for."""
        self._show_summary()
        self.call_after_refresh(lambda: self.show_help(self._help_text))

    @property
    def _width(self) -> int:
        return max(self.size.width - 1, 4)

    @staticmethod
    def _set(line: PlainStatic, lines: list[str]) -> None:
        text = "\n".join(lines)
        if text != line.content:
            line.update(text, layout=False)

    def _estimate(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        began = time.perf_counter()
        configs = self._sweep.configs if self._sweep else ()
        self._seconds = seconds_for(configs, self._queue, self._speeds, self._capacity) if configs else None
        self._cost = time.perf_counter() - began
        self._show_summary()

    def _show_summary(self) -> None:
        if self._sweep is None:
            text = f"{counted(self._count, 'run')} · checking…"
        else:
            text = form_values.summary(self._sweep, self._seconds, behind=bool(self._queue), width=self._width)
        self._summary.set_class(bool(self._sweep and self._sweep.problems), "-wrong")
        lines = textwrap.wrap(text, self._width, max_lines=_SUMMARY_LINES, placeholder=" …")
        lines += textwrap.wrap(duplicates.before_queueing(self._wanted, self._existing), self._width)
        if len(lines) != self._summary_lines:
            self._summary_lines = self._summary.styles.height = len(lines)
            self.call_after_refresh(lambda: self.show_help(self._help_text))
        self._set(self._summary, lines)
