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
from lenet_tui.tui.widgets.painted import Painted

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


class DrawnView(Painted):
    """A confusion matrix as a heat map, or a t-SNE map, drawn for the room there is and the theme."""

    DEFAULT_CSS = """
    DrawnView { width: 100%; height: 1fr; padding: 0 1; background: $background; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.drawing: Confusion | tuple[Embedding, Sequence[str]] | None = None

    def show(self, drawing: Confusion | tuple[Embedding, Sequence[str]]) -> None:
        """Show a confusion matrix, or a map with the names of the ten classes."""
        self.drawing = drawing
        self.repaint()

    def paint(self, width: int, height: int) -> Sequence[Strip]:
        """Return its rows."""
        if self.drawing is None:
            return ()
        if isinstance(self.drawing, Confusion):
            colours = heat_colours.of(self)
            return self.strips(confusion_table.table(self.drawing, width, height, colours=colours), width)
        embedding, names = self.drawing
        head = self.strips(Text(tsne_map.heading(embedding), "bold"), width)
        ink = self.colors[3]
        shades = [Style(color=Color.parse(colour).blend(ink, _PALER).rich_color) for colour in CLASS_COLOURS]
        return [*head, *tsne_map.rows(embedding, names, shades, width, height - 1)] if height > 1 else head
