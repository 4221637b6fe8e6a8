"""How many photographs of each kind are read right: MNIST's test images, drawn large with something wrong.

The network is the default LeNet run that lies beside the tests' photographs. Pictures are saved as JPEG in between.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy import ndimage  # type: ignore[import-untyped]

from benchmarks.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Greys = NDArray[np.float64]

RUN = Path(__file__).parents[1] / "tests" / "photos" / "run"
EACH = 40
SIDE = 280  # pixels of a plain picture
SCALE = 7.4  # pixels that one of MNIST's is drawn with
PAPER, INK = 216.0, 37.0


def measure() -> Iterator[Result]:
    """Yield what percentage of each kind is read right, all digits of a picture, and how many have a warning."""
    from lenet_tui.cli.predict import classify
    from lenet_tui.data import datasets
    from lenet_tui.errors import LabError
    from lenet_tui.handwriting import read
    from lenet_tui.inspection import classifier
    from lenet_tui.run.folder import RunFolder

    network = classifier.load(RunFolder(RUN))
    data = datasets.load("mnist", val_size=5000)
    images, labels = data.test_images[:, 0].numpy(), data.test_labels.tolist()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        for place, kind in enumerate([*KINDS, *COLOURS]):
            right = warned = unnoticed = 0
            for number in range(EACH):
                random = np.random.default_rng([place, number])
                chosen = random.integers(len(images), size=2)
                photograph(kind, images[chosen], random).save(path, quality=88)
                wanted = [labels[own] for own in (chosen if kind == "second_digit_beside" else chosen[:1])]
                try:
                    answer, _ = classify(network, read(path))
                    is_right = [digit["class"] for digit in answer["digits"]] == wanted
                    has_warning = any(digit["warnings"] for digit in answer["digits"])
                except LabError:
                    is_right, has_warning = False, True
                right, warned = right + is_right, warned + has_warning
                unnoticed += not is_right and not has_warning
            detail = f"of {EACH}; {warned} with a warning, {unnoticed} wrong without one"
            yield Result(f"{kind}, % right", 100 * right / EACH, 90.0, detail, at_least=True)


def strokes(image: NDArray[np.uint8], scale: float = SCALE) -> Greys:
    """Return an image of MNIST (28, 28) drawn large: how much ink is on each pixel, from 0 to 1, with soft edges."""
    large = Image.fromarray(image).resize((round(28 * scale),) * 2, Image.Resampling.BICUBIC)
    share = np.asarray(large, dtype=np.float64) / 255
    return np.clip((share - 0.5) * scale / 1.5 + 0.5, 0, 1)


def on_paper(ink: Greys, paper: Greys | float = PAPER, black: float = INK) -> Greys:
    """Return the greys of ink (H, W) on paper; a shadow on the paper lies on the ink as well."""
    ground = np.broadcast_to(np.asarray(paper, dtype=np.float64), ink.shape)
    return ground * (1 - ink * (1 - black / PAPER))


def placed(image: NDArray[np.uint8], random: np.random.Generator, scale: float = SCALE) -> Greys:
    """Return the ink of a plain picture, with the digit within a tenth of the side of its middle."""
    ink = np.zeros((SIDE, SIDE))
    own = strokes(image, scale)
    free = SIDE - len(own)
    top, left = (int(np.clip(free // 2 + random.integers(-28, 29), 0, free)) for _ in range(2))
    ink[top : top + len(own), left : left + len(own)] = own
    return ink


def _cropped(image: NDArray[np.uint8], margin: int) -> Greys:
    ink = np.pad(strokes(image), margin)
    rows, columns = np.flatnonzero((ink > 0.5).any(axis=1)), np.flatnonzero((ink > 0.5).any(axis=0))
    return ink[rows[0] - margin : rows[-1] + 1 + margin, columns[0] - margin : columns[-1] + 1 + margin]


def _lines(random: np.random.Generator, grey: float, spacing: int, *, both: bool = False) -> Greys:
    paper = np.full((SIDE, SIDE), PAPER)
    for axis in range(1 + both):
        lines = np.swapaxes(paper, 0, axis)
        for position in np.arange(random.uniform(0, spacing), SIDE, spacing):
            first = int(position)
            lines[first] = np.minimum(lines[first], grey)
            lines[min(first + 1, SIDE - 1)] = np.minimum(lines[min(first + 1, SIDE - 1)], (grey + PAPER) / 2)
    return paper


def _distance(random: np.random.Generator, *, tilt: float = 0.0) -> Greys:
    """Return how far each pixel is beyond a line through the picture, in pixels, the line at any side."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    angle = random.integers(4) * np.pi / 2 + random.uniform(-tilt, tilt)
    return (x - SIDE / 2) * np.cos(angle) + (y - SIDE / 2) * np.sin(angle)


def _corner_distance(random: np.random.Generator) -> Greys:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    return np.hypot(x - SIDE * random.integers(2), y - SIDE * random.integers(2))


def _clean(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    return on_paper(placed(image, random), 255.0, 0.0)


def _crop_margin_6px(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    return on_paper(_cropped(image, int(random.integers(3, 8))))


def _tight_crop(image: NDArray[np.uint8], _: np.random.Generator) -> Greys:
    return on_paper(_cropped(image, 0))


def _light_on_dark(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    return 254 - on_paper(placed(image, random))


def _lined_paper(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    return on_paper(placed(image, random), _lines(random, 185, 40))


def _lined_strong(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    return on_paper(placed(image, random), _lines(random, random.uniform(80, 130), int(random.integers(25, 50))))


def _grid_strong(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    spacing = int(random.integers(18, 35))
    return on_paper(placed(image, random), _lines(random, random.uniform(90, 140), spacing, both=True))


def _in_a_box(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    picture = on_paper(placed(image, random))
    margin, width = int(random.integers(5, 25)), int(random.integers(2, 5))
    outer, inner = np.zeros_like(picture, dtype=bool), np.zeros_like(picture, dtype=bool)
    outer[margin:-margin, margin:-margin] = True
    inner[margin + width : -margin - width, margin + width : -margin - width] = True
    picture[outer & ~inner] = INK
    return picture


def _noise_020(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    return on_paper(placed(image, random)) + random.normal(0, 30, (SIDE, SIDE))


def _noise_strong(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    return on_paper(placed(image, random)) + random.normal(0, random.uniform(40, 80), (SIDE, SIDE))


def _salt_and_pepper(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    picture = on_paper(placed(image, random))
    struck = random.random(picture.shape) < random.uniform(0.02, 0.25)
    return np.where(struck, random.choice([0.0, 255.0], picture.shape), picture)


def _pencil_faint(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    return on_paper(placed(image, random), PAPER, random.uniform(150, 180))


def _rotated_15(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    angle = 15.0 * random.choice([-1, 1])
    return on_paper(np.clip(ndimage.rotate(placed(image, random), angle, reshape=False, order=1), 0, 1))


def _small_in_corner(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    ink = np.zeros((SIDE, SIDE))
    own = strokes(image, random.uniform(1.1, 2.0))
    top, left = (int(random.choice([5, SIDE - len(own) - 5])) for _ in range(2))
    ink[top : top + len(own), left : left + len(own)] = own
    return on_paper(ink)


def _stain(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    spot = np.exp(-((_corner_distance(random) - 80) ** 2) / 800) * random.uniform(0.1, 0.25)
    return on_paper(placed(image, random)) * (1 - spot)


def _vignette(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    return on_paper(placed(image, random), PAPER * (1 - random.uniform(0.1, 0.25) * (x * x + y * y)))


def _hard_shadow(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    beyond = _distance(random, tilt=0.5) + random.uniform(-60, 60)
    shade = 1 / (1 + np.exp(-beyond / random.uniform(1, 6)))
    return on_paper(placed(image, random), PAPER * (1 - random.uniform(0.2, 0.5) * shade))


def _dark_edge_of_table(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    picture = on_paper(placed(image, random, 6.0))
    table = _distance(random, tilt=0.08) > SIDE * random.uniform(0.36, 0.46)
    picture[table] = (random.uniform(20, 100) + random.normal(0, 3, picture.shape))[table]
    return picture


def _sheet_on_a_table(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    picture = on_paper(placed(image, random, 5.5))
    margin = random.integers(12, 40, 4)
    sheet = np.zeros(picture.shape, dtype=bool)
    sheet[margin[0] : -margin[1], margin[2] : -margin[3]] = True
    return np.where(sheet, picture, random.uniform(30, 110) + random.normal(0, 3, picture.shape))


def _thumb_corner(image: NDArray[np.uint8], random: np.random.Generator) -> Greys:
    picture = on_paper(placed(image, random, 6.0))
    return np.where(_corner_distance(random) < random.uniform(45, 80), random.uniform(90, 160), picture)


def _second_digit_beside(image: NDArray[np.uint8], random: np.random.Generator, other: NDArray[np.uint8]) -> Greys:
    first, second = _cropped(image, 0), _cropped(other, 0)
    gap = int(random.integers(25, 90))
    ink = np.zeros((SIDE, first.shape[1] + gap + second.shape[1] + 80))
    for part, left in ((first, 40), (second, 40 + first.shape[1] + gap)):
        top = (SIDE - len(part)) // 2 + int(random.integers(-10, 11))
        ink[top : top + len(part), left : left + part.shape[1]] = part
    return on_paper(ink)


KINDS: dict[str, Callable[..., Greys]] = {
    function.__name__[1:]: function
    for function in (
        _clean,
        _crop_margin_6px,
        _dark_edge_of_table,
        _grid_strong,
        _hard_shadow,
        _in_a_box,
        _light_on_dark,
        _lined_paper,
        _lined_strong,
        _noise_020,
        _noise_strong,
        _pencil_faint,
        _rotated_15,
        _salt_and_pepper,
        _second_digit_beside,
        _sheet_on_a_table,
        _small_in_corner,
        _stain,
        _thumb_corner,
        _tight_crop,
        _vignette,
    )
}
# Ink with the grey of the paper, which differs in colour alone: paper and ink.
COLOURS = {
    "red_on_grey": ((150, 150, 150), (255, 102, 122)),
    "blue_on_green": ((120, 190, 120), (150, 150, 255)),
    "orange_on_cyan": ((140, 200, 200), (240, 164, 120)),
}


def photograph(kind: str, images: NDArray[np.uint8], random: np.random.Generator) -> Image.Image:
    """Return a picture of ``kind`` of the first of ``images`` (2, 28, 28); the second may be beside it."""
    if kind in COLOURS:
        ink = placed(images[0], random)[..., np.newaxis]
        paper, pen = (np.array(colour, dtype=np.float64) for colour in COLOURS[kind])
        return _picture(paper * (1 - ink) + pen * ink, random)
    more = {"other": images[1]} if kind == "second_digit_beside" else {}
    greys = KINDS[kind](images[0], random, **more)
    return _picture(greys, random)


def _picture(values: Greys, random: np.random.Generator) -> Image.Image:
    noisy = values + random.normal(0, 1.2, values.shape)
    return Image.fromarray(np.rint(noisy).clip(0, 255).astype(np.uint8))
