"""Studies of known truth: false alarms, coverage and power of the study's tests, thousands of each kind.

``python -m benchmarks.study_simulation [STUDIES]``; a minute for 1,000. The tests run hundreds.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np

from lenet_tui.analysis.contrasts import ConfigurationModel, pair_weights
from lenet_tui.analysis.overfitting import overfitting_region
from lenet_tui.analysis.statistics import holm
from lenet_tui.analysis.study import planner
from lenet_tui.run.metrics import EpochMetrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOISE = planner.PUBLISHED_NOISE
# Best val loss against the default: the study of 45 runs in docs/study at 0.1.0.
GAINS = {
    "three together": 0.56, "dropout": 0.67, "affine": 0.70, "averaging": 0.73, "elastic": 0.74, "cosine": 0.88,
    "weight decay": 0.91, "AlexNet": 0.94, "batch 32": 0.95, "batch 16": 1.08, "rate 0.0001": 1.10, "rate 0.01": 2.21,
}  # fmt: skip
EPOCHS = 20


def study(random: np.random.Generator, seeds: int, sizes: NDArray[np.float64], effects: NDArray[np.float64]) -> dict:
    """Return the p-values, adjusted, and whether each interval holds the truth, of each configuration by name."""
    noise = NOISE * random.normal(size=(1 + len(GAINS), seeds)) * sizes[:, None] + 0.05 * random.normal(size=seeds)
    table = noise + np.concatenate([[0.0], effects])[:, None]
    values = {name: dict(enumerate(row)) for name, row in zip(("default", *GAINS), table.tolist(), strict=True)}
    model = ConfigurationModel(values)
    found = [model.contrast(pair_weights(name, "default")) for name in GAINS]
    adjusted = holm([one.p for one in found])
    held = [one.low <= truth <= one.high for one, truth in zip(found, effects, strict=True)]
    return dict(zip(GAINS, zip(adjusted, held, strict=True), strict=True))


def comparisons(studies: int) -> None:
    """Print family-wise errors, coverage and power by seeds and noise."""
    random = np.random.default_rng(1)
    kinds = {
        "equal noise": np.ones(1 + len(GAINS)),
        "default × 3": np.array([3.0, *np.ones(len(GAINS))]),
        "each its own": np.exp(random.normal(0, 0.5, 1 + len(GAINS))),
    }
    published = np.log(list(GAINS.values()))
    for seeds in (3, 5, 10):
        smallest = planner.detectable(seeds)
        planned = np.array([math.log(1 - smallest), *np.zeros(len(GAINS) - 1)])
        for kind, sizes in kinds.items():
            null = [study(random, seeds, sizes, 0 * published) for _ in range(studies)]
            real = [study(random, seeds, sizes, published) for _ in range(studies)]
            just = [study(random, seeds, sizes, planned) for _ in range(studies)]
            errors = np.mean([min(p for p, _ in one.values()) < 0.05 for one in null])
            coverage = np.mean([held for one in real for _, held in one.values()])
            power = {name: np.mean([one[name][0] < 0.05 for one in real]) for name in list(GAINS)[:6]}
            plan = np.mean([one["three together"][0] < 0.05 for one in just])
            print(
                f"{seeds:>2} seeds, {kind:<12}: false alarms {errors:.3f}, coverage {coverage:.3f}, "
                f"found of −{100 * smallest:.0f} %: {plan:.2f}; "
                + ", ".join(f"{name} {share:.2f}" for name, share in power.items()),
                flush=True,
            )


def overfitting(studies: int) -> None:
    """Print how often a plateau and a rise of 30 % after epoch 8 are called overfitting."""
    random = np.random.default_rng(2)
    places = np.arange(EPOCHS)
    train = np.exp(-places / 10)
    for rise in (0.0, 0.3):
        curve = np.where(places < 8, 0.12 * (8 - places), math.log1p(rise) * (places - 8) / (EPOCHS - 9))
        for correlation in (0.0, 0.3, 0.5):
            shares = []
            for runs in (1, 3, 5):
                found = 0
                for _ in range(studies):
                    histories = [_history(train, np.exp(curve + _noise(random, correlation))) for _ in range(runs)]
                    found += overfitting_region(*histories) is not None
                shares.append(f"{runs} runs {found / studies:.3f}")
            print(
                f"rise {100 * rise:.0f} %, noise 10 %, neighbours' correlation {correlation}: {', '.join(shares)}",
                flush=True,
            )


def _noise(random: np.random.Generator, correlation: float) -> NDArray[np.float64]:
    values = random.normal(size=EPOCHS)
    for place in range(1, EPOCHS):
        values[place] = correlation * values[place - 1] + math.sqrt(1 - correlation**2) * values[place]
    return 0.1 * values


def _history(train: NDArray[np.float64], validation: NDArray[np.float64]) -> list[EpochMetrics]:
    return [
        EpochMetrics(number, float(t), float(v), 0.9, 0.9, 0.001, 1.0, float(t), 0.9, float(v))
        for number, (t, v) in enumerate(zip(train, validation, strict=True), start=1)
    ]


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    comparisons(count)
    overfitting(count)
