"""The t-SNE map in characters: each is the class of an image, and a cursor shows the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.color import Color
from textual.strip import Strip

from lenet_tui.formatting import confidence
from lenet_tui.inspection.messages import SIDE, ImageRequest, Map, MapRequest, Shown
from lenet_tui.tui.inspect import images as planes
from lenet_tui.tui.inspect.scatter import Scatter, scatter
from lenet_tui.tui.inspect.section import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click

    from lenet_tui.store import Run
    from lenet_tui.tui.inspect.inspector import Inspector

GAP = 2
_LEAST_MAP = 36  # columns; a screen that has not so many beside an image shows the map alone
_PAGE = 10
_PALER = 0.25  # by so much nearer to the colour of text than on paper, to be read on dark ground


class MapSection(Section):
    """A scatter of digits in their colours, misclassified ones reversed, and the image under the cursor."""

    def __init__(self, inspector: Inspector, run: Run, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(inspector, run, id=id)
        self.map: Map | None = None
        self.point = 0
        self.image: Shown | None = None
        self._scatter: tuple[object, Scatter] | None = None

    @property
    def looked_at(self) -> int | None:
        """The number of the image under the cursor."""
        return None if self.map is None else self.map.indices[self.point]

    # Reading

    def forget(self) -> None:
        """Drop what was read."""
        self.map = self.image = self._scatter = None

    def load(self) -> None:
        """Ask for the map, and read the image under the cursor."""
        if self.map is None:
            self._load()
        elif self.image is None:
            self._load_image()

    @work(exclusive=True, group="map")
    async def _load(self) -> None:
        answer = await self.ask(MapRequest(folder=self.inspected.folder or ""), Map)
        if answer is not None:
            self.map = answer
            wrong = (n for n in range(len(answer.indices)) if answer.true[n] != answer.predicted[n])
            self.point = next(wrong, 0)
            self._look()

    @work(exclusive=True, group="map-image")
    async def _load_image(self) -> None:
        if self.map is not None:
            index = self.map.indices[self.point]
            self.image = await self.ask(ImageRequest(folder=self.inspected.folder or "", index=index), Shown)
            self.repaint()

    def _look(self) -> None:
        if self.map is not None:
            self._load_image()
            self.repaint()

    # Keys

    def move(self, right: int, down: int) -> None:
        """Go to the nearest image in a direction."""
        self._go(None if self.map is None else self._spread().beside(self.point, right, down))

    def page(self, by: int) -> None:
        """Go many steps up or down."""
        for _ in range(_PAGE):
            self.move(0, by)

    def next_here(self) -> None:
        """Go to the next image at the same place."""
        if self.map is not None:
            here = self._spread().here(self.point)
            self._go(here[(here.index(self.point) + 1) % len(here)])

    def next_wrong(self) -> None:
        """Go to the next misclassified image."""
        if self.map is not None:
            count = len(self.map.indices)
            order = ((self.point + step) % count for step in range(1, count + 1))
            self._go(next((point for point in order if self._is_wrong(point)), None))

    def _go(self, point: int | None) -> None:
        if point is not None and point != self.point:
            self.point = point
            self._look()

    def on_click(self, event: Click) -> None:
        """Go to the image that is nearest to the mouse."""
        offset = event.get_content_offset(self)
        if offset is not None and self.map is not None and offset.y > 0:
            self._go(self._spread().nearest(offset.y - 1, offset.x))

    # Painting

    def _is_wrong(self, point: int) -> bool:
        assert self.map is not None  # noqa: S101 - a point belongs to a map
        return self.map.true[point] != self.map.predicted[point]

    def _room(self) -> tuple[int, int]:
        width, height = max(1, self.size.width), max(1, self.size.height)
        beside = width - SIDE - GAP
        return (beside if beside >= _LEAST_MAP else width), max(1, height - 1)

    def _spread(self) -> Scatter:
        """Return the points over the room there is, as long as it is the same."""
        embedding = self.map
        assert embedding is not None  # noqa: S101 - asked for only with a map
        key = self._room()
        if self._scatter is None or self._scatter[0] != key:
            first = [self._is_wrong(point) for point in range(len(embedding.indices))]
            self._scatter = key, scatter(embedding.x, embedding.y, first, *key)
        return self._scatter[1]

    def paint(self, width: int, height: int) -> Sequence[Strip]:  # noqa: ARG002 - the size has the room
        """Return the map, and beside it the image under the cursor."""
        if self.map is None:
            return self.folded(self.status or "reading…", width)
        wrong = sum(map(self._is_wrong, range(len(self.map.indices))))
        words = f"t-SNE of {len(self.map.indices):,} images, {wrong:,} misclassified (reversed; w: next)"
        head = self.line(words, width, "bold")
        columns, rows = self._room()
        lines = [self._row(self._spread(), row, columns) for row in range(rows)]
        if columns < width:
            lines = planes.beside([lines, self._beside()], GAP)
        return [head, *lines]

    def _row(self, spread: Scatter, row: int, columns: int) -> Strip:
        assert self.map is not None  # noqa: S101
        cursor, ink = spread.places[self.point], self.colors[3]
        shades = [Style(color=Color.parse(colour).blend(ink, _PALER).rich_color) for colour in self.map.colours]
        segments = []
        for column in range(columns):
            points = spread.cells.get((row, column))
            if not self.colours and row == cursor[0] and abs(column - cursor[1]) == 1:
                segments.append(Segment("[" if column < cursor[1] else "]", Style(bold=True)))
                continue
            if points is None:
                segments.append(Segment(" "))
                continue
            point = self.point if (row, column) == cursor else points[0]
            style = shades[self.map.true[point]]
            if self._is_wrong(point):
                style += Style(reverse=True)
            if point == self.point:
                style = Style.parse("bold black on #ffffff") if self.colours else Style.parse("bold reverse")
            segments.append(Segment(str(self.map.true[point]), style))
        return Strip(segments, columns).simplify()

    def _beside(self) -> planes.Tile:
        assert self.map is not None  # noqa: S101
        index, names = self.map.indices[self.point], self.map.names
        image = self.image if self.image is not None and self.image.index == index else None
        picture = planes.grey(image.pixels if image else bytes(SIDE * SIDE), SIDE, colours=self.colours)
        true, predicted = self.map.true[self.point], self.map.predicted[self.point]
        here = self._spread().here(self.point)
        words = [f"image {index:,}", f"true {names[true]}", f"predicted {names[predicted]}"]
        if image is not None and image.confidence is not None:
            words[-1] += f", {confidence(image.confidence)}"
        if len(here) > 1:
            words.append(f"{here.index(self.point) + 1} of {len(here)} here (n: next)")
        styles = ["dim", "", "bold" if true != predicted else "", "dim"]
        return [*picture, *(self.line(line, SIDE, style) for line, style in zip(words, styles, strict=False))]
