"""The texts and rows of the details screen; pure, without Textual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from lenet_tui.errors import LabError
from lenet_tui.formatting import counted, duration, loss, percent, printable, speed
from lenet_tui.host.safe_files import is_own_file, tail_own
from lenet_tui.run import metrics
from lenet_tui.tui.widgets import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from lenet_tui.run.folder import RunRecord
    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store import Run

BEST, SELECTED = "◆", "✓"
LEGEND = f"{BEST} lowest val loss  {SELECTED} best epoch (tested)  sample: train set after the epoch  CE: cross-entropy"
# Heading and width of each column; together they fit 80 columns with a scroll bar.
EPOCH_COLUMNS = (
    *(("", 3), ("epoch", 6), ("train\nloss", 8), ("sample\nloss", 8), ("val\nloss", 8), ("val\nCE", 8)),
    *(("train\nacc %", 8), ("sample\nacc %", 8), ("val\nacc %", 8), ("lr", 8), ("time", 6)),
)
LOG_BYTES = 64 * 1024


@dataclass(frozen=True)
class FolderFiles:
    """What is in a run's folder: its record or why that cannot be read, and the names of its pictures."""

    record: RunRecord | None = None
    trouble: str = ""
    pictures: tuple[str, ...] = ()


def headline(run: Run) -> str:
    """Return ``run 12 · lenet/bs64_lr0.001 · finished``."""
    return printable(" · ".join(part for part in (f"run {run.id}", run.folder or "", state(run)) if part))


def state(run: Run) -> str:
    """Return the state of the run, with the reason when there is one."""
    epochs = run.values.get("epochs", "?")
    if run.state == "running":
        text = f"{'stopping' if run.is_stop_requested else 'running'}, {run.epochs_done} of {epochs} epochs done"
    elif run.waiting:
        text = f"{run.state}, number {run.place} in the queue" if run.place else run.state
    else:
        text = run.state + (" early: patience ran out" if run.state == "finished" and run.stopped_early else "")
    return f"{text}: {run.reason}" if run.reason else text


def configuration(run: Run, *, everything: bool) -> Table | Text:
    """Return the hyperparameters that are not at their default, or all of them, each with what it means."""
    from lenet_tui.config import hyperparameters

    try:
        config = run.config
    except LabError as error:
        values = "\n".join(f"{name}  {value}" for name, value in run.values.items())
        return Text(plain_text.lines(f"{error}\n\nas stored:\n{values}"))
    changed = config.changed()
    table = Table.grid(padding=(0, 2), expand=True)
    for ratio in (None, None, None, 1):
        table.add_column(ratio=ratio, overflow="fold")
    group = ""
    for parameter in hyperparameters() if everything else (h for h in hyperparameters() if h.name in changed):
        if everything and parameter.group != group:
            group = parameter.group
        differs = parameter.name in changed
        default = parameter.default(vars(config))
        note = f" (default {_value(default)})" if differs else ""
        table.add_row(
            "*" if differs else " ",
            Text(parameter.name, style="bold" if differs else ""),
            Text(_value(getattr(config, parameter.name)), style="bold" if differs else ""),
            Text(parameter.help + note, style="dim"),
        )
    whole = Table.grid(expand=True)
    whole.add_row(Text(config.title(), style="bold"))
    if everything:
        whole.add_row(Text("every hyperparameter; * differs from its default", style="dim"))
    else:
        text = (
            "what differs from the defaults; a shows every hyperparameter" if changed else "the default configuration"
        )
        whole.add_row(Text(text, style="dim"))
    whole.add_row("")
    whole.add_row(table)
    return whole


def result(run: Run, root: Path, files: FolderFiles | None) -> Table:
    """Return results and where they were computed; ``files`` is None while the folder is being read."""
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(min_width=12, max_width=20, overflow="fold")  # names in a record may be of any length
    table.add_column(ratio=1, overflow="fold")
    for label, value in _result_rows(run, root, files):
        table.add_row(Text(printable(label), style="dim"), Text(printable(value)))
    return table


def side_by_side(configuration: Table | Text, layers: Table | None, result: Table) -> Table:
    """Return the configuration with the layers below, and the result beside them."""
    left = Table.grid(expand=True)
    left.add_row(configuration)
    if layers is not None:
        left.add_row("")
        left.add_row(layers)
    table = Table.grid(padding=(0, 4, 0, 0), expand=True)
    table.add_column(ratio=1)
    table.add_column(ratio=1)
    table.add_row(left, result)
    return table


def _result_rows(run: Run, root: Path, files: FolderFiles | None) -> Iterable[tuple[str, str]]:
    yield "state", state(run)
    if run.best_val_loss is not None:
        accuracy = "" if run.best_val_accuracy is None else f", val accuracy {percent(run.best_val_accuracy)}"
        yield "val loss", f"lowest {loss(run.best_val_loss)} at epoch {run.best_epoch}{accuracy}"
    if run.selected_epoch is not None:
        yield "best epoch", f"{run.selected_epoch}, of highest val accuracy; its weights are tested"
    if run.test_accuracy is not None:
        test_loss = "" if run.test_loss is None else f", test loss {loss(run.test_loss)}"
        yield "test accuracy", f"{percent(run.test_accuracy)}{test_loss}"
    if run.train_seconds is not None:
        rate = "" if run.images_per_second is None else f", {speed(run.images_per_second)}"
        yield "training time", f"{duration(run.train_seconds)} for {counted(run.epochs_done, 'epoch')}{rate}"
    moments = (("queued", run.created_at), ("started", run.started_at), ("ended", run.finished_at))
    yield from ((label, _moment(moment)) for label, moment in moments if moment is not None)
    if run.device or run.threads:
        threads = counted(run.threads, "CPU thread") if run.threads else ""
        yield "computed on", ", ".join(part for part in (run.device or "", threads) if part)
    if run.attempts > 1:
        yield "attempts", str(run.attempts)
    if run.note:
        yield "note", run.note
    yield "", ""
    if run.folder is None:
        yield "folder", "none yet: the run has not started"
        return
    yield "folder", str((root / run.folder).absolute())
    if files is None:
        yield "", "reading…"
        return
    yield "pictures", ", ".join(files.pictures) or "none yet"
    if files.record is None:
        yield "run.json", files.trouble
        return
    yield from _record_rows(files.record)


def _record_rows(record: RunRecord) -> Iterable[tuple[str, str]]:
    data = record.dataset
    sizes = f"{data.train:,} train, {data.validation:,} validation, {data.test:,} test"
    yield "data", f"{data.name} from {data.source}: {sizes}"
    if data.fallback_for:
        yield "", f"NOT {data.fallback_for}, which was not available: {data.name} replaces it"
    yield "checksum", f"{data.checksum[:16]}…, in full in run.json"
    yield "", ""
    yield "engine", f"{record.engine} ({record.instructions})" if record.instructions else record.engine
    yield from record.environment.items()


def epoch_rows(epochs: Sequence[EpochMetrics]) -> list[tuple[str, ...]]:
    """Return the cells of each epoch in the order of `EPOCH_COLUMNS`; lowest val loss and best epoch have marks."""
    best, selected = metrics.best(epochs), metrics.selected(epochs)
    return [
        (
            (BEST if row is best else "") + (SELECTED if row is selected else ""),
            str(row.epoch),
            *(loss(value) for value in (row.train_loss, row.sample_loss, row.val_loss, row.val_cross_entropy)),
            *(percent(share, unit="") for share in (row.train_accuracy, row.sample_accuracy, row.val_accuracy)),
            f"{row.lr:.3g}",
            duration(row.seconds),
        )
        for row in epochs
    ]


def last_lines(path: Path, limit: int = LOG_BYTES) -> str:
    """Return the end of a run's text file, at most ``limit`` bytes of it, whole lines where it has any.

    Raises FileNotFoundError, and `LabError` where it cannot be read or is no file of ours.
    """
    content = tail_own(path, limit)
    if len(content) == limit and b"\n" in content:
        content = content.partition(b"\n")[2]
    return content.decode(errors="replace").rstrip("\n")


def look(folder: Path) -> FolderFiles:
    """Return what is in a run's folder: ``run.json`` and its pictures. Never raises."""
    from lenet_tui.run.folder import RunFolder

    run_folder = RunFolder(folder)
    try:
        pictures = tuple(path.name for path in run_folder.pictures if is_own_file(path))
        if not folder.is_dir():
            return FolderFiles(trouble="the folder does not exist any more")
        return FolderFiles(run_folder.read_record(), pictures=pictures)
    except (LabError, OSError) as error:
        return FolderFiles(trouble=str(error))


def _value(value: object) -> str:
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
