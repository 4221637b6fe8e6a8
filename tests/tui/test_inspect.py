"""Looking into real runs of digits by keys and mouse, with the real helper process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest
from textual.app import App
from textual.widgets import Static

from lenet_tui.config import RunConfig
from lenet_tui.formatting import confidence
from lenet_tui.run.predictions import Predictions
from lenet_tui.store import Store
from lenet_tui.tui.inspect.inspector import Inspector
from lenet_tui.tui.inspect.screen import InspectScreen
from lenet_tui.tui.keys import INSPECT
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from lenet_tui.store import Run


class Bench(App[None]):
    """The screen on run ``number`` of a root; the others may guess with it, ``second`` does from the beginning."""

    def __init__(self, root: Path, number: int = 1, second: int | None = None) -> None:
        super().__init__()
        with Store(root) as store:
            self.runs = {run.id: run for run in store.runs()}
        self.inspector = Inspector(root)
        others = [run for run in self.runs.values() if run.id != number]
        self.inspect = InspectScreen(self.inspector, self.runs[number], others, self.runs[second] if second else None)

    def on_mount(self) -> None:
        self.push_screen(self.inspect)

    def on_unmount(self) -> None:
        self.inspector.end()

    def text(self) -> str:
        return self.inspect.current.text()

    def words(self) -> str:
        """What is shown, in one line: however long a path is, and wherever it makes a sentence break."""
        return " ".join(self.text().split())


@contextlib.asynccontextmanager
async def looking(
    root: Path, number: int = 1, second: int | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Bench, Pilot[None]]]:
    app = Bench(root, number, second)
    async with app.run_test(size=size) as pilot:
        yield app, pilot


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    for _ in range(700):
        await pilot.pause()
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"it never came true:\n{pilot.app.text()}")  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def true_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def root(trained_root: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return shutil.copytree(trained_root, tmp_path / "root")


def said(root: Path, run: Run) -> Predictions:
    return Predictions.read(root / str(run.folder) / "predictions.npz")


async def test_errors_are_walked_filtered_and_chosen_from_the_matrix(trained_root: Path) -> None:
    async with looking(trained_root) as (app, pilot):
        errors = app.inspect.errors
        await until(pilot, lambda: "loading torch…" in app.text() or errors.total)
        await until(pilot, lambda: errors.total)
        predictions = said(trained_root, app.runs[1])
        wrong = predictions.predicted != predictions.labels
        total = int(wrong.sum())
        assert f"1 of {total} · {total} of 397 test images misclassified, most confident first" in app.text()
        assert app.text().count("→") == 2  # as many as fit beside each other
        assert errors.image is not None
        first = errors.image
        assert f"▸ {first.true} → {first.predicted}, {confidence(first.confidence)}" in app.text()  # type: ignore[arg-type]
        await pilot.press("right")
        assert errors.position == 1
        await pilot.press("down")
        await until(pilot, lambda: errors.position == 3 and errors.image is not None)
        assert errors.image.confidence <= first.confidence  # type: ignore[operator]
        await pilot.press("left", "up", "left", "left")
        assert errors.position == 0
        await pilot.press("pagedown", "pagedown")
        await until(pilot, lambda: errors.position == 4 and errors.image is not None)
        await pilot.press("pageup")
        assert errors.position == 2

        await pilot.press("t")
        await until(pilot, lambda: errors.total == int((wrong & (predictions.labels == 0)).sum()))
        assert "true 0, predicted any" in app.text()
        await pilot.press("t", "t", "a", "p")
        await until(pilot, lambda: errors.total == int((wrong & (predictions.predicted == 0)).sum()))
        assert (errors.true, errors.predicted) == (None, 0)
        for _ in range(10):
            await pilot.press("p")
        await until(pilot, lambda: errors.total == total)

        await pilot.press("m")
        await until(pilot, lambda: "choose a cell" in app.text())
        assert errors.confusion is not None
        worst = errors.confusion.worst(1)[0]
        await pilot.press("enter")
        await until(pilot, lambda: errors.total == worst.times)
        assert f"true {worst.true}, predicted {worst.predicted}" in app.text()
        await pilot.press("m", "right", "down", "m")
        assert errors.total == worst.times  # nothing was chosen
        await pilot.press("m", "left", *["up"] * (worst.true + 1), *["left"] * worst.predicted, "enter")
        await until(pilot, lambda: errors.total == int(((predictions.labels == 0) & ~wrong).sum()))
        assert "0 → 0," in app.text()

        await pilot.press("a")
        await until(pilot, lambda: errors.total == total)
        await pilot.click(errors, offset=(35, 5))
        await until(pilot, lambda: errors.position == 1)
        index = errors.image.index
        await pilot.press("enter")
        await until(pilot, lambda: f"test image {index}" in app.text())  # its feature maps


async def test_the_map_is_walked_and_shows_the_image_under_the_cursor(trained_root: Path) -> None:
    async with looking(trained_root) as (app, pilot):
        await pilot.press("2")
        found = app.inspect.map
        await until(pilot, lambda: found.image is not None)
        assert found.map is not None
        wrong = sum(true != predicted for true, predicted in zip(found.map.true, found.map.predicted, strict=True))
        assert f"t-SNE of 120 images, {wrong} misclassified" in app.text()
        assert found.map.true[found.point] != found.map.predicted[found.point]  # it begins with an error
        before = found.point
        await pilot.press("w")
        assert found.point != before
        assert found.map.true[found.point] != found.map.predicted[found.point]
        for key, right, down in (("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1)):
            for _ in range(40):  # to the edge
                row, column = found._spread().places[found.point]
                await pilot.press(key)
                new_row, new_column = found._spread().places[found.point]
                assert (new_column - column) * right + (new_row - row) * down >= 0
            assert found._spread().beside(found.point, right, down) == found.point
        await until(pilot, lambda: found.image is not None and found.image.index == found.map.indices[found.point])
        assert f"image {found.image.index}" in app.text()
        assert f"true {found.image.true}" in app.text()
        point = next(n for n in range(120) if len(found._spread().here(n)) > 1)
        here = found._spread().here(point)
        found.point = here[0]
        await pilot.press("n")
        assert found.point == here[1]
        await until(pilot, lambda: f"2 of {len(here)} here" in app.text())
        await pilot.press("pageup")
        row, column = found._spread().places[found.point]
        await pilot.click(found, offset=(column + 1, row + 1))
        assert found._spread().places[found.point] == (row, column)
        index = found.map.indices[found.point]
        await pilot.resize_terminal(30, 10)  # no room for the image
        await until(pilot, lambda: "t-SNE" in app.text() and f"image {index}" not in app.text())
        await pilot.press("enter")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: f"test image {index}" in app.text())


async def test_layers_are_chosen_and_images_gone_through(trained_root: Path) -> None:
    async with looking(trained_root, 2) as (app, pilot):
        await pilot.press("3")
        found = app.inspect.layers_section
        await until(pilot, lambda: "▸ filters 1" in app.text())
        for words in ("24 @ 5×5", "convolution 5", "64 @ 2×2", "test image 0", "   −"):
            assert words in app.text()
        await pilot.press("down")
        assert "convolution 1 · 1–6 of 24 (page keys)" in app.text()
        before = app.text()
        await pilot.press("pagedown")
        assert "convolution 1 · 7–12 of 24" in app.text()
        await pilot.press("pageup", "pageup")
        assert app.text() == before
        await pilot.press("up", "up")
        assert "▸ ReLU 5" in app.text()
        await pilot.press("right")
        await until(pilot, lambda: "test image 1" in app.text())
        await pilot.press("left", "left")
        await until(pilot, lambda: "test image 396" in app.text())
        await pilot.resize_terminal(160, 50)
        await until(pilot, lambda: found.outer_size.width == 160)
        await pilot.press("down", "down")
        assert "page keys" not in app.text()


async def test_every_key_works_in_every_section_and_at_any_size(trained_root: Path) -> None:
    async with looking(trained_root) as (app, pilot):
        await until(pilot, lambda: app.inspect.errors.total)
        for number, name in enumerate([name for name, _ in InspectScreen.TABS], start=1):
            await pilot.press(str(number))
            assert app.inspect.current.id == name
            keys = [key for key in INSPECT if key.id not in ("back", "choose") and not key.id.startswith("inspect-")]
            await pilot.press(*(name for key in keys for name in key.keys.split(",")))
            assert app.inspect.current.id == name
        await pilot.press("4", "tab")
        assert app.inspect.current.id == "errors"
        await pilot.press("shift+tab")
        assert app.inspect.current.id == "draw"
        for number in range(1, 5):
            await pilot.press(str(number))
            for size in [(10, 3), (1, 1), (300, 90), (40, 12), (80, 24)] * 2:
                await pilot.resize_terminal(*size)
            await until(pilot, lambda: app.inspect.current.outer_size.width == 80 and len(app.text().splitlines()) > 5)
        await pilot.press("escape")
        assert app.screen is not app.inspect


async def test_without_colours_everything_is_told_by_characters(
    trained_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with looking(trained_root) as (app, pilot):
        await until(pilot, lambda: app.inspect.errors.image is not None)
        assert {"░", "▒", "█"} <= set(app.text())
        await pilot.press("2")
        await until(pilot, lambda: app.inspect.map.image is not None)
        assert "[" in app.text()
        await pilot.press("3")
        await until(pilot, lambda: "%=-· ░▒▓█" in app.text())
        assert "%%" in app.text()
        await pilot.press("4")
        await until(pilot, lambda: app.inspect.canvas.guesses)
        assert "+" in app.text()  # the pen


async def test_a_run_at_work_has_what_it_has_and_the_rest_when_it_ends(root: Path) -> None:
    with Store(root) as store:
        finished = store.get(1)
    kept = root / str(finished.folder) / "predictions.npz"
    kept.rename(kept.with_suffix(".away"))
    async with looking(root) as (app, pilot):
        await until(pilot, lambda: "there is no predictions.npz" in app.words())
        await pilot.press("2")
        await until(pilot, lambda: "there is no predictions.npz" in app.words())
        await pilot.press("3")
        await until(pilot, lambda: "validation image 0" in app.text())  # the test set is for when it is finished
        await pilot.press("4")
        await until(pilot, lambda: app.inspect.canvas.guesses)
        await pilot.press("1")
        kept.with_suffix(".away").rename(kept)
        snapshot = type("Seen", (), {"runs": {1: replace(finished, epochs_done=3)}})()
        app.inspect.show(snapshot, snapshot)  # type: ignore[arg-type]
        await until(pilot, lambda: app.inspect.errors.total)
        await pilot.press("3")
        await until(pilot, lambda: "test image" in app.text())


async def test_a_run_without_a_folder_and_a_deleted_one_say_so(root: Path) -> None:
    with Store(root) as store:
        store.set_paused(True)
        (waiting,) = store.add([RunConfig(dataset="digits", seed=9)])
        gone = store.get(3)
    async with looking(root, waiting.id) as (app, pilot):
        for number in "1234":
            await pilot.press(number)
            await until(pilot, lambda: "The run has not started" in app.words())
        assert app.inspector.pid is None
    shutil.rmtree(root / str(gone.folder))
    async with looking(root, gone.id) as (app, pilot):
        for number in "123":
            await pilot.press(number)
            await until(pilot, lambda: "is not there any more" in app.words())
        await pilot.press("4")  # in a narrow column beside the canvas
        await until(
            pilot, lambda: any("is not there any more" in guess.error for _, guess in app.inspect.canvas.guesses)
        )
        snapshot = type("Seen", (), {"runs": {1: app.runs[1]}})()
        app.inspect.show(snapshot, snapshot)  # type: ignore[arg-type]
        assert "was deleted" in str(app.inspect.query_one("#title", Static).render())


async def test_a_process_that_dies_is_said_and_started_again_by_key(trained_root: Path) -> None:
    async with looking(trained_root) as (app, pilot):
        await until(pilot, lambda: app.inspect.errors.total)
        pid = app.inspector.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await pilot.press("3")
        await pilot.pause(0.2)
        os.kill(pid, signal.SIGKILL)
        await until(pilot, lambda: "the helper process died" in app.words())
        assert "Press r to try again" in app.words()
        await pilot.press("r")
        await until(pilot, lambda: "filters 1" in app.text())
        assert app.inspector.pid != pid


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_the_process_ends_with_the_app_however_that_ends(root: Path, number: signal.Signals) -> None:
    with Terminal(root) as terminal:
        terminal.wait_for("idle", "epochs")
        terminal.press("escape", "i")
        terminal.wait_for("misclassified, most confident first")
        (helper,) = [
            child
            for child in psutil.Process(terminal.process.pid).children()
            if "lenet_tui.inspection" in child.cmdline()
        ]
        terminal.process.send_signal(number)
        terminal.wait_for_end(20)  # reading on: a full terminal holds up whoever writes to it
        helper.wait(20)
