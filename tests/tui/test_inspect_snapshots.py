"""The inspect screen as text, on a run whose errors and weights are made up so that every machine computes the same.

The t-SNE map is left out: its places differ in the last bits from machine to machine, and then by whole cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import safetensors.torch
import torch

from lenet_tui.config import RunConfig
from lenet_tui.run import folder as runfolder
from lenet_tui.run.predictions import Predictions
from lenet_tui.store import Store
from lenet_tui.training import models
from tests.reports.conftest import history, record
from tests.tui.test_main import opened
from tests.tui.test_snapshots import SIZE_NAMES, SIZES, compare, settled, shown

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.data.datasets import Dataset

WAYS = [
    ("inspect-errors", (), "1 of 9 · 9 of 397 test images"),  # the heading alone comes before the images
    ("inspect-matrix", ("m",), "choose a cell"),
    ("inspect-filters", ("3",), "filters 1"),
    ("inspect-draw", ("4", "space", "down", "down", "down", "right"), "network input"),
]


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
@pytest.mark.parametrize(("name", "keys", "words"), WAYS, ids=[way[0] for way in WAYS])
async def test_a_section_looks_as_it_did(
    tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], name: str,
    keys: tuple[str, ...], words: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("NO_COLOR", "1")  # characters say more than half blocks without their colours
    make(tmp_path, digits)
    async with opened(tmp_path, size) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 1)
        await bench.press("escape", "end", "i")
        await bench.until(lambda: "misclassified, most confident first" in shown(bench, tmp_path))
        for key in keys:
            await bench.press(key)
        await bench.until(lambda: words in shown(bench, tmp_path))
        await settled(bench, tmp_path)
        compare(name, size, shown(bench, tmp_path))


def make(root: Path, digits: Dataset) -> None:
    """Put a run on record that takes the first nine test images for the next class, the first one most surely."""
    config = RunConfig(dataset="digits")
    folder = runfolder.create(root, config)
    seen = record(config).dataset.model_copy(
        update={"checksum": digits.checksum, "mean": digits.mean, "std": digits.std}
    )
    folder.write_record(record(config).model_copy(update={"dataset": seen}))
    folder.write_metrics(history([0.9, 0.4], [0.8, 0.5]))
    labels = digits.test_labels.numpy()
    taken = np.where(np.arange(len(labels)) < 9, (labels + 1) % 10, labels)
    logits = (np.eye(10)[taken] * (8 - np.minimum(np.arange(len(labels)), 9) / 2)[:, None]).astype(np.float32)
    Predictions("test", labels, logits, np.ones((len(labels), 84), np.float32)).write(folder.predictions_path)
    # Ramps as filters and nothing else, so that no sum is rounded one way here and another way there.
    weights = {name: torch.zeros_like(tensor) for name, tensor in models.build(config).state_dict().items()}
    first = weights["features.0.weight"]
    first[:, 0] = torch.linspace(-1, 1, 25).reshape(5, 5)
    first[1::2] = -first[1::2]
    safetensors.torch.save_file(weights, folder.weights_path)
    with Store(root) as store:
        store.import_folder(folder)
