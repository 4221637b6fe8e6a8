"""Which images are held out. Fixed for all time: no run's seed has a say.

The order of images comes from numpy's legacy generator, the one whose stream is guaranteed never to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

VALIDATION_SEED = 1998
SAMPLE_SEED = 2012
TEST_SEED = 1797


def allocate(counts: Sequence[int], size: int) -> list[int]:
    """Share ``size`` among classes in proportion to ``counts`` so that the shares add up to it exactly.

    The method of largest remainders (Hamilton): each class gets its quota rounded down, and what is left goes
    to the largest fractions, of equals to the first. No class gets more than it has, if ``size`` is at most
    the sum of ``counts``; ValueError when it is more.
    """
    total = sum(counts)
    if not 0 <= size <= total:
        raise ValueError(f"cannot choose {size} of {total}")
    quotas = [divmod(size * count, total) if total else (0, 0) for count in counts]
    shares = [whole for whole, _ in quotas]
    by_fraction = sorted(range(len(counts)), key=lambda index: -quotas[index][1])
    for index in by_fraction[: size - sum(shares)]:
        shares[index] += 1
    return shares


def stratified(labels: NDArray[np.integer], size: int, seed: int) -> NDArray[np.int64]:
    """Choose ``size`` of the images so that each class keeps its share; return their indices, ascending.

    ``labels`` has shape (N,). The same labels, size and seed give the same indices everywhere.
    """
    generator = np.random.RandomState(seed)
    classes, counts = np.unique(labels, return_counts=True)
    chosen = [
        generator.permutation(np.flatnonzero(labels == label))[:share]
        for label, share in zip(classes, allocate([int(count) for count in counts], size), strict=True)
    ]
    return np.sort(np.concatenate([np.empty(0, np.int64), *chosen])).astype(np.int64)


def complement(chosen: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Return the indices from 0 to ``total`` - 1 that are not in ``chosen``, ascending."""
    left = np.ones(total, dtype=bool)
    left[chosen] = False
    return np.flatnonzero(left).astype(np.int64)
