"""What the tabs of the inspect screen share: questions to the helper process, and rows of text and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.text import Text
from textual.strip import Strip

from lenet_tui.errors import LabError
from lenet_tui.formatting import confidence, printable
from lenet_tui.tui.inspect import images as planes
from lenet_tui.tui.widgets import plain_text
from lenet_tui.tui.widgets.painted import Painted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.inspection.messages import Message, Request, Shown
    from lenet_tui.store import Run
    from lenet_tui.tui.inspect.inspector import Inspector

_Answer = TypeVar("_Answer", bound="Message")
NOT_BEGUN = "The run has not started; there is nothing to inspect yet."
RETRY = "\n\nPress r to try again."


class Section(Painted, can_focus=True):
    """One section. A subclass says how it is painted, what it loads, and what keys do."""

    DEFAULT_CSS = """
    Section { height: 1fr; width: 100%; padding: 0 1; background: $background; color: $foreground; }
    """

    def __init__(self, inspector: Inspector, run: Run, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.inspector = inspector
        self.inspected = run
        self.status = ""  # what takes time, or why nothing is shown

    # What a subclass has

    @property
    def looked_at(self) -> int | None:
        """The number of the selected image; None when there is none."""
        return None

    def load(self) -> None:
        """Read what is shown and not read yet."""
        raise NotImplementedError

    def forget(self) -> None:
        """Drop what was read: the run has changed."""
        raise NotImplementedError

    def move(self, right: int, down: int) -> None:
        """Go one step to the right or left, down or up."""

    def page(self, by: int) -> None:
        """Go a page on or back."""

    # Asking

    async def ask(self, request: Request, kind: type[_Answer]) -> _Answer | None:
        """Return the answer; None after an error, which is shown."""
        try:
            answer = await self.inspector.ask(request, kind, self.show_status)
        except LabError as error:
            self.show_status(f"{error}{RETRY}")
            return None
        self.show_status("")
        return answer

    def show_status(self, text: str) -> None:
        """Show what takes time, or why nothing is shown."""
        if text != self.status:
            self.status = text
            self.repaint()

    # Painting

    @property
    def colours(self) -> bool:
        """Whether the terminal has colours enough for pictures."""
        return planes.has_colours(self.app)

    def line(self, words: str, width: int, style: str = "") -> Strip:
        """Return one line of words."""
        return self.strips(Text(printable(words), style), width)[0]

    def folded(self, words: str, width: int) -> list[Strip]:
        """Return a text in as many lines as it needs, with a margin."""
        lines = Text(plain_text.lines(words)).wrap(self.app.console, max(1, width - 2))
        return [Strip([]), *(Strip.join([Strip.blank(1), *self.strips(line, width - 2)]) for line in lines)]


def prediction_text(image: Shown, names: Sequence[str], width: int, *, short: bool = False) -> str:
    """Return ``true 4, predicted 9, 98 %`` for an image, or ``4 → 9, 98 %`` where ``short`` or ``width`` demand it."""
    true = names[image.true]
    if image.predicted is None or image.confidence is None:
        return f"true class {true}"
    predicted, share = names[image.predicted], confidence(image.confidence)
    words = f"true {true}, predicted {predicted}, {share}"
    return f"{true} → {predicted}, {share}"[:width] if short or len(words) > width else words
