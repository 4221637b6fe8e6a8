"""The three pictures that a run hands in, drawn from its folder alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui import runfolder
from lenet_tui.predictions import Predictions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lenet_tui.runfolder import RunFolder


class NotDrawable(Exception):  # noqa: N818 - not an error: the run is just not that far
    """There is nothing to draw yet; the message says what is missing."""


@dataclass(frozen=True)
class Report:
    """What became of one picture: written to ``path``, or left out for the reason in ``skipped``."""

    path: Path
    skipped: str | None = None

    def __str__(self) -> str:
        """Say it in one line for people."""
        return f"{self.path} not drawn: {self.skipped}" if self.skipped else f"wrote {self.path}"


def write_all(folder: RunFolder) -> list[Report]:
    """Draw the pictures of ``folder`` from its run.json, metrics.csv and predictions.npz; return what became of each.

    A picture whose input isn't there yet is skipped, and an older one of its name is left alone. Raises `LabError`
    when the folder isn't a run, one of its files is damaged, or a picture can't be written.
    """
    record = folder.read_record()
    history = folder.read_metrics()
    predictions = Predictions.read(folder.predictions_path) if folder.predictions_path.exists() else None

    # matplotlib and scikit-learn take a second to import, which only those who draw should wait for.
    from lenet_tui.reports import confusion, loss, tsne

    drawings: dict[str, Callable[[], bytes]] = {
        "confusion.png": lambda: confusion.draw(record, _present(predictions)),
        "loss.png": lambda: loss.draw(record, history),
        "t-SNE.png": lambda: tsne.draw(record, _present(predictions)),
    }
    return [_write(folder.path / name, drawings[name]) for name in runfolder.PICTURES]


def _write(path: Path, draw: Callable[[], bytes]) -> Report:
    try:
        runfolder.write_bytes(path, draw())
    except NotDrawable as reason:
        return Report(path, str(reason))
    return Report(path)


def _present(predictions: Predictions | None) -> Predictions:
    if predictions is None:
        raise NotDrawable("predictions.npz is not there yet")
    return predictions
