"""Which images a run gets wrong, from its predictions alone. numpy, no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lenet_tui.run.predictions import Predictions


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the softmax of (N, 10) logits, (N, 10)."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result


def confidence(predictions: Predictions) -> NDArray[np.float64]:
    """Return the probability of the predicted class of each image, (N,)."""
    result: NDArray[np.float64] = probabilities(predictions.logits).max(axis=1)
    return result


def chosen(predictions: Predictions, true: int | None = None, predicted: int | None = None) -> NDArray[np.intp]:
    """Return the numbers of the images of these classes, None for any; most confident first.

    Only misclassified ones, unless both classes are given. Among equals the order is that of the data set.
    """
    classes = predictions.predicted
    cell = true is not None and predicted is not None
    wanted = np.ones(len(classes), dtype=bool) if cell else classes != predictions.labels
    if true is not None:
        wanted &= predictions.labels == true
    if predicted is not None:
        wanted &= classes == predicted
    (numbers,) = np.nonzero(wanted)
    return numbers[np.argsort(-confidence(predictions)[numbers], kind="stable")]
