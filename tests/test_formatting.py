"""Words for people, and that nothing from disk can speak to the terminal."""

from __future__ import annotations

import pytest

from lenet_tui.formatting import printable


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
