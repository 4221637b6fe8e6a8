"""``report.html``: a run on one page, pictures inside; and a zip file of a run to hand in."""

from __future__ import annotations

import io
import zipfile
from html import escape
from typing import TYPE_CHECKING

from lenet_tui.config import DATASET_TITLES, hyperparameters
from lenet_tui.formatting import duration, loss, percent, printable
from lenet_tui.host import safe_files
from lenet_tui.host.safe_files import MB
from lenet_tui.reports.webpage import data_uri, html
from lenet_tui.run import metrics
from lenet_tui.run.folder import MOST_METRICS, MOST_RECORD, REPORT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lenet_tui.reports import Report
    from lenet_tui.run.folder import RunFolder, RunRecord
    from lenet_tui.run.metrics import EpochMetrics

_MOST_PICTURE = 20 * MB
_CAPTIONS = {
    "loss.png": "Train and val loss per epoch",
    "confusion.png": "Confusion matrix of the test set",
    "t-SNE.png": "t-SNE map of the last hidden layer, test set",
}
_STYLE = """
th { text-align: left; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
tr.best td { font-weight: 600; } figure { margin: 1.2rem 0; } figcaption, .pale { color: var(--pale); font-size: .9em; }
td { white-space: normal; overflow-wrap: anywhere; } td.n { white-space: nowrap; }
"""


def write(folder: RunFolder, pictures: Sequence[Report]) -> Path:
    """Write ``report.html`` into the folder and return its path; ``pictures`` are the outcomes of `write_all`.

    Raises `LabError` when the folder is no run or cannot be written.
    """
    path = folder.path / REPORT
    safe_files.write_own(path, page(folder, pictures).encode(errors="replace"))
    return path


def write_zip(folder: RunFolder, pictures: Sequence[Report]) -> Path:
    """Write ``MODEL_FOLDER.zip`` into the folder and return its path. `write` comes first.

    It holds the drawn pictures, report.html, metrics.csv and run.json. Raises `LabError` as `write` does.
    """
    record = folder.read_record()
    name = printable(folder.path.resolve().name)
    limits = {picture.path.name: _MOST_PICTURE for picture in pictures if picture.skipped is None}
    limits |= {REPORT: 4 * _MOST_PICTURE, "metrics.csv": MOST_METRICS, "run.json": MOST_RECORD}
    content = io.BytesIO()
    moment = (record.finished_at or record.started_at).timetuple()[:6]
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, most in limits.items():
            try:
                data = safe_files.read_own(folder.path / file, most)
            except FileNotFoundError:  # no epoch is done
                continue
            # Zip knows no year before 1980.
            entry = zipfile.ZipInfo(f"{name}/{file}", max(moment, (1980, 1, 1, 0, 0, 0)))
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    path = folder.path / f"{record.config.model}_{folder.path.resolve().name}.zip"
    safe_files.write_own(path, content.getvalue())
    return path


def page(folder: RunFolder, pictures: Sequence[Report]) -> str:
    """Return the page of a run as HTML. Raises `LabError` when its files cannot be read."""
    record, history = folder.read_record(), folder.read_metrics()
    title = record.config.title()
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="pale">{escape(printable(folder.path.resolve().name))}, {escape(_state(record))}</p>',
        "<h2>Results</h2>",
        _pairs(_results(record)),
        "<h2>Pictures</h2>",
        *map(_figure, sorted(pictures, key=lambda picture: list(_CAPTIONS).index(picture.path.name))),
        "<h2>Epochs</h2>",
        _epochs(history),
        "<h2>Configuration</h2>",
        '<p class="pale">Values that are not the default are in bold.</p>',
        _configuration(record),
        "<h2>Data</h2>",
        _pairs(_data(record)),
        "<h2>Environment</h2>",
        _pairs(_environment(record)),
    ]
    return html(title, "\n".join(parts) + "\n", _STYLE)


def _state(record: RunRecord) -> str:
    when = f" on {record.finished_at:%Y-%m-%d %H:%M} UTC" if record.finished_at else ""
    return f"{record.state}{when}" + (f": {record.reason}" if record.reason else "")


def _results(record: RunRecord) -> list[tuple[str, str]]:
    summary = record.summary
    if summary is None:
        return [("test acc", "no epoch is done")]
    if summary.test_accuracy is None:
        tested = [("test acc", "not tested: the run is not finished")]
    else:
        tested = [
            ("test acc", f"{percent(summary.test_accuracy)} of {record.dataset.test:,} images"),
            ("test loss", loss(summary.test_loss)),
        ]
    early = ", stopped early" if summary.stopped_early else ""
    return [
        *tested,
        ("best epoch (highest val acc)", str(summary.selected_epoch)),
        ("lowest val loss", f"{loss(summary.best_val_loss)} at epoch {summary.best_epoch}"),
        ("epochs", f"{summary.epochs_done} of {record.config.epochs}{early}"),
        ("training time", f"{duration(summary.train_seconds)}, {summary.images_per_second:,.0f} images/s"),
    ]


def _data(record: RunRecord) -> list[tuple[str, str]]:
    data = record.dataset
    title = DATASET_TITLES.get(record.config.dataset, data.name)
    instead = f", instead of {data.fallback_for}" if data.fallback_for else ""
    return [
        ("data set", f"{title}{instead}"),
        ("source", data.source),
        ("checksum", data.checksum),
        ("images", f"{data.train:,} train, {data.validation:,} validation, {data.test:,} test"),
    ]


def _environment(record: RunRecord) -> list[tuple[str, str]]:
    return [("device", record.device), ("threads", str(record.threads)), *record.environment.items()]


def _figure(picture: Report) -> str:
    name = picture.path.name
    caption = escape(_CAPTIONS[name])
    if picture.skipped is not None:
        return f'<p class="pale">{caption}: not drawn, {escape(printable(picture.skipped))}</p>'
    inside = data_uri(safe_files.read_own(picture.path, _MOST_PICTURE))
    return f'<figure><img src="{inside}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'


def _epochs(history: Sequence[EpochMetrics]) -> str:
    if not history:
        return '<p class="pale">No epoch is done.</p>'
    best = metrics.selected(history)
    heading = ("epoch", "train loss", "val loss", "train acc", "val acc", "learning rate", "seconds")
    rows = [
        _row(
            (
                str(row.epoch),
                loss(row.train_loss),
                loss(row.val_loss),
                percent(row.train_accuracy),
                percent(row.val_accuracy),
                f"{row.lr:.3g}",
                f"{row.seconds:.1f}",
            ),
            ' class="best"' if row is best else "",
        )
        for row in history
    ]
    note = f'<p class="pale">In bold: the best epoch, {best.epoch}.</p>' if best else ""
    return note + _table(_row(heading, cell="th"), rows)


def _configuration(record: RunRecord) -> str:
    changed = record.config.changed()
    rows = []
    for parameter in hyperparameters():
        value = escape(str(getattr(record.config, parameter.name)))
        shown = f"<strong>{value}</strong>" if parameter.name in changed else value
        rows.append(
            f'<tr><td>{escape(parameter.name)}</td><td>{shown}</td><td class="pale">{escape(parameter.help)}</td></tr>'
        )
    return _table("", rows)


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return _table("", [f"<tr><td>{escape(name)}</td><td>{escape(printable(value))}</td></tr>" for name, value in pairs])


def _row(cells: Iterable[str], attributes: str = "", cell: str = "td") -> str:
    inside = "".join(f'<{cell} class="n">{escape(text)}</{cell}>' for text in cells)
    return f"<tr{attributes}>{inside}</tr>"


def _table(heading: str, rows: Sequence[str]) -> str:
    return f'<div class="table"><table>{heading}{"".join(rows)}</table></div>'
