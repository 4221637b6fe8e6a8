from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest
from textual.app import App
from textual.widgets import Input, ProgressBar, Static

from lenet_tui.data import is_here
from lenet_tui.data.catalog import IDX_FILES
from lenet_tui.tui.dialogs.get_data import GetDataScreen, parse_progress
from tests.data.conftest import structured, write_files
from tests.tui.test_details import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lenet_tui.config import DatasetName


class Bench(App[None]):
    def __init__(self, dataset: DatasetName = "fashion-mnist") -> None:
        super().__init__()
        self.question = GetDataScreen(dataset)
        self.answer: str | None = None

    def on_mount(self) -> None:
        self.push_screen(self.question, lambda answer: setattr(self, "answer", answer))

    @property
    def messages(self) -> str:
        return str(self.question.query_one("#status", Static).render())


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LENET_TUI_DATA", raising=False)
    monkeypatch.setenv("LENET_TUI_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def silent_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A proxy that takes every request and answers none; the event says that it was asked."""
    asked = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    taken = []

    def serve() -> None:
        while True:
            try:
                taken.append(server.accept()[0])
            except OSError:
                return
            asked.set()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    yield asked
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    for connection in taken:
        connection.close()


@pytest.mark.parametrize(("key", "answer"), [("u", "digits"), ("escape", "later")])
@pytest.mark.parametrize("size", [(80, 24), (20, 5)])
async def test_digits_and_later_are_a_key_each(key: str, answer: str, size: tuple[int, int]) -> None:
    app = Bench("mnist")
    async with app.run_test(size=size) as pilot:
        await pilot.press(key)
        assert app.answer == answer


async def test_the_files_of_a_folder_are_copied_into_the_cache(tmp_path: Path) -> None:
    write_files(tmp_path / "mine", {file.name: structured(file) for file in IDX_FILES})
    app = Bench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f")
        assert app.focused is app.question.query_one(Input)
        app.question.query_one(Input).value = str(tmp_path / "mine")
        await pilot.press("enter")
        await until(pilot, lambda: app.answer == "ready")
    assert is_here("fashion-mnist")


async def test_a_folder_without_the_files_is_refused_with_a_reason_and_asked_for_again(tmp_path: Path) -> None:
    app = Bench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f", *"/nowhere", "enter")
        await until(pilot, lambda: "✗" in app.messages)
        assert "/nowhere is not a folder" in app.messages
        assert app.focused is app.question.query_one(Input)
        await pilot.press("escape")
        assert app.answer is None
        assert not app.question.query_one(Input).display
        await pilot.press("escape")
        assert app.answer == "later"


async def test_without_a_network_the_reason_is_told_and_the_choices_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    app = Bench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        await until(pilot, lambda: "✗" in app.messages)
        assert "cannot get Fashion-MNIST" in app.messages
        assert "ways on" not in app.messages
        assert not app.question.query_one(ProgressBar).display
        await pilot.press("u")
        assert app.answer == "digits"


async def test_a_download_is_cancelled_by_escape_and_leaves_nothing_behind(
    silent_proxy: threading.Event, tmp_path: Path
) -> None:
    app = Bench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        await until(pilot, silent_proxy.is_set)
        assert app.question.busy
        await pilot.press("u", "f")  # nothing else begins meanwhile
        assert app.answer is None
        await pilot.press("escape")
        await until(pilot, lambda: not app.question.busy)
        assert app.messages == "cancelled"
        assert app.answer is None
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.name.startswith(".fetch-")]


def test_lines_of_progress_are_told_from_other_lines() -> None:
    assert parse_progress('{"what": "labels.gz", "done": 5, "total": 10}') == ("labels.gz", 5, 10)
    assert parse_progress('{"what": "npm", "done": 0, "total": null}') == ("npm", 0, None)
    assert parse_progress('{"notice": "a mirror is slow"}') == "a mirror is slow"
    for line in ("lenet-tui: no", "[]", "7", '{"what": "x"}', '{"what": "x", "done": "much", "total": 1}'):
        assert parse_progress(line) is None


async def test_progress_moves_the_bar() -> None:
    app = Bench()
    async with app.run_test(size=(80, 24)) as pilot:
        app.question._show_progress('{"what": "labels.gz", "done": 2500000, "total": 10000000}')
        await pilot.pause()
        assert app.question.query_one(ProgressBar).percentage == 0.25
        assert "2.5 of 10.0 MB" in app.messages
