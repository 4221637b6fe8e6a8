"""What the drawings of a run are made from, read from its folder without numpy in the app's process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lenet_tui.data.catalog import CLASS_NAMES, DIGITS
from lenet_tui.errors import LabError
from lenet_tui.run.embedding import Embedding
from lenet_tui.run.folder import RunFolder
from lenet_tui.tui import subprocesses
from lenet_tui.tui.curves.charts import Curve
from lenet_tui.tui.details import confusion_table
from lenet_tui.tui.runs import columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lenet_tui.store import Run
    from lenet_tui.tui.details.confusion_table import Confusion


async def confusion(folder: Path) -> Confusion:
    """Return the confusion matrix. Raises `LabError` with the reason where there is none."""
    if not await asyncio.to_thread((folder / "predictions.npz").exists):
        raise LabError("predictions.npz is not there yet: it is written when the run ends")
    ended = await subprocesses.run("lenet_tui.tui.details.read_predictions", str(folder.absolute()))
    if not ended.output:
        raise LabError(f"the predictions could not be read: {ended.complaint}")
    return confusion_table.parse(ended.output)


async def curve(folder: Path, run: Run | None) -> Curve:
    """Return the curve of the epochs that are done. Raises `LabError` where there are none."""
    return await asyncio.to_thread(_curve, RunFolder(folder), run)


def _curve(folder: RunFolder, run: Run | None) -> Curve:
    epochs = tuple(folder.read_metrics())
    if not epochs:
        raise LabError("no epoch is done yet")
    if run is not None:
        return Curve(run.id, f"{run.id} {columns.name(run)}", epochs, int(run.values["epochs"]))
    try:
        total = folder.read_record().config.epochs
    except LabError:  # its epochs can be drawn without it
        total = len(epochs)
    return Curve(1, folder.path.name, epochs, total)


async def embedding(folder: Path) -> tuple[Embedding, Sequence[str]]:
    """Return the t-SNE map and the names of the ten classes. Raises `LabError` where it is not stored."""
    return await asyncio.to_thread(_embedding, RunFolder(folder))


def _embedding(folder: RunFolder) -> tuple[Embedding, Sequence[str]]:
    try:
        stored = Embedding.read(folder.embedding_path)
    except FileNotFoundError:  # of a version that did not store it
        raise LabError("this run has no t-SNE.csv, so this is t-SNE.png; e draws both again") from None
    try:
        return stored, CLASS_NAMES.get(folder.read_record().dataset.name, DIGITS)
    except LabError:  # show the map without names
        return stored, DIGITS
