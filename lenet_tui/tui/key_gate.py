"""Gives the app one key at a time, so that the next one goes where the one before led.

Textual hands a key to the widget that has the focus as soon as it arrives, and carries out a binding only when the
key has come back from there. Of ``/x64`` in one write, as over a slow link, the ``x`` would thus still stop a run.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from textual.app import ScreenStackError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import App
    from textual.events import Event
    from textual.message_pump import MessagePump

_PATIENCE = 2.0  # seconds for what a key begins; whatever takes longer no longer keeps the next key back
_LOOK_SECONDS = 0.005


class KeyGate:
    """Queues keys and pasted texts, and passes each to ``deliver`` once the app has done with the one before.

    ``at_rest`` is called whenever none is left.
    """

    def __init__(
        self, app: App[Any], deliver: Callable[[Event], Awaitable[None]], at_rest: Callable[[], object]
    ) -> None:
        self._app = app
        self._deliver = deliver
        self._at_rest = at_rest
        self._waiting = 0  # keys, with the one that is being handled
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._holds = 0

    def put(self, event: Event) -> None:
        """Take a key or a text that was pasted."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        self._waiting += 1
        self._events.put_nowait(event)

    @property
    def busy(self) -> bool:
        """Whether there are keys that the app has not done with."""
        return self._waiting > 0

    def close(self) -> None:
        """Deliver nothing any more."""
        if self._task is not None:
            self._task.cancel()

    def hold(self) -> Callable[[], None]:
        """Keep keys back while it is being found out whether a dialog opens, until what is returned is called.

        A new screen lets them through.
        """
        self._holds += 1
        return self._release

    def _release(self) -> None:
        self._holds -= 1

    async def _run(self) -> None:
        while True:
            event = await self._events.get()
            screen = self._app.screen
            await self._deliver(event)
            with contextlib.suppress(TimeoutError, ScreenStackError):
                async with asyncio.timeout(_PATIENCE):
                    await self._settle(screen)
            self._waiting -= 1
            if not self._waiting:
                self._at_rest()

    async def _settle(self, before: object) -> None:
        """Return once the key has been up all the way to the app, and what it opened has the focus."""
        await self._pass_up()
        while self._holds and self._app.screen is before:
            await asyncio.sleep(_LOOK_SECONDS)
        if self._app.screen is not before:
            while not self._app.screen.is_mounted:
                await asyncio.sleep(_LOOK_SECONDS)
        await self._pass_up()  # a widget asks the app for the focus, which gives it with its next message

    async def _pass_up(self) -> None:
        """Wait until each from the focused widget up to the app has handled what it has been sent so far."""
        for node in [*(self._app.focused or self._app.screen).ancestors_with_self, self._app]:
            await self._answer(node)

    async def _answer(self, node: MessagePump) -> None:
        answered = asyncio.Event()
        if node.is_running and node.call_later(answered.set):
            await answered.wait()
