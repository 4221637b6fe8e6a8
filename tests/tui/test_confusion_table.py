from __future__ import annotations

import json
from itertools import pairwise

import pytest
from textual.color import Color

from lenet_tui.data.catalog import CLASS_NAMES
from lenet_tui.errors import LabError
from lenet_tui.tui.details import heat_colours
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
    assert "on #ffc46b" in styles["[20]"]
    assert "on #d97a1e" in styles["[1]"]
    light = table(confusion((4, 9, 20)), 80, colours=heat_colours.LIGHT)
    assert any("on #8c2d04" in str(span.style) for span in light.spans)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2."""
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in Color.parse(colour).normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("colours", [heat_colours.DARK, heat_colours.LIGHT], ids=["dark", "light"])
def test_every_number_can_be_read_on_its_ground(colours: heat_colours.HeatColours) -> None:
    styles = [style for _, style in (*colours.errors, *colours.right)]
    for style in (*styles, colours.cursor.removeprefix("bold ")):
        darker, lighter = sorted(map(luminance, style.split(" on ")))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, style


def test_a_share_between_two_steps_has_the_lower_one() -> None:
    for colours in (heat_colours.DARK, heat_colours.LIGHT, heat_colours.SIXTEEN, heat_colours.PLAIN):
        for steps, right in ((colours.errors, False), (colours.right, True)):
            assert [least for least, _ in steps] == sorted((least for least, _ in steps), reverse=True)
            assert steps[-1][0] == 0
            assert all(colours.style(least or 1e-9, right=right) == style for least, style in steps)
        assert colours.style(0, right=False) == colours.none


@pytest.mark.parametrize(("size", "high", "wide"), [((80, 20), 1, 6), ((120, 37), 3, 7), ((200, 56), 5, 12)])
def test_cells_grow_with_the_room(size: tuple[int, int], high: int, wide: int) -> None:
    lines = table(confusion((4, 9, 20), right=950), *size).plain.splitlines()
    assert len(lines) <= size[1]
    assert max(map(len, lines)) <= size[0]
    rows = [number for number, line in enumerate(lines) if line[:1].isdigit()]
    assert {b - a for a, b in pairwise(rows)} == {high}
    (head,) = [line for line in lines if line.startswith("    ") and line.split()[:3] == ["0", "1", "2"]]
    assert head.index("1") - head.index("0") == wide


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
    assert "true 4, predicted 9: 20 times" in roomy[5]
    assert any("30 % and more" in line for line in roomy)
    assert any("100%" in line for line in roomy)
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
