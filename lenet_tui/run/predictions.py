"""What the trained network says of each held-out image, and its form in ``predictions.npz``."""

from __future__ import annotations

import io
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from lenet_tui.config import CLASSES
from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host import safe_files
from lenet_tui.host.safe_files import MB

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


MOST_BYTES = 200 * MB  # 60,000 images with 512 features have 125

# How NumPy and zipfile report that a file is not theirs, or that an array claims to be huge.
_DAMAGE = (
    *(OSError, EOFError, MemoryError, NotImplementedError, OverflowError, RuntimeError, SyntaxError, TypeError),
    *(ValueError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True, eq=False)
class Predictions:
    """Labels, logits and penultimate features of one part of the data set.

    ``labels`` is (N,) int64 from 0 to 9, ``logits`` (N, 10) float32, ``features`` (N, F) float32: what the last
    layer sees. ``split`` is "test" for a finished run; a stopped one writes "validation", because the test set is
    used once, at the end. Raises ValueError when the shapes don't belong together.
    """

    split: Literal["test", "validation"]
    labels: NDArray[np.int64]
    logits: NDArray[np.float32]
    features: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.labels) if self.labels.ndim == 1 else 0
        if self.split not in ("test", "validation"):
            raise ValueError(f"split is {self.split!r} instead of test or validation")
        if count == 0 or not np.issubdtype(self.labels.dtype, np.integer):
            raise ValueError("labels are not a list of whole numbers")
        if self.labels.min() < 0 or self.labels.max() >= CLASSES:
            raise ValueError(f"labels are not all from 0 to {CLASSES - 1}")
        if not np.issubdtype(self.logits.dtype, np.floating) or not np.issubdtype(self.features.dtype, np.floating):
            raise ValueError("logits or features are not floating-point numbers")
        if self.logits.shape != (count, CLASSES):
            raise ValueError(f"logits are {self.logits.shape} instead of {(count, CLASSES)}")
        if self.features.ndim != 2 or len(self.features) != count or self.features.shape[1] == 0:
            raise ValueError(f"features are {self.features.shape} for {count} labels")

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The class of highest logit of each image, (N,) int64."""
        predicted: NDArray[np.int64] = self.logits.argmax(axis=1)
        return predicted

    @property
    def accuracy(self) -> float:
        """Share of images whose predicted class is the true one, from 0 to 1."""
        return float((self.predicted == self.labels).mean())

    def write(self, path: Path) -> None:
        """Replace the file ``path``. Raises `LabError` when it cannot be written."""
        content = io.BytesIO()
        np.savez(content, split=np.array(self.split), labels=self.labels, logits=self.logits, features=self.features)
        safe_files.write_own(path, content.getvalue())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote; nothing in the file is executed.

        Raises `LabError` when it is missing, damaged, not ours or larger than the predictions of any data set.
        """
        try:
            content = safe_files.read_own(path, MOST_BYTES)
        except FileNotFoundError:
            raise LabError(f"{path} is missing") from None
        safe_files.check_zip(path, content, MOST_BYTES)
        try:
            arrays: Any = np.load(io.BytesIO(content), allow_pickle=False)
            with arrays:
                return cls(
                    split=str(arrays["split"]),  # type: ignore[arg-type]  # checked by __post_init__
                    labels=arrays["labels"].astype(np.int64, casting="safe", copy=False),
                    logits=arrays["logits"].astype(np.float32, casting="same_kind", copy=False),
                    features=arrays["features"].astype(np.float32, casting="same_kind", copy=False),
                )
        except KeyError as error:
            raise LabError(f"{path} is damaged: it has no {printable(str(error.args[0]).split()[0])}") from None
        except _DAMAGE as error:
            why = printable(" ".join(str(error).split()))[:200]
            raise LabError(f"{path} is damaged: {why or 'it ends too early'}") from None
