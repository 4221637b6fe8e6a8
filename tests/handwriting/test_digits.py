"""Pictures drawn and written by Pillow, read back, and what becomes of real digits on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lenet_tui.errors import LabError
from lenet_tui.handwriting import as_mnist, prepare, read
from lenet_tui.handwriting.files import WORKING_SIDE
from lenet_tui.handwriting.pieces import pieces_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

INK, PAPER = 30, 220


def seven(size: tuple[int, int] = (300, 400), ink: int = INK, paper: int = PAPER) -> Image.Image:
    """A seven in the upper left of its paper, drawn with a broad pen."""
    picture = Image.new("L", size, paper)
    unit = min(size) / 300
    points = [(60 * unit, 60 * unit), (180 * unit, 60 * unit), (100 * unit, 240 * unit)]
    ImageDraw.Draw(picture).line(points, fill=ink, width=round(24 * unit), joint="curve")
    return picture


def written(folder: Path, picture: Image.Image, name: str = "seven.png", **options: object) -> Path:
    path = folder / name
    picture.save(path, **options)  # type: ignore[arg-type]
    return path


def inked(path: Path) -> NDArray[np.float32]:
    """All ink of a picture, where it is."""
    result = read(path)
    whole = np.zeros((result.height, result.width), dtype=np.float32)
    for digit in result.digits:
        height, width = digit.ink.shape
        whole[digit.top : digit.top + height, digit.left : digit.left + width] += digit.ink
    return whole


def prepared(path: Path) -> NDArray[np.float64]:
    return as_mnist(inked(path)).astype(np.float64)


def apart(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """The mean absolute difference, of 255; a centre of mass half-way between two pixels may be put on either."""
    steps = (-1, 0, 1)
    return min(float(np.abs(np.roll(first, (y, x), (0, 1)) - second).mean()) for y in steps for x in steps)


@pytest.fixture
def plain(tmp_path: Path) -> NDArray[np.float64]:
    return prepared(written(tmp_path, seven(), "plain.png"))


@pytest.fixture(scope="module")
def mnist() -> NDArray[np.uint8]:
    """The first hundred test images of MNIST, where it is in the cache; else digits as large as MNIST's."""
    from lenet_tui.data import datasets, is_here

    if is_here("mnist"):
        return datasets.load("mnist", val_size=5000).test_images[:100, 0].numpy()
    return np.stack([as_mnist(image) for image in datasets.load("digits", val_size=200).test_images[:100, 0].numpy()])


def test_the_longer_side_is_twenty_pixels_and_the_centre_of_mass_is_in_the_middle(plain: NDArray[np.float64]) -> None:
    rows, columns = np.flatnonzero(plain.any(axis=1)), np.flatnonzero(plain.any(axis=0))
    assert rows[-1] - rows[0] + 1 == 20
    assert 12 <= columns[-1] - columns[0] + 1 <= 16  # 144 : 204 of the drawing
    middle = [(plain.sum(axis=axis) * np.arange(28)).sum() / plain.sum() for axis in (0, 1)]
    assert middle == pytest.approx([14, 14], abs=0.51)
    assert plain.max() == 255
    assert len(np.unique(plain)) > 10  # anti-aliased


def test_dark_on_light_and_light_on_dark_are_the_same(tmp_path: Path, plain: NDArray[np.float64]) -> None:
    turned = written(tmp_path, seven(ink=PAPER, paper=INK))
    assert apart(prepared(turned), plain) < 0.5


@pytest.mark.parametrize("size", [(75, 100), (900, 1200), (3000, 4000)])
def test_the_size_does_not_matter(tmp_path: Path, plain: NDArray[np.float64], size: tuple[int, int]) -> None:
    ink = inked(written(tmp_path, seven((600, 800)).resize(size, Image.Resampling.LANCZOS)))
    assert max(ink.shape) <= WORKING_SIDE
    assert apart(as_mnist(ink).astype(np.float64), plain) < 2


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "LA", "RGBA", "I;16"])
def test_the_mode_does_not_matter(tmp_path: Path, plain: NDArray[np.float64], mode: str) -> None:
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(seven(), dtype=np.uint16) * 200)
    else:
        picture = seven().convert("L" if mode == "1" else mode)
        picture = picture.point(lambda value: 255 * (value > 128)).convert("1") if mode == "1" else picture
    path = written(tmp_path, picture)
    with Image.open(path) as opened:
        assert opened.mode == mode
    assert apart(prepared(path), plain) < 1


@pytest.mark.parametrize("colour", [(0, 0, 0), (20, 40, 160), (255, 255, 255), (255, 230, 120)])
def test_ink_on_nothing_is_seen_whatever_its_colour(
    tmp_path: Path, plain: NDArray[np.float64], colour: tuple[int, int, int]
) -> None:
    # What is transparent is as black as the ink, and says nothing.
    layer = Image.new("RGBA", (300, 400), (*colour, 0))
    layer.putalpha(seven(ink=255, paper=0))
    assert apart(prepared(written(tmp_path, layer)), plain) < 1


def test_transparent_corners_of_an_opaque_picture_are_no_ink(tmp_path: Path, plain: NDArray[np.float64]) -> None:
    rounded = Image.new("L", (300, 400), 0)
    ImageDraw.Draw(rounded).rounded_rectangle((0, 0, 299, 399), 40, fill=255)
    picture = seven().convert("RGBA")
    picture.putalpha(rounded)
    assert apart(prepared(written(tmp_path, picture)), plain) < 1


def test_one_colour_of_a_palette_may_be_transparent(tmp_path: Path, plain: NDArray[np.float64]) -> None:
    picture = seven(ink=0, paper=1).convert("P")
    picture.putpalette([0, 0, 0, 0, 0, 0])
    assert apart(prepared(written(tmp_path, picture, transparency=1)), plain) < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_as_the_camera_says(
    tmp_path: Path, plain: NDArray[np.float64], orientation: int
) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    picture = seven().transpose(undo[orientation]) if orientation in undo else seven()
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = written(tmp_path, picture, "seven.jpg", exif=exif, quality=90)
    assert apart(prepared(path), plain) < 2


def test_shade_noise_and_dust_leave_the_paper_empty(tmp_path: Path, plain: NDArray[np.float64]) -> None:
    random = np.random.default_rng(5)
    greys = np.asarray(seven(), dtype=np.float64)
    y, x = np.mgrid[0:1:400j, 0:1:300j]
    greys *= 1 - 0.35 * x - 0.2 * y * y  # light from the left, falling off downwards
    greys += random.normal(0, 4, greys.shape)
    greys[350:353, 250:253] = 20
    greys[20:22, 280:282] = 20
    path = written(tmp_path, Image.fromarray(greys.clip(0, 255).astype(np.uint8)), "seven.jpg", quality=60)
    ink = inked(path)
    assert not ink[:, 200:].any()
    assert not ink[260:].any()
    assert apart(as_mnist(ink).astype(np.float64), plain) < 3


def test_a_digit_may_touch_the_border(tmp_path: Path, plain: NDArray[np.float64]) -> None:
    path = written(tmp_path, seven().crop((48, 48, 196, 250)))
    assert apart(prepared(path), plain) < 4


def test_strokes_that_are_apart_are_kept(tmp_path: Path) -> None:
    picture = Image.new("L", (200, 200), 255)
    draw = ImageDraw.Draw(picture)
    draw.line([(60, 40), (60, 160)], fill=0, width=14)
    draw.line([(100, 60), (120, 60)], fill=0, width=14)
    ink = inked(written(tmp_path, picture))
    assert ink[60, 110] == 1
    assert ink[100, 60] == 1


def test_images_of_mnist_survive_being_enlarged_inverted_and_saved_as_jpeg(
    tmp_path: Path, mnist: NDArray[np.uint8]
) -> None:
    from lenet_tui.data import is_here

    differences = []
    for index, image in enumerate(mnist):
        large = Image.fromarray(255 - image).resize((196, 196), Image.Resampling.BICUBIC)
        path = written(tmp_path, large, f"{index}.jpg", quality=80)
        differences.append(apart(prepared(path), image.astype(np.float64)))
    # 8 is twice what enlarging, JPEG and reducing cost without a box; the digits of 8×8 pixels have softer edges.
    assert np.mean(differences) < (8 if is_here("mnist") else 10)
    assert max(differences) < 20


def test_images_of_mnist_are_prepared_already(mnist: NDArray[np.uint8]) -> None:
    once = np.stack([as_mnist(image) for image in mnist])
    assert (once == mnist).all(axis=(1, 2)).mean() > 0.8  # all but those whose darkest ink is not quite 255
    assert np.abs(once.astype(np.float64) - mnist).mean() < 0.1
    twice = np.stack([as_mnist(image) for image in once])
    assert np.array_equal(twice, once)


def test_other_data_sets_show_their_things_as_large_as_can_be(plain: NDArray[np.float64]) -> None:
    for dataset, longest in (("mnist", 20), ("fashion-mnist", 28), ("digits", 28)):
        rows = np.flatnonzero(prepare(plain, dataset).any(axis=1))
        assert rows[-1] - rows[0] + 1 == longest


def test_the_scale_of_the_ink_does_not_matter() -> None:
    image = np.zeros((50, 40))
    image[10:40, 18:22] = 0.2
    assert apart(as_mnist(image).astype(np.float64), as_mnist(image * 1000).astype(np.float64)) < 0.1
    assert as_mnist(image.astype(np.float16)).max() == 255


def test_paper_without_ink_stays_empty() -> None:
    assert as_mnist(np.zeros((10, 10))).shape == (28, 28)
    assert not as_mnist(np.zeros((10, 10))).any()


def test_a_single_pixel_is_a_picture_of_its_own() -> None:
    image = np.zeros((9, 9), dtype=np.uint8)
    image[3, 5] = 7
    assert (as_mnist(image) == 255).sum() == 400
    image[3, :] = 7  # as thin as can be
    line = as_mnist(image)
    assert line.any(axis=0).sum() == 20
    assert line.any(axis=1).sum() <= 4


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (28, 28), (500, 300)])
@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_a_blank_picture_is_one_clear_line(tmp_path: Path, size: tuple[int, int], mode: str) -> None:
    with pytest.raises(LabError, match=r"x\.png is blank"):
        read(written(tmp_path, Image.new(mode, size), "x.png"))


def test_noise_alone_is_blank(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(200, 3, (200, 200)).clip(0, 255).astype(np.uint8)
    with pytest.raises(LabError, match="is blank"):
        read(written(tmp_path, Image.fromarray(noise)))


def test_pieces_hang_together_by_sides_and_corners() -> None:
    drawing = """
        #..#....#
        .#..#...#
        .##.#.###
        ....#....
        #..##....
    """
    mask = np.array([[cell == "#" for cell in line] for line in drawing.split()])
    for seed, size in (((0, 0), 4), ((0, 3), 6), ((0, 8), 5), ((4, 0), 1)):
        seeds = np.zeros_like(mask)
        seeds[seed] = True
        (piece,) = pieces_of(mask, seeds)
        assert piece.whole[seed]
        assert piece.area == piece.whole.sum() == size
        assert not (piece.whole & ~mask).any()
    assert not pieces_of(mask, np.zeros_like(mask))
