from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from lenet_tui import __version__, reports
from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.reports import style
from lenet_tui.run import folder as runfolder
from lenet_tui.run.folder import RunFolder
from tests.reports.conftest import LEARNING, opened, predictions, record, share_of_colour

EVERYTHING = RunConfig(
    model="alexnet", dataset="fashion-mnist", batch_size=512, lr=0.00031, epochs=37, optimizer="sgd", momentum=0.85,
    lr_schedule="onecycle", clip_norm=1.5, augment="affine+elastic", dropout=0.35, weight_decay=0.0005,
    label_smoothing=0.1, ema=0.999, patience=7, activation="tanh", pooling="avg", val_size=4321, seed=123456,
    device="cpu", threads=2, tsne_samples=1500,
)  # fmt: skip


def test_a_finished_run_gets_its_three_pictures_with_their_provenance(make_run):
    folder = make_run(predicted=predictions())
    written = reports.write_all(folder)
    assert [report.path.name for report in written] == ["confusion.png", "loss.png", "t-SNE.png"]
    for report in written:
        assert report.skipped is None
        image = opened(report.path)
        assert image.width >= 1200
        assert folder.read_record().config.title() in image.info["Title"]
        assert image.info["Software"] == f"lenet-tui {__version__}"
        assert RunConfig(**json.loads(image.info["lenet-tui:config"])) == folder.read_record().config
        assert image.info["lenet-tui:dataset"] == "mnist"
        assert image.info["lenet-tui:checksum"] == "c0ffee"


def test_drawing_twice_gives_the_same_bytes_and_leaves_nothing_else_behind(make_run):
    folder = make_run(predicted=predictions())
    reports.write_all(folder)
    first = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    reports.write_all(folder)
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == first
    assert sorted(first) == sorted([*runfolder.PICTURES, "run.json", "metrics.csv", "predictions.npz", "t-SNE.csv"])


def test_a_run_stopped_before_its_first_epoch_says_why_there_are_no_pictures(make_run):
    folder = make_run(rows=[])
    skipped = {report.path.name: report.skipped for report in reports.write_all(folder)}
    assert skipped == {
        "confusion.png": "predictions.npz is not there yet",
        "loss.png": "there is no epoch in metrics.csv",
        "t-SNE.png": "predictions.npz is not there yet",
    }
    assert not any(path.exists() for path in folder.pictures)


def test_the_loss_is_drawn_without_predictions(make_run):
    folder = make_run()
    assert [report.skipped is None for report in reports.write_all(folder)] == [False, True, False]
    assert (folder.path / "loss.png").exists()


def test_a_stand_in_for_the_wanted_data_set_is_named_loudly_on_every_picture(make_run):
    stand_in = make_run(RunConfig(dataset="digits"), predicted=predictions(), fallback_for="mnist")
    wanted = make_run(RunConfig(dataset="digits"), predicted=predictions())
    for loud, quiet in zip(reports.write_all(stand_in), reports.write_all(wanted), strict=True):
        assert "(digits, standing in for mnist)" in opened(loud.path).info["Title"]
        assert share_of_colour(loud.path, style.ALARM) > 0.0005
        assert "standing in" not in opened(quiet.path).info["Title"]
        assert share_of_colour(quiet.path, style.ALARM) == 0


def test_a_long_configuration_makes_the_page_taller_and_stays_within_it(make_run):
    short = make_run(predicted=predictions())
    long = make_run(EVERYTHING, predicted=predictions())
    for of_short, of_long in zip(reports.write_all(short), reports.write_all(long), strict=True):
        assert opened(of_long.path).height > opened(of_short.path).height
        assert opened(of_long.path).width == opened(of_short.path).width
        page = opened(of_long.path).convert("L")
        assert page.crop((page.width - 12, 0, page.width, page.height)).getextrema() == (255, 255)


def test_the_title_is_broken_between_hyperparameters_and_loses_none():
    page = style.Page(record(EVERYTHING), "Heading", height=2)
    lines = [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in page.figure.texts]
    assert " ".join(lines[1:]) == EVERYTHING.title()
    assert all(line.endswith(",") for line in lines[1:-1])
    assert len(lines) > 3


def test_damaged_predictions_cost_their_pictures_in_one_line_each_and_no_other(make_run):
    folder = make_run()
    folder.predictions_path.write_bytes(b"PK\x03\x04 not a zip")
    confusion, loss, tsne = reports.write_all(folder)
    assert loss == reports.Report(folder.path / "loss.png")
    for report in (confusion, tsne):
        assert report.failed
        assert "predictions.npz is damaged" in report.skipped
        assert "\n" not in str(report)


def test_a_picture_whose_place_is_taken_is_told_in_one_line_and_the_others_are_drawn(make_run):
    folder = make_run(rows=LEARNING, predicted=predictions())
    (folder.path / "loss.png").mkdir()
    assert [report.failed for report in reports.write_all(folder)] == [False, True, False]


def test_any_error_of_drawing_costs_one_picture_and_leaves_its_details_in_the_log(make_run):
    huge = np.float32(3e38) * np.sign(predictions().features)  # scikit-learn's sums overflow
    folder = make_run(predicted=replace(predictions(), features=huge))
    confusion, loss, tsne = reports.write_all(folder)
    assert (confusion.failed, loss.failed, tsne.failed) == (False, False, True)
    assert tsne.skipped.startswith("internal error: ")
    assert len(tsne.skipped) <= 300
    assert "t-SNE.png could not be drawn\n  | Traceback" in folder.log_path.read_text()


def test_a_folder_without_a_record_is_not_a_run(tmp_path):
    with pytest.raises(LabError, match="not a run folder"):
        reports.write_all(RunFolder(tmp_path))


def test_importing_reports_is_cheap_and_drawing_needs_neither_torch_nor_pyplot(make_run):
    folder = make_run(predicted=predictions())
    code = (
        "import sys; from pathlib import Path\n"
        "from lenet_tui import reports; from lenet_tui.run.folder import RunFolder\n"
        "assert not {'matplotlib', 'sklearn', 'torch'} & set(sys.modules), 'import'\n"
        f"assert all(r.skipped is None for r in reports.write_all(RunFolder(Path({str(folder.path)!r}))))\n"
        "found = {'torch', 'textual', 'matplotlib.pyplot', 'lenet_tui.store'} & set(sys.modules)\n"
        "assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
