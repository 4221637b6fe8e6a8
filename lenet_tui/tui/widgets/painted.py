"""A widget that paints itself line by line, once for a size and a theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text
    from textual.geometry import Size


class Painted(Widget):
    """A subclass says with `paint` what it shows; `repaint` has it asked again."""

    _lines: Sequence[Strip] = ()
    _painted_for: Size | None = None

    def paint(self, width: int, height: int) -> Sequence[Strip]:
        """Return the rows for a room of at least one cell."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Paint again: something has changed."""
        self._painted_for = None
        self.refresh()

    def notify_style_update(self) -> None:
        """Take the colours of another theme."""
        self._painted_for = None
        super().notify_style_update()

    def text(self) -> str:
        """Return what is shown, without colours."""
        return "\n".join(self.render_line(row).text.rstrip() for row in range(self.size.height))

    def render_line(self, y: int) -> Strip:
        """Return a row."""
        size = self.size
        if self._painted_for != size:
            self._painted_for = size
            room = max(1, size.width), max(1, size.height)
            self._lines = [line.adjust_cell_length(room[0]) for line in self.paint(*room)]
        line = self._lines[y] if y < len(self._lines) else Strip.blank(size.width)
        return line.apply_style(self.rich_style)

    def strips(self, text: Text, width: int) -> list[Strip]:
        """Return a text line by line, cut at ``width``."""
        console = self.app.console
        strips = []
        for line in text.split("\n", allow_blank=True):
            # Rich leaves out the style of a line that has no spans.
            strip = Strip(line.render(console)).apply_style(console.get_style(line.style))
            strips.append(strip.adjust_cell_length(width))
        return strips
