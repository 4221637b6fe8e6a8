"""Whole commands in one write, as over a slow link: what opens a box has the keyboard from that very key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from textual.events import Key
from textual.widgets import Input

from lenet_tui.config import RunConfig
from lenet_tui.store import Store
from lenet_tui.tui.dialogs.ask import AskText, Confirm
from lenet_tui.tui.dialogs.help import HelpScreen
from lenet_tui.tui.keys import MAIN
from lenet_tui.tui.terminal_input import Decoder
from tests.tui.runs import finished, running
from tests.tui.terminal import Terminal
from tests.tui.test_main import Bench, opened

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {"/": "slash", "?": "question_mark", " ": "space", "=": "equals_sign", ".": "full_stop"}


def write(bench: Bench, *names: str) -> None:
    """Send keys at once, before the app has seen the first; a word of several letters is typed."""
    for name in names:
        letters = [name] if name in ("enter", "escape", "up", "down") or name.startswith(("ctrl", "f")) else list(name)
        for letter in letters:
            bench.app.post_message(Key(NAMES.get(letter, letter), letter if len(letter) == 1 else None))


@pytest.mark.parametrize("words", ["x64", "bs16", "sSdd", "q", "1K?"])
async def test_words_after_the_key_that_filters_are_typed_and_command_nothing(
    words: str, store: Store, tmp_path: Path
) -> None:
    running(store, RunConfig())
    async with opened(tmp_path) as bench:
        await bench.press("escape")
        await bench.until(lambda: bench.main.runs.current is not None)
        write(bench, "/" + words)
        await bench.until(lambda: bench.main.query_one("#filter", Input).value == words)
        assert not store.get(1).is_stop_requested
        assert bench.main.runs.sorting == ""
        assert bench.app.screen is bench.main


async def test_a_note_written_at_once_loses_no_letter_and_commands_nothing(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig(), 0.99)
    async with opened(tmp_path) as bench:
        await bench.press("escape")
        await bench.until(lambda: bench.main.runs.current is not None)
        write(bench, "n", "x?q 16", "enter")
        await bench.until(lambda: store.get(1).note == "x?q 16")
        assert bench.app.screen is bench.main
        assert bench.app.is_running


async def test_every_key_in_a_burst_acts_on_what_the_one_before_left(store: Store, tmp_path: Path) -> None:
    store.set_paused(True)
    store.add([RunConfig(seed=seed) for seed in range(4)])
    async with opened(tmp_path) as bench:
        await bench.press("escape")
        await bench.until(lambda: len(bench.main.runs.listed) == 4)
        last = store.queue()[-1].id
        bench.main.runs.go_to(last)
        write(bench, "KK")
        await bench.until(lambda: store.get(last).place == 2)
        write(bench, "JKJ")
        await bench.until(lambda: store.get(last).place == 3)


async def test_a_question_that_comes_after_a_look_at_the_store_gets_the_answer(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig(), 0.99)
    async with opened(tmp_path) as bench:
        await bench.until(lambda: bench.main.runs.listed)
        write(bench, "ctrl+r", "n")  # no, do not train again
        await bench.until(lambda: not isinstance(bench.app.screen, Confirm))
        write(bench, "ctrl+r", "y")
        await bench.until(lambda: len(store.queue()) == 1)


# A key that opens something, and what else was typed with it: none of it may reach the runs below.
OPENERS = ("d", "n", "?", "/", "enter", "v", "i", "h")


@pytest.mark.parametrize("opener", OPENERS)
async def test_nothing_typed_after_a_key_that_opens_something_reaches_the_runs(
    opener: str, store: Store, tmp_path: Path
) -> None:
    running(store, RunConfig())
    store.add([RunConfig(seed=1)])
    finished(store, RunConfig(seed=2), 0.99)
    async with opened(tmp_path) as bench:
        await bench.press("escape")
        await bench.until(lambda: len(bench.main.runs.listed) == 3)
        bench.main.runs.go_to(3)
        write(bench, opener, "xxKJ")
        await bench.until(lambda: bench.app.screen is not bench.main or opener == "/")
        await bench.pilot.pause(0.1)
        assert not store.get(1).is_stop_requested
        assert [run.id for run in store.queue() if run.waiting] == [2]
        assert store.get(3).state == "finished"


async def test_help_closed_in_the_same_write_gives_the_keyboard_back(store: Store, tmp_path: Path) -> None:
    running(store, RunConfig())
    async with opened(tmp_path) as bench:
        await bench.press("escape")
        await bench.until(lambda: bench.main.runs.current is not None)
        write(bench, "?", "q", "x")
        await bench.until(lambda: store.get(1).is_stop_requested)
        assert not isinstance(bench.app.screen, (HelpScreen, AskText))


async def test_a_letter_on_a_line_of_the_form_says_where_it_works(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.press("x")
        await bench.until(lambda: "x (stop) works outside the form: press esc first" in screen_text(bench))
        await bench.press("7")
        await bench.until(lambda: "7 can be typed into a field" in screen_text(bench))


def screen_text(bench: Bench) -> str:
    """Return the words of the form."""
    lines = [re.split("[│┃]", strip.text)[1:2] for strip in bench.app.screen._compositor.render_strips()]
    return " ".join(" ".join(part for line in lines for part in line).split())


def test_every_key_of_the_main_screen_is_named_once() -> None:
    names = [name for key in MAIN for name in key.keys.split(",")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("é π 数".encode(), "é π 数"),
        ("déjà".encode("latin-1"), "déjà"),
        (b"\x1b[M \xa5\x30x", "x"),  # the mouse at column 133, then a letter
        (b"\x9b31m", "\N{REPLACEMENT CHARACTER}31m"),
        (b"\xff\xfe\x00", "ÿþ\x00"),
    ],
)
def test_any_bytes_of_a_terminal_are_read(data: bytes, text: str) -> None:
    assert Decoder().decode(data, final=True) == text


def test_letters_of_several_bytes_may_come_in_several_reads() -> None:
    decoder = Decoder()
    assert "".join(decoder.decode(bytes([byte])) for byte in "é π 数".encode()) == "é π 数"


def test_a_terminal_of_another_encoding_does_not_end_the_app(tmp_path: Path) -> None:
    finished(Store(tmp_path), RunConfig(), 0.99)
    with Terminal(tmp_path) as terminal:
        terminal.wait_for("99.00 %")
        terminal.press("escape")
        terminal.write(b"n\xe9t\xe9 x\x1b[M \xa5\x30\r")  # in one write, with the mouse far to the right
        terminal.wait_until(lambda: Store(tmp_path).get(1).note == "été x")
