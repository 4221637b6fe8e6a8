"""Exports: the three pictures of a run, and a CSV file of many runs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tui.tui import subprocesses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store import Run


@dataclass(frozen=True)
class ExportResult:
    """The pictures written, why others were not (by file name), or the error in one line."""

    paths: tuple[Path, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


async def export(folder: Path) -> ExportResult:
    """Draw the pictures of the run in ``folder`` again, in another process. Errors are in the result."""
    folder = folder.absolute()
    if not folder.is_dir():
        return ExportResult(error=f"{folder} does not exist any more")
    ended = await subprocesses.run("lenet_tui", "export", str(folder), "--json")
    try:
        (document,) = json.loads(ended.output)["runs"]
        if "error" in document:
            return ExportResult(error=document["error"])
        return ExportResult(tuple(map(Path, document["pictures"])), document["skipped"])
    except (KeyError, TypeError, ValueError):
        return ExportResult(error=ended.complaint or "the command 'export' gave no answer")


# The results of a run, as columns of the CSV file; `used_*` is what hyperparameters at "auto" or 0 became.
_RESULTS: Mapping[str, Callable[[Run], Any]] = {
    "epochs_done": lambda run: run.epochs_done,
    "best_epoch": lambda run: run.best_epoch,
    "best_val_loss": lambda run: run.best_val_loss,
    "best_val_accuracy": lambda run: run.best_val_accuracy,
    "best_val_cross_entropy": lambda run: run.best_val_cross_entropy,
    "selected_epoch": lambda run: run.selected_epoch,
    "test_loss": lambda run: run.test_loss,
    "test_accuracy": lambda run: run.test_accuracy,
    "train_seconds": lambda run: run.train_seconds,
    "images_per_second": lambda run: run.images_per_second,
    "stopped_early": lambda run: run.stopped_early,
    "used_device": lambda run: run.device,
    "used_threads": lambda run: run.threads,
    "created_at": lambda run: run.created_at,
    "started_at": lambda run: run.started_at,
    "finished_at": lambda run: run.finished_at,
    "reason": lambda run: run.reason,
    "note": lambda run: run.note,
    "tags": lambda run: " ".join(run.tags),
}
_LAST_EPOCH = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")


def to_csv(runs: Sequence[Run], epochs_by_run: Mapping[int, Sequence[EpochMetrics]] | None = None) -> str:
    """Return one line for each run: number, state, folder, hyperparameters, results; floats in full, ISO 8601 times.

    ``epochs_by_run`` has the epochs of runs by their number; with it the metrics of the last epoch are added
    (``last_*``, empty where a run's epochs are not given).
    """
    from lenet_tui.config import hyperparameters

    names = [parameter.name for parameter in hyperparameters()]
    last = () if epochs_by_run is None else _LAST_EPOCH
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "state", "folder", *names, *_RESULTS, *(f"last_{name}" for name in last)])
    for run in runs:
        history = (epochs_by_run or {}).get(run.id, ())
        cells = [run.id, run.state, run.folder, *(run.values.get(name) for name in names)]
        cells += [result(run) for result in _RESULTS.values()]
        cells += [getattr(history[-1], name) if history else None for name in last]
        writer.writerow(map(_cell, cells))
    return text.getvalue()


def write_csv(
    root: Path,
    runs: Sequence[Run],
    epochs_by_run: Mapping[int, Sequence[EpochMetrics]] | None = None,
    moment: datetime | None = None,
) -> Path:
    """Write `to_csv` into ``<root>/runs-YYYYmmdd-HHMMSS.csv`` (``.2``, ``.3`` … where that is taken); return the path.

    ``moment`` is by default now, local time. Raises `LabError` when the file cannot be written.
    """
    from lenet_tui.errors import LabError
    from lenet_tui.host.named_files import write
    from lenet_tui.run.folder import numbered

    text = to_csv(runs, epochs_by_run)
    name = f"runs-{moment or datetime.now().astimezone():%Y%m%d-%H%M%S}"
    attempt = 1
    while True:
        path = root / f"{numbered(name, attempt)}.csv"
        try:
            path.touch(exist_ok=False)  # making is claiming, so that nothing is ever overwritten
            break
        except FileExistsError:
            attempt += 1
        except OSError as error:
            raise LabError(f"cannot write {path}: {error.strerror or error}") from None
    write(path, text.encode(errors="replace"))
    return path


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)
