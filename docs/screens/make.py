"""Record the screenshots of README from the real app, on a root with runs: ``python docs/screens/make.py ROOT``."""

from __future__ import annotations

import asyncio
import html
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

os.environ |= {"COLORTERM": "truecolor", "TERM": "xterm-256color"}

from lenet_tui.tui.app import LabApp
from lenet_tui.tui.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
SCREENS: dict[str, Sequence[str]] = {
    "main": ("escape", "end"),
    # The three batch sizes.
    "overlay": ("escape", "end", "space", "up", "space", "up", "space", "l"),
    "details": ("escape", "end", "enter", "4"),
    "study": ("escape", "h"),
    "inspect": ("escape", "end", "i"),
    "help": ("escape", "question_mark"),
}


# Of an SVG by Rich: the size of a cell, and how far above the baseline of its text it begins.
_WIDTH, _HEIGHT, _ABOVE = 12.2, 24.4, 18.5
_TEXT = re.compile(
    r'<text class="([^"]+)" x="([\d.]+)" y="([\d.]+)" (textLength="[\d.]+" clip-path="[^"]+")>([^<]*)</text>'
)
_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))  # column and row, by bit
_DOT = 4.0


def with_dots(svg: str) -> str:
    """Draw the braille characters as terminals do: the fonts of browsers have none, or coarse ones."""

    def drawn(match: re.Match[str]) -> str:
        style, x, y, rest, text = match.groups()
        chars = html.unescape(text)
        path = [
            f"M{float(x) + (place + 0.25 + column / 2) * _WIDTH - _DOT / 2:.1f} "
            f"{float(y) - _ABOVE + (0.125 + row / 4) * _HEIGHT - _DOT / 2:.1f}h{_DOT}v{_DOT}h-{_DOT}z"
            for place, char in enumerate(chars)
            if "\u2800" < char <= "\u28ff"
            for bit, (column, row) in enumerate(_DOTS)
            if ord(char) >> bit & 1
        ]
        if not path:
            return match[0]
        left = html.escape(re.sub("[\u2800-\u28ff]", "\u00a0", chars)).replace("\u00a0", "&#160;")
        return f'<path class="{style}" d="{"".join(path)}"/><text class="{style}" x="{x}" y="{y}" {rest}>{left}</text>'

    return _TEXT.sub(drawn, svg)


async def record(root: Path, name: str, keys: Sequence[str]) -> None:
    """Open the app, press keys, and write what is on the screen."""
    app = LabApp(root, Settings())
    async with app.run_test(size=(110, 32)) as pilot:
        await asyncio.sleep(2)
        await pilot.press(*keys)
        await asyncio.sleep(8)  # torch may have to be loaded
        app.clear_notifications()
        await pilot.pause()
        (HERE / f"{name}.svg").write_text(with_dots(app.export_screenshot(title="lenet-tui")), encoding="utf-8")


if __name__ == "__main__":
    for name, keys in SCREENS.items():
        asyncio.run(record(Path(sys.argv[1]), name, keys))
