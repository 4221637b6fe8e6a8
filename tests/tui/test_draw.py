"""A digit is drawn by keys and mouse, and predicted by one run or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from lenet_tui.tui.inspect.screen import InspectScreen
from tests.tui.test_inspect import looking, root, true_colour, until
from tests.tui.test_main import opened

__all__ = ["root", "true_colour"]

if TYPE_CHECKING:
    from pathlib import Path


async def test_what_is_drawn_by_keys_is_guessed_by_two_runs(trained_root: Path) -> None:
    async with looking(trained_root, 1, 2) as (app, pilot):
        await pilot.press("4")
        canvas = app.inspect.canvas
        await until(pilot, lambda: len(canvas.guesses) == 2)
        assert "Draw a digit: set the pen down with space" in app.text()
        assert "pen up: space sets it down" in app.text()
        await pilot.press("up", "up")
        assert not any(canvas.canvas.ink)
        before = canvas.guesses
        await pilot.press("space", *["down"] * 8)
        assert "pen down: arrows draw" in app.text()
        await until(pilot, lambda: canvas._asked == canvas._wanted() and canvas.guesses != before)
        assert app.text().count("network input:") == 2
        line, (_, guess) = canvas.canvas.ink, canvas.guesses[0]
        best = max(range(10), key=guess.probabilities.__getitem__)
        bar = next(row for row in app.text().splitlines() if row.split("│")[-1].lstrip().startswith(f"{best} █"))
        assert f"{100 * guess.probabilities[best]:.0f} %" in bar
        await pilot.press("x")
        assert 0 < sum(canvas.canvas.ink) < sum(line)
        await pilot.press("u")
        assert canvas.canvas.ink == line
        await pilot.press("c")
        assert not any(canvas.canvas.ink)
        await pilot.press("u", "backspace", "u", "u")
        assert not any(canvas.canvas.ink)
        await pilot.press("o")  # the next of the others
        await until(pilot, lambda: [run.id for run, _ in canvas.guesses] == [1, 3])
        await pilot.press("o")
        await until(pilot, lambda: [run.id for run, _ in canvas.guesses] == [1])
        await pilot.press("o")
        await until(pilot, lambda: [run.id for run, _ in canvas.guesses] == [1, 2])
        await pilot.press("pageup", "pageup", "pagedown")
        assert canvas.cursor[1] == 13


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_the_mouse_draws_and_its_right_button_rubs_out(trained_root: Path, size: tuple[int, int]) -> None:
    async with looking(trained_root, size=size) as (app, pilot):
        await pilot.press("4")
        canvas = app.inspect.canvas
        await until(pilot, lambda: canvas.guesses)
        scale = canvas._scale()
        assert scale == (1 if size[0] == 80 else 2)
        place = {column: (2 + column * scale, 1 + 7 * scale) for column in (5, 20)}  # in row 14
        await pilot.mouse_down(canvas, offset=place[5])
        await pilot.hover(canvas, offset=place[20])
        await pilot.mouse_up(canvas, offset=place[20])
        await pilot.pause()
        row = canvas.canvas.ink[14 * 28 : 15 * 28]
        assert all(row[6:20])
        assert not any(canvas.canvas.ink[: 11 * 28])
        await pilot.hover(canvas, offset=(2, 2))  # the button is up
        assert canvas.canvas.ink[14 * 28 : 15 * 28] == row
        await pilot.mouse_down(canvas, offset=place[20], button=3)
        await pilot.mouse_up(canvas, offset=place[20])
        assert not canvas.canvas.ink[14 * 28 + 20]
        await pilot.press("u")
        assert canvas.canvas.ink[14 * 28 : 15 * 28] == row
        await pilot.mouse_down(canvas, offset=(50, 2))  # beside it
        await pilot.mouse_up(canvas, offset=(50, 2))
        assert canvas.canvas.ink[14 * 28 : 15 * 28] == row


async def test_only_the_newest_drawing_is_asked_about(trained_root: Path) -> None:
    async with looking(trained_root) as (app, pilot):
        await pilot.press("4")
        canvas = app.inspect.canvas
        await until(pilot, lambda: canvas.guesses)
        asked, ask = [], app.inspector.ask

        async def counted(*words: object) -> object:
            asked.append(words)
            return await ask(*words)  # type: ignore[arg-type]

        app.inspector.ask = counted  # type: ignore[assignment]
        canvas.pen()
        for _ in range(300):
            canvas.move(1, 0)
            canvas.move(0, 1)
        await until(pilot, lambda: canvas._asked == canvas._wanted())
        assert 1 <= len(asked) <= 3


async def test_a_marked_run_guesses_beside_the_current_one(root: Path) -> None:
    async with opened(root) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 3)
        await bench.press("escape", "home", "space", "end", "i")
        await bench.until(lambda: isinstance(bench.app.screen, InspectScreen))
        screen = bench.app.screen
        assert isinstance(screen, InspectScreen)
        (marked,) = bench.main.runs.marked
        assert screen.canvas.second == marked
        assert screen.canvas.inspected == bench.main.runs.current != marked
        assert {run.id for run in screen.canvas.others} == {1, 2, 3} - {screen.canvas.inspected.id}
        await bench.until(lambda: screen.errors.total)
        process = psutil.Process(bench.app.lab.inspector.pid)
    assert process.wait(10) is not None or not process.is_running()
