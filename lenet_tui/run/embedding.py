"""The points of the t-SNE map, as ``t-SNE.csv`` keeps them beside the picture: to draw it again, here or elsewhere."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from lenet_tui.config import CLASSES
from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host import safe_files
from lenet_tui.host.safe_files import MB

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 5 * MB  # of 60,000 points
_COLUMNS = ("split", "image", "true", "predicted", "x", "y")
_MOST_IMAGES = 10_000_000
_LARGEST = 1e6  # t-SNE's places are some tens from the middle


class Point(NamedTuple):
    """An image by its number, its true and predicted class, and its place, ``y`` upwards."""

    image: int
    true: int
    predicted: int
    x: float
    y: float

    @property
    def is_wrong(self) -> bool:
        """Whether the image is misclassified."""
        return self.true != self.predicted


@dataclass(frozen=True)
class Embedding:
    """The points of a map, at least one, of images of ``split``."""

    split: Literal["test", "validation"]
    points: tuple[Point, ...]

    def write(self, path: Path) -> None:
        """Replace the file ``path``. Raises `LabError` when it cannot be written."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for point in self.points:
            writer.writerow((self.split, *point[:3], f"{point.x:.4f}", f"{point.y:.4f}"))
        safe_files.write_own(path, text.getvalue().encode())

    @classmethod
    def read(cls, path: Path) -> Embedding:
        """Read what `write` wrote, without numpy.

        Raises FileNotFoundError, and `LabError` when it is damaged, not ours or larger than any map.
        """
        content = safe_files.read_own(path, MOST_BYTES)
        try:
            rows = csv.reader(io.StringIO(content.decode("ascii"), newline=""), strict=True)
            if tuple(next(rows, ())) != _COLUMNS:
                raise ValueError(f"its columns are not {','.join(_COLUMNS)}")
            parsed = [(row[0] if row else "", _point(row)) for row in rows]
        except (UnicodeDecodeError, ValueError, csv.Error) as error:
            raise LabError(f"{path} is damaged: {printable(str(error))[:200]}") from None
        splits = {split for split, _ in parsed}
        if len(splits) != 1 or not splits <= {"test", "validation"}:
            raise LabError(f"{path} is damaged: its points are not all of the test or the validation set")
        return cls("test" if "test" in splits else "validation", tuple(point for _, point in parsed))


def _point(row: list[str]) -> Point:
    if len(row) != len(_COLUMNS):
        raise ValueError(f"a line has {len(row)} fields instead of {len(_COLUMNS)}")
    point = Point(int(row[1]), int(row[2]), int(row[3]), float(row[4]), float(row[5]))
    if not 0 <= point.image < _MOST_IMAGES or not {point.true, point.predicted} <= set(range(CLASSES)):
        raise ValueError("a line has an image or a class that does not exist")
    if not all(math.isfinite(value) and abs(value) <= _LARGEST for value in point[3:]):
        raise ValueError("a place is not a number")
    return point
