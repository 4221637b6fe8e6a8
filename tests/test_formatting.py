"""Words for people, and that nothing from disk can speak to the terminal."""

from __future__ import annotations

import math

import pytest

from lenet_tui.formatting import duration, estimate, loss, p_value, percent, printable, speed, time_left


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


def test_numbers_are_written_in_one_way() -> None:
    assert [loss(value) for value in (0.04123, 12.5, 0.0, 0.00012, 12345.0, math.nan, None)] == [
        *("0.0412", "12.5000", "0.0000", "0.00012", "1.2e+04", "nan", ""),
    ]
    assert [percent(share) for share in (0.98914, 1, math.nan, None)] == ["98.91 %", "100.00 %", "nan", ""]
    assert (percent(0.5, 0), percent(0.123, 1, "")) == ("50 %", "12.3")
    assert [duration(seconds) for seconds in (26, 725, 10810, None, math.nan)] == ["0:26", "12:05", "3:00:10", "?", "?"]
    assert [estimate(seconds) for seconds in (26.4, 240, 9000, 90000)] == ["26 s", "4 min", "2.5 h", "25 h"]
    assert [estimate(3600 * hours) for hours in (9.96, 99.6, 123, 1234)] == ["10 h", "100 h", "120 h", "1,200 h"]
    assert estimate(0) == "1 s"
    assert (time_left(240), time_left(None)) == ("about 4 min left", "estimating…")
    assert [speed(value) for value in (950, 2810, 28100)] == ["950 images/s", "2.8k images/s", "28k images/s"]
