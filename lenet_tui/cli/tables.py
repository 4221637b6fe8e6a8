"""Runs as people and programs read them: columns, and JSON."""

from __future__ import annotations

import itertools
import re
import shutil
from typing import TYPE_CHECKING, Any

from lenet_tui.cli import output
from lenet_tui.formatting import duration, estimate, loss, percent
from lenet_tui.run.folder import numbered
from lenet_tui.store.wording import state as state

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from lenet_tui.config import RunConfig
    from lenet_tui.store import Run


# What a narrow terminal does without, first to last.
_SPARE = ("at epoch", "images/s", "val acc", "train loss", "time", "val loss", "epochs")
_SHORT_NAME = 24
_NUMBER = r"-?(?:0|[1-9]\d{0,16}+)(?:\.\d++)?+(?:[eE][+-]?\d\d)?+"
_PLAIN_CONFIG = re.compile(rf'\{{(?:"[a-z_]++":(?:"[a-z_+-]*+"|{_NUMBER})(?:,(?=")|(?=\}})))*+\}}')


def name(run: Run) -> str:
    """Return the run's folder, or what it would be called in an empty root: ``lenet/bs64_lr0.001``."""
    return run.name


def names(root: Path, runs: Iterable[Run], queue: Iterable[Run]) -> dict[int, str]:
    """Return, by number, the folder of each run or, where it has none yet, the one that it will get.

    That is the first free name if what waits in ``queue`` starts in its order and nothing else takes a name before.
    """
    result = {run.id: run.folder for run in runs if run.folder}
    unnamed = {run.id: run for run in runs if not run.folder}
    numbers: dict[str, itertools.count[int]] = {}
    for run in {run.id: run for run in (*queue, *unnamed.values()) if not run.folder}.values():
        plain = name(run)
        number = next(
            n for n in numbers.setdefault(plain, itertools.count(1)) if not (root / numbered(plain, n)).exists()
        )
        result[run.id] = numbered(plain, number)
    return result


def counts(queue: Iterable[Run]) -> dict[str, int]:
    """Return how many runs are ``running``, ``stopping`` and ``waiting``, each counted once."""
    result = {"running": 0, "stopping": 0, "waiting": 0}
    for run in queue:
        result["waiting" if run.waiting else "stopping" if run.is_stop_requested else "running"] += 1
    return result


def queue_rows(
    queue: Sequence[Run], until: Mapping[int, float | None], named: Mapping[int, str], *, is_paused: bool = False
) -> list[list[str]]:
    """Return the table of what runs and waits, heading first; ``named`` has the runs' names."""
    rows = [["id", "run", "state", "train loss", "val loss", "images/s", "time left"]]
    for run in queue:
        where = run.progress
        rows.append(
            [
                str(run.id),
                named[run.id],
                state(run),
                "" if where is None else loss(where.train_loss),
                loss(run.best_val_loss),
                "" if where is None else f"{where.images_per_second:,.0f}",
                _left(run, until.get(run.id), is_paused=is_paused),
            ]
        )
    return rows


def _left(run: Run, seconds: float | None, *, is_paused: bool) -> str:
    if seconds is None:
        return "" if is_paused and run.waiting else "estimating…"
    return estimate(seconds)


def run_rows(runs: Sequence[Run], named: Mapping[int, str]) -> list[list[str]]:
    """Return the table of all runs, heading first; ``named`` has their names."""
    heading = ["id", "run", "state", "epochs", "val loss", "at epoch", "val acc", "test acc", "time"]
    return [heading, *(_run_row(run, named[run.id]) for run in runs)]


def _run_row(run: Run, run_name: str) -> list[str]:
    return [
        str(run.id),
        run_name,
        state(run),
        f"{run.epochs_done}/{run.values['epochs']}",
        loss(run.best_val_loss),
        "" if run.best_epoch is None else str(run.best_epoch),
        percent(run.best_val_accuracy),
        percent(run.test_accuracy),
        "" if run.train_seconds is None else duration(run.train_seconds),
    ]


def show(rows: Sequence[Sequence[str]]) -> None:
    """Print a table; text to the left, figures to the right. A terminal gets as much of it as it has room for."""
    if not rows:
        return
    if output.is_terminal():
        rows = fitted(rows, shutil.get_terminal_size().columns)
    widths = _widths(rows)
    left = {index for index, heading in enumerate(rows[0]) if heading in ("run", "state")}
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    output.say_lines(lines)


def fitted(rows: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """Return the table in at most ``width`` columns where that can be: empty columns left out, names shortened in the
    middle, then other columns left out, the least useful first.
    """
    kept = [list(row) for row in rows]
    if _excess(kept, width) > 0:
        empty = [heading for heading, *cells in zip(*kept, strict=True) if heading in _SPARE and not any(cells)]
        kept = [_without(row, kept[0], empty) for row in kept]
    for spare in (None, *_SPARE):
        kept = [_without(row, kept[0], [spare]) for row in kept]
        widths = _widths(kept)
        excess = _excess(kept, width)
        if excess <= 0:
            return kept
        if "run" in kept[0]:
            column = kept[0].index("run")
            room = widths[column] - excess
            if room >= _SHORT_NAME or spare == _SPARE[-1]:
                return [[*row[:column], shortened(row[column], room), *row[column + 1 :]] for row in kept]
    return kept


def shortened(text: str, width: int) -> str:
    """Return a text in at most ``width`` characters (at least 5), its middle left out: ``lenet/bs64…tsne100.2``."""
    width = max(width, 5)
    if len(text) <= width:
        return text
    start = (width - 1) // 2
    return f"{text[:start]}…{text[start + 1 - width :]}"


def _without(row: Sequence[str], headings: Sequence[str], left_out: Sequence[str | None]) -> list[str]:
    return [cell for cell, heading in zip(row, headings, strict=True) if heading not in left_out]


def _excess(rows: Sequence[Sequence[str]], width: int) -> int:
    widths = _widths(rows)
    return sum(widths) + 2 * (len(widths) - 1) - width


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def ending(run: Run) -> str:
    """Say how a run ended: ``finished: test acc 99.10 %``, ``stopped: on request``."""
    result = f"test acc {percent(run.test_accuracy)}" if run.test_accuracy is not None else run.reason or ""
    return run.state + (f": {result}" if result else "")


def as_json(run: Run, done_in: float | None = None) -> dict[str, Any]:
    """Return a run as JSON has it: its record, ``place`` in the queue, progress, ``done_in_seconds``."""
    return {"id": run.id, "config": run.values} | _without_config(run, done_in)


def json_lines(runs: Sequence[Run]) -> list[str]:
    """Return `as_json` of many runs as lines of text, a quarter sooner: a configuration goes in as it was written down,
    where it is written as we do it.
    """
    texts = output.json_text([_without_config(run, None) for run in runs])[2:-2].split('}, {"state": ') if runs else []
    # A quote inside a text is escaped, so that can only be where one run ends and the next begins.
    texts = [text if number == 0 else f'"state": {text}' for number, text in enumerate(texts)]
    return [f'{{"id": {run.id}, "config": {_config_text(run)}, {text}}}' for run, text in zip(runs, texts, strict=True)]


def _config_text(run: Run) -> str:
    # A store may hold anything that SQLite takes for JSON, as 1e999 and what is not ASCII.
    if _PLAIN_CONFIG.fullmatch(run.config_json):
        return run.config_json
    try:
        return output.json_text(run.values)
    except (ValueError, RecursionError):
        return "null"


def _without_config(run: Run, done_in: float | None) -> dict[str, Any]:
    progress = run.progress
    return {
        "state": run.state,
        "place": run.place,
        "stop_request": run.stop_request,
        "wish": run.stop_request,  # its name in 0.1
        "folder": run.folder,
        "threads": run.threads,
        "device": run.device,
        "attempts": run.attempts,
        "reason": run.reason,
        "note": run.note,
        "tags": list(run.tags),
        "epochs_done": run.epochs_done,
        "best_epoch": run.best_epoch,
        "best_val_loss": run.best_val_loss,
        "best_val_accuracy": run.best_val_accuracy,
        "best_val_cross_entropy": run.best_val_cross_entropy,
        "selected_epoch": run.selected_epoch,
        "kept_epoch": run.selected_epoch,  # its name in 0.1
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
            "train_loss": progress.train_loss,
            "images_per_second": progress.images_per_second,
        },
        "done_in_seconds": done_in,
    }


def differences(config: RunConfig) -> str:
    """Return the hyperparameters that are not at their defaults."""
    return (
        " ".join(f"{key}={value}" for key, value in config.changed().items()) or "all hyperparameters at their defaults"
    )


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
