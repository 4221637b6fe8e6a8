"""Learning-rate schedules as pure functions of the step, so that resuming needs no scheduler state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenet_tui.config import ScheduleName

# OneCycleLR's defaults in PyTorch, after Smith & Topin 2018, "Super-convergence".
_WARM_UP = 0.3
_START = 1 / 25
_END = _START / 1e4


def lr_factor(schedule: ScheduleName, step: int, steps: int) -> float:
    """Return what the configured learning rate is multiplied by at ``step`` (from 0) of ``steps`` in the whole run.

    ``cosine`` falls to 0 (Loshchilov & Hutter 2017, eq. 5, without restarts); ``onecycle`` rises from 1/25 to 1
    over the first 30 % and falls to 1/250,000; ``step`` is divided by 10 at 50 % and again at 75 %.
    """
    if schedule == "cosine":
        return (1 + math.cos(math.pi * step / steps)) / 2
    if schedule == "onecycle":
        peak = _WARM_UP * steps - 1
        if step <= peak:
            return _between(_START, 1.0, step / peak)
        return _between(1.0, _END, (step - peak) / (steps - 1 - peak))
    if schedule == "step":
        return 1.0 if step < steps / 2 else 0.1 if step < 3 * steps / 4 else 0.01
    return 1.0


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
