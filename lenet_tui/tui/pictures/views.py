"""The two ways in which a picture is shown: drawn in the terminal's own cells, or the PNG in half blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from lenet_tui.data.catalog import CLASS_COLOURS
from lenet_tui.tui.details import confusion_table, heat_colours
from lenet_tui.tui.details.confusion_table import Confusion
from lenet_tui.tui.pictures import tsne_map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.geometry import Size

    from lenet_tui.run.embedding import Embedding
    from lenet_tui.tui.widgets.halfblocks import Blocks

_PALER = 0.25  # by so much nearer to the colour of text than on paper, to be read on dark ground


class BlocksView(Widget):
    """A picture in half blocks."""

    DEFAULT_CSS = "BlocksView { width: auto; height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self.picture: Blocks | None = None

    def show(self, picture: Blocks | None) -> None:
        """Show another picture."""
        self.picture = picture
        self.display = picture is not None
        self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 - the picture decides
        """Return its width in cells."""
        return self.picture.width if self.picture else 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return its height in cells."""
        return self.picture.height if self.picture else 0

    def render_line(self, y: int) -> Strip:
        """Return one row of cells."""
        if self.picture is None or y >= self.picture.height:
            return Strip.blank(self.size.width, self.rich_style)
        return self.picture.strip(y)


class DrawnView(Widget):
    """A confusion matrix as a heat map, or a t-SNE map, drawn for the room there is and the theme."""

    DEFAULT_CSS = """
    DrawnView { width: 100%; height: 1fr; padding: 0 1; background: $background; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.drawing: Confusion | tuple[Embedding, Sequence[str]] | None = None
        self._lines: Sequence[Strip] = ()
        self._painted_for: Size | None = None

    def show(self, drawing: Confusion | tuple[Embedding, Sequence[str]]) -> None:
        """Show a confusion matrix, or a map with the names of the ten classes."""
        self.drawing = drawing
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
        """Return one row of cells."""
        size = self.size
        if self._painted_for != size:
            self._painted_for = size
            self._lines = [line.adjust_cell_length(size.width) for line in self._paint(size.width, size.height)]
        line = self._lines[y] if y < len(self._lines) else Strip.blank(size.width)
        return line.apply_style(self.rich_style)

    def _paint(self, width: int, height: int) -> Sequence[Strip]:
        if self.drawing is None or width < 1 or height < 1:
            return ()
        if isinstance(self.drawing, Confusion):
            colours = heat_colours.of(self)
            return self._strips(confusion_table.table(self.drawing, width, height, colours=colours), width)
        embedding, names = self.drawing
        head = self._strips(Text(tsne_map.heading(embedding), "bold"), width)
        ink = self.colors[3]
        shades = [Style(color=Color.parse(colour).blend(ink, _PALER).rich_color) for colour in CLASS_COLOURS]
        return [*head, *tsne_map.rows(embedding, names, shades, width, height - 1)] if height > 1 else head

    def _strips(self, text: Text, width: int) -> list[Strip]:
        console = self.app.console
        strips = []
        for line in text.split("\n", allow_blank=True):
            # Rich leaves out the style of a line that has no spans.
            strip = Strip(line.render(console)).apply_style(console.get_style(line.style))
            strips.append(strip.adjust_cell_length(width))
        return strips
