from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from lenet_tui.config import RunConfig
from lenet_tui.data.catalog import CLASS_COLOURS
from lenet_tui.reports import NotDrawable, style, tsne
from lenet_tui.run.predictions import Predictions
from tests.reports.conftest import opened, pixels, predictions, record

RECORD = record(RunConfig())


@given(npst.arrays(np.int64, st.integers(1, 400), elements=st.integers(0, 9)), st.integers(1, 300))
def test_the_sample_has_the_size_asked_for_and_every_class_in_proportion(labels, size):
    chosen = tsne.stratified_sample(labels, size)
    assert len(chosen) == min(size, len(labels))
    assert len(set(chosen.tolist())) == len(chosen)
    exact = np.bincount(labels, minlength=10) * len(chosen) / len(labels)
    assert (np.abs(np.bincount(labels[chosen], minlength=10) - exact) < 1).all()


def test_the_sample_is_the_same_every_time_and_not_just_the_first_images():
    labels = np.repeat(np.arange(10), 50)
    first = tsne.stratified_sample(labels, 100)
    np.testing.assert_array_equal(first, tsne.stratified_sample(labels, 100))
    assert not np.array_equal(first % 50, np.tile(np.arange(10), 10))


def test_the_map_keeps_classes_together_that_the_features_keep_together():
    text = predictions(300)
    places = tsne.embed(text.features, seed=0)
    assert KNeighborsClassifier(5).fit(places, text.labels).score(places, text.labels) > 0.97
    assert places.std() > 8  # 3 where scikit-learn exaggerates to the end


def test_wide_features_are_mapped_too_and_the_thread_count_is_put_back():
    with threadpool_limits(2):
        before = [pool["num_threads"] for pool in threadpool_info()]
        places = tsne.embed(predictions(60, width=300).features, seed=0)
        assert [pool["num_threads"] for pool in threadpool_info()] == before
    assert 2 in before
    assert np.isfinite(places).all()


def black(png: bytes) -> int:
    return int((pixels(png).max(axis=2) < 60).sum())


def test_misclassified_images_are_ringed():
    none, some = (tsne.draw(RECORD, predictions(wrong=wrong)) for wrong in (0, 8))
    assert black(some) > black(none) + 8 * 50


def test_every_class_has_a_colour_of_its_own_in_the_map():
    map_pixels = pixels(tsne.draw(RECORD, predictions()))[:, : int(style.DPI * tsne.MAP)]
    for colour in CLASS_COLOURS:
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(map_pixels - wanted).max(axis=2) <= 3).sum() > 50, colour


def test_the_same_run_gives_the_same_bytes():
    assert tsne.draw(RECORD, predictions(width=300)) == tsne.draw(RECORD, predictions(width=300))


def changed(predictions: Predictions, features: np.ndarray) -> Predictions:
    return Predictions(predictions.split, predictions.labels, predictions.logits, features.astype(np.float32))


@pytest.mark.parametrize(
    ("predictions", "reason"),
    [
        (predictions(5), "too few"),
        (changed(predictions(), np.full((120, 3), np.nan)), "not finite"),
        (changed(predictions(), np.ones((120, 3))), "collapsed"),
    ],
)
def test_features_that_cannot_be_arranged_are_said_to_be_so(predictions, reason):
    with pytest.raises(NotDrawable, match=reason):
        tsne.draw(RECORD, predictions)


def test_a_handful_of_images_can_be_drawn():
    assert opened(tsne.draw(RECORD, predictions(10, wrong=1))).width >= 1200
