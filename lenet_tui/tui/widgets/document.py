"""A Markdown document that scrolls, with a table of contents beside it where there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text
from textual.widgets import Markdown, MarkdownViewer, Static
from textual.widgets.markdown import MarkdownBlock, MarkdownTableOfContents

if TYPE_CHECKING:
    from textual.app import ComposeResult


class FlatTable(MarkdownBlock):
    """A table as one piece of text.

    Textual makes a widget of every cell: a document of ten tables has a thousand of them, and a page down takes
    half a second.
    """

    DEFAULT_CSS = "FlatTable { margin: 0 0 1 0; }"

    def compose(self) -> ComposeResult:
        """Yield the text."""
        headings: list[tuple[Text, bool]] = []
        rows: list[list[Text]] = []
        for part in self._blocks:
            for row in part._blocks:
                cells = [_text(cell) for cell in row._blocks]
                if part.name == "thead_open":
                    headings = list(zip(cells, map(_is_right, row._blocks), strict=True))
                else:
                    rows.append(cells)
        self._blocks.clear()
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
        for heading, right in headings:
            table.add_column(heading, justify="right" if right else "left", overflow="fold")
        for cells in rows:
            table.add_row(*cells)
        yield Static(table)


class FlatMarkdown(Markdown):
    """Markdown with tables that are quick."""

    BLOCKS = {**Markdown.BLOCKS, "table_open": FlatTable}  # noqa: RUF012 - so in Textual


class Document(MarkdownViewer):
    """The document, and its contents to the left. Links lead about in it; those that lead out of it only say where."""

    DEFAULT_CSS = """
    Document > MarkdownTableOfContents { max-width: 36; }
    Document > FlatMarkdown:focus { background-tint: $foreground 0%; }
    """

    def compose(self) -> ComposeResult:
        """Yield text and contents."""
        text = FlatMarkdown(open_links=False)
        text.can_focus = True
        yield text
        yield MarkdownTableOfContents(text)

    async def _on_markdown_link_clicked(self, message: Markdown.LinkClicked) -> None:
        message.stop()
        message.prevent_default()
        target, _, anchor = message.href.partition("#")
        if target:
            self.notify(target, title="a file beside the document")
        else:
            self.document.goto_anchor(anchor)


def _text(cell: MarkdownBlock) -> Text:
    """Return what a cell says, with bold where it was."""
    found = Text(cell._content.plain)
    for span in cell._content.spans:
        if span.style == ".strong":
            found.stylize("bold", span.start, span.end)
    return found


def _is_right(cell: MarkdownBlock) -> bool:
    return "right" in str(cell._token.attrs.get("style", ""))
