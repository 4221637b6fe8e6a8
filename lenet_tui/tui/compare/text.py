"""A comparison of runs as text: what ``lenet-tui compare --json`` says, as tables and sentences for a width."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from lenet_tui.errors import LabError
from lenet_tui.formatting import duration, percent, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType

Document = dict[str, Any]

_ROOMY = 110  # columns, from which on the table of runs has everything
_LABEL_LEAST = 14
_FIGURES = ("val loss", "epoch", "val acc", "test acc", "gap", "end gap", "overfits", "time")
_SPARE = ("end gap", "overfits")


def parse(output: str) -> Document:
    """Return the command's document. Raises `LabError` when it is not one."""
    try:
        document: Document = json.loads(output, object_hook=_cleaned)
        for name in ("differing", "groups", "runs", "verdicts", "notes"):
            document[name]
    except (KeyError, TypeError, ValueError):
        raise LabError("the command 'compare' gave no answer that can be read") from None
    return document


def _cleaned(part: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in part.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return printable(value) if isinstance(value, str) else value


def render(document: Document, width: int) -> RenderableType:
    """Return the runs side by side, the hyperparameters that differ, means over seeds, differences and notes."""
    parts: list[RenderableType] = [_heading("Runs"), _runs(document["runs"], width)]
    groups = document["groups"]
    if document["differing"]:
        parts += [_heading("Hyperparameters that differ"), _settings(document["differing"], groups, width)]
    else:
        parts += [Text("\nThey have one configuration, and differ at most in the seed.")]
    if any(len(group["counted"]) > 1 for group in groups):
        parts += [_heading("Means over seeds ± half of the 95 % confidence interval"), _groups(groups, width)]
    if document["verdicts"]:
        verdicts = [(verdict["text"], verdict["shown"]) for verdict in document["verdicts"]]
        parts += [_heading("Differences"), _points(verdicts)]
    if document["notes"]:
        parts += [_heading("Notes"), _points((note, False) for note in document["notes"])]
    return Group(*parts)


def _runs(runs: Sequence[Mapping[str, Any]], width: int) -> Table:
    roomy = width >= _ROOMY
    table = _table()
    table.add_column("id", justify="right")
    table.add_column("run", overflow="fold", min_width=_LABEL_LEAST)
    headings = [name for name in _FIGURES if roomy or name not in _SPARE]
    for heading in headings:
        table.add_column(heading if roomy else heading.replace(" ", "\n"), justify="right", no_wrap=True)
    if roomy:
        table.add_column("state")
    for run in runs:
        region = run["overfitting"]
        cells = {
            "val loss": _number(run["best_val_cross_entropy"], ".4f"),
            "epoch": _number(run["best_epoch"], "d"),
            "val acc": percent(run["best_val_accuracy"], unit=""),
            "test acc": percent(run["test_accuracy"], unit=""),
            "gap": _number(run["best_gap"], "+.4f"),
            "end gap": _number(run["end_gap"], "+.4f"),
            "overfits": f"from {region['first']}" if region else "",
            "time": duration(run["train_seconds"]),
        }
        table.add_row(
            str(run["run"]), run["label"], *(cells[name] for name in headings), *([run["state"]] if roomy else [])
        )
    return table


def _settings(names: Sequence[str], groups: Sequence[Mapping[str, Any]], width: int) -> Table:
    """Return hyperparameters as columns where they fit, else as one cell for each configuration."""
    table = _table()
    table.add_column("run", overflow="fold", min_width=_LABEL_LEAST)
    if sum(max(len(name), 7) + 2 for name in names) + _LABEL_LEAST + 2 <= width:
        for name in names:
            table.add_column(name, justify="right", overflow="fold")
        for group in groups:
            table.add_row(group["label"], *(_value(group["settings"][name]) for name in names))
    else:
        table.add_column("hyperparameters", overflow="fold")
        for group in groups:
            table.add_row(group["label"], ", ".join(f"{n} {_value(group['settings'][n])}" for n in names))
    return table


def _groups(groups: Sequence[Mapping[str, Any]], width: int) -> Table:
    means = {
        "val loss": ("best_val_cross_entropy", 4, 1),
        "val acc": ("best_val_accuracy", 2, 100),
        "test acc": ("test_accuracy", 2, 100),
        "end gap": ("end_gap", 4, 1),
    }
    headings = [name for name in means if width >= _ROOMY or name not in _SPARE]
    table = _table()
    table.add_column("run", overflow="fold", min_width=_LABEL_LEAST)
    for heading in ("seeds", *headings):
        table.add_column(heading, justify="right", no_wrap=True)
    for group in groups:
        values = [(group[name], digits, times) for name, digits, times in (means[heading] for heading in headings)]
        table.add_row(group["label"], str(len(group["counted"])), *(_estimate(*each) for each in values))
    return table


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _points(sentences: Iterable[tuple[str, bool]]) -> Table:
    """Return sentences as points; significant ones in bold."""
    table = Table.grid(padding=(0, 1, 0, 0))
    for text, shown in sentences:
        table.add_row("•", Text(text, style="bold" if shown else ""))
    return table


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form).replace("-", "−")


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _estimate(estimate: Mapping[str, Any] | None, digits: int, times: float = 1) -> str:
    if estimate is None or estimate["mean"] is None:
        return ""
    mean = _number(times * estimate["mean"], f".{digits}f")
    return mean if estimate["high"] is None else f"{mean} ± {times * (estimate['high'] - estimate['mean']):.{digits}f}"
