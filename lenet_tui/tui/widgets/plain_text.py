"""Text from disk on its way to the terminal: shown literally, never obeyed.

Texts are cleaned where they come in (`lines`, `PlainStatic`), so that they are measured as they are shown. `Clean`
checks every painted line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.filter import LineFilter
from textual.widgets import Static

from lenet_tui.formatting import printable

if TYPE_CHECKING:
    from textual.color import Color
    from textual.visual import VisualType


def lines(text: str) -> str:
    """Return a text of several lines, each of them `printable`."""
    if text.isascii() and text.isprintable():
        return text
    return "\n".join(map(printable, text.split("\n")))


class PlainStatic(Static):
    """A `Static` for any text: brackets are brackets, and control characters are replaced."""

    def __init__(
        self,
        content: VisualType = "",
        *,
        id: str | None = None,  # noqa: A002 - Textual's word
        classes: str | None = None,
    ) -> None:
        super().__init__(_literal(content), id=id, classes=classes, markup=False)

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show something else."""
        super().update(_literal(content), layout=layout)


class Clean(LineFilter):
    """Removes from painted lines what a terminal would obey: control characters and links.

    Those of no width leave nothing behind, since the layout did not count them.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """Return the segments; the same list when there is nothing to remove."""
        # Of every line on its way to the terminal, so in as few steps as can be.
        if _is_harmless("".join([text for text, _, _ in segments])) and not any(
            [style.link for _, style, _ in segments if style is not None]  # noqa: C419 - a list is quicker
        ):
            return segments
        return [_cleaned(segment) for segment in segments]


def _is_harmless(text: str) -> bool:
    return text.isprintable() or printable(text) == text


def _cleaned(segment: Segment) -> Segment:
    text, style, _ = segment
    if not _is_harmless(text):
        text = "".join(printable(char) if cell_len(char) or char in "\t\n\r" else _if_harmless(char) for char in text)
    if style is not None and style.link:
        style = style.update_link(None)
    return Segment(text, style)


def _if_harmless(char: str) -> str:
    return char if printable(char) == char else ""


def _literal(content: VisualType) -> VisualType:
    return lines(content) if isinstance(content, str) else content
