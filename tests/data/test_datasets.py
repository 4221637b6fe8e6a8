from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lenet_tui import data
from lenet_tui.data import datasets, digits, splits
from lenet_tui.data.catalog import IDX_FILES
from lenet_tui.errors import UsageError
from tests.data.conftest import write_files


@pytest.fixture(scope="module")
def loaded() -> datasets.Dataset:
    return datasets.load("digits", val_size=200)


def counts(labels: torch.Tensor) -> list[int]:
    return torch.bincount(labels, minlength=10).tolist()


def test_digits_have_the_parts_that_were_promised(loaded: datasets.Dataset) -> None:
    assert loaded.train_images.shape == (1200, 1, 28, 28)
    assert loaded.val_images.shape == (200, 1, 28, 28)
    assert loaded.test_images.shape == (397, 1, 28, 28)
    for images in (loaded.train_images, loaded.val_images, loaded.test_images):
        assert images.dtype == torch.uint8
        assert images.max() == 255
    for labels in (loaded.train_labels, loaded.val_labels, loaded.test_labels, loaded.sample):
        assert labels.dtype == torch.int64
    assert sorted(loaded.sample.tolist()) == list(range(1200))  # fewer than 5,000, so all of them
    assert loaded.source == "scikit-learn"


def test_no_digit_is_lost_or_in_two_parts(loaded: datasets.Dataset) -> None:
    images, labels = digits.arrays()
    parts = torch.cat([loaded.train_images, loaded.val_images, loaded.test_images]).flatten(1)
    assert sorted(row.tobytes() for row in parts.numpy()) == sorted(image.tobytes() for image in images)
    assert (
        counts(torch.cat([loaded.train_labels, loaded.val_labels, loaded.test_labels])) == np.bincount(labels).tolist()
    )


def test_each_part_of_digits_keeps_the_share_of_each_class(loaded: datasets.Dataset) -> None:
    everything = np.bincount(digits.arrays()[1]).tolist()
    assert counts(loaded.test_labels) == splits.allocate(everything, 397)
    rest = [all_of - tested for all_of, tested in zip(everything, counts(loaded.test_labels), strict=True)]
    assert counts(loaded.val_labels) == splits.allocate(rest, 200)


def test_a_label_stays_with_its_image(loaded: datasets.Dataset) -> None:
    images, labels = digits.arrays()
    existing = {image.tobytes(): int(label) for image, label in zip(images, labels, strict=True)}
    for part, part_labels in (
        (loaded.train_images, loaded.train_labels),
        (loaded.val_images, loaded.val_labels),
        (loaded.test_images, loaded.test_labels),
    ):
        assert [existing[image.numpy().tobytes()] for image in part] == part_labels.tolist()


def test_the_test_part_does_not_depend_on_the_validation_part(loaded: datasets.Dataset) -> None:
    other = datasets.load("digits", val_size=50)
    assert torch.equal(other.test_images, loaded.test_images)
    assert len(other.val_images) == 50
    assert len(other.train_images) == 1350
    assert other.checksum == loaded.checksum


def test_loading_twice_gives_the_same_whatever_the_random_state(loaded: datasets.Dataset) -> None:
    torch.manual_seed(5)
    np.random.seed(5)
    again = datasets.load("digits", val_size=200)
    assert torch.equal(again.val_images, loaded.val_images)
    assert torch.equal(again.sample, loaded.sample)


def test_mean_and_std_are_those_of_the_training_pixels(loaded: datasets.Dataset) -> None:
    pixels = loaded.train_images.double() / 255
    assert loaded.mean == pytest.approx(pixels.mean().item(), rel=1e-12)
    assert loaded.std == pytest.approx(pixels.std(unbiased=False).item(), rel=1e-12)


def test_enlarging_is_bilinear() -> None:
    small = np.random.default_rng(0).integers(0, 17, (3, 8, 8))
    wanted = torch.nn.functional.interpolate(
        torch.from_numpy(small).double().unsqueeze(1) * 255 / 16, size=(28, 28), mode="bilinear", align_corners=False
    ).squeeze(1)
    difference = torch.from_numpy(digits.enlarge(small)).double() - wanted
    assert difference.abs().max() <= 0.5 + 1e-9


def test_a_validation_part_that_does_not_fit_is_refused_before_anything_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--val-size 30001 does not fit MNIST"):
        datasets.load("mnist", val_size=30_001, data_dir=tmp_path / "none")


def test_files_become_tensors_with_the_same_values(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    folder = write_files(tmp_path / "mine", fashion)
    loaded = datasets.load("fashion-mnist", val_size=1003, data_dir=folder)
    assert loaded.train_images.shape == (58_997, 1, 28, 28)
    assert counts(loaded.val_labels) == [101, 101, 101, 100, 100, 100, 100, 100, 100, 100]
    assert counts(loaded.train_labels[loaded.sample]) == [500] * 10
    assert loaded.test_labels.tolist() == list(fashion[IDX_FILES[3].name][8:])
    assert loaded.checksum == data.verify("fashion-mnist", folder).checksum
    assert "no checksum is published" in loaded.source
    assert loaded.mean == pytest.approx(7 / 255)
    assert loaded.std == 0


def test_a_damaged_file_never_becomes_tensors(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    folder = write_files(tmp_path / "mine", fashion)
    with pytest.raises(data.DamagedFileError, match="train-images-idx3-ubyte is not MNIST's"):
        datasets.load("mnist", val_size=5000, data_dir=folder)


REAL = """
import re, sys, time
from pathlib import Path
from lenet_tui.data import datasets
began = time.perf_counter()
loaded = datasets.load("mnist", val_size=5000, data_dir=Path(sys.argv[1]))
seconds = time.perf_counter() - began
# Not getrusage: what it tells of a process begins with the size of the one that started it.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(len(loaded.train_images), loaded.val_labels.bincount().tolist(), round(loaded.mean, 3), round(loaded.std, 3))
print(loaded.train_labels[:5].tolist(), loaded.test_labels[:5].tolist(), len(loaded.sample))
print(seconds)
print(peak)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process's memory is read from /proc")
def test_the_real_mnist_is_read_quickly_within_700_mb(mnist_dir: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REAL, str(mnist_dir)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    sizes, firsts, seconds, peak = done.stdout.splitlines()
    assert sizes == "55000 [494, 562, 496, 511, 487, 452, 493, 522, 487, 496] 0.131 0.308"
    assert firsts.endswith("[7, 2, 1, 0, 4] 5000")
    assert float(seconds) < 5  # a quarter of a second on an idle machine
    assert float(peak) < 700
