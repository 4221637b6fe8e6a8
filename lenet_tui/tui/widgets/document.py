"""A Markdown document that scrolls, with a table of contents beside it where there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text
from textual.widgets import Markdown, MarkdownViewer
from textual.widgets.markdown import MarkdownBlock, MarkdownTableOfContents

from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, ConsoleOptions, RenderResult
    from textual.app import ComposeResult

_GAP = 3  # blanks between columns
_NUMBERS = 36  # the longest that stand in one line, a difference with its interval and p


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
        yield PlainStatic(FittingTable(headings, rows))


class FittingTable:
    """A table that becomes several, one below the other, where not all columns fit without breaking words.

    ``headings`` have the title of each column and whether its cells are numbers. The first column, which
    names the rows, is in each of the tables.
    """

    def __init__(self, headings: Sequence[tuple[Text, bool]], rows: Sequence[Sequence[Text]]) -> None:
        self._headings = headings
        self._rows = rows
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(headings)
        self._least = [
            max(_longest_word(heading), *(_least_width(cell, number=number) for cell in column), 0)
            for (heading, number), column in zip(headings, columns, strict=True)
        ]
        self._most = [
            max(least, heading.cell_len, *(cell.cell_len for cell in column), 0)
            for least, (heading, _), column in zip(self._least, headings, columns, strict=True)
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the tables, with a blank line between them."""
        for number, columns in enumerate(self.parts(options.max_width)):
            if number:
                yield Text("")
            table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
            for column, width in zip(columns, self.widths(columns, options.max_width), strict=True):
                heading, right = self._headings[column]
                table.add_column(heading, justify="right" if right else "left", overflow="fold", width=width)
            for row in self._rows:
                table.add_row(*(row[column] for column in columns))
            yield table

    def parts(self, width: int) -> list[list[int]]:
        """Return the columns of each table by number, for a screen of ``width`` cells."""
        parts: list[list[int]] = []
        room = 0
        for column in range(1, len(self._least)):
            wanted = _GAP + self._least[column]
            if not parts or room < wanted:
                parts.append([0])
                room = width - self._least[0]
            parts[-1].append(column)
            room -= wanted
        return parts or [list(range(len(self._least)))]

    def widths(self, columns: Sequence[int], width: int) -> list[int]:
        """Return the widths of columns beside each other: spare room goes first to those that need little.

        Rich would take from the widest until all are alike, and break the words of some while others have room.
        """
        widths = {column: self._least[column] for column in columns}
        spare = width - sum(widths.values()) - _GAP * (len(columns) - 1)
        for left, column in enumerate(sorted(columns, key=lambda c: self._most[c] - self._least[c])):
            more = max(0, min(self._most[column] - self._least[column], spare // (len(columns) - left)))
            widths[column] += more
            spare -= more
        return [widths[column] for column in columns]


class FlatMarkdown(Markdown):
    """Markdown with tables that are quick."""

    BLOCKS = {**Markdown.BLOCKS, "table_open": FlatTable}  # noqa: RUF012 - so in Textual


class Document(MarkdownViewer):
    """The document, and its contents to the left. Links inside it are followed; of others only the target is shown."""

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


def _least_width(cell: Text, *, number: bool) -> int:
    """Return the least width: of the longest word, or of a whole number."""
    return min(cell.cell_len, _NUMBERS) if number else _longest_word(cell)


def _longest_word(text: Text) -> int:
    return max(map(cell_len, text.plain.split()), default=0)


def _text(cell: MarkdownBlock) -> Text:
    """Return the text of a cell, with its bold parts."""
    text = Text(cell._content.plain)
    for span in cell._content.spans:
        if span.style == ".strong":
            text.stylize("bold", span.start, span.end)
    return text


def _is_right(cell: MarkdownBlock) -> bool:
    return "right" in str(cell._token.attrs.get("style", ""))
