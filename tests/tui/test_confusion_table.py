from __future__ import annotations

import json

import pytest

from lenet_tui.data.catalog import CLASS_NAMES
from lenet_tui.errors import LabError
from lenet_tui.tui.details.confusion_table import Confusion, Mistake, parse, table

NAMES = tuple("0123456789")


def confusion(*mistakes: tuple[int, int, int], right: int = 30, names: tuple[str, ...] = NAMES) -> Confusion:
    counts = [[right if row == column else 0 for column in range(10)] for row in range(10)]
    for true, predicted, count in mistakes:
        counts[true][predicted] = count
    return Confusion("test", tuple(map(tuple, counts)), names)


def test_the_worst_errors_come_first_and_are_said_in_words() -> None:
    found = confusion((4, 9, 7), (9, 4, 1), (3, 5, 9))
    assert found.worst(2) == [Mistake(3, 5, 9), Mistake(4, 9, 7)]
    assert found.text_of(Mistake(4, 9, 7)) == "true 4, predicted 9: 7 times"
    assert found.text_of(Mistake(9, 4, 1)) == "true 9, predicted 4: once"


def test_counts_accuracy_and_worst_errors_are_read_without_colour() -> None:
    text = table(confusion((4, 9, 20)), 80).plain
    assert "test set: accuracy 93.75 %, 300 of 320 right" in text
    (row,) = [line for line in text.splitlines() if line.startswith("4  ")]
    assert row.split() == ["4", *"····", "30", *"····"[:4], "[20]", "60.0%"]


def test_an_error_has_the_colour_of_its_share_of_the_row() -> None:
    shown = table(confusion((4, 9, 20), (1, 0, 1)), 80)
    styles = {shown.plain[span.start : span.end].strip(): str(span.style) for span in shown.spans}
    assert "on #8c2d04" in styles["[20]"]
    assert "on #ec7014" in styles["[1]"]


@pytest.mark.parametrize("width", [1, 10, 40, 80, 160])
@pytest.mark.parametrize("height", [0, 3, 20, 60])
@pytest.mark.parametrize("names", [NAMES, CLASS_NAMES["fashion-mnist"]])
def test_it_is_as_narrow_as_its_room_where_that_can_be(width: int, height: int, names: tuple[str, ...]) -> None:
    lines = table(confusion((4, 9, 200), (0, 1, 1), right=950, names=names), width, height).plain.splitlines()
    assert len(lines) >= 13
    if width >= 80:
        assert max(map(len, lines)) <= width


def test_room_is_used_for_shares_and_for_the_errors_beside_the_table() -> None:
    roomy = table(confusion((4, 9, 20)), 140, 40).plain.splitlines()
    assert any("true 4, predicted 9: 20 times" in line and "100%" in line for line in roomy)
    assert any("40%" in line and "60%" in line for line in roomy)


def test_a_matrix_without_errors_or_without_images_is_no_trouble() -> None:
    assert "no errors" in table(confusion(), 80).plain
    assert "accuracy –, 0 of 0 right" in table(confusion(right=0), 80).plain


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "could not be read"),
        ("[]", "could not be read"),
        ('{"split": "test", "counts": [[1]], "names": ["0"]}', "do not have ten classes"),
        ('{"error": "x.npz is damaged"}', "x.npz is damaged"),
    ],
)
def test_what_is_no_matrix_is_one_clear_line(text: str, reason: str) -> None:
    with pytest.raises(LabError, match=reason):
        parse(text)


def test_a_document_is_read() -> None:
    told = confusion((4, 9, 2))
    assert parse(json.dumps({"split": "test", "counts": told.counts, "names": told.names})) == told
