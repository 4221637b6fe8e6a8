"""A comparison as JSON, CSV and Markdown, and its tables as text."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from typing import TYPE_CHECKING, Any

from lenet_tui.analysis.comparison.groups import figures
from lenet_tui.analysis.plain_markdown import plain
from lenet_tui.formatting import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.analysis.comparison.compare import Comparison
    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.analysis.statistics import Estimate

_HEADING = (
    "id", "run", "state", "epochs", "val loss", "at epoch", "val acc", "test acc", "gap", "end gap", "overfits", "time",
    "images/s",
)  # fmt: skip


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as a document of plain values; numbers that are not finite are None.

    ``groups[].runs`` and ``verdicts[].runs`` are numbers of runs; ``runs[]`` has an entry for each.
    """
    document = {
        "differing": list(comparison.differing),
        "groups": [
            {
                "label": group.label,
                "settings": dict(group.settings),
                "runs": [run.run_id for run in group.runs],
                "counted": [run.run_id for run in group.counted],
                **{name: result and dataclasses.asdict(result) for name, result in group.estimates.items()},
            }
            for group in comparison.groups
        ],
        "runs": [_run(comparison, label, run) for label, run in comparison.lines],
        "verdicts": [
            dataclasses.asdict(verdict) | {"shown": verdict.shown, "text": verdict.text}
            for verdict in comparison.verdicts
        ],
        "notes": list(comparison.notes),
    }
    plain: dict[str, Any] = _plain(document)
    return plain


def as_csv(comparison: Comparison) -> str:
    """Return a line a run; what is not there is empty, and what is no number is written as Python does (``nan``)."""
    text = io.StringIO()
    rows = [_flat(_run(comparison, label, run)) for label, run in comparison.lines]
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(comparison: Comparison) -> str:
    """Return the tables, the verdicts and the notes as a Markdown document."""
    parts = ["# Comparison of runs", "## Runs", _markdown(run_rows(comparison))]
    if any(len(group.counted) > 1 for group in comparison.groups):
        parts += ["## Configurations", "Means over seeds ± half the 95 % interval.", _markdown(group_rows(comparison))]
    if comparison.verdicts:
        parts += ["## Differences", "\n".join(f"- {plain(verdict.text)}" for verdict in comparison.verdicts)]
    if comparison.notes:
        parts += ["## Notes", "\n".join(f"- {plain(note)}" for note in comparison.notes)]
    return "\n\n".join(parts) + "\n"


def run_rows(comparison: Comparison) -> list[list[str]]:
    """Return the table of runs, heading first; losses are plain cross-entropies in nats."""
    rows = [list(_HEADING)]
    for label, run in comparison.lines:
        result = figures(run)
        rows.append(
            [
                str(run.run_id),
                label,
                run.state,
                f"{result.epochs}/{run.config.epochs}",
                _number(result.best_val_cross_entropy, ".4f"),
                _number(result.best_epoch, "d"),
                percent(result.best_val_accuracy),
                percent(result.test_accuracy),
                _number(result.best_gap, "+.4f"),
                _number(result.end_gap, "+.4f"),
                "" if result.overfitting is None else f"from {result.overfitting.first}",
                f"{result.train_seconds:,.0f} s",
                _number(result.images_per_second, ",.0f"),
            ]
        )
    return rows


def group_rows(comparison: Comparison) -> list[list[str]]:
    """Return the table of configurations, heading first: means over seeds ± half their 95 % interval."""
    rows = [["run", "seeds", "val loss", "val acc %", "test acc %", "end gap"]]
    for group in comparison.groups:
        result = group.estimates
        rows.append(
            [
                group.label,
                str(len(group.counted)),
                _estimate(result["best_val_cross_entropy"], 4),
                _estimate(result["best_val_accuracy"], 2, 100),
                _estimate(result["test_accuracy"], 2, 100),
                _estimate(result["end_gap"], 4),
            ]
        )
    return rows


def _run(comparison: Comparison, label: str, run: RunResult) -> dict[str, Any]:
    result = dataclasses.asdict(figures(run))
    return {
        "run": run.run_id,
        "label": label,
        "folder": run.folder,
        "state": run.state,
        "seed": run.config.seed,
        "settings": {name: getattr(run.config, name) for name in comparison.differing},
        **result,
    }


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    region = document.pop("overfitting") or {}
    settings: dict[str, Any] = document.pop("settings")
    # Runs may differ in the setting of that name too.
    row = {"epochs_done" if name == "epochs" else name: value for name, value in document.items()}
    onset = {"overfitting_from": region.get("first"), "overfitting_rise": region.get("rise")}
    return row | onset | settings


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    heading, *body = [[plain(cell) for cell in row] for row in rows]
    ruler = ["---" if cell in ("run", "state") else "---:" for cell in heading]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, ruler, *body))


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form).replace("-", "−")


def _estimate(estimate: Estimate | None, digits: int, times: float = 1) -> str:
    if estimate is None:
        return ""
    mean = _number(times * estimate.mean, f".{digits}f")
    return mean if estimate.high is None else f"{mean} ± {times * (estimate.high - estimate.mean):.{digits}f}"
