"""What the sections of the inspect screen have in common: asking the helper process, and rows of text and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.text import Text
from textual.strip import Strip
from textual.widget import Widget

from lenet_tui.errors import LabError
from lenet_tui.formatting import confidence, printable
from lenet_tui.tui.inspect import images as planes
from lenet_tui.tui.widgets import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.geometry import Size

    from lenet_tui.inspection.messages import Message, Request, Shown
    from lenet_tui.store import Run
    from lenet_tui.tui.inspect.inspector import Inspector

_Answer = TypeVar("_Answer", bound="Message")
NOT_BEGUN = "The run has not begun; there is nothing to look into yet."
RETRY = "\n\nr tries again."


class Section(Widget, can_focus=True):
    """One section. A subclass says how it is painted, what it loads, and what keys do."""

    DEFAULT_CSS = """
    Section { height: 1fr; width: 100%; padding: 0 1; background: $background; color: $foreground; }
    """

    def __init__(self, inspector: Inspector, run: Run, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.inspector = inspector
        self.inspected = run
        self.words = ""  # what is waited for, or why there is nothing
        self._lines: list[Strip] = []
        self._painted_for: Size | None = None

    # What a subclass has

    @property
    def looked_at(self) -> int | None:
        """The number of the image that is looked at, None where that is none in particular."""
        return None

    def load(self) -> None:
        """Begin to read what is shown, where it is not there yet."""
        raise NotImplementedError

    def forget(self) -> None:
        """Drop what was read: the run has gone on."""
        raise NotImplementedError

    def paint(self, width: int, height: int) -> Sequence[Strip]:
        """Return the rows for a room."""
        raise NotImplementedError

    def walk(self, right: int, down: int) -> None:
        """Go one step to the right or left, down or up."""

    def page(self, by: int) -> None:
        """Go a page on or back."""

    # Asking

    async def ask(self, request: Request, kind: type[_Answer]) -> _Answer | None:
        """Return the answer; None when there is none, and why is then shown."""
        try:
            answer = await self.inspector.ask(request, kind, self.tell)
        except LabError as error:
            self.tell(f"{error}{RETRY}")
            return None
        self.tell("")
        return answer

    def tell(self, words: str) -> None:
        """Show what is waited for."""
        if words != self.words:
            self.words = words
            self.repaint()

    # Painting

    @property
    def colours(self) -> bool:
        """Whether pictures can be told by colours."""
        return planes.has_colours(self.app)

    def repaint(self) -> None:
        """Paint again: something has changed."""
        self._painted_for = None
        self.refresh()

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
        return [
            Strip(line.render(console)).adjust_cell_length(width) for line in text.split("\n", allow_blank=True)
        ]  # fmt: skip

    def line(self, words: str, width: int, style: str = "") -> Strip:
        """Return one line of words."""
        return self.strips(Text(printable(words), style), width)[0]

    def folded(self, words: str, width: int) -> list[Strip]:
        """Return words in as many lines as they need, with some space around."""
        lines = Text(plain_text.lines(words)).wrap(self.app.console, max(1, width - 2))
        return [Strip([]), *(Strip.join([Strip.blank(1), *self.strips(line, width - 2)]) for line in lines)]


def said(image: Shown, names: Sequence[str], width: int = 0) -> str:
    """Return what an image was taken for: ``4 taken for 9, 98 %``; shorter where ``width`` demands it."""
    true = names[image.true]
    if image.predicted is None or image.confidence is None:
        return f"true class {true}"
    predicted, share = names[image.predicted], confidence(image.confidence)
    verb = "rightly taken for" if image.predicted == image.true else "taken for"
    words = f"{true} {verb} {predicted}, {share}"
    return words if not width or len(words) <= width else f"{true} → {predicted} {share}"[:width]
