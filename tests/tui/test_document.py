"""Tables of a document, on screens of any width."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from lenet_tui.tui.widgets.document import FittingTable

HEADINGS = [("arm", False), ("best validation loss", True), ("in epoch", True), ("test accuracy", True), ("why", False)]
ROWS = [
    ("default", "0.0420 (0.0374 to 0.0457)", "6 to 15", "99.07 %", ""),
    ("affine augmentation", "0.0294 (0.0277 to 0.0309)", "13 to 19", "99.25 %", "prior knowledge, with no image twice"),
]


def table():
    return FittingTable(
        [(Text(text), right) for text, right in HEADINGS], [[Text(cell) for cell in row] for row in ROWS]
    )


def shown(width):
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(table())
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("width", [42, 60, 74, 100, 160])
def test_no_line_is_cut_and_no_number_or_word_is_broken(width):
    lines = shown(width)
    assert max(map(cell_len, lines)) <= width
    for number in ("0.0420 (0.0374 to 0.0457)", "13 to 19", "99.25 %"):
        assert any(number in line for line in lines)
    for word in ("augmentation", "knowledge,", "validation", "accuracy"):
        assert any(word in line for line in lines)


def test_every_part_names_its_rows_and_every_column_is_in_one():
    parts = table().parts(60)
    assert len(parts) > 1
    assert [column for part in parts for column in part if column] == [1, 2, 3, 4]
    assert all(part[0] == 0 for part in parts)
    assert table().parts(200) == [[0, 1, 2, 3, 4]]


def test_what_is_left_goes_to_columns_that_need_it():
    columns = [0, 1, 2, 3, 4]
    widths = table().widths(columns, 120)
    assert sum(widths) + 3 * 4 <= 120
    assert widths[0] == len("affine augmentation")
    assert max(table().widths(columns, 200)) == len("prior knowledge, with no image twice")


def test_a_table_without_rows_is_its_heading():
    console = Console(width=60, force_terminal=False)
    with console.capture() as capture:
        console.print(FittingTable([(Text("run"), True), (Text("state"), False)], []))
    assert "state" in capture.get()
