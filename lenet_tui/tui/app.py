"""The app: opens the main screen, watches the store, and ends in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import threading
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, SystemCommand
from textual.events import InputEvent, Key, Paste
from textual.markup import escape
from textual.message import Message

from lenet_tui.tui import keys, settings, terminal_input
from lenet_tui.tui.job_control import JobControl
from lenet_tui.tui.key_gate import KeyGate
from lenet_tui.tui.lab import Lab
from lenet_tui.tui.main_screen import MainScreen
from lenet_tui.tui.screens import LabScreen
from lenet_tui.tui.widgets import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from textual.binding import BindingType
    from textual.events import Event
    from textual.filter import LineFilter
    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from lenet_tui.tui.store_watcher import Snapshot

# How long messages stay: long enough to read, errors long enough to read twice.
_SHOWN_SECONDS: Mapping[SeverityLevel, float] = {"information": 4.0, "warning": 6.0, "error": 10.0}
_HANGUP_SECONDS = 2.0
_TERM_SECONDS = 10.0


class LabApp(App[None]):
    """The lab bench of one root."""

    TITLE = "lenet-tui"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        replace(keys.HELP, priority=0).binding("help"),
        keys.SUSPEND.binding("suspend"),
    ]
    # Messages lie below titles and legend, over the upper right of the curves and not over the runs.
    CSS = """
    Screen { background: $background; }
    ToastRack { dock: top; align: right top; margin: 4 0 0 0; }
    Toast { margin: 0 0 1 0; padding: 0 1; }
    """

    @dataclass
    class Seen(Message):
        """The store has something new."""

        snapshot: Snapshot

    def __init__(self, root: Path, chosen: settings.Settings | None = None, complaints: tuple[str, ...] = ()) -> None:
        super().__init__()
        terminal_input.tolerate_any_bytes(self.driver_class)
        self.gate = KeyGate(self, self._handle)
        self.lab = Lab(
            root,
            chosen or settings.Settings(),
            on_snapshot=lambda snapshot: self.post_message(self.Seen(snapshot)),
            on_error=lambda error: self.notify(error, severity="error"),
            hold_keys=self.gate.hold,
        )
        self._complaints = complaints
        self._clean = plain_text.Clean()
        self._jobs = JobControl(self.lab.watcher.at_rest, self._forget_keys, self._redraw, self._cannot_suspend)
        self._deaf_until = 0.0  # earlier keys are for the shell
        self.animation_level = "none"

    def action_help(self) -> None:
        """Show every key."""
        from lenet_tui.tui.dialogs.help import HelpScreen

        self.push_screen(HelpScreen(keys.ALL, self.lab.settings.keys))

    def on_mount(self) -> None:
        """Show the main screen and begin to watch."""
        if self.lab.settings.theme in self.available_themes:
            self.theme = self.lab.settings.theme
        else:
            self._complaints += (f"there is no theme {self.lab.settings.theme:.60}; press T to choose one",)
        self.set_keymap(self.lab.settings.keys)
        self.push_screen(MainScreen(self.lab))
        self.lab.watcher.start()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(ValueError):  # not in the main thread, as in tests
                # Not the loop's handlers: the loop may hang on a blocked terminal.
                signal.signal(number, lambda number, _: self._end_by(number, loop))
        self._jobs.attach(self._driver, loop)
        for line in self._complaints:
            self.notify(line, severity="warning")

    def on_ready(self) -> None:
        """Collect garbage from now on, except what was imported."""
        gc.freeze()
        gc.enable()

    def on_unmount(self) -> None:
        """Close the store, and end the process that has torch."""
        self.gate.close()
        self._jobs.detach()
        self.lab.close()

    def on_lab_app_seen(self, event: Seen) -> None:
        """Show another state of the store."""
        if not self.is_running:  # it is leaving, and its screens are already empty
            return
        before, self.lab.snapshot = self.lab.snapshot, event.snapshot
        for line in event.snapshot.notices[len(before.notices) :]:
            self.notify(line, severity="warning")
        if event.snapshot.runner_failure not in ("", before.runner_failure) and not event.snapshot.paused:
            self.notify(event.snapshot.runner_failure, title="the runner cannot start", severity="error")
        for screen in self.screen_stack:
            if isinstance(screen, LabScreen):
                screen.show(event.snapshot, before)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,  # noqa: ARG002 - Textual's widgets always ask for it
    ) -> None:
        """Show a message for as long as its severity needs; ``timeout`` is for text to copy by hand."""
        seconds = _SHOWN_SECONDS[severity] if timeout is None else timeout
        # Never as markup: brackets in paths and reasons would disappear.
        message, title = plain_text.lines(message), plain_text.lines(title)
        super().notify(message, title=title, severity=severity, timeout=seconds, markup=False)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Clean every painted line."""
        return [*super().get_line_filters(), self._clean]

    def copy_to_clipboard(self, text: str) -> None:
        """Copy text that a shell does not obey when pasted."""
        super().copy_to_clipboard(plain_text.lines(text))

    # Suspending

    def action_suspend(self) -> None:
        """Stop, and give the terminal back to the shell."""
        if complaint := self._jobs.suspend():
            self._cannot_suspend(complaint)

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        """Lend the terminal to another program."""
        with self._jobs.lent(), super().suspend():
            yield

    async def on_event(self, event: Event) -> None:
        """Let keys through one at a time."""
        if isinstance(event, (Key, Paste)) and not event.is_forwarded:
            self.gate.put(event)
        else:
            await self._handle(event)

    async def _handle(self, event: Event) -> None:
        """Handle an event, unless it was typed before the shell came back."""
        if not isinstance(event, (InputEvent, Paste)) or event.time >= self._deaf_until:
            await super().on_event(event)

    def _forget_keys(self) -> None:
        self._deaf_until = time.monotonic()  # as Textual dates its events

    def _redraw(self) -> None:
        self.refresh(layout=True)

    def _cannot_suspend(self, complaint: str) -> None:
        self.notify(complaint, severity="warning")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer the keys of the main screen, and Textual's commands, in the palette."""
        if isinstance(screen, MainScreen):
            for key in keys.MAIN:
                shown = escape(self.lab.settings.keys.get(key.id) or key.shown)
                yield SystemCommand(f"{key.label} ({shown})", key.help, partial(screen.action_press, key.id))
        yield from super().get_system_commands(screen)

    def _end_by(self, number: int, loop: asyncio.AbstractEventLoop) -> None:
        # The terminal may be gone or blocked. If an orderly end fails, exit anyway: runs belong to the runner.
        seconds = _HANGUP_SECONDS if number == signal.SIGHUP else _TERM_SECONDS
        last_resort = threading.Timer(seconds, os._exit, (128 + number,))
        last_resort.daemon = True
        last_resort.start()
        loop.call_soon_threadsafe(lambda: self.exit(return_code=128 + number))


def run(root: Path, *, mouse: bool = True, quiet: bool = False, size: tuple[int, int] | None = None) -> int:
    """Open the app on ``root`` and return the exit code. Prints at the end which runs go on.

    ``size`` is that of the browser's page (columns, rows) where the app is shown in one.
    """
    chosen, complaints = settings.load(root, keys.NAMES)
    if quiet:
        chosen = chosen.model_copy(update={"quiet": True})
    app = LabApp(root, chosen, tuple(complaints))
    app.run(mouse=mouse and chosen.mouse, size=size)
    if size:
        return app.return_code or 0
    left = len(app.lab.snapshot.running), sum(run.waiting for run in app.lab.snapshot.queue)
    if any(left) and not app.return_code:
        print(  # noqa: T201 - after the app
            f"{left[0]} running and {left[1]} waiting go on in the background; 'lenet-tui' shows them again, "
            "'lenet-tui runner stop' ends them"
        )
    return app.return_code or 0
