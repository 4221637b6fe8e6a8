"""Suspending the app as a shell expects: by ``^z`` or ``kill -TSTP``, continued by ``fg``.

Needed because Textual stops only its own process, so that a shell waiting for ``make`` would wait for ever; stops even
where no shell could continue it; and reads the terminal twice after ``kill -STOP`` and ``-CONT``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import FrameType

    from textual.driver import Driver

NO_SHELL = "the app cannot be suspended: there is no shell to bring it back"
_SECONDS_TO_STOP = 0.3  # a signal to a group of processes need not arrive at once


class JobControl:
    """Stops the app's process group and puts the terminal in order before and after.

    ``at_rest`` holds what must not be stopped half done, ``suspended`` is called when the terminal is given back and
    ``redraw`` when the app has it again. ``report`` gets the reason why a signal could not be obeyed.
    """

    def __init__(
        self,
        at_rest: Callable[[], AbstractContextManager[object]],
        suspended: Callable[[], object],
        redraw: Callable[[], object],
        report: Callable[[str], object],
    ) -> None:
        self._at_rest = at_rest
        self._suspended = suspended
        self._redraw = redraw
        self._report = report
        self._driver: Driver | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # What the shell ignores stays ignored. Textual's driver, made later, no longer lets us know.
        self._is_ignored = signal.getsignal(signal.SIGTSTP) == signal.SIG_IGN
        self._continued = False
        self._stopping = False
        self._lent = False

    def attach(self, driver: Driver | None, loop: asyncio.AbstractEventLoop) -> None:
        """Take the signals over from the driver, where it has a terminal and this is the main thread."""
        if driver is None or not driver.can_suspend:
            return
        self._driver, self._loop = driver, loop
        with contextlib.suppress(ValueError, RuntimeError):
            # SIGCONT goes to any thread; this makes it wake the loop as well.
            loop.add_signal_handler(signal.SIGCONT, lambda: None)
            signal.signal(signal.SIGTSTP, signal.SIG_IGN if self._is_ignored else self._on_signal)
            signal.signal(signal.SIGCONT, self._on_signal)

    def detach(self) -> None:
        """Let the signals do what they do to any process."""
        if self._driver is not None and self._loop is not None:
            self._driver = None
            with contextlib.suppress(ValueError, RuntimeError):
                signal.signal(signal.SIGTSTP, signal.SIG_IGN if self._is_ignored else signal.SIG_DFL)
                self._loop.remove_signal_handler(signal.SIGCONT)

    def suspend(self) -> str:
        """Give the terminal back and stop until the shell says go on. Return why that failed, or ""."""
        if self._driver is None or self._is_ignored or self._lent or os.getpgrp() == os.getsid(0):
            return NO_SHELL  # what leads its session has no shell above it
        with self._at_rest():
            self._driver.suspend_application_mode()
            self._suspended()
            was_stopped = self._stop(signal.SIGTSTP)
            while was_stopped and not self._has_terminal() and self._stop(signal.SIGTTOU):
                pass  # ``bg``: wait for ``fg``
            self._driver.resume_application_mode()
        self._redraw()
        return "" if was_stopped else NO_SHELL

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Leave the terminal to another program, which is stopped and continued together with the app."""
        self._lent = True
        try:
            yield
        finally:
            self._lent = False

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # In the middle of anything, so what takes locks is left to the event loop.
        if number == signal.SIGCONT:
            self._continued = True
            if not self._stopping and not self._lent:
                self._call(self._take_terminal_again)
        elif self._lent:
            self._stop_alone()
        else:
            self._call(self._suspend_for_another)

    def _call(self, action: Callable[[], None]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(action)

    def _suspend_for_another(self) -> None:
        if complaint := self.suspend():
            self._report(complaint)

    def _take_terminal_again(self) -> None:
        """Set the terminal's modes again, which the shell has changed after a SIGSTOP, which no handler sees."""
        if self._driver is None or self._lent:
            return
        while not self._has_terminal() and self._stop(signal.SIGTTOU):
            pass
        self._driver.suspend_application_mode()
        self._suspended()
        self._driver.resume_application_mode()
        self._redraw()

    def _has_terminal(self) -> bool:
        fileno = getattr(self._driver, "fileno", 0)
        try:
            return os.tcgetpgrp(fileno) == os.getpgrp()
        except OSError:  # it is gone, which is noticed elsewhere
            return True

    def _stop(self, number: signal.Signals) -> bool:
        """Stop this process group as the terminal would; return whether it was stopped, and is continued now.

        The system does not stop a group that no shell could continue.
        """
        before = signal.signal(number, signal.SIG_DFL)
        self._continued, self._stopping = False, True
        try:
            os.killpg(0, number)
            deadline = time.monotonic() + _SECONDS_TO_STOP
            while not self._continued and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            self._stopping = False
            signal.signal(number, before)
        return self._continued

    def _stop_alone(self) -> None:
        # The others of the group have had the signal too.
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, before)
