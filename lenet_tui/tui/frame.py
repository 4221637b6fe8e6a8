"""One frame of the app without a terminal, for scripts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from lenet_tui.tui.app import make

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot
    from textual.strip import Strip

_POLL_SECONDS = 0.02
_LONGEST_SECONDS = 20.0  # to read the store; what is there by then is shown


def draw(root: Path, size: tuple[int, int]) -> list[Strip]:
    """Return the lines of the main screen of ``root`` in ``size`` (columns, rows), once the store is read."""
    app = make(root)
    blank = app.lab.snapshot
    lines: list[Strip] = []

    async def look(pilot: Pilot[Any]) -> None:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while time.monotonic() < deadline:
            snapshot = app.lab.snapshot
            if snapshot is not blank and (snapshot.trouble or app.lab.watcher.is_complete(snapshot)):
                break
            await asyncio.sleep(_POLL_SECONDS)
        await pilot.pause()
        lines.extend(app.screen._compositor.render_strips())
        app.exit()

    app.run(headless=True, size=size, auto_pilot=look)
    return lines
