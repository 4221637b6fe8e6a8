"""Data sets as tensors in memory, split into training, validation and test parts."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import torch

from lenet_tui.data import digits, idx, splits
from lenet_tui.data.catalog import (
    DIGITS_TEST_IMAGES,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    check_val_size,
    title,
)
from lenet_tui.data.locating import locate
from lenet_tui.data.progress import QUIET
from lenet_tui.data.sources import obtain_and, read_files, source_of
from lenet_tui.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from lenet_tui.config import DatasetName
    from lenet_tui.data.locating import Located
    from lenet_tui.data.progress import Progress

SAMPLE_SIZE = 5000


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in memory: images (N, 1, 28, 28) uint8 from 0 to 255, labels (N,) int64 from 0 to 9.

    ``source`` says in words where it is from; ``checksum`` is the sha256 of its content. ``sample`` holds the
    indices, (M,) int64, of the training images that are evaluated after each epoch: fixed, stratified, at most
    5,000. ``mean`` and ``std`` are those of the training part's pixels scaled to 0..1.
    """

    name: DatasetName
    source: str
    checksum: str
    train_images: Tensor
    train_labels: Tensor
    val_images: Tensor
    val_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    sample: Tensor
    mean: float
    std: float

    @property
    def sample_images(self) -> Tensor:
        """The images that are evaluated after each epoch, (M, 1, 28, 28) uint8."""
        return self.train_images[self.sample]

    @property
    def sample_labels(self) -> Tensor:
        """Their labels, (M,) int64."""
        return self.train_labels[self.sample]

    def to(self, device: torch.device) -> Dataset:
        """Return the same data set with its tensors on ``device``; itself where they are there already."""
        tensors = {
            f.name: getattr(self, f.name) for f in fields(self) if isinstance(getattr(self, f.name), torch.Tensor)
        }
        return replace(self, **{name: tensor.to(device) for name, tensor in tensors.items()})


def load(name: DatasetName, *, val_size: int, data_dir: Path | None = None, progress: Progress = QUIET) -> Dataset:
    """Return a data set, from this machine or fetched, verified and split.

    The split is stratified by class and depends on the data set and ``val_size`` only, never on a seed. Raises
    `UsageError` when ``val_size`` does not fit the data set, else as `lenet_tui.data.obtain` does.
    """
    check_val_size(name, val_size)
    return obtain_and(name, data_dir, progress, lambda located: _read(located, val_size))


def load_here(name: DatasetName, *, val_size: int, data_dir: Path | None = None) -> Dataset:
    """As `load`, but nothing is fetched: raises `DataError` where the data set is not on this machine."""
    check_val_size(name, val_size)
    located = locate(name, data_dir)
    if located is None:
        raise DataError(f"{title(name)} is not on this machine; 'lenet-tui data get {name}' fetches it")
    return _read(located, val_size)


def _read(located: Located, val_size: int) -> Dataset:
    if located.name == "digits":
        return _read_digits(located, val_size)
    digest, files, parts = sha256(), [], {}
    for file, content, verified in read_files(located):
        digest.update(content)
        files.append(verified)
        parts[file] = idx.parse(content, str(verified.path))
    return _split(
        located.name,
        source_of(located, files),
        digest.hexdigest(),
        parts.pop(TRAIN_IMAGES),
        parts.pop(TRAIN_LABELS),
        parts.pop(TEST_IMAGES),
        parts.pop(TEST_LABELS),
        val_size,
    )


def _read_digits(located: Located, val_size: int) -> Dataset:
    images, labels = digits.arrays()
    tested = splits.stratified(labels, DIGITS_TEST_IMAGES, splits.TEST_SEED)
    rest = splits.complement(tested, len(labels))
    checksum = digits.checksum(images, labels)
    return _split(
        located.name, located.origin, checksum, images[rest], labels[rest], images[tested], labels[tested], val_size
    )


def _split(
    name: DatasetName,
    source: str,
    checksum: str,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    test_images: NDArray[np.uint8],
    test_labels: NDArray[np.uint8],
    val_size: int,
) -> Dataset:
    held_out = splits.stratified(labels, val_size, splits.VALIDATION_SEED)
    kept = splits.complement(held_out, len(labels))
    train_images, train_labels = _images(images[kept]), labels[kept]
    mean, std = _mean_and_std(train_images)
    sample = splits.stratified(train_labels, min(SAMPLE_SIZE, len(kept)), splits.SAMPLE_SEED)
    return Dataset(
        name=name,
        source=source,
        checksum=checksum,
        train_images=train_images,
        train_labels=_labels(train_labels),
        val_images=_images(images[held_out]),
        val_labels=_labels(labels[held_out]),
        test_images=_images(test_images),
        test_labels=_labels(test_labels),
        sample=torch.from_numpy(sample),
        mean=mean,
        std=std,
    )


def _images(array: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(array).unsqueeze(1)


def _labels(array: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(array.astype(np.int64))


def _mean_and_std(images: Tensor) -> tuple[float, float]:
    """Return mean and standard deviation of uint8 pixels scaled to 0..1, exactly, without a copy of them."""
    counts = torch.bincount(images.flatten(), minlength=256).tolist()
    pixels = sum(counts)
    total = sum(value * count for value, count in enumerate(counts))
    squares = sum(value * value * count for value, count in enumerate(counts))
    variance = (pixels * squares - total * total) / (pixels * pixels)
    return total / pixels / 255, float(variance**0.5) / 255
