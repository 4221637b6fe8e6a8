from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
from scipy import stats

from lenet_tui.analysis.study.plan import VARIANTS, Plan
from lenet_tui.cli.main import main
from tests.analysis.study.making import EPOCHS, study, write_folders


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A root with the folders of a whole study, and the discussion that the command writes of it."""
    root = tmp_path_factory.mktemp("root")
    factors = {"dropout": 0.7, "batch size 16": 1.3, "learning rate 0.01": 2.6, "AlexNet": 0.8}
    write_folders(root, study(factors=factors, wrong=lambda variant, seed: 3 + seed + len(variant.name) % 5))
    assert main(["study", "homework", "--no-queue", "--epochs", str(EPOCHS), "--root", str(root)]) == 0
    return root, (root / "study" / "homework" / "discussion.md").read_text()


def folders(root, variant):
    """The folders of a variant's runs, by seed, found by what their run.json says."""
    wanted = [Plan(3, EPOCHS).config(variant, seed).model_dump(mode="json") for seed in range(3)]
    existing = {json.dumps(json.loads(path.read_text())["config"]): path.parent for path in root.glob("*/*/run.json")}
    return [existing[json.dumps(config)] for config in wanted]


def lowest(folder):
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return float(min(rows, key=lambda row: float(row["val_loss"]))["val_cross_entropy"])


def accuracy(folder):
    with np.load(folder / "predictions.npz") as saved:
        return float((saved["logits"].argmax(axis=1) == saved["labels"]).mean())


def named(name):
    return next(variant for variant in VARIANTS if variant.name == name)


def row(text, heading, name):
    part = text[text.index(heading) :]
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")
    ]
    result = next(line for line in lines[2:] if line[0] == name)
    return dict(zip(lines[0], result, strict=True))


@pytest.mark.parametrize("name", ["default", "dropout", "weight decay", "three together"])
def test_losses_and_accuracies_are_those_of_metrics_csv_and_predictions_npz(written, name):
    root, text = written
    message = row(text, "## 4.", name)
    runs = folders(root, named(name))
    assert float(message["best validation loss"]) == pytest.approx(np.mean([lowest(run) for run in runs]), rel=0.005)
    assert message["test accuracy"] == f"{100 * np.mean([accuracy(run) for run in runs]):.2f} %"


def test_ratio_interval_and_adjusted_p_are_those_of_a_two_way_analysis_of_the_files(written):
    root, text = written
    variants = ["default", "batch size 16", "batch size 32"]
    logs = np.log([[lowest(run) for run in folders(root, named(name))] for name in variants])
    residuals = logs - logs.mean(axis=1, keepdims=True) - logs.mean(axis=0, keepdims=True) + logs.mean()
    error = np.sqrt((residuals**2).sum() / 4 * 2 / 3)
    differences = logs[1:].mean(axis=1) - logs[0].mean()
    p = 2 * stats.t.sf(np.abs(differences) / error, 4)
    adjusted = np.minimum(1, np.where(p == p.min(), 2 * p, np.maximum(p, 2 * p.min())))
    for size, difference, expected in zip(("16", "32"), differences, adjusted, strict=True):
        message = row(text, "## 2.", size)
        mean, low, high = map(float, re.findall(r"[\d.]+", message["ratio to the default (95 % interval)"]))
        half = stats.t.ppf(0.975, 4) * error
        assert (mean, low, high) == pytest.approx(np.exp([difference, difference - half, difference + half]), abs=0.006)
        written_p = message["adjusted p"]
        assert expected < 0.001 if written_p == "< 0.001" else float(written_p) == pytest.approx(expected, abs=0.006)


def test_the_table_of_all_runs_has_every_run_with_its_folder_and_its_own_figures(written):
    root, text = written
    for variant in VARIANTS:
        for seed, folder in enumerate(folders(root, variant)):
            name = folder.relative_to(root).as_posix()
            (line,) = [line for line in text.splitlines() if f"`{name}`" in line]
            assert f"| {variant.name} | {seed} |" in line
            assert f"{100 * accuracy(folder):.2f} %" in line
            message = [cell.strip() for cell in line.strip("|").split("|")]
            assert float(message[5]) == pytest.approx(lowest(folder), rel=0.005)


def test_the_web_page_says_the_same_and_needs_nothing_beside_it(written):
    root, text = written
    page = (root / "study" / "homework" / "discussion.html").read_text()
    assert page.count('src="data:image/png;base64,') == text.count("![") == 5
    assert not re.search(r'(src|href)="(?!data:image|#)', page)
    assert re.findall(r'<h2 id="([^"]+)"', page)[-1] == "all-runs"
    assert page.count('<a href="#all-runs">') == text.count("](#all-runs)") > 20
    assert page.count("<tr>") == len(re.findall(r"^\|", text, re.MULTILINE)) - len(
        re.findall(r"^\| :--", text, re.MULTILINE)
    )


def test_the_figures_are_wide_enough_to_print(written):
    from PIL import Image

    root, _ = written
    for path in (root / "study" / "homework").glob("*.png"):
        with Image.open(path) as image:
            assert image.width >= 1200
