"""How small a difference a study would find, said before it is queued; without SciPy, which the app does not import."""

from __future__ import annotations

import math
from statistics import NormalDist

from lenet_tui.analysis.study.plan import VARIANTS

POWER = 0.8
LEVEL = 0.05
WELCH_FROM = 5  # seeds, as `contrasts.WELCH_FROM`
# Standard deviation between seeds of the logarithm of the lowest validation loss, after configuration and seed: of the
# study in docs/study on full MNIST with three seeds, over 14 configurations.
PUBLISHED_NOISE = 0.078
_OF_TWO = 1.5  # simulated: what two variances from few seeds are worth together, as degrees of freedom of one
COMPARISONS = 19  # of the validation loss, of which the smallest p counts so many times


def detectable(seeds: int, noise: float = PUBLISHED_NOISE, configurations: int = len(VARIANTS) - 2) -> float | None:
    """Return the least decrease of the loss, a share, that is found with a chance of 80 %; None for one seed.

    ``noise`` is the standard deviation between seeds of the loss's logarithm, equal in all ``configurations`` that are
    compared. It is for the hardest of the comparisons: what Holm's rule finds later needs less.
    """
    if seeds < 2:
        return None
    freedom = float((seeds - 1) * (configurations - 1))
    if seeds >= WELCH_FROM:
        freedom = _OF_TWO * freedom / configurations
    needed = _quantile(1 - LEVEL / 2 / COMPARISONS, freedom) + _quantile(POWER, freedom)
    return -math.expm1(-needed * noise * math.sqrt(2 / seeds))


def power_text(seeds: int) -> str:
    """Return what a study of so many seeds would find, in one line."""
    smallest = detectable(seeds)
    if smallest is None:
        return "one seed shows no seed-to-seed variation, so no difference can be tested"
    return f"with {seeds} seeds, a val loss {100 * smallest:.0f} % lower would be found with a chance of 80 %"


def _quantile(share: float, freedom: float) -> float:
    """Return Student's quantile, within 0.5 % from 5 degrees of freedom on (Hill 1970, Algorithm 396)."""
    two_sided = 2 * (1 - share)
    a = 1 / (freedom - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * freedom
    y = (d * two_sided) ** (2 / freedom)
    if y > 0.05 + a:
        x = NormalDist().inv_cdf(1 - share)
        y = x * x
        if freedom < 5:
            c += 0.3 * (freedom - 4.5) * (x + 0.6)
        c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        inner = ((freedom + 6) / (freedom * y) - 0.089 * d - 0.822) * (freedom + 2) * 3
        y = ((1 / inner + 0.5 / (freedom + 4)) * y - 1) * (freedom + 1) / (freedom + 2) + 1 / y
    return math.sqrt(freedom * y)
