"""The table of a run's epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import DataTable

from lenet_tui.tui.details import text as details_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.run.metrics import EpochMetrics


class EpochsTable(DataTable[Text]):
    """All metrics of each epoch, with marks for lowest val loss and the best epoch."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", header_height=2, cell_padding=0)
        self._rows: list[tuple[str, ...]] = []
        for heading, width in details_text.EPOCH_COLUMNS:
            self.add_column(Text(heading, justify="right"), key=heading, width=width)

    def show(self, epochs: Sequence[EpochMetrics], *, running: bool) -> None:
        """Update the table row by row, so that cursor and scroll position stay.

        A cursor at the end stays at the end, where the table of a ``running`` run also begins.
        """
        rows = details_text.epoch_rows(epochs)
        if len(rows) < len(self._rows):
            self.clear()
            self._rows = []
        at_end = self.cursor_row >= len(self._rows) - 1 if self._rows else running
        for index, row in enumerate(rows):
            if index >= len(self._rows):
                self.add_row(*(Text(cell, justify="right") for cell in row), key=str(index))
            elif row != self._rows[index]:
                for (heading, _), cell in zip(details_text.EPOCH_COLUMNS, row, strict=True):
                    self.update_cell(str(index), heading, Text(cell, justify="right"))
        if at_end and len(rows) > len(self._rows):
            self.move_cursor(row=len(rows) - 1)
        self._rows = rows
