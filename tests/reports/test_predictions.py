from __future__ import annotations

import io
import pickle

import numpy as np
import pytest

from lenet_tui.errors import LabError
from lenet_tui.run.predictions import Predictions
from tests.reports.conftest import predictions


def test_what_was_written_is_read_back(tmp_path):
    text = predictions(50, split="validation")
    text.write(tmp_path / "predictions.npz")
    read = Predictions.read(tmp_path / "predictions.npz")
    assert read.split == "validation"
    for name in ("labels", "logits", "features"):
        np.testing.assert_array_equal(getattr(read, name), getattr(text, name))
        assert getattr(read, name).dtype == getattr(text, name).dtype


def test_accuracy_is_the_share_of_right_classes():
    assert predictions(100, wrong=13).accuracy == 0.87


def test_the_predicted_class_has_the_highest_logit():
    logits = np.zeros((2, 10), dtype=np.float32)
    logits[0, 3] = logits[1, 8] = 1
    assert Predictions("test", np.array([3, 3]), logits, logits).predicted.tolist() == [3, 8]


def saved(**changes: object) -> bytes:
    arrays = {
        "split": np.array("test"),
        "labels": np.arange(10),
        "logits": np.zeros((10, 10), np.float32),
        "features": np.zeros((10, 4), np.float32),
    } | changes
    content = io.BytesIO()
    np.savez(content, **{name: value for name, value in arrays.items() if value is not None})
    return content.getvalue()


def test_a_whole_file_is_accepted(tmp_path):  # or the next test would prove nothing
    (tmp_path / "p.npz").write_bytes(saved())
    assert Predictions.read(tmp_path / "p.npz").accuracy == 0.1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip",
        pickle.dumps({"labels": 1}),
        saved()[:300],
        saved()[:-200],
        saved(logits=None),
        saved(split=np.array("train")),
        saved(labels=np.arange(9)),
        saved(labels=np.arange(10) + 1),
        saved(labels=np.arange(10) / 1.0),
        saved(labels=np.zeros((0,), int), logits=np.zeros((0, 10)), features=np.zeros((0, 4))),
        saved(logits=np.zeros((10, 9), np.float32)),
        saved(logits=np.full((10, 10), "a")),
        saved(features=np.zeros((9, 4), np.float32)),
        saved(features=np.zeros((10, 0), np.float32)),
        saved(labels=np.array([object()] * 10)),
    ],
)
def test_a_damaged_file_is_one_clear_line(tmp_path, content):
    path = tmp_path / "predictions.npz"
    path.write_bytes(content)
    with pytest.raises(LabError, match="is damaged: ") as caught:
        Predictions.read(path)
    assert "\n" not in str(caught.value)


def test_a_single_array_is_not_a_predictions_file(tmp_path):
    np.save(tmp_path / "p.npy", np.zeros(3))
    with pytest.raises(LabError, match="is damaged: File is not a zip file"):
        Predictions.read(tmp_path / "p.npy")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(LabError, match="is missing"):
        Predictions.read(tmp_path / "predictions.npz")


def test_inconsistent_predictions_cannot_be_made():
    with pytest.raises(ValueError, match="features"):
        Predictions("test", np.arange(10), np.zeros((10, 10), np.float32), np.zeros((3, 4), np.float32))
