from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix as reference

from lenet_tui.config import RunConfig
from lenet_tui.reports import confusion, style
from tests.reports.conftest import opened, pixels, predictions, record, share_of_colour

CLASSES_OF_30 = npst.arrays(np.int64, 30, elements=st.integers(0, 9))


@given(CLASSES_OF_30, CLASSES_OF_30)
def test_the_matrix_is_scikit_learns(labels, predicted):
    expected = reference(labels, predicted, labels=range(10))
    np.testing.assert_array_equal(confusion.confusion_matrix(labels, predicted), expected)


def orange(png: bytes) -> int:
    """Number of pixels in the colours of errors: more red than green, much more green than blue; not the colour bar."""
    image = pixels(png)[:, : -int(style.DPI * confusion.SCALE_WIDTH)]
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]
    return int(((red > green) & (green > blue + 40)).sum())


def test_one_error_in_a_thousand_is_coloured_and_no_error_is_not():
    clean = confusion.draw(record(RunConfig()), predictions(1000, wrong=0))
    one = confusion.draw(record(RunConfig()), predictions(1000, wrong=1))
    assert orange(clean) == 0
    assert share_of_colour(clean, confusion.NO_ERROR) > 0.3
    assert orange(one) > 5000  # about a cell


def test_errors_stand_in_the_row_of_the_true_class():
    image = pixels(confusion.draw(record(RunConfig()), predictions(1000, wrong=1)))  # true 0, predicted 1
    body = image[:, : -int(style.DPI * confusion.SCALE_WIDTH)]
    rows, columns = np.nonzero((body[..., 0] > body[..., 1]) & (body[..., 1] > body[..., 2] + 40))
    assert rows.mean() < 0.25 * image.shape[0]
    assert 0.1 * image.shape[1] < columns.mean() < 0.3 * image.shape[1]


@pytest.mark.parametrize("count", [1, 5, 20, 30, 40, 50, 60, 70, 80, 120, 300, 999])
def test_the_figures_stand_out_from_the_cell_that_they_are_in(count):
    counts = np.diag(np.full(10, 1000 - count))
    counts[3, 5] = count
    colours = confusion._colours(counts / 1000)
    axes = Figure().subplots()
    for place in ((3, 3), (3, 5)):
        confusion._write_cell(axes, counts, *place, colours[place])
    for text, ground in zip(axes.texts, (colours[3, 3],) * 2 + (colours[3, 5],) * 2, strict=True):
        lighter, darker = sorted((luminance(text.get_color()), luminance(ground)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5  # WCAG 2, AA


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize(
    ("dataset", "first", "last"),
    [("mnist", "0", "9"), ("fashion-mnist", "T-shirt/top", "Ankle boot"), ("kmnist", "o", "wo")],
)
def test_classes_are_called_as_in_the_data_set_that_was_seen(dataset, first, last):
    names = style.class_names(record(RunConfig(), dataset=dataset))
    assert (names[0], names[-1], len(set(names))) == (first, last, 10)


def test_the_title_tells_accuracy_count_and_part():
    title = opened(confusion.draw(record(RunConfig()), predictions(120, wrong=6))).info["Title"]
    assert title == (
        "Confusion matrix, test set: accuracy 95.00 %, n = 120; LeNet on MNIST, batch size 64, lr 0.001, 20 epochs"
    )
    stopped = opened(confusion.draw(record(RunConfig()), predictions(split="validation"))).info["Title"]
    assert "validation set (run not finished)" in stopped


def test_a_class_without_images_can_be_drawn():
    few = predictions(7, wrong=0)
    assert opened(confusion.draw(record(RunConfig()), few)).width >= 1200


def test_the_most_frequent_errors_are_named_worst_first():
    counts = np.zeros((10, 10), dtype=np.int64)
    counts[4, 9], counts[7, 2], counts[3, 3] = 3, 11, 900
    caption = confusion._caption(counts, style.DIGITS).replace("\N{NO-BREAK SPACE}", " ")
    assert caption.startswith("Most frequent errors: true 7, predicted 2 (11×), true 4, predicted 9 (3×).")
    assert confusion._caption(np.diag(np.full(10, 5)), style.DIGITS).startswith("No errors.")
