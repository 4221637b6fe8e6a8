"""The three pictures of a run, drawn from its folder alone."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError, NotDrawable
from lenet_tui.formatting import printable
from lenet_tui.host import safe_files
from lenet_tui.reports import matplotlib_import
from lenet_tui.run import folder as runfolder
from lenet_tui.run.predictions import Predictions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lenet_tui.run.folder import RunFolder

# Here, since every drawing imports this package before matplotlib.
matplotlib_import.prepare()

_LONGEST = 300  # characters of a reason


@dataclass(frozen=True)
class Report:
    """The outcome of one picture: written to ``path``, or left out for the reason in ``skipped``.

    ``failed`` tells an error from a run that is not that far.
    """

    path: Path
    skipped: str | None = None
    failed: bool = False

    def __str__(self) -> str:
        """Say it in one line for people."""
        return f"{self.path} not drawn: {self.skipped}" if self.skipped else f"wrote {self.path}"


def write_all(folder: RunFolder) -> list[Report]:
    """Draw the pictures of ``folder`` from its run.json, metrics.csv and predictions.npz; return the outcome of each.

    The points of the map in t-SNE.png are written into t-SNE.csv.

    A picture whose input isn't there yet is skipped, and an older one of its name is left alone. Whatever goes wrong
    with one picture is its report, with the details in ``log.txt``: the others are drawn, and no result is lost for a
    picture. Raises `LabError` when the folder isn't a run.
    """
    record = folder.read_record()

    @cache
    def predictions() -> Predictions:
        if not folder.predictions_path.exists():
            raise NotDrawable("predictions.npz is not there yet")
        return Predictions.read(folder.predictions_path)

    # matplotlib and scikit-learn take a second to import, which only those who draw should wait for.
    def confusion() -> bytes:
        from lenet_tui.reports import confusion

        return confusion.draw(record, predictions())

    def loss() -> bytes:
        from lenet_tui.reports import loss

        return loss.draw(record, folder.read_metrics())

    def tsne() -> bytes:
        from lenet_tui.reports import tsne

        arrangement = tsne.arranged(record, predictions())
        # First, so that a map that is drawn has its points.
        tsne.embedding(predictions(), arrangement).write(folder.embedding_path)
        return tsne.draw(record, predictions(), arrangement)

    drawings = {"confusion.png": confusion, "loss.png": loss, "t-SNE.png": tsne}
    return [_write(folder, folder.path / name, drawings[name]) for name in runfolder.PICTURES]


def _write(folder: RunFolder, path: Path, draw: Callable[[], bytes]) -> Report:
    try:
        matplotlib_import.load()
        safe_files.write_own(path, draw())
    except NotDrawable as reason:
        return Report(path, str(reason))
    except LabError as error:
        return Report(path, str(error), failed=True)
    except Exception as error:  # noqa: BLE001 - of matplotlib, scikit-learn, fonts: all of them cost this picture only
        folder.log(f"{path.name} could not be drawn\n{traceback.format_exc()}")
        return Report(path, printable(f"internal error: {error!r}; log.txt has the details")[:_LONGEST], failed=True)
    return Report(path)
