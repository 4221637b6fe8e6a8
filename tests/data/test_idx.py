from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lenet_tui.data import DamagedFileError, idx
from lenet_tui.data.torchvision_import import import_torchvision_datasets

if TYPE_CHECKING:
    from pathlib import Path

shapes = st.lists(st.integers(0, 5), min_size=1, max_size=4)


@given(shapes, st.randoms(use_true_random=False))
def test_what_was_written_is_read_back(shape: list[int], random: object) -> None:
    values = np.array([random.randrange(256) for _ in range(math.prod(shape))], np.uint8).reshape(shape)  # type: ignore[attr-defined]
    read = idx.parse(idx.header(shape) + values.tobytes(), "file")
    assert read.shape == tuple(shape)
    assert (read == values).all()


@given(shapes, st.data())
def test_any_other_length_than_the_stated_one_is_refused(shape: list[int], draw: st.DataObject) -> None:
    whole = idx.header(shape) + bytes(math.prod(shape))
    length = draw.draw(st.integers(0, len(whole) + 5).filter(lambda n: n != len(whole)))
    with pytest.raises(DamagedFileError, match=r"^some/file "):
        idx.parse((whole + bytes(5))[:length], "some/file")


def test_a_file_of_floats_is_refused_with_how_it_begins() -> None:
    with pytest.raises(DamagedFileError, match="begins with 00 00 0d 01, not 00 00 08"):
        idx.parse(b"\0\0\x0d\1" + b"\0\0\0\1" + b"\0\0\0\0", "floats")


def test_images_and_labels_are_what_torchvision_reads(tmp_path: Path) -> None:
    mnist = import_torchvision_datasets().mnist
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    labels = np.array([3, 1, 4, 1, 5], np.uint8)
    for name, values, read in (("i", images, mnist.read_image_file), ("l", labels, mnist.read_label_file)):
        path = tmp_path / name
        path.write_bytes(idx.header(values.shape) + values.tobytes())
        ours = torch.from_numpy(idx.parse(bytearray(path.read_bytes()), name))
        assert torch.equal(ours.long(), read(str(path)).long())
