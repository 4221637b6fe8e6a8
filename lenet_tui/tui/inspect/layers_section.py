"""The first filters of a network, and the feature maps of each layer for an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import work
from textual.strip import Strip

from lenet_tui.inspection.messages import SIDE, Layer, Layers, LayersRequest
from lenet_tui.tui.inspect import images as planes
from lenet_tui.tui.inspect.section import Section, prediction_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.store import Run
    from lenet_tui.tui.inspect.inspector import Inspector

GAP = 2
_LIST = 28  # columns: as wide as the image below
_SCALE = 8  # cells on each side of 0 in the scale of colours


class LayersSection(Section):
    """The layers as a list, and the planes of the selected one."""

    def __init__(self, inspector: Inspector, run: Run, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(inspector, run, id=id)
        self.index = 0  # of the image
        self.chosen = 0
        self.first = 0  # of the planes that are shown
        self.answer: Layers | None = None

    # Reading

    def forget(self) -> None:
        """Drop what was read."""
        self.answer = None

    def load(self) -> None:
        """Read the feature maps of the image."""
        if self.answer is None or self.answer.image.index != self.index:
            self._load()

    @work(exclusive=True, group="layers")
    async def _load(self) -> None:
        answer = await self.ask(LayersRequest(folder=self.inspected.folder or "", index=self.index), Layers)
        if answer is not None:
            self.answer = answer
            self.chosen = min(self.chosen, len(answer.layers) - 1)
            self.repaint()

    # Keys

    def move(self, right: int, down: int) -> None:
        """Go to another image, or another layer."""
        if self.answer is None:
            return
        if right:
            self.index = (self.index + right) % self.answer.of
            self.load()
        else:
            self.chosen = (self.chosen + down) % len(self.answer.layers)
            self.first = 0
            self.repaint()

    def page(self, by: int) -> None:
        """Show the next planes when not all fit."""
        if self.answer is not None:
            shown = self._tiling(self.answer.layers[self.chosen]).count
            first = self.first + by * shown
            if 0 <= first < self.answer.layers[self.chosen].count:
                self.first = first
                self.repaint()

    def on_resize(self) -> None:
        """Show the first planes again: another number of them fits."""
        self.first = 0

    # Painting

    def _room(self) -> tuple[int, int]:
        return max(1, self.size.width - _LIST - GAP), max(1, self.size.height - 1)

    def _tiling(self, layer: Layer) -> planes.Tiling:
        return planes.tiling(layer.count, layer.width, layer.height, *self._room())

    def paint(self, width: int, height: int) -> Sequence[Strip]:
        """Return the list with the image below, and the planes."""
        if self.answer is None:
            return self.folded(self.status or "reading…", width)
        layer = self.answer.layers[self.chosen]
        trouble = self.status.partition("\n")[0]
        head = self.line(trouble, width, "bold") if trouble else self._heading(layer, width)
        left = [*self._list(), *self._image(height - 2 - len(self.answer.layers))]
        return [head, *planes.beside([left, self._planes(layer)], GAP)]

    def _heading(self, layer: Layer, width: int) -> Strip:
        tiling = self._tiling(layer)
        part = ""
        if tiling.count < layer.count:
            last = min(self.first + tiling.count, layer.count)
            part = f" · {self.first + 1}–{last} of {layer.count} (page keys)"
        scale = planes.scale(planes.palette_of(self), _SCALE)
        largest = f"{layer.largest:.3g}"
        parts = [(f"{layer.title}{part}", "bold"), (f"   −{largest} ", ""), None, (f" +{largest}", "")]
        strips = [self.line(words[0], cell_len(words[0]), words[1]) if words else scale for words in parts]
        return Strip.join(strips).adjust_cell_length(width)

    def _list(self) -> planes.Tile:
        assert self.answer is not None  # noqa: S101 - there is a list once it is read
        lines = []
        for number, layer in enumerate(self.answer.layers):
            chosen = number == self.chosen
            shape = f"{layer.count} @ {layer.height}×{layer.width}"
            words = f"{'▸' if chosen else ' '} {layer.title:<15}{shape:>{_LIST - 17}}"
            lines.append(self.line(words, _LIST, "bold reverse" if chosen else ""))
        return lines

    def _image(self, rows: int) -> planes.Tile:
        """Return the image in as many rows as there are, with its words below."""
        assert self.answer is not None  # noqa: S101
        image = self.answer.image
        words = [
            self.line(prediction_text(image, self.answer.names, _LIST), _LIST),
            self.line(f"{self.answer.split} image {image.index}", _LIST),
        ]
        if rows >= SIDE // 2 + len(words):
            return [Strip([]), *planes.grey(image.pixels, SIDE, colours=self.colours), *words]
        if rows >= SIDE // 4 + len(words):
            small = planes.halved(image.pixels, SIDE)
            return [Strip([]), *planes.grey(small, SIDE // 2, colours=self.colours), *words]
        return [Strip([]), *words]

    def _planes(self, layer: Layer) -> planes.Tile:
        tiling = self._tiling(layer)
        shown = range(self.first, min(self.first + tiling.count, layer.count))
        tiles = [self._plane(layer, number, tiling.scale) for number in shown]
        lines: planes.Tile = []
        for start in range(0, len(tiles), tiling.across):
            lines += [*planes.beside(tiles[start : start + tiling.across], 1), Strip([])]
        return lines[:-1]

    def _plane(self, layer: Layer, number: int, scale: int) -> planes.Tile:
        values, palette = layer.plane(number), planes.palette_of(self)
        if scale:
            return planes.signed(planes.enlarged(values, layer.width, scale), layer.width * scale, palette)
        return planes.signed(planes.halved(values, layer.width, is_signed=True), -(-layer.width // 2), palette)
