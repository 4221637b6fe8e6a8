"""``lenet-tui inspect`` on real runs of digits, in a pipe and in a terminal."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.console import Console

from lenet_tui.cli import images
from lenet_tui.cli.inspect import summary
from lenet_tui.formatting import confidence
from lenet_tui.run.predictions import Predictions
from tests.conftest import environment
from tests.reports.conftest import predictions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lenet_tui.data.datasets import Dataset

    Lab = Callable[..., subprocess.CompletedProcess[str]]


def test_the_misclassified_images_are_drawn_most_confident_first(lab: Lab, trained_root: Path, digits: Dataset) -> None:
    done = lab("inspect", "1", "--count", 3, "--root", trained_root)
    assert done.returncode == 0, done.stderr
    text = json.loads(lab("inspect", "1", "--count", 3, "--json", "--root", trained_root).stdout)
    wrong = int((read(trained_root, 1).predicted != read(trained_root, 1).labels).sum())
    first, *_, last = done.stdout.splitlines()
    assert first.startswith(f"{wrong} of 397 test images misclassified; most often ")
    assert (text["wrong"], text["found"], text["of"], text["split"]) == (wrong, wrong, 397, "test")
    confidences = [image["confidence"] for image in text["images"]]
    assert len(confidences) == 3
    assert confidences == sorted(confidences, reverse=True)
    lines = done.stdout.splitlines()[2:]
    for number, image in enumerate(text["images"]):
        block = lines[17 * number : 17 * number + 17]
        pixels = digits.test_images[image["index"]][0].numpy()
        assert block[:14] == [line.plain.rstrip() for line in images.drawn(pixels, colours=False)]
        assert block[14] == f"true {image['true']}, predicted {image['predicted']}, {confidence(image['confidence'])}"
        assert block[15] == f"image {image['index']}"
    assert last == ""


def test_a_cell_of_the_confusion_matrix_is_shown_alone(lab: Lab, trained_root: Path) -> None:
    answer = read(trained_root, 1)
    both = (answer.labels == 1) & (answer.predicted == 1)
    done = lab("inspect", "1", "--true", 1, "--predicted", 1, "--count", 1, "--root", trained_root)
    assert f"true 1, predicted 1: {both.sum()} image" in done.stdout
    assert "true 1, predicted 1, " in done.stdout
    text = json.loads(lab("inspect", "1", "--true", 1, "--json", "--root", trained_root).stdout)
    assert text["found"] == int(((answer.labels == 1) & (answer.predicted != 1)).sum())


def test_a_run_that_was_stopped_shows_validation_images(lab: Lab, trained_root: Path) -> None:
    assert " of 200 validation images misclassified" in lab("inspect", "3", "--root", trained_root).stdout


def test_what_is_wrong_is_one_line(lab: Lab, trained_root: Path, tmp_path: Path) -> None:
    for words, code, message in (
        (("1", "--true", 10), 2, "--true 10 is not a class; give a number from 0 to 9"),
        (("1", "--predicted", -1), 2, "--predicted -1 is not a class"),
        (("1", "--count", -1), 2, "--count -1 is negative"),
        (("7",), 2, "there is no run 7"),
        ((str(tmp_path),), 1, "is not a run folder"),
    ):
        done = lab("inspect", *words, "--root", trained_root)
        assert (done.returncode, len(done.stderr.splitlines())) == (code, 1)
        assert message in done.stderr
    gone = shutil.copytree(trained_root / "alexnet", tmp_path / "alexnet")
    (folder,) = gone.iterdir()
    (folder / "predictions.npz").unlink()
    done = lab("inspect", folder)
    assert done.returncode == 1
    assert done.stderr == "lenet-tui: there is no predictions.npz: the run is finished\n"


def test_the_summary_names_the_most_frequent_error() -> None:
    assert summary(predictions(120, wrong=0), "0123456789") == "0 of 120 test images misclassified"
    text = predictions(120, wrong=0)
    logits = text.logits.copy()
    for index in (4, 14, 24, 7):
        logits[index] = 0
        logits[index, 9] = 5
    wrong = Predictions("test", text.labels, logits, text.features)
    assert summary(wrong, "0123456789") == "4 of 120 test images misclassified; most often true 4, predicted 9 (3×)"


def test_brightness_is_told_by_characters_where_there_are_no_colours() -> None:
    image = np.zeros((2, 6), np.uint8)
    image[0] = [0, 255, 0, 255, 60, 120]
    image[1] = [0, 0, 255, 255, 60, 130]
    (line,) = images.drawn(image, colours=False)
    assert line.plain == " ▀▄█░▒"
    (line,) = images.drawn(image, colours=True)
    assert line.plain == "▀" * 6
    assert str(line.spans[1].style) == "rgb(255,255,255) on rgb(0,0,0)"


@pytest.mark.parametrize(("width", "across"), [(30, 1), (58, 2), (87, 2), (88, 3), (10, 1)])
def test_as_many_images_stand_beside_each_other_as_fit(width: int, across: int) -> None:
    console = Console(width=width, record=True, force_terminal=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    picture = images.drawn(np.full((28, 28), 255, np.uint8), colours=False)
    images.side_by_side(console, [picture] * 3)
    assert console.export_text().splitlines()[0].count("█") == 28 * across


def test_the_command_draws_in_colours_in_a_terminal(trained_root: Path) -> None:
    code = (
        "import pty, sys; pty.spawn([sys.executable, '-m', 'lenet_tui', 'inspect', '1', '--count', '1', "
        f"'--root', {str(trained_root)!r}])"
    )
    env = environment(TERM="xterm-256color", COLORTERM="truecolor")
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert "\x1b[38;2;0;0;0;48;2;0;0;0m▀" in done.stdout


def read(root: Path, number: int) -> Predictions:
    from lenet_tui.store import Store

    with Store(root) as store:
        return Predictions.read(root / str(store.get(number).folder) / "predictions.npz")


def test_only_certainty_is_a_hundred_percent() -> None:
    assert [confidence(share) for share in (0.1, 0.984, 0.9949, 0.9966, 0.99999, 1.0)] == [
        *("10 %", "98 %", "99 %", "99.7 %", "99.9 %", "100 %")
    ]
