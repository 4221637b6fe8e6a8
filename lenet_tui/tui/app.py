"""The app itself: opens the main screen, watches the store, and ends cleanly whatever ends it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.app import App, SystemCommand
from textual.events import InputEvent, Paste
from textual.markup import escape
from textual.message import Message

from lenet_tui.errors import LabError
from lenet_tui.tui import keys, settings
from lenet_tui.tui.job_control import JobControl
from lenet_tui.tui.main_screen import MainScreen
from lenet_tui.tui.store_watcher import LOOK_SECONDS, QUIET_SECONDS, Snapshot, Watcher
from lenet_tui.tui.widgets import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from textual.binding import BindingType
    from textual.events import Event
    from textual.filter import LineFilter
    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from lenet_tui.store import Store
    from lenet_tui.tui.inspect.inspector import Inspector

# Words that go by themselves: long enough to be read, and an error to be read twice.
_TOLD_SECONDS: Mapping[SeverityLevel, float] = {"information": 4.0, "warning": 6.0, "error": 10.0}
_HANGUP_SECONDS = 2.0
_TERM_SECONDS = 10.0
_Answer = TypeVar("_Answer")


class LabApp(App[None]):
    """The lab bench of one root."""

    TITLE = "lenet-tui"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [replace(keys.HELP, show=False).binding(), keys.SUSPEND.binding()]
    # What is told lies below titles and legend, over the upper right of the curves and not over the runs.
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
        self.root = root
        self.settings = chosen or settings.Settings()
        self.snapshot = Snapshot()
        self._complaints = complaints
        pace = QUIET_SECONDS if self.settings.quiet else LOOK_SECONDS
        self.watcher = Watcher(root, lambda snapshot: self.post_message(self.Seen(snapshot)), pace)
        self._inspector: Inspector | None = None
        self._clean = plain_text.Clean()
        self._jobs = JobControl(self.watcher.at_rest, self._forget_keys, self._redraw, self._cannot_suspend)
        self._deaf_until = 0.0  # what was typed before is for the shell
        self.animation_level = "none"

    def action_help(self) -> None:
        """Show every key."""
        from lenet_tui.tui.dialogs.help import HelpScreen

        self.push_screen(HelpScreen(keys.ALL, self.settings.keys))

    def on_mount(self) -> None:
        """Show the main screen and begin to watch."""
        if self.settings.theme in self.available_themes:
            self.theme = self.settings.theme
        else:
            self._complaints += (f"there is no theme {self.settings.theme:.60}; T shows those there are",)
        self.set_keymap(self.settings.keys)
        self.push_screen(MainScreen(self.settings))
        self.watcher.start()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(ValueError):  # not in the main thread, as in tests
                # Not the loop's own handlers: it may hang on a terminal that takes no more.
                signal.signal(number, lambda number, _: self._end_by(number, loop))
        self._jobs.attach(self._driver, loop)
        for line in self._complaints:
            self.notify(line, severity="warning")

    def on_ready(self) -> None:
        """Collect garbage from now on, but not among what has been imported."""
        gc.freeze()
        gc.enable()

    @property
    def inspector(self) -> Inspector:
        """The way to the process that has torch."""
        if self._inspector is None:
            from lenet_tui.tui.inspect.inspector import Inspector

            self._inspector = Inspector(self.root)
        return self._inspector

    def on_unmount(self) -> None:
        """Let go of the store and of the process that has torch."""
        self._jobs.detach()
        self.watcher.end()
        if self._inspector is not None:
            self._inspector.end()

    def on_lab_app_seen(self, event: Seen) -> None:
        """Keep what was seen and show it."""
        if not self.is_running:  # it is leaving, and its screens are already empty
            return
        before, self.snapshot = self.snapshot, event.snapshot
        for line in event.snapshot.notices[len(before.notices) :]:
            self.notify(line, severity="warning")
        if event.snapshot.runner_failure not in ("", before.runner_failure) and not event.snapshot.paused:
            self.notify(event.snapshot.runner_failure, title="the runner cannot start", severity="error")
        for screen in self.screen_stack:
            show = getattr(screen, "show", None)
            if show is not None:
                show(event.snapshot, before)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,  # noqa: ARG002 - Textual's widgets always ask for it
    ) -> None:
        """Tell something for as long as its severity asks for; ``timeout`` is for what is to be copied off by hand."""
        seconds = _TOLD_SECONDS[severity] if timeout is None else timeout
        # Never as markup: paths and reasons may have brackets of their own, which would go missing.
        message, title = plain_text.lines(message), plain_text.lines(title)
        super().notify(message, title=title, severity=severity, timeout=seconds, markup=False)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Look at every line that is painted."""
        return [*super().get_line_filters(), self._clean]

    def copy_to_clipboard(self, text: str) -> None:
        """Copy what can be pasted into a shell without harm."""
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
        """Leave out what was typed on the way to the shell."""
        if not isinstance(event, (InputEvent, Paste)) or event.time >= self._deaf_until:
            await super().on_event(event)

    def _forget_keys(self) -> None:
        self._deaf_until = time.monotonic()  # as Textual dates its events

    def _redraw(self) -> None:
        self.refresh(layout=True)

    def _cannot_suspend(self, complaint: str) -> None:
        self.notify(complaint, severity="warning")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer in the command palette what the keys do, and what Textual has to offer."""
        if isinstance(screen, MainScreen):
            for key in keys.MAIN:
                shown = escape(self.settings.keys.get(key.id) or key.shown_as or key.keys.split(",")[0])
                action = getattr(screen, f"action_{key.action}")
                yield SystemCommand(f"{key.label} ({shown})", key.help, action)
        yield from super().get_system_commands(screen)

    async def ask(self, question: Callable[[Store], _Answer]) -> _Answer | None:
        """Do something with the store beside the event loop; what goes wrong is told, and None is returned."""
        try:
            return await asyncio.to_thread(self.watcher.ask, question)
        except LabError as error:
            self.notify(str(error), severity="error")
            return None

    def _end_by(self, number: int, loop: asyncio.AbstractEventLoop) -> None:
        # The terminal may be gone, or take no more. Should leaving it in order not succeed, leave all the same: runs
        # belong to the runner.
        seconds = _HANGUP_SECONDS if number == signal.SIGHUP else _TERM_SECONDS
        last_resort = threading.Timer(seconds, os._exit, (128 + number,))
        last_resort.daemon = True
        last_resort.start()
        loop.call_soon_threadsafe(lambda: self.exit(return_code=128 + number))


KEY_NAMES = frozenset(key.id for key in keys.ALL)


def run(root: Path, *, mouse: bool = True, quiet: bool = False) -> int:
    """Open the app on ``root`` and return the exit code. Says on the way out what goes on without it."""
    chosen, complaints = settings.load(root, KEY_NAMES)
    if quiet:
        chosen = chosen.model_copy(update={"quiet": True})
    app = LabApp(root, chosen, tuple(complaints))
    app.run(mouse=mouse and chosen.mouse)
    left = len(app.snapshot.running), sum(run.waiting for run in app.snapshot.queue)
    if any(left) and not app.return_code:
        print(  # noqa: T201 - the last word, after the app
            f"{left[0]} running and {left[1]} waiting go on in the background; 'lenet-tui' shows them again, "
            "'lenet-tui runner stop' ends them"
        )
    return app.return_code or 0
