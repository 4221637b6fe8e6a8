"""The pure parts of the inspect screen: images in cells, the scatter and its cursor, the canvas."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.color import Color

from lenet_tui.inspection.messages import Envelope, GuessesRequest, Reply
from lenet_tui.tui.inspect import images as planes
from lenet_tui.tui.inspect.canvas import Canvas
from lenet_tui.tui.inspect.scatter import scatter


def text(tile: planes.Tile) -> list[str]:
    return [strip.text for strip in tile]


def test_brightness_is_told_by_characters_where_there_are_no_colours() -> None:
    rows = bytes([0, 255, 0, 255, 60, 120]) + bytes([0, 0, 255, 255, 60, 130])
    assert text(planes.grey(rows, 6, colours=False)) == [" ▀▄█░▒"]
    assert text(planes.grey(rows, 6, colours=False, marked=[7])) == [" +▄█░▒"]
    coloured = planes.grey(rows, 6, colours=True)[0]
    assert [str(segment.style) for segment in coloured][1] == "#ffffff on #000000"
    marked = planes.grey(rows, 6, colours=True, marked=[0])[0]
    assert str(next(iter(marked)).style) == "#ff4040 on #000000"


def test_what_is_below_zero_has_its_own_characters_and_colour() -> None:
    values = np.array([[127, -127, 0, 30, -30]], np.int8).tobytes()
    assert text(planes.signed(values, 5, planes.Palette(colours=False))) == ["█% ▒-"]
    few = planes.signed(values, 5, planes.Palette(colours=False, few=True))
    assert text(few) == ["█% ▒-"]
    assert [str(segment.style) for segment in few[0]][:2] == ["#ffff55", "#5555ff"]
    dark, light = (planes.signed(values, 5, planes.Palette(colours=True, light=light)) for light in (False, True))
    # And no ground: the row below is missing.
    assert [str(segment.style) for segment in dark[0]][:3] == ["#ffdc9c", "#a4d6ff", "#18181a"]
    assert [str(segment.style) for segment in light[0]][:3] == ["#7a2e04", "#083e7e", "#f6f6f6"]


@pytest.mark.parametrize("light", [False, True])
def test_colours_leave_zero_evenly_and_never_turn_back(light: bool) -> None:
    palette = planes.Palette(colours=True, light=light)
    colours = [Color.parse(str(segment.style).removeprefix("on ")) for segment in planes.scale(palette, 12)]
    assert len(colours) == 25
    for side in (colours[12:], colours[12::-1]):
        brightness = [colour.brightness for colour in side]
        assert brightness == sorted(brightness, reverse=light)
        assert len(set(brightness)) == 13
    assert max(colours[12].rgb) - min(colours[12].rgb) <= 2  # neutral
    assert planes.scale(palette, 12).text == " " * 12 + "0" + " " * 12
    assert planes.scale(planes.Palette(colours=False), 12).text == "%=-· ░▒▓█"


def test_greys_are_grey_and_white_is_white() -> None:
    ramp = planes.grey(bytes(range(256)), 256, colours=True)[0]
    seen = [Color.parse(str(segment.style)) for segment in ramp]
    assert {max(colour.rgb) - min(colour.rgb) for colour in seen} == {0}
    assert (seen[0].rgb, seen[-1].rgb) == ((0, 0, 0), (255, 255, 255))
    assert len(seen) == 32


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_enlarging_repeats_pixels_and_halving_takes_means(width: int, height: int, factor: int) -> None:
    image = np.random.default_rng(width * height).integers(0, 256, (height, width)).astype(np.uint8)
    larger = np.frombuffer(planes.enlarged(image.tobytes(), width, factor), np.uint8)
    np.testing.assert_array_equal(
        larger.reshape(height * factor, width * factor), image.repeat(factor, 0).repeat(factor, 1)
    )
    signed = image.view(np.int8).astype(int)
    smaller = np.frombuffer(planes.halved(image.tobytes(), width, is_signed=True), np.int8)
    shape = -(-height // 2), -(-width // 2)
    wanted = [
        [int(signed[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean() // 1) for x in range(shape[1])]
        for y in range(shape[0])
    ]
    np.testing.assert_array_equal(smaller.reshape(shape), wanted)


@pytest.mark.parametrize(
    ("count", "side", "room", "wanted"),
    [
        (6, 5, (50, 20), (3, 3, 2)),  # filters of LeNet, three times as large
        (6, 28, (128, 47), (1, 4, 3)),
        (6, 28, (50, 20), (0, 3, 2)),  # half as large, and all of them
        (64, 13, (50, 20), (1, 3, 2)),  # six of them at once
        (24, 28, (50, 20), (0, 3, 2)),
        (96, 6, (1, 1), (1, 1, 1)),
    ],
)
def test_tiles_are_as_large_as_lets_all_be_seen(
    count: int, side: int, room: tuple[int, int], wanted: tuple[int, int, int]
) -> None:
    found = planes.tiling(count, side, side, *room)
    assert (found.scale, found.across, found.down) == wanted


def test_the_cursor_goes_to_the_nearest_point_in_a_direction() -> None:
    x, y = [0.0, 0.5, 1.0, 0.5, 0.5], [0.5, 0.5, 0.5, 1.0, 0.0]
    spread = scatter(x, y, [False] * 5, 21, 11)
    assert spread.places == ((5, 0), (5, 10), (5, 20), (0, 10), (10, 10))
    assert [spread.beside(1, *step) for step in ((-1, 0), (1, 0), (0, -1), (0, 1))] == [0, 2, 3, 4]
    assert spread.beside(2, 1, 0) == 2  # nothing further to the right
    assert spread.beside(0, 0, -1) == 3  # further off than 45°, but all there is
    assert spread.nearest(9, 12) == 4


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_every_point_has_a_cell_and_errors_are_in_front(points: list[tuple[float, float, bool]]) -> None:
    x, y, wrong = zip(*points, strict=True)
    spread = scatter(x, y, wrong, 7, 4)
    assert sorted(point for cell in spread.cells.values() for point in cell) == list(range(len(points)))
    for point, (row, column) in enumerate(spread.places):
        assert 0 <= row < 4
        assert 0 <= column < 7
        here = spread.here(point)
        assert point in here
        assert [wrong[other] for other in here] == sorted((wrong[other] for other in here), reverse=True)


def test_a_stroke_is_soft_at_its_edge_and_as_thick_as_those_of_mnist() -> None:
    canvas = Canvas()
    canvas.begin()
    canvas.stroke((4.5, 10.5), (20.5, 10.5))
    ink = np.frombuffer(canvas.ink, np.uint8).reshape(28, 28)
    assert ink[:, 12].tolist()[8:14] == [0, 178, 255, 178, 0, 0]
    assert ink[10, 4:21].min() == 255
    assert not ink[10, :3].any()
    canvas.begin()
    canvas.erase((12.5, 10.5), (12.5, 10.5))
    assert not np.frombuffer(canvas.ink, np.uint8).reshape(28, 28)[9:12, 12].any()
    assert canvas.undo()
    assert canvas.ink == ink.tobytes()


def test_undoing_goes_back_to_the_empty_canvas_and_no_further() -> None:
    canvas = Canvas()
    assert not canvas.undo()
    canvas.clear()
    assert not canvas.undo()  # nothing was there to be cleared
    seen = []
    for step in range(5):
        seen.append(canvas.ink)
        canvas.begin()
        canvas.stroke((5.0 * step, 3), (5.0 * step, 40))  # over the edge
    canvas.begin()  # a stroke that changes nothing
    canvas.clear()
    assert canvas.undo()
    for ink in reversed(seen):
        assert canvas.undo()
        assert canvas.ink == ink
    assert not canvas.undo()


def test_messages_read_what_they_wrote() -> None:
    envelope = Envelope(id=3, request=GuessesRequest(folders=("a", "b"), drawing=bytes(range(256)) * 3 + bytes(16)))
    assert Envelope.model_validate_json(envelope.model_dump_json()) == envelope
    reply = Reply(id=1, doing="loading torch…")
    assert Reply.model_validate_json(reply.model_dump_json()) == reply
    assert not reply.is_last


def test_the_app_needs_neither_torch_nor_numpy_for_it() -> None:
    code = (
        "import sys; import lenet_tui.tui.inspect.screen, lenet_tui.tui.inspect.inspector; "
        "print({'numpy', 'torch', 'PIL', 'matplotlib', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("set()\n", "")
