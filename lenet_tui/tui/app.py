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
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, SystemCommand
from textual.events import InputEvent, Key, Paste
from textual.markup import escape
from textual.message import Message

from lenet_tui.tui import keys, settings, terminal_input
from lenet_tui.tui.choices import Choices
from lenet_tui.tui.dialogs.messages import ShownMessage
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
_MOST_MESSAGES = 200
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
    # A message lies over the keys in the last line; what is longer needs the lines above it, never curves or images.
    CSS = """
    Screen { background: $background; }
    ModalScreen { background: $background 60%; }
    JumpScreen { background: $background 20%; }
    ToastRack { margin: 0; overflow: hidden; }
    ToastHolder { align-horizontal: left; }
    Toast { width: 100%; max-width: 100%; margin: 0; padding: 0 1; max-height: 4; }
    """

    @dataclass
    class Seen(Message):
        """The store has something new."""

        snapshot: Snapshot

    def __init__(
        self,
        root: Path,
        chosen: settings.Settings | None = None,
        complaints: tuple[str, ...] = (),
        choices: Choices | None = None,
    ) -> None:
        super().__init__()
        terminal_input.tolerate_any_bytes(self.driver_class)
        self.gate = KeyGate(self, self._handle, self._show_what_came)
        self.lab = Lab(
            root,
            chosen or settings.Settings(),
            on_snapshot=lambda snapshot: self.post_message(self.Seen(snapshot)),
            on_error=lambda error: self.notify(error, severity="error"),
            hold_keys=self.gate.hold,
            choices=choices,
        )
        self._complaints = complaints
        self._clean = plain_text.Clean()
        self._is_set_up = False
        self._seen: Snapshot | None = None  # what came while keys were handled
        self._shown_messages: list[ShownMessage] = []
        self._jobs = JobControl(self.lab.watcher.at_rest, self._forget_keys, self._redraw, self._cannot_suspend)
        self._deaf_until = 0.0  # earlier keys are for the shell
        self.animation_level = "none"

    def action_help(self) -> None:
        """Show the keys of the screen, those of the panel with the focus first, and run the one that is chosen."""
        from lenet_tui.tui.dialogs.help import HelpScreen

        below = self.screen
        table = below.KEYS if isinstance(below, LabScreen) else ()
        table += tuple(key for key in (keys.HELP, keys.SUSPEND) if key not in table)
        section = below.section if isinstance(below, LabScreen) else ""

        async def run(key_id: str | None) -> None:
            if key_id and isinstance(below, LabScreen):
                await below.press_if_offered(key_id)

        self.push_screen(HelpScreen(table, self.lab.settings.keys, section), run)

    def show_messages(self) -> None:
        """Show the messages of this session again."""
        from lenet_tui.tui.dialogs.messages import MessagesScreen

        self.push_screen(MessagesScreen(self._shown_messages))

    def on_mount(self) -> None:
        """Show the main screen and begin to watch."""
        if self.lab.settings.theme in self.available_themes:
            self.theme = self.lab.settings.theme
        else:
            self._complaints += (f"there is no theme {self.lab.settings.theme:.60}; press T to choose one",)
        self._is_set_up = True
        self.set_keymap(self.lab.settings.keys)
        self.push_screen(MainScreen(self.lab))
        self.lab.watcher.start()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(ValueError):  # not in the main thread, as in tests
                # Not the loop's handlers: the loop may hang on a blocked terminal.
                signal.signal(number, lambda number, _: self._end_by(number, loop))
        self._jobs.attach(self._driver, loop)
        self._warn(self._complaints)

    def watch_theme(self, theme: str) -> None:
        """Keep the colours that the person chose."""
        if self.is_running and self._is_set_up:
            self.lab.keep(theme=theme)

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
        self._seen = event.snapshot
        if not self.gate.busy:
            self._show_what_came()

    def _show_what_came(self) -> None:
        """Show the last snapshot; not between keys of a burst, which were meant for what was on the screen."""
        seen, self._seen = self._seen, None
        if seen is not None and self.is_running:  # else it is leaving, and its screens are already empty
            self._show_snapshot(seen)

    def _show_snapshot(self, snapshot: Snapshot) -> None:
        before, self.lab.snapshot = self.lab.snapshot, snapshot
        self._warn(snapshot.notices[len(before.notices) :])
        if snapshot.runner_failure not in ("", before.runner_failure) and not snapshot.paused:
            self.notify(snapshot.runner_failure, title="the runner cannot start", severity="error")
        for screen in self.screen_stack:
            if isinstance(screen, LabScreen):
                screen.show(snapshot, before)

    def _warn(self, texts: Sequence[str]) -> None:
        """Show the first of several warnings, and say where the others are."""
        if texts:
            for text in texts[1:]:
                self._remember(plain_text.lines(text), "warning")
            more = f" ({len(texts) - 1} more: N shows all messages)" if len(texts) > 1 else ""
            self.notify(texts[0] + more, severity="warning")

    def _remember(self, text: str, severity: SeverityLevel) -> None:
        self._shown_messages.append(ShownMessage(datetime.now().astimezone(), text, severity))
        del self._shown_messages[:-_MOST_MESSAGES]

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
        text = plain_text.lines(f"{title}: {message}" if title else message)
        self._remember(text, severity)
        if severity != "information" or not any(note.severity == "error" for note in self._notifications):
            self.clear_notifications()  # one at a time; `show_messages` has them all
        super().notify(text, severity=severity, timeout=seconds, markup=False)

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
        """Offer the keys of the screen in the palette, then what Textual has and no key does."""
        labels: set[str] = set()
        if isinstance(screen, LabScreen):
            for key in screen.KEYS:
                if key.label not in labels and screen.check_action("press", (key.id,)):
                    labels.add(key.label)
                    shown = escape(self.lab.settings.keys.get(key.id) or key.shown)
                    yield SystemCommand(f"{key.label} ({shown})", key.help, partial(screen.action_press, key.id))
        for command in super().get_system_commands(screen):
            if command.title not in ("Quit", "Keys", *labels):
                yield command

    def _end_by(self, number: int, loop: asyncio.AbstractEventLoop) -> None:
        # The terminal may be gone or blocked. If an orderly end fails, exit anyway: runs belong to the runner.
        seconds = _HANGUP_SECONDS if number == signal.SIGHUP else _TERM_SECONDS
        last_resort = threading.Timer(seconds, os._exit, (128 + number,))
        last_resort.daemon = True
        last_resort.start()
        loop.call_soon_threadsafe(lambda: self.exit(return_code=128 + number))


def make(root: Path, *, quiet: bool = False) -> LabApp:
    """Return the app on ``root``, as its settings and the person's choices want it."""
    given, complaints = settings.load(root, keys.NAMES)
    choices = Choices(root, given)
    chosen = choices.applied()
    if quiet:
        chosen = chosen.model_copy(update={"quiet": True})
    return LabApp(root, chosen, tuple(complaints), choices)


def run(root: Path, *, mouse: bool = True, quiet: bool = False, size: tuple[int, int] | None = None) -> int:
    """Open the app on ``root`` and return the exit code. Prints at the end which runs go on.

    ``size`` is that of the browser's page (columns, rows) where the app is shown in one.
    """
    app = make(root, quiet=quiet)
    app.run(mouse=mouse and app.lab.settings.mouse, size=size)
    if size:
        return app.return_code or 0
    left = len(app.lab.snapshot.running), sum(run.waiting for run in app.lab.snapshot.queue)
    if any(left) and not app.return_code:
        print(  # noqa: T201 - after the app
            f"{left[0]} running and {left[1]} waiting go on in the background; 'lenet-tui' shows them again, "
            "'lenet-tui runner stop' ends them"
        )
    return app.return_code or 0
