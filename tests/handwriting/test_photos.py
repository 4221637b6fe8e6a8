"""Photographs of each kind that people take, answered by a default LeNet run whose weights lie beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw

from benchmarks import photographs
from lenet_tui.handwriting import as_mnist, read
from lenet_tui.handwriting.colour import as_greys
from lenet_tui.handwriting.digits import quieted
from lenet_tui.handwriting.lines import printed_lines
from lenet_tui.handwriting.pieces import grouped, pieces_of
from lenet_tui.inspection import classifier
from lenet_tui.run.folder import RunFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray

PHOTOS = Path(__file__).parent / "photos"
KINDS = sorted({path.stem.rsplit("_", 1)[0] for path in PHOTOS.glob("*.jpg")})
# The network of these weights takes one digit turned by 15° for another.
FEWEST_RIGHT = {"rotated_15": 9}
OTHER_KINDS = ["noise_strong", "salt_and_pepper", "sheet_on_a_table", *photographs.COLOURS]


@pytest.fixture(scope="module")
def network() -> classifier.Trained:
    return classifier.load(RunFolder(PHOTOS / "run"))


def answer(network: classifier.Trained, path: Path) -> str:
    """The classes of the digits on a picture, from left to right."""
    seen = np.stack([as_mnist(digit.ink) for digit in read(path).digits])
    return "".join(map(str, network.probabilities(seen).argmax(axis=1)))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "second_digit_beside"])
def test_photographs_of_each_kind_are_read(network: classifier.Trained, kind: str) -> None:
    answers = {label: answer(network, PHOTOS / f"{kind}_{label}.jpg") for label in "0123456789"}
    right = sum(label == result for label, result in answers.items())
    assert right >= FEWEST_RIGHT.get(kind, 10), answers


def test_two_digits_beside_each_other_are_both_answered(network: classifier.Trained) -> None:
    answers = [answer(network, PHOTOS / f"second_digit_beside_{label}.jpg") for label in range(10)]
    assert answers == ["00", "14", "25", "38", "44", "53", "66", "70", "85", "93"]
    assert read(PHOTOS / "second_digit_beside_1.jpg").warnings == (
        "2 digits, each answered on its own, from left to right",
    )


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    """The ten digits of the clean photographs, as MNIST has them."""
    return np.stack([as_mnist(read(PHOTOS / f"clean_{label}.jpg").digits[0].ink) for label in range(10)])


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_noise_sheets_and_ink_told_by_its_colour_alone_are_read(
    network: classifier.Trained, images: NDArray[np.uint8], tmp_path: Path, kind: str
) -> None:
    random = np.random.default_rng(3)
    answers = []
    for label in range(10):
        picture = photographs.photograph(kind, images[[label, 0]], random)
        picture.save(tmp_path / f"{label}.jpg", quality=90)
        answers.append(answer(network, tmp_path / f"{label}.jpg"))
    assert sum(str(label) == result for label, result in enumerate(answers)) >= 9, answers


def test_lines_are_told_from_strokes_that_cross_them() -> None:
    picture = Image.new("1", (200, 200))
    draw = ImageDraw.Draw(picture)
    for row in (40, 80, 120, 160):
        draw.line([(0, row), (199, row + 2)], fill=1, width=2)
    lines = np.asarray(picture).copy()
    draw.line([(100, 30), (100, 170)], fill=1, width=12)
    mask = np.asarray(picture)
    left = mask & ~printed_lines(mask)
    assert left[30:171, 96:105].all()
    assert not (left & lines)[:, :90].any()
    draw.line([(40, 60), (160, 60)], fill=1, width=3)  # the bar of a five, or of a seven
    assert not printed_lines(np.asarray(picture))[58:63].any()


def test_two_straight_strokes_are_no_frame_and_four_are() -> None:
    picture = Image.new("1", (200, 200))
    draw = ImageDraw.Draw(picture)
    draw.line([(50, 50), (150, 50), (50, 150), (150, 150)], fill=1, width=3)  # a two
    assert not printed_lines(np.asarray(picture)).any()
    draw.rectangle((20, 20, 180, 180), outline=1, width=3)
    result = printed_lines(np.asarray(picture))
    assert result[20:23, 40:160].all()
    assert not result[49:52, 60:140].any()


def test_pieces_make_digits_in_rows_from_left_to_right() -> None:
    mask = np.zeros((100, 120), dtype=bool)
    mask[10:40, 70:76] = True  # above, on the right
    mask[12:42, 10:16] = True  # above, on the left
    mask[14:18, 18:26] = True  # its bar
    mask[60:90, 40:46] = True  # below
    groups = grouped(pieces_of(mask))
    assert [sorted(piece.left for piece in group) for group in groups] == [[10, 18], [70], [40]]


def test_greys_come_from_the_lightness_unless_only_the_colour_tells_the_ink() -> None:
    paper, ink = np.array([150, 150, 150]) / 255, np.array([255, 102, 122]) / 255
    colours = np.tile(paper.astype(np.float32), (100, 100, 1))
    colours[30:70, 45:52] = ink
    greys = as_greys(colours)
    assert greys[10, 10] - greys[50, 48] > 0.3
    colours[30:70, 45:52] = 0.1
    assert as_greys(colours)[50, 48] == pytest.approx(0.1, abs=0.01)
    assert as_greys(colours[..., :1]) is not None


def test_small_pictures_keep_their_thin_strokes() -> None:
    thin = np.zeros((28, 28), dtype=np.float32)
    thin[5:23, 14] = 1
    assert np.array_equal(quieted(thin), thin)
