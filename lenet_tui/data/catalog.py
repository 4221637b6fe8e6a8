"""Names, sizes and checksums of each data set."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lenet_tui.config import CLASSES, DATASET_TITLES, TRAINABLE_IMAGES, DatasetName
from lenet_tui.errors import UsageError

DIGITS_IMAGES = 1797
DIGITS_TEST_IMAGES = 397
MIN_VAL_SIZE = CLASSES  # below that some class would have no validation image

DIGITS = tuple("0123456789")
# The ten classes where they are no digits.
CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "fashion-mnist": (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
    "kmnist": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
}  # fmt: skip
# Petroff 2021, "Accessible color sequences for data visualization", arXiv:2107.02270: distinct by
# people with any common colour vision deficiency.
CLASS_COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip


@dataclass(frozen=True)
class IdxFile:
    """One of the four files that MNIST and its drop-in replacements consist of."""

    name: str
    shape: tuple[int, ...]

    @property
    def length(self) -> int:
        """Bytes of the unpacked file: four of magic number, four a dimension, one a value."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)

    @property
    def is_labels(self) -> bool:
        """Whether the file holds labels, one a byte."""
        return len(self.shape) == 1


TRAIN_IMAGES = IdxFile("train-images-idx3-ubyte", (60_000, 28, 28))
TRAIN_LABELS = IdxFile("train-labels-idx1-ubyte", (60_000,))
TEST_IMAGES = IdxFile("t10k-images-idx3-ubyte", (10_000, 28, 28))
TEST_LABELS = IdxFile("t10k-labels-idx1-ubyte", (10_000,))
IDX_FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

# The name of the torchvision class, which is also the name of its folder.
TORCHVISION_CLASS: dict[str, str] = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}

# md5 of the unpacked files.
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}

# md5 of the .gz files as published, the same as torchvision's (a test compares them); repeated here so that a
# file can be recognised without the seconds that importing torchvision takes.
PUBLISHED_GZ_MD5: dict[str, dict[str, str]] = {
    "mnist": {
        "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
    },
    "kmnist": {
        "train-images-idx3-ubyte": "bdb82020997e1d708af4cf47b453dcf7",
        "train-labels-idx1-ubyte": "e144d726b3acfaa3e44228e80efcd344",
        "t10k-images-idx3-ubyte": "5c965bf0a639b31b8f53240b1b52f4d7",
        "t10k-labels-idx1-ubyte": "7320c461ea6c1c855c0b718fb2a4b134",
    },
}


def title(name: DatasetName) -> str:
    """Return the name of the data set as people write it."""
    return DATASET_TITLES[name]


def max_val_size(name: DatasetName) -> int:
    """Return how many images may be held out at most: as many as then remain to train on."""
    return TRAINABLE_IMAGES[name] // 2


def check_val_size(name: DatasetName, val_size: int) -> None:
    """Raise `UsageError` when ``val_size`` images cannot be held out of the data set. Needs no files."""
    if not MIN_VAL_SIZE <= val_size <= max_val_size(name):
        raise UsageError(
            f"--val-size {val_size} does not fit {title(name)}: "
            f"give a whole number from {MIN_VAL_SIZE} to {max_val_size(name)}"
        )
