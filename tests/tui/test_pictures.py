from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest
from PIL import Image
from textual.app import App
from textual.widgets import Static

from lenet_tui.host import ssh
from lenet_tui.run.embedding import Embedding, Point
from lenet_tui.run.folder import PICTURES, RunFolder
from lenet_tui.tui.curves.panel import CurvesPanel
from lenet_tui.tui.pictures.screen import READABLE_WIDTH, PicturesScreen
from lenet_tui.tui.pictures.views import BlocksView, DrawnView
from lenet_tui.tui.store_watcher import Snapshot
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

    @property
    def drawn(self) -> str:
        return self.pictures.query_one(DrawnView).text()

    @property
    def chart(self) -> str:
        return "\n".join(self.pictures.query_one(CurvesPanel).text())

    def words(self, name: str) -> str:
        return str(self.pictures.query_one(f"#{name}", Static).render())


@pytest.fixture(autouse=True)
def true_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three pictures of one colour each, and nothing to draw from."""
    for name, colour in zip(PICTURES, ("red", "lime", "blue"), strict=True):
        Image.new("RGB", (1440, 1080), colour).save(tmp_path / name)
    return tmp_path


@pytest.fixture
def finished_run(tmp_path: Path) -> Path:
    """The folder of a finished run, with pictures and the points of the map."""
    run, _ = finished(tmp_path)
    path = tmp_path / str(run.folder)
    for name in PICTURES:
        Image.new("RGB", (144, 108), "red").save(path / name)
    points = (Point(n, n % 10, (n + (n < 6)) % 10, n % 10 * 7.0, n % 13 * 5.0) for n in range(120))
    Embedding("test", tuple(points)).write(path / "t-SNE.csv")
    return path


def colour(app: Bench) -> bytes:
    assert app.view.picture is not None
    return app.view.picture.pixels[:3]


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_each_picture_is_drawn_in_cells(finished_run: Path, size: tuple[int, int]) -> None:
    app = Bench(finished_run)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "accuracy 95.00 %, 114 of 120 right" in app.drawn)
        assert "true 0, predicted 1: once" in app.drawn
        assert app.pictures.place == "matrix"
        await pilot.press("2")
        await until(pilot, lambda: "lowest 0.3000, epoch 3" in app.chart)
        assert app.pictures.place == "chart"
        await pilot.press("right")
        await until(pilot, lambda: "t-SNE of 120 test images, 6 misclassified (reversed)" in app.drawn)
        assert "class images wrong" in app.drawn
        assert {str(digit) for digit in range(10)} <= set(app.drawn)
        assert "t-SNE.png" in app.words("hint")
        assert app.view.picture is None


async def test_the_file_is_shown_by_a_key_and_the_drawing_by_the_same(finished_run: Path) -> None:
    app = Bench(finished_run)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "accuracy" in app.drawn)
        assert "z" not in app.pictures.active_bindings
        await pilot.press("enter")
        await until(pilot, lambda: app.pictures.place == "png" and app.view.picture is not None)
        assert "z" in app.pictures.active_bindings
        assert "letters need 360 columns" in app.words("hint")
        await pilot.press("enter")
        await until(pilot, lambda: app.pictures.place == "matrix")
        (finished_run / "loss.png").unlink()
        await pilot.press("2", "enter")
        await until(pilot, lambda: app.pictures.place == "chart")


async def test_a_run_of_an_earlier_version_shows_its_map_as_a_file_and_says_why(finished_run: Path) -> None:
    (finished_run / "t-SNE.csv").unlink()
    app = Bench(finished_run)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: app.view.picture is not None)
        assert app.words("hint").startswith("this run has no t-SNE.csv, so this is t-SNE.png; e draws both again\n")
        await pilot.press("e")
        await until(pilot, lambda: "t-SNE of 120 test images" in app.drawn and app.pictures.place == "map")


async def test_another_epoch_is_drawn_when_it_is_done(tmp_path: Path) -> None:
    run, rows = finished(tmp_path)
    app = Bench(tmp_path / str(run.folder))
    app.pictures = PicturesScreen(tmp_path / str(run.folder), run=replace(run, epochs_done=3, state="running"))
    folder = RunFolder(tmp_path / str(run.folder))
    folder.write_metrics(rows[:2])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "lowest 0.5000, epoch 2" in app.chart)
        folder.write_metrics(rows)
        snapshot = Snapshot(runs={run.id: run})
        app.pictures.show(snapshot, snapshot)
        await until(pilot, lambda: "lowest 0.3000, epoch 3" in app.chart)
        assert "finished" in app.words("title")


async def test_each_file_is_reached_by_number_and_by_arrows(folder: Path) -> None:
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
            assert name in app.words("hint")
        await pilot.press("escape")
        assert app.screen is not app.pictures


async def test_a_picture_fills_its_room_and_keeps_its_shape(folder: Path) -> None:
    app = Bench(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.view.picture is not None and app.view.size.height > 0)
        width, height = app.view.size
        assert abs(width - 4 / 3 * 2 * height) <= 1
        assert height >= 18
        assert app.view.render_line(0).cell_length == width
        await pilot.resize_terminal(160, 50)
        await until(pilot, lambda: app.view.size.height >= 44)


async def test_zooming_goes_on_until_letters_can_be_read(folder: Path) -> None:
    app = Bench(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.view.picture is not None and app.view.size.width > 0)
        widths = [app.view.size.width]
        for _ in range(3):
            await pilot.press("z")
            await until(pilot, lambda: app.view.size.width > widths[-1])
            widths.append(app.view.size.width)
        assert widths[-1] >= READABLE_WIDTH
        await pilot.press("right", "down")
        await until(pilot, lambda: app.pictures.query_one("#view").scroll_offset == (8, 1))
        assert "confusion.png" in app.words("hint")
        await pilot.press("z")
        await until(pilot, lambda: app.view.size.width == widths[0])


async def test_without_colours_the_drawings_are_there_and_the_way_to_the_file_is_told(
    finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Bench(finished_run)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "[1]" in app.drawn)
        await pilot.press("enter")
        await until(pilot, lambda: "too few colours" in app.words("words"))
        assert ssh.copy_command(finished_run / "confusion.png") in app.words("words")
        await pilot.press("left", "right", "3")
        await until(pilot, lambda: str(finished_run / "t-SNE.png") in app.words("words"))


async def test_sixteen_colours_are_too_few_for_a_file(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", "xterm-16color")
    app = Bench(finished_run)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "accuracy" in app.drawn)
        await pilot.press("enter")
        await until(pilot, lambda: "too few colours" in app.words("words"))


async def test_pictures_that_are_missing_are_drawn_by_key(tmp_path: Path) -> None:
    run, _ = finished(tmp_path)
    path = tmp_path / str(run.folder)
    kept = (path / "predictions.npz").read_bytes()
    (path / "predictions.npz").unlink()
    app = Bench(path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Predictions.npz is not there yet" in app.words("words"))
        (path / "predictions.npz").write_bytes(kept)
        await pilot.press("e")
        await until(pilot, lambda: "accuracy" in app.drawn)
        assert all((path / name).is_file() for name in PICTURES)


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


async def test_where_no_terminal_can_be_lent_the_file_is_shown_in_half_blocks(finished_run: Path) -> None:
    app = Bench(finished_run, "pixels")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "accuracy" in app.drawn)
        await pilot.press("enter")
        await until(pilot, lambda: app.view.picture is not None)
        assert "this terminal shows no pixels" in app.words("hint")


async def test_a_terminal_of_ten_by_three_is_no_trouble(finished_run: Path) -> None:
    app = Bench(finished_run)
    async with app.run_test(size=(10, 3)) as pilot:
        await pilot.press("2", "enter", "z", "z", "down", "3", "enter", "m", "l")
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
