"""The 1,797 handwritten digits that come with scikit-learn, in MNIST's size.

They are the test part of E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
Learning Repository, 1998: 8×8 images with values from 0 to 16.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.config import CLASSES
from lenet_tui.data.catalog import DIGITS_IMAGES
from lenet_tui.errors import DamagedFileError, DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SMALL, _LARGE, _BRIGHTEST = 8, 28, 16


def folder() -> Path | None:
    """Return the folder of scikit-learn's data files without importing it; None where it is not installed."""
    result = importlib.util.find_spec("sklearn")
    if result is None or not result.submodule_search_locations:
        return None
    return Path(result.submodule_search_locations[0]) / "datasets" / "data"


def arrays() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images (1797, 28, 28) uint8 and labels (1797,) uint8.

    Raises `DataError` when scikit-learn cannot be imported, `DamagedFileError` when its digits are not these.
    """
    try:
        import numpy as np
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError(f"digits come with scikit-learn, which cannot be imported: {error}") from None
    loaded = load_digits()
    images, labels = loaded.images.astype(np.int64), loaded.target
    if images.shape != (DIGITS_IMAGES, _SMALL, _SMALL) or images.min() < 0 or images.max() > _BRIGHTEST:
        raise DamagedFileError(f"scikit-learn's digits have changed: expected 1797×8×8 from 0 to 16 in {folder()}")
    if labels.shape != (DIGITS_IMAGES,) or set(labels.tolist()) != set(range(CLASSES)):
        raise DamagedFileError(f"scikit-learn's digits have changed: expected 1797 labels from 0 to 9 in {folder()}")
    return enlarge(images), labels.astype(np.uint8)


def enlarge(images: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return 8×8 images (N, 8, 8) of values 0 to 16 as (N, 28, 28) uint8 from 0 to 255, bilinearly.

    In whole numbers throughout, so that it comes out the same on every machine.
    """
    import numpy as np  # only those who use the digits wait for it

    weights = _weights()
    sums = weights @ images @ weights.T  # times 14², the sum of the weights along both axes
    scale = 14 * 14 * _BRIGHTEST
    return ((sums * 255 + scale // 2) // scale).astype(np.uint8)


def _weights() -> NDArray[np.int64]:
    """Return (28, 8): how many fourteenths of each small pixel make up a large one; rows add up to 14.

    The centre of large pixel i lies at (i + 1/2)·8/28 - 1/2 = (4i - 5)/14 in small pixels; edges are repeated.
    """
    import numpy as np

    weights = np.zeros((_LARGE, _SMALL), dtype=np.int64)
    for row in range(_LARGE):
        left, fraction = divmod(4 * row - 5, 14)
        weights[row, np.clip(left, 0, _SMALL - 1)] += 14 - fraction
        weights[row, np.clip(left + 1, 0, _SMALL - 1)] += fraction
    return weights


def checksum(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> str:
    """Return the sha256 of images and labels as they are used, hexadecimal."""
    return hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
