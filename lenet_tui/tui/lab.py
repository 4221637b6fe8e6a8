"""What all screens of one root share: its settings, the last state of its store, and the ways to store and torch."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from lenet_tui.errors import LabError
from lenet_tui.tui.store_watcher import LOOK_SECONDS, QUIET_SECONDS, Snapshot, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lenet_tui.store import Store
    from lenet_tui.tui.choices import Choices
    from lenet_tui.tui.inspect.inspector import Inspector
    from lenet_tui.tui.settings import Settings

_Answer = TypeVar("_Answer")


class Lab:
    """One root. ``on_snapshot`` is called in the watcher's thread, ``on_error`` in the event loop.

    ``hold_keys`` keeps keys back until what it returns is called, as `KeyGate.hold` does.
    """

    def __init__(
        self,
        root: Path,
        settings: Settings,
        on_snapshot: Callable[[Snapshot], object],
        on_error: Callable[[str], object],
        hold_keys: Callable[[], Callable[[], None]],
        choices: Choices | None = None,
    ) -> None:
        self.root = root
        self.settings = settings
        self.snapshot = Snapshot()
        self.watcher = Watcher(root, on_snapshot, QUIET_SECONDS if settings.quiet else LOOK_SECONDS)
        self.hold_keys = hold_keys
        self._on_error = on_error
        self._inspector: Inspector | None = None
        self._choices = choices
        self._writing: set[asyncio.Task[None]] = set()

    def keep(self, **values: object) -> None:
        """Change settings, here and, where choices are kept, for the next time."""
        if all(getattr(self.settings, name) == value for name, value in values.items()):
            return
        self.settings = self.settings.model_copy(update=values)
        if self._choices is not None:
            for name, value in values.items():
                self._choices.choose(name, value)
            task = asyncio.create_task(self._write(self._choices))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write(self, choices: Choices) -> None:
        try:
            await asyncio.to_thread(choices.write)
        except (LabError, OSError) as error:
            self._on_error(f"what you chose is not kept: {error}")

    @property
    def inspector(self) -> Inspector:
        """The process that has torch."""
        if self._inspector is None:
            from lenet_tui.tui.inspect.inspector import Inspector

            self._inspector = Inspector(self.root)
        return self._inspector

    async def ask(self, question: Callable[[Store], _Answer]) -> _Answer | None:
        """Return what ``question`` returns of the store, in a thread; None after an error, which is shown."""
        try:
            return await asyncio.to_thread(self.watcher.ask, question)
        except LabError as error:
            self._on_error(str(error))
            return None

    def close(self) -> None:
        """Stop watching, and end the process that has torch."""
        self.watcher.end()
        if self._inspector is not None:
            self._inspector.end()
