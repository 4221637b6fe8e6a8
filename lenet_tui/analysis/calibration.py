"""Whether a network is as certain as it is right: temperature, the loss that is left with it, calibration error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

BINS = 15  # of equally many images
_STEPS = 60
_SMALLEST, _LARGEST = 1e-3, 1e3  # of 1 / temperature
_CLOSE = 1e-4  # of which the loss depends on the square
_FLAT = 1e-9  # nats, where every image is right and the lowest loss infinitely far away


@dataclass(frozen=True)
class Calibration:
    """A cross-entropy split into what mistakes cost and what the wrong certainty adds.

    ``loss`` is the cross-entropy (nats per image) and ``scaled_loss`` what is left of it when the logits are divided
    by a ``temperature`` fitted to other images: above 1 the network was too certain, below 1 not certain enough.
    ``error`` is the expected calibration error, the mean distance between certainty and share of right answers.
    """

    loss: float
    scaled_loss: float
    temperature: float
    error: float

    @property
    def certainty_loss(self) -> float:
        """What the wrong certainty costs, in nats per image."""
        return self.loss - self.scaled_loss


def calibration(logits: ArrayLike, labels: ArrayLike) -> Calibration:
    """Measure (N, 10) ``logits`` of images with ``labels`` (N,), N at least 2.

    The temperature (Guo et al. 2017, "On calibration of modern neural networks") is fitted to each half of the images
    and applied to the other, so that the fit gives nothing away; the one returned is the geometric mean of both. Raises
    ValueError for fewer images or logits that are not finite.
    """
    table = np.asarray(logits, dtype=np.float64)
    true = np.asarray(labels)
    if len(table) < 2 or not np.isfinite(table).all():
        raise ValueError("calibration needs two images, and finite logits")
    table = table - table.max(axis=1, keepdims=True)
    halves = (np.arange(len(true)) % 2 == 0, np.arange(len(true)) % 2 == 1)
    sharpness = [_sharpness(table[half], true[half]) for half in halves]
    scaled = np.empty(len(true))
    for half, own in zip(halves, reversed(sharpness), strict=True):
        scaled[half] = _losses(own * table[half], true[half])
    return Calibration(
        float(_losses(table, true).mean()),
        float(scaled.mean()),
        float(1 / np.sqrt(sharpness[0] * sharpness[1])),
        _expected_error(table, true),
    )


def image_losses(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Return the cross-entropy of each image (N,) in nats, from (N, 10) logits and labels (N,)."""
    table = np.asarray(logits, dtype=np.float64)
    return _losses(table - table.max(axis=1, keepdims=True), np.asarray(labels))


def _losses(logits: NDArray[np.float64], labels: NDArray[np.integer]) -> NDArray[np.float64]:
    losses: NDArray[np.float64] = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]
    return losses


def _sharpness(logits: NDArray[np.float64], labels: NDArray[np.integer]) -> float:
    """Return the factor on the logits of lowest cross-entropy, by Newton's method within bounds.

    The loss is convex in the factor, so the sign of its slope says on which side the lowest lies.
    """
    right = float(logits[np.arange(len(labels)), labels].mean())
    low, high, place = _SMALLEST, _LARGEST, 1.0
    for _ in range(_STEPS):
        weights = np.exp(place * logits)
        total = weights.sum(axis=1)
        weights *= logits
        mean = weights.sum(axis=1) / total
        weights *= logits
        slope = float(mean.mean()) - right
        curvature = float((weights.sum(axis=1) / total - mean * mean).mean())
        low, high = (low, place) if slope > 0 else (place, high)
        new = place - slope / curvature if curvature > 0 else -1.0
        if not low < new < high:
            new = math.sqrt(low * high)
        if abs(new - place) < _CLOSE * place or abs(slope) < _FLAT:
            return place
        place = new
    return place


def _expected_error(logits: NDArray[np.float64], labels: NDArray[np.integer]) -> float:
    """Return the expected calibration error over bins of equally many images, ordered by certainty."""
    shares = np.exp(logits)
    certainty = shares.max(axis=1) / shares.sum(axis=1)
    right = logits.argmax(axis=1) == labels
    order = np.argsort(certainty, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    return float(sum(abs(float((certainty[part] - right[part]).sum())) for part in bins) / len(labels))
