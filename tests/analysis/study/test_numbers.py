"""Every kind of number in the document, recomputed from the files of the runs."""

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

SEEDS = 3
COMPARED = [variant.name for variant in VARIANTS if variant.name not in ("early stopping", "label smoothing")]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A root with the folders of a whole study, and the discussion that the command writes of it."""
    root = tmp_path_factory.mktemp("root")
    factors = {"dropout": 0.7, "batch size 16": 1.3, "learning rate 0.01": 2.6, "AlexNet": 0.8}
    made = study(SEEDS, factors=factors, wrong=lambda variant, seed: 3 + seed + len(variant.name) % 5)
    write_folders(root, made)
    words = ("study", "homework", "--no-queue", "--seeds", str(SEEDS), "--epochs", str(EPOCHS), "--root", str(root))
    assert main([*words]) == 0
    return root, (root / "study" / "homework" / "discussion.md").read_text()


def folders(root, name):
    """The folders of a variant's runs, by seed, found by what their run.json says."""
    variant = next(variant for variant in VARIANTS if variant.name == name)
    wanted = [Plan(SEEDS, EPOCHS).config(variant, seed).model_dump(mode="json") for seed in range(SEEDS)]
    existing = {json.dumps(json.loads(path.read_text())["config"]): path.parent for path in root.glob("*/*/run.json")}
    return [existing[json.dumps(config)] for config in wanted]


def column(folder, name, file="metrics.csv"):
    with (folder / file).open() as lines:
        return np.array([float(row[name]) for row in csv.DictReader(lines)])


def lowest(folder):
    return column(folder, "val_cross_entropy")[column(folder, "val_loss").argmin()]


def right(folder):
    with np.load(folder / "predictions.npz") as saved:
        return (saved["logits"].argmax(axis=1) == saved["labels"]).astype(float)


def row(text, heading, name):
    part = text[text.index(heading) :]
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")
    ]
    result = next(line for line in lines[2:] if line[0] == name)
    return dict(zip(lines[0], result, strict=True))


def numbers(cell):
    """Mean, low and high of a change, as a ratio for one written in percent."""
    values = [float(value.replace("−", "-")) for value in re.findall(r"[−+]?[\d.]+", cell)]
    return values if "×" in cell or "%" not in cell else [1 + value / 100 for value in values]


@pytest.fixture(scope="module")
def model(written):
    """The two-way analysis of variance of the logarithms: means by configuration, and the residual variance."""
    root, _ = written
    logs = np.log([[lowest(folder) for folder in folders(root, name)] for name in COMPARED])
    rest = logs - logs.mean(axis=1, keepdims=True) - logs.mean(axis=0) + logs.mean()
    freedom = (len(COMPARED) - 1) * (SEEDS - 1)
    return dict(zip(COMPARED, logs.mean(axis=1), strict=True)), (rest**2).sum() / freedom, freedom


@pytest.mark.parametrize(("title", "name"), [("16", "batch size 16"), ("32", "batch size 32"), ("64", "default")])
def test_losses_are_those_of_metrics_csv(written, title, name):
    root, text = written
    found = row(text, "## 2.", title)
    runs = folders(root, name)
    mean, low, high = map(float, re.findall(r"[\d.]+", found["lowest val loss"]))
    losses = [lowest(run) for run in runs]
    assert (mean, low, high) == pytest.approx((np.mean(losses), min(losses), max(losses)), rel=0.005)
    ends = [column(run, "val_cross_entropy")[-3:].mean() for run in runs]
    assert float(found["val loss at the end"].split()[0]) == pytest.approx(np.mean(ends), rel=0.005)


@pytest.mark.parametrize("name", ["dropout", "weight decay", "three together", "cosine schedule"])
def test_changes_of_the_loss_and_their_intervals_are_those_of_the_files(written, model, name):
    _, text = written
    means, variance, freedom = model
    difference = means[name] - means["default"]
    half = stats.t.ppf(0.975, freedom) * np.sqrt(2 * variance / SEEDS)
    found = numbers(row(text, "## 4.", name)["lowest val loss against the default"].strip("*"))
    assert found == pytest.approx(np.exp([difference, difference - half, difference + half]), abs=0.006)


def test_the_trend_over_batch_sizes_is_the_slope_over_doublings(written, model):
    _, text = written
    means, variance, freedom = model
    slope = (means["default"] - means["batch size 16"]) / 2
    half = stats.t.ppf(0.975, freedom) * np.sqrt(variance / 2 / SEEDS)
    found = numbers(row(text, "## C.", "batch size, trend")["lowest val loss"].strip("*"))
    assert found == pytest.approx(np.exp([slope, slope - half, slope + half]), abs=0.006)


@pytest.mark.parametrize("name", ["dropout", "label smoothing", "three together"])
def test_changes_of_test_accuracy_are_those_of_obuchowski_and_rockette(written, name):
    root, text = written
    configurations = [*COMPARED, "label smoothing"]
    table = np.array([[right(folder) for folder in folders(root, one)] for one in configurations])  # (C, S, N)
    shares = table.mean(axis=2)
    rest = shares - shares.mean(axis=1, keepdims=True) - shares.mean(axis=0) + shares.mean()
    freedom = (len(configurations) - 1) * (SEEDS - 1)
    from_seeds = (rest**2).sum() / freedom
    own, default = table[configurations.index(name)], table[configurations.index("default")]
    each = own - default  # (S, N)
    covariance = np.cov(each) / each.shape[1]
    images = max((covariance.sum() - np.trace(covariance)) / SEEDS / (SEEDS - 1), 0)
    variance = 2 * from_seeds / SEEDS + images
    half = stats.t.ppf(0.975, freedom * (variance / (2 * from_seeds / SEEDS)) ** 2) * np.sqrt(variance)
    expected = 100 * np.array([each.mean(), each.mean() - half, each.mean() + half])
    assert numbers(row(text, "## 4.", name)["test accuracy, points"].strip("*")) == pytest.approx(expected, abs=0.006)


def test_what_the_rise_is_made_of_is_that_of_the_files(written):
    root, text = written
    losses, scaled = [], []
    for folder in folders(root, "default"):
        series = column(folder, "val_cross_entropy")
        losses.append(series[-3:].mean() - series[2:5].mean())  # the lowest loss is in the fourth epoch
        rest = column(folder, "scaled_cross_entropy", "calibration.csv")
        scaled.append(rest[-3:].mean() - rest[2:5].mean())
    found = re.search(r"validation image changes by \+([\d.]+).*This part changes by \+([\d.]+)", text)
    assert float(found[1]) == pytest.approx(np.mean(losses), abs=0.0006)
    assert float(found[2]) == pytest.approx(np.mean(scaled), abs=0.0006)


def test_the_table_of_all_runs_has_every_run_with_its_folder_and_its_own_figures(written):
    root, text = written
    for variant in VARIANTS:
        for seed, folder in enumerate(folders(root, variant.name)):
            name = folder.relative_to(root).as_posix()
            (line,) = [line for line in text.splitlines() if f"`{name}`" in line]
            assert f"| {variant.name}, {seed} |" in line
            assert f"{100 * right(folder).mean():.2f} %" in line
            assert float(line.split("|")[3].split()[0]) == pytest.approx(lowest(folder), rel=0.005)


def test_the_web_page_says_the_same_and_needs_nothing_beside_it(written):
    root, text = written
    page = (root / "study" / "homework" / "discussion.html").read_text()
    assert page.count('src="data:image/svg+xml;base64,') == text.count("![") == 7
    assert not re.search(r'(src|href)="(?!data:image|#)', page)
    assert re.findall(r'<h2 id="([^"]+)"', page)[-1] == "all-runs"
    assert page.count("<tr>") == len(re.findall(r"^\|", text, re.MULTILINE)) - len(
        re.findall(r"^\| :?--", text, re.MULTILINE)
    )


def test_the_figures_are_wide_enough_to_print(written):
    from PIL import Image

    root, _ = written
    for path in (root / "study" / "homework").glob("*.png"):
        with Image.open(path) as image:
            assert image.width >= 1200


def test_the_same_runs_give_the_same_documents(written):
    root, _ = written
    page = root / "study" / "homework" / "discussion.html"
    before = page.read_bytes()
    words = ("study", "homework", "--no-queue", "--seeds", str(SEEDS), "--epochs", str(EPOCHS), "--root", str(root))
    assert main([*words]) == 0
    assert page.read_bytes() == before
