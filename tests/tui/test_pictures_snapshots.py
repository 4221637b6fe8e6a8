"""The drawings of a run's pictures as text, on a run whose predictions and map are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import safetensors.numpy

from lenet_tui.config import RunConfig
from lenet_tui.run.embedding import Embedding, Point
from lenet_tui.run.folder import RunFolder
from tests.tui.folders import finished
from tests.tui.test_details import LENET
from tests.tui.test_main import opened
from tests.tui.test_snapshots import SIZE_NAMES, SIZES, compare, settled, shown

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store import Store

WAYS = [
    ("pictures-matrix", ("v",), "most frequent errors"),
    ("pictures-loss", ("v", "2"), "lowest 0.3000"),
    ("pictures-map", ("v", "3"), "class images wrong"),
    ("details-confusion", ("enter", "4"), "most frequent errors"),
    ("details-layers", ("enter", "6"), "61,706"),
]


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
@pytest.mark.parametrize(("name", "keys", "words"), WAYS, ids=[way[0] for way in WAYS])
async def test_a_picture_looks_as_it_did(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], name: str,
    keys: tuple[str, ...], words: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("NO_COLOR", "1")
    make(tmp_path)
    async with opened(tmp_path, size) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 1)
        await bench.press("escape", "end")
        for key in keys:
            await bench.press(key)
        await bench.until(lambda: words in shown(bench, tmp_path))
        await settled(bench, tmp_path)
        lines = [line for line in shown(bench, tmp_path).splitlines() if "scp " not in line]
        compare(name, size, "\n".join(lines) + "\n")


def make(root: Path) -> None:
    """Put a finished run on record: a spiral for each class as its map, six images misclassified."""
    run, _ = finished(root, RunConfig(dataset="digits", epochs=4))
    folder = RunFolder(root / str(run.folder))
    points = []
    for image in range(400):
        label, angle = image % 10, image / 40
        x, y = 40 * np.cos(label * 0.628) + angle * np.cos(angle), 40 * np.sin(label * 0.628) + angle * np.sin(angle)
        points.append(Point(image, label, (label + 1) % 10 if image < 6 else label, float(x), float(y)))
    Embedding("test", tuple(points)).write(folder.embedding_path)
    weights = {f"{name}.{part}": np.zeros(shape, np.float32) for name, part, shape in LENET}
    safetensors.numpy.save_file(weights, folder.weights_path)
