from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Literal

import pytest
from PIL import Image
from textual.app import App
from textual.widgets import Static

from lenet_tui.run.folder import PICTURES
from lenet_tui.tui.pictures.screen import READABLE_WIDTH, BlocksView, PicturesScreen, copy_command
from lenet_tui.tui.widgets import halfblocks
from tests.tui.folders import finished
from tests.tui.test_details import until

if TYPE_CHECKING:
    from pathlib import Path


class Bench(App[None]):
    def __init__(self, folder: Path, mode: Literal["blocks", "pixels"] = "blocks") -> None:
        super().__init__()
        self.pictures = PicturesScreen(folder, mode)

    def on_mount(self) -> None:
        self.push_screen(self.pictures)

    @property
    def view(self) -> BlocksView:
        return self.pictures.query_one(BlocksView)

    def words(self, name: str) -> str:
        return str(self.pictures.query_one(f"#{name}", Static).render())


@pytest.fixture(autouse=True)
def true_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three pictures of one colour each."""
    for name, colour in zip(PICTURES, ("red", "lime", "blue"), strict=True):
        Image.new("RGB", (1440, 1080), colour).save(tmp_path / name)
    return tmp_path


def colour(app: Bench) -> bytes:
    assert app.view.picture is not None
    return app.view.picture.pixels[:3]


async def test_each_picture_is_reached_by_number_and_by_arrows(folder: Path) -> None:
    app = Bench(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.view.picture is not None)
        assert colour(app) == b"\xff\x00\x00"
        for key, name, wanted in (
            ("2", "loss.png", b"\x00\xff\x00"),
            ("right", "t-SNE.png", b"\x00\x00\xff"),
            ("right", "confusion.png", b"\xff\x00\x00"),
            ("left", "t-SNE.png", b"\x00\x00\xff"),
            ("1", "confusion.png", b"\xff\x00\x00"),
        ):
            await pilot.press(key)
            await until(pilot, lambda w=wanted: colour(app) == w)  # type: ignore[misc]
            assert name in app.words("title")
        await pilot.press("escape")
        assert app.screen is not app.pictures


async def test_a_picture_fills_its_room_and_keeps_its_shape(folder: Path) -> None:
    app = Bench(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.view.picture is not None)
        assert (app.view.size.width, app.view.size.height) == (53, 20)
        assert app.view.render_line(0).cell_length == 53
        assert "text is readable from 360 columns; now 53" in app.words("hint")
        await pilot.resize_terminal(160, 50)
        await until(pilot, lambda: app.view.size.height == 46)


async def test_zooming_goes_on_until_letters_can_be_read(folder: Path) -> None:
    app = Bench(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.view.picture is not None)
        widths = [app.view.size.width]
        for _ in range(3):
            await pilot.press("z")
            await until(pilot, lambda: app.view.size.width > widths[-1])
            widths.append(app.view.size.width)
        assert widths[-1] >= READABLE_WIDTH
        await pilot.press("right", "down")
        await until(pilot, lambda: app.pictures.query_one("#view").scroll_offset == (8, 1))
        assert "confusion.png" in app.words("title")
        await pilot.press("z")
        await until(pilot, lambda: app.view.size.width == widths[0])


async def test_without_colours_the_way_to_the_picture_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Bench(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "too few colours" in app.words("words"))
        assert copy_command(folder / "confusion.png") in app.words("words")
        await pilot.press("z", "left", "right", "3")
        await until(pilot, lambda: str(folder / "t-SNE.png") in app.words("words"))


async def test_sixteen_colours_are_too_few(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", "xterm-16color")
    app = Bench(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "too few colours" in app.words("words"))


async def test_pictures_that_are_missing_are_drawn_by_key(tmp_path: Path) -> None:
    run, _ = finished(tmp_path)
    app = Bench(tmp_path / str(run.folder))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Press e to draw the pictures" in app.words("words"))
        await pilot.press("e")
        await until(pilot, lambda: app.view.picture is not None)
        assert all((tmp_path / str(run.folder) / name).is_file() for name in PICTURES)


async def test_damaged_pictures_and_a_deleted_folder_are_messages(folder: Path) -> None:
    (folder / "confusion.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    (folder / "loss.png").write_bytes((folder / "t-SNE.png").read_bytes()[:-30])
    app = Bench(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "confusion.png cannot be shown" in app.words("words"))
        await pilot.press("2")
        await until(pilot, lambda: "loss.png cannot be shown" in app.words("words"))
        shutil.rmtree(folder)
        await pilot.press("3")
        await until(pilot, lambda: "does not exist any more" in app.words("words"))
        await pilot.press("e")
        await pilot.pause()


async def test_pixels_are_offered_only_where_the_settings_ask_for_them(folder: Path) -> None:
    for mode, offered in (("blocks", False), ("pixels", True)):
        app = Bench(folder, mode)  # type: ignore[arg-type]
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert ("enter" in app.pictures.active_bindings) is offered
            if offered:  # nobody's terminal can be lent here, and it says so
                await pilot.press("enter")
                await pilot.pause()


async def test_a_terminal_of_ten_by_three_is_no_trouble(folder: Path) -> None:
    app = Bench(folder)
    async with app.run_test(size=(10, 3)) as pilot:
        await pilot.press("2", "z", "z", "down")
        await pilot.pause()


@pytest.mark.parametrize(("picture", "room", "size"), [((100, 100), (80, 20), (40, 20)), ((300, 10), (3, 3), (3, 1))])
def test_cells_are_twice_as_high_as_wide(
    picture: tuple[int, int], room: tuple[int, int], size: tuple[int, int]
) -> None:
    assert halfblocks.fitted(picture, *room) == size


def test_equal_cells_are_one_piece_of_text() -> None:
    red, blue = b"\xff\x00\x00", b"\x00\x00\xff"
    picture = halfblocks.Blocks(3, 1, red * 3 + red * 2 + blue)
    strip = picture.strip(0)
    assert [segment.text for segment in strip] == ["  ", "▀"]
    assert str(list(strip)[1].style) == "#ff0000 on #0000ff"
