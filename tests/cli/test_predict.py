"""What `predict` answers, with a real run of a few epochs on the digits and with a default run on MNIST."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from lenet_tui import experiment, handwriting
from lenet_tui.cli import predict
from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError, UsageError
from lenet_tui.inspection import classifier
from lenet_tui.run.folder import RunFolder
from tests.conftest import Watcher
from tests.handwriting.test_photos import PHOTOS

if TYPE_CHECKING:
    from lenet_tui.data.datasets import Dataset


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, digits: Dataset) -> RunFolder:
    config = RunConfig(dataset="digits", val_size=200, epochs=3, batch_size=16, threads=1, tsne_samples=100)
    folder, record = experiment.begin(tmp_path_factory.mktemp("root"), config, digits)
    assert experiment.run(folder, record, digits, Watcher()).state == "finished"
    return folder


@pytest.fixture
def copy(run: RunFolder, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(run.path, tmp_path / "copy")))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, digits: Dataset) -> list[Path]:
    """Forty images of the test set, enlarged, every other one dark on light, PNG and JPEG."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = []
    for index in range(40):
        image = digits.test_images[index, 0].numpy()
        picture = Image.fromarray(image if index % 2 else 255 - image).resize((196, 196), Image.Resampling.BICUBIC)
        framed = Image.new("L", (260, 230), 0 if index % 2 else 255)
        framed.paste(picture, (30, 10))
        paths.append(folder / f"{index}.{('png', 'jpg')[index // 2 % 2]}")
        framed.save(paths[-1])
    return paths


def call(*words: object) -> int:
    parser = argparse.ArgumentParser()
    predict.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["predict", *map(str, words)])
    code: int = arguments.run(arguments)
    return code


def test_pictures_of_test_images_are_recognised_about_as_well_as_the_images(
    run: RunFolder, pictures: list[Path], digits: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(run.path, *pictures, "--json") == 0
    text = json.loads(capsys.readouterr().out)
    assert text["dataset"] == "digits"
    assert [image["image"] for image in text["images"]] == list(map(str, pictures))
    right = np.array([image["class"] for image in text["images"]]) == digits.test_labels[:40].numpy()
    accuracy = run.read_record().summary
    assert accuracy is not None
    assert accuracy.test_accuracy is not None
    assert right.mean() > accuracy.test_accuracy - 0.1 > 0.7
    for image in text["images"]:
        assert len(image["probabilities"]) == 10
        assert sum(image["probabilities"]) == pytest.approx(1)
        assert max(image["probabilities"]) == image["probabilities"][image["class"]]


def test_a_line_tells_the_class_how_sure_it_is_and_what_comes_next(
    run: RunFolder, pictures: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(run.path, pictures[0], "--json") == 0
    shares = json.loads(capsys.readouterr().out)["images"][0]["probabilities"]
    assert call(run.path, pictures[0]) == 0
    first, second = sorted(range(10), key=lambda c: -shares[c])[:2]
    assert capsys.readouterr().out == (
        f"{pictures[0]}  {first}  {100 * shares[first]:.1f} %  (next: {second}, {100 * shares[second]:.1f} %)\n"
    )


def test_classes_that_are_no_digits_have_their_names() -> None:
    shares = [0.0, 0, 0, 0, 0, 0, 0, 0.25, 0, 0.75]
    names = predict.CLASS_NAMES["fashion-mnist"]
    shown = predict.line(Path("100%.png"), shares, names)
    assert shown == "100%.png  Ankle boot  75.0 %  (next: Sneaker, 25.0 %)"


def test_what_the_network_saw_can_be_looked_at(
    run: RunFolder, pictures: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(run.path, *pictures[:2], "--show") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert len(lines) == 2 * (1 + 14)
    assert "█" in "".join(lines[1:15])


def test_a_picture_that_cannot_be_read_does_not_keep_the_others_from_being_told(
    run: RunFolder, pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, nowhere = tmp_path / "words.png", tmp_path / "nowhere.png"
    words.write_text("four")
    assert call(run.path, words, pictures[0], nowhere) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"{pictures[0]}  ")
    assert out.count("\n") == 1
    assert err.splitlines() == [
        f"lenet-tui: {words} is not a picture that can be read: PNG, JPEG, WEBP, BMP, GIF and TIFF can",
        f"lenet-tui: {nowhere} is not a picture: No such file or directory",
    ]
    assert call(run.path, words, pictures[0], "--json") == 1
    bad, good = json.loads(capsys.readouterr().out)["images"]
    assert bad["image"] == str(words)
    assert bad["error"].startswith(f"{words} is not a picture that can be read")
    assert good["image"] == str(pictures[0])
    assert call(run.path, pictures[0], nowhere) == 2


def test_a_run_without_weights_is_one_clear_line(copy: RunFolder, pictures: list[Path], tmp_path: Path) -> None:
    copy.weights_path.unlink()
    with pytest.raises(LabError, match=r"has no weights \(finished\)"):
        call(copy.path, pictures[0])
    copy.weights_path.write_bytes(b"not really")
    with pytest.raises(LabError, match="is damaged"):
        call(copy.path, pictures[0])
    with pytest.raises(UsageError, match="there is no run folder nowhere"):
        call("nowhere", pictures[0])
    with pytest.raises(UsageError, match="there is no run 7"):
        call("7", pictures[0], "--root", tmp_path / "empty")


def test_the_scaling_of_pixels_is_kept_with_the_run_and_found_for_folders_that_lack_it(
    copy: RunFolder, digits: Dataset
) -> None:
    record = copy.read_record()
    assert (record.dataset.mean, record.dataset.std) == (digits.mean, digits.std)
    assert classifier.load(copy).scaling == classifier.Scaling(digits.mean, digits.std)
    older = record.dataset.model_copy(update={"mean": None, "std": None})
    copy.write_record(record.model_copy(update={"dataset": older}))
    assert classifier.load(copy).scaling == classifier.Scaling(digits.mean, digits.std)
    others = older.model_copy(update={"checksum": "c0ffee"})
    copy.write_record(record.model_copy(update={"dataset": others}))
    with pytest.raises(LabError, match="was trained on other images of digits"):
        classifier.load(copy)


def test_probabilities_are_those_of_the_predictions_on_file(run: RunFolder, digits: Dataset) -> None:
    from lenet_tui.run.predictions import Predictions

    logits = Predictions.read(run.predictions_path).logits[:50].astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    result = classifier.load(run).probabilities(digits.test_images[:50, 0].numpy())
    assert result == pytest.approx(expected, abs=1e-5)


def test_the_data_set_of_the_run_says_how_large_its_things_are(
    run: RunFolder, pictures: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    seen = handwriting.prepare(handwriting.read(pictures[0], "digits").digits[0].ink, "digits")
    shares = classifier.load(run).probabilities(seen[np.newaxis])[0]
    assert call(run.path, pictures[0], "--json") == 0
    assert json.loads(capsys.readouterr().out)["images"][0]["probabilities"] == pytest.approx(shares.tolist(), abs=1e-6)


def test_several_digits_are_answered_from_left_to_right(capsys: pytest.CaptureFixture[str]) -> None:
    photo = PHOTOS / "second_digit_beside_2.jpg"
    assert call(PHOTOS / "run", photo, "--show") == 0
    out, err = capsys.readouterr()
    lines = [line for line in out.splitlines() if "next:" in line]
    assert len(lines) == 2
    assert lines[0].startswith(f"{photo}  digit 1 of 2  2  ")
    assert lines[1].startswith(f"{photo}  digit 2 of 2  5  ")
    assert len(out.splitlines()) == 2 * (1 + 14 + 1)
    assert err == f"lenet-tui: {photo}: 2 digits, each answered on its own, from left to right\n"


def test_json_has_every_digit_its_place_and_the_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(PHOTOS / "run", PHOTOS / "second_digit_beside_2.jpg", "--json") == 0
    out, err = capsys.readouterr()
    (image,) = json.loads(out)["images"]
    assert [digit["name"] for digit in image["digits"]] == ["2", "5"]
    assert (image["class"], image["probabilities"]) == (2, image["digits"][0]["probabilities"])
    assert image["warnings"] == ["2 digits, each answered on its own, from left to right"]
    first, second = (digit["box"] for digit in image["digits"])
    assert 0 < first["left"] < first["right"] < second["left"] < second["right"] < 1
    assert 0 < first["top"] < first["bottom"] < 1
    assert err == ""


def test_what_the_network_is_not_sure_of_has_a_warning_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    photo = PHOTOS / "rotated_15_6.jpg"  # which it takes for a five, with 0.99
    assert call(PHOTOS / "run", photo) == 0
    out, err = capsys.readouterr()
    assert "  5  99." in out
    assert err.startswith(f"lenet-tui: {photo}: not sure")
    assert "--show" in err
    assert call(PHOTOS / "run", photo, "--json") == 0
    (image,) = json.loads(capsys.readouterr().out)["images"]
    assert image["warnings"][0].startswith("not sure")
    assert image["digits"][0]["warnings"] == image["warnings"]


def test_names_of_files_cannot_speak_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a\x1b]52;c;\x07\n.jpg"
    path.write_bytes((PHOTOS / "second_digit_beside_2.jpg").read_bytes())
    assert call(PHOTOS / "run", path, tmp_path / "\x1b[2J") == 2
    for text in capsys.readouterr():
        assert "\x1b" not in text
        assert "\x07" not in text
    assert call(PHOTOS / "run", path, "--json") == 0
    assert json.loads(capsys.readouterr().out)["images"][0]["image"] == str(path)


def test_a_run_that_diverged_gives_no_answer(copy: RunFolder, pictures: list[Path]) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(copy.weights_path)
    save_file({name: np.full_like(values, np.nan) for name, values in weights.items()}, copy.weights_path)
    with pytest.raises(LabError, match="gives no numbers: the run diverged"):
        call(copy.path, pictures[0], "--json")
