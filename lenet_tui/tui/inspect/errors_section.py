"""The misclassified images of a run, most confident first, and the confusion matrix to choose among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.strip import Strip

from lenet_tui.config import CLASSES
from lenet_tui.inspection.messages import SIDE, ConfusionRequest, Counts, Images, ImagesRequest, Shown
from lenet_tui.tui.details import confusion_table, heat_colours
from lenet_tui.tui.details.confusion_table import Confusion
from lenet_tui.tui.inspect import images as planes
from lenet_tui.tui.inspect.section import Section, prediction_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click

    from lenet_tui.store import Run
    from lenet_tui.tui.inspect.inspector import Inspector

GAP = 2
TILE = SIDE // 2 + 1  # rows: the image and its caption


class ErrorsSection(Section):
    """Images in a grid, or the confusion matrix to choose a cell of them; arrows move in both."""

    def __init__(self, inspector: Inspector, run: Run, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(inspector, run, id=id)
        self.true: int | None = None
        self.predicted: int | None = None
        self.choosing = False  # in the matrix
        self.position = 0
        self.total: int | None = None
        self.confusion: Confusion | None = None
        self._cell = (0, 0)
        self._images: dict[int, Shown] = {}

    @property
    def image(self) -> Shown | None:
        """The selected image."""
        return self._images.get(self.position)

    @property
    def looked_at(self) -> int | None:
        """Its number."""
        return None if self.image is None else self.image.index

    # Reading

    def forget(self) -> None:
        """Drop what was read."""
        self.confusion = self.total = None
        self._images = {}

    def load(self) -> None:
        """Read the counts, and the images in sight."""
        across, down = self._grid()
        first = self.position // (across * down) * across * down
        last = first + across * down if self.total is None else min(first + across * down, self.total)
        if self.confusion is None or any(number not in self._images for number in range(first, last)):
            self._load(first, across * down)

    @work(exclusive=True, group="errors")
    async def _load(self, first: int, count: int) -> None:
        folder = self.inspected.folder or ""
        if self.confusion is None:
            counts = await self.ask(ConfusionRequest(folder=folder), Counts)
            if counts is None:
                return
            self.confusion = Confusion(counts.split, counts.counts, counts.names)
            worst = self.confusion.worst(1)
            self._cell = (worst[0].true, worst[0].predicted) if worst else (0, 0)
        request = ImagesRequest(folder=folder, true=self.true, predicted=self.predicted, start=first, count=count)
        answer = await self.ask(request, Images)
        if answer is not None:
            self.total = answer.total
            self._images.update(enumerate(answer.images, start=first))
            self.position = min(self.position, max(0, answer.total - 1))
            self.repaint()

    # Keys

    def move(self, right: int, down: int) -> None:
        """Go to the next image or cell in a direction."""
        if self.choosing:
            true, predicted = self._cell
            self._cell = (true + down) % CLASSES, (predicted + right) % CLASSES
            self.repaint()
        else:
            self._go(self.position + right + down * self._grid()[0])

    def page(self, by: int) -> None:
        """Go a page on or back."""
        across, down = self._grid()
        if not self.choosing and self.total:
            self._go(min(max(0, self.position + by * across * down), self.total - 1))

    def _go(self, position: int) -> None:
        if 0 <= position < (self.total or 0):
            self.position = position
            self.repaint()
            self.load()

    def toggle_matrix(self) -> None:
        """Show the matrix to choose a cell, or go back to the images."""
        if self.confusion is not None:
            self.choosing = not self.choosing
            self.repaint()

    def choose(self) -> bool:
        """Show the images of the cell under the cursor; return whether there was one."""
        if not self.choosing:
            return False
        self.choosing = False
        self.filter(*self._cell)
        return True

    def next_true(self) -> None:
        """Show errors of the next true class, after the last one of all."""
        self.filter(_next(self.true), None if self.predicted == _next(self.true) else self.predicted)

    def next_predicted(self) -> None:
        """Show errors of the next predicted class, after the last one of all."""
        self.filter(None if self.true == _next(self.predicted) else self.true, _next(self.predicted))

    def filter(self, true: int | None, predicted: int | None) -> None:
        """Show the images of these classes, None for any."""
        self.choosing = False
        self.true, self.predicted = true, predicted
        self.position, self.total, self._images = 0, None, {}
        self.repaint()
        self.load()

    def on_click(self, event: Click) -> None:
        """Select the image under the mouse."""
        offset = event.get_content_offset(self)
        if offset is not None and not self.choosing:
            across, down = self._grid()
            column, row = offset.x // (SIDE + GAP), (offset.y - 1) // TILE
            if 0 <= row < down and column < across:
                self._go(self.position // (across * down) * across * down + row * across + column)

    def on_resize(self) -> None:
        """Read what has come into sight."""
        if self.total is not None:
            self.load()

    # Painting

    def _grid(self) -> tuple[int, int]:
        size = self.size
        return max(1, (size.width + GAP) // (SIDE + GAP)), max(1, (size.height - 1) // TILE)

    def paint(self, width: int, height: int) -> Sequence[Strip]:
        """Return heading and images, or the matrix."""
        if self.confusion is None or (self.total is None and self.status):
            return self.folded(self.status or "reading…", width)
        if self.choosing:
            head = self.line("choose a cell with the arrows; enter shows its images, m goes back", width, "bold")
            table = confusion_table.table(self.confusion, width, height - 1, self._cell, heat_colours.of(self))
            return [head, *self.strips(table, width)]
        trouble = self.status.partition("\n")[0]
        head = self.line(trouble or self._heading(self.confusion), width, "bold")
        if not self.total:
            return [head, *self.folded("reading…" if self.total is None else "No such errors.", width)]
        across, down = self._grid()
        first = self.position // (across * down) * across * down
        lines = [head]
        for row in range(first, min(first + across * down, self.total), across):
            tiles = [self._tile(number) for number in range(row, min(row + across, self.total))]
            lines += planes.beside(tiles, GAP)
        return lines

    def _heading(self, confusion: Confusion) -> str:
        split = "test" if confusion.split == "test" else "validation"
        wrong = confusion.total - confusion.right
        where = f"{self.position + 1:,} of {self.total:,}" if self.total else "none" if self.total == 0 else "…"
        if self.true is None and self.predicted is None:
            return f"{where} · {wrong:,} of {confusion.total:,} {split} images misclassified, most confident first"
        true = "any" if self.true is None else confusion.names[self.true]
        predicted = "any" if self.predicted is None else confusion.names[self.predicted]
        return f"{where} · true {true}, predicted {predicted} · a shows all"

    def _tile(self, number: int) -> planes.Tile:
        image = self._images.get(number)
        assert self.confusion is not None  # noqa: S101 - tiles come after it
        if image is None:
            return [Strip.blank(SIDE)] * (TILE - 1) + [self.line("…", SIDE)]
        chosen = number == self.position
        words = prediction_text(image, self.confusion.names, SIDE - 2, short=True)
        caption = self.line(f"{'▸ ' if chosen else '  '}{words}", SIDE, "bold reverse" if chosen else "")
        return [*planes.grey(image.pixels, SIDE, colours=self.colours), caption]


def _next(chosen: int | None) -> int | None:
    """Return the next class; after the last comes any (None), then the first."""
    return 0 if chosen is None else None if chosen == CLASSES - 1 else chosen + 1
