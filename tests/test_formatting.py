"""Words for people, and that nothing from disk can speak to the terminal."""

from __future__ import annotations

import pytest

from lenet_tui.formatting import p_value, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lenet/bs64_lr0.001", "lenet/bs64_lr0.001"),
        ("Größe 28×28, 数字, e\u0301", "Größe 28×28, 数字, e\u0301"),
        ("\x1b]52;c;eA==\x07red", "�]52;c;eA==�red"),
        ("one\ntwo\tthree\r\n", "one two three  "),
        ("\x9b6n\x7f\x00", "�6n��"),
        ("l\udcfcb", "l�b"),
        ("abc\u202etxt.exe\u2066", "abc�txt.exe�"),
        ("a\u2028b", "a�b"),
    ],
)
def test_what_a_terminal_would_obey_is_replaced_and_other_text_stays(text: str, shown: str) -> None:
    assert printable(text) == shown
    printable(text).encode()


def test_rounding_never_carries_a_p_value_over_the_level() -> None:
    assert [p_value(p) for p in (0.0003, 0.034, 0.04996, 0.0502, 0.07, 0.3)] == [
        "p < 0.001", "p = 0.034", "p = 0.0499", "p = 0.050", "p = 0.07", "p = 0.30",
    ]  # fmt: skip
