"""Runs as people and programs read them: columns, and JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lenet_tui.runner.estimate import clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lenet_tui.config import RunConfig
    from lenet_tui.store import Run


def name(run: Run) -> str:
    """Return the run's folder, or the name that it will probably get: ``lenet/bs64_lr0.001``."""
    return run.folder or f"{run.values['model']}/{run.config.folder_name()}"


def state(run: Run) -> str:
    """Return the plain truth about a run in a word or two: ``queued #3``, ``running 7/20``, ``stopping``."""
    if run.wish == "stop":
        return "stopping"
    if run.state == "running":
        return f"running {run.epochs_done}/{run.values['epochs']}"
    return f"{run.state} #{run.place}" if run.waiting else run.state


def queue_rows(queue: Sequence[Run], until: Mapping[int, float | None]) -> list[list[str]]:
    """Return the table of what runs and waits, heading first."""
    rows = [["id", "run", "state", "train loss", "best val", "img/s", "done in"]]
    for run in queue:
        where = run.progress
        rows.append(
            [
                str(run.id),
                name(run),
                state(run),
                "" if where is None else f"{where.train_loss:.4f}",
                _loss(run.best_val_loss),
                "" if where is None else f"{where.images_per_second:,.0f}",
                clock(until.get(run.id)),
            ]
        )
    return rows


def run_rows(runs: Sequence[Run]) -> list[list[str]]:
    """Return the table of all runs, heading first."""
    heading = ["id", "run", "state", "epochs", "best val", "in epoch", "val acc", "test acc", "time"]
    return [heading, *map(_run_row, runs)]


def _run_row(run: Run) -> list[str]:
    return [
        str(run.id),
        name(run),
        state(run),
        f"{run.epochs_done}/{run.values['epochs']}",
        _loss(run.best_val_loss),
        "" if run.best_epoch is None else str(run.best_epoch),
        _share(run.best_val_accuracy),
        _share(run.test_accuracy),
        "" if run.train_seconds is None else clock(run.train_seconds),
    ]


def show(rows: Sequence[Sequence[str]]) -> None:
    """Print a table; text to the left, figures to the right."""
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = {index for index, heading in enumerate(rows[0]) if heading in ("run", "state")}
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    sys.stdout.write("\n".join(lines) + "\n")


def as_json(run: Run, done_in: float | None = None) -> dict[str, Any]:
    """Return a run as JSON has it: its record, ``place`` in the queue, progress, ``done_in_seconds``."""
    progress = run.progress
    return {
        "id": run.id,
        "state": run.state,
        "place": run.place,
        "wish": run.wish,
        "config": run.values,
        "folder": run.folder,
        "threads": run.threads,
        "device": run.device,
        "attempts": run.attempts,
        "reason": run.reason,
        "note": run.note,
        "epochs_done": run.epochs_done,
        "best_epoch": run.best_epoch,
        "best_val_loss": run.best_val_loss,
        "best_val_accuracy": run.best_val_accuracy,
        "best_val_cross_entropy": run.best_val_cross_entropy,
        "kept_epoch": run.kept_epoch,
        "test_loss": run.test_loss,
        "test_accuracy": run.test_accuracy,
        "train_seconds": run.train_seconds,
        "images_per_second": run.images_per_second,
        "stopped_early": run.stopped_early,
        "created_at": _moment(run.created_at),
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at),
        "progress": progress
        and {
            "epoch": progress.epoch,
            "step": progress.step,
            "steps": progress.steps,
            "train_loss": progress.train_loss if progress.train_loss == progress.train_loss else None,
            "images_per_second": progress.images_per_second,
        },
        "done_in_seconds": done_in,
    }


def differences(config: RunConfig) -> str:
    """Return what is not at its default, as flags."""
    return " ".join(f"{key}={value}" for key, value in config.changed().items()) or "every setting at its default"


def _loss(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
