"""Record the screenshots of README from the real app, on a root with runs: ``python docs/screens/make.py ROOT``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.tui.app import LabApp
from lenet_tui.tui.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
SCREENS: dict[str, Sequence[str]] = {
    "main": ("escape", "end"),
    # The three batch sizes; space marks a run and goes down.
    "overlay": ("escape", "end", "space", "up", "space", "up", "up", "space", "l"),
    "details": ("escape", "end", "enter", "4"),
    "study": ("escape", "h"),
    "inspect": ("escape", "end", "i"),
    "help": ("escape", "question_mark"),
}


async def record(root: Path, name: str, keys: Sequence[str]) -> None:
    """Open the app, press keys, and write what is on the screen."""
    app = LabApp(root, Settings())
    async with app.run_test(size=(110, 32)) as pilot:
        await asyncio.sleep(2)
        await pilot.press(*keys)
        await asyncio.sleep(8)  # torch may have to be loaded
        app.clear_notifications()
        await pilot.pause()
        (HERE / f"{name}.svg").write_text(app.export_screenshot(title="lenet-tui"), encoding="utf-8")


if __name__ == "__main__":
    for name, keys in SCREENS.items():
        asyncio.run(record(Path(sys.argv[1]), name, keys))
