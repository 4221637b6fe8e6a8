"""Small run folders as a run leaves them, and a look into the pictures drawn from them."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from lenet_tui.config import RunConfig
from lenet_tui.run import folder as runfolder
from lenet_tui.run.folder import DatasetRecord, RunFolder, RunRecord
from lenet_tui.run.metrics import EpochMetrics
from lenet_tui.run.predictions import Predictions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


def history(train: Sequence[float], validation: Sequence[float]) -> list[EpochMetrics]:
    """Epochs with these losses and nothing else of interest."""
    return [
        EpochMetrics(epoch, t, v, 0.9, 0.9, 0.001, 1.5, 0.9 * t, 0.9, v)
        for epoch, (t, v) in enumerate(zip(train, validation, strict=True), start=1)
    ]


LEARNING = history([1 / e for e in range(1, 13)], [0.2 + 1 / e for e in range(1, 13)])
OVERFITTING = history([1 / e for e in range(1, 13)], [0.2 + abs(e - 5) / 20 for e in range(1, 13)])


def record(config: RunConfig, *, dataset: str | None = None, fallback_for: str | None = None) -> RunRecord:
    """The record of a finished run of ``config``."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return RunRecord(
        state="finished",
        config=config,
        threads=1,
        device="cpu",
        environment={"torch": "2.6.0"},
        created_at=moment,
        started_at=moment,
        dataset=DatasetRecord(
            name=dataset or config.dataset,
            source="test",
            checksum="c0ffee",
            train=100,
            validation=20,
            test=20,
            fallback_for=fallback_for,
        ),
    )


def predictions(count: int = 120, *, wrong: int = 6, split: str = "test", width: int = 12) -> Predictions:
    """Predictions of ``count`` images in ten clear clusters, the first ``wrong`` of them as the next class."""
    random = np.random.default_rng(7)
    labels = np.arange(count) % 10
    predicted = labels.copy()
    predicted[:wrong] = (predicted[:wrong] + 1) % 10
    logits = (5 * np.eye(10)[predicted]).astype(np.float32)
    features = random.normal(0, 5, (10, width))[labels] + random.normal(0, 1, (count, width))
    return Predictions(split, labels, logits, features.astype(np.float32))  # type: ignore[arg-type]


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., RunFolder]:
    """Make a run folder below ``tmp_path``, with as much in it as is given."""

    def make(
        config: RunConfig | None = None,
        *,
        rows: Sequence[EpochMetrics] = LEARNING,
        predicted: Predictions | None = None,
        fallback_for: str | None = None,
    ) -> RunFolder:
        config = config or RunConfig()
        folder = runfolder.create(tmp_path, config)
        folder.write_record(record(config, fallback_for=fallback_for))
        if rows:
            folder.write_metrics(rows)
        if predicted is not None:
            predicted.write(folder.predictions_path)
        return folder

    return make


def opened(png: bytes | Path) -> Image.Image:
    """The decoded picture."""
    image = Image.open(io.BytesIO(png) if isinstance(png, bytes) else png)
    image.load()
    return image


def pixels(png: bytes | Path) -> NDArray[np.int64]:
    """The picture as (height, width, 3) values from 0 to 255."""
    return np.asarray(opened(png).convert("RGB")).astype(np.int64)


def share_of_colour(png: bytes | Path, colour: str) -> float:
    """Share of the pixels that have nearly this colour."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return float((np.abs(pixels(png) - wanted).max(axis=2) <= 3).mean())
