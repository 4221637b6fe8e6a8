"""What speaks against an answer: a network that is not sure, or not of the same ink changed a little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage  # type: ignore[import-untyped]

from lenet_tui.handwriting.mnist import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_TURNS = (-8.0, 8.0)  # degrees
_WORKING = 100  # pixels a side that a digit is turned at
_SURE = 0.9
_HELP = "--show draws what the network sees"
_STILL_SURE = 0.8  # of the same class when the ink is a little different; 5 % of MNIST's test images are below


def variants(ink: NDArray[np.float32], dataset: str) -> NDArray[np.uint8]:
    """Return what a network sees of ink (h, w), and of the same ink changed so little that a digit stays what it is.

    That is (5, 28, 28): as it is, turned by 8° to either side, thinner and thicker.
    """
    small = ink[:: max(1, max(ink.shape) // _WORKING), :: max(1, max(ink.shape) // _WORKING)]
    seen = prepare(ink, dataset)
    turned = [prepare(ndimage.rotate(small, angle, order=1).clip(0, 1), dataset) for angle in _TURNS]
    cross = ndimage.generate_binary_structure(2, 1)
    thinner = (seen.astype(np.uint16) + ndimage.grey_erosion(seen, footprint=cross)) // 2
    thicker = (seen.astype(np.uint16) + ndimage.grey_dilation(seen, footprint=cross)) // 2
    return np.stack([seen, *turned, thinner.astype(np.uint8), thicker.astype(np.uint8)])


def of_network(shares: NDArray[np.float64], names: Sequence[str]) -> list[str]:
    """Return what speaks against the first of the answers (5, classes) that a network gives to `variants`."""
    first = int(shares[0].argmax())
    if shares[0, first] < _SURE:
        return [f"not sure; {_HELP}"]
    other = shares[shares[:, first].argmin()]
    if other[first] >= _STILL_SURE:
        return []
    second = int(other.argmax())
    if second == first:
        return [f"not sure when the ink is turned or broadened a little; {_HELP}"]
    return [f"not sure: {names[second]} when the ink is turned or broadened a little; {_HELP}"]
