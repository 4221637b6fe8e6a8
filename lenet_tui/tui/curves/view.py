"""Which epochs are in sight: zoom and pan, never beyond what there is. Pure functions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.tui.curves.charts import Curve, Options

LEAST_SPAN = 2.0  # epochs
_STILL = 16  # a run at work moves the axis at most so often while the number of its epochs doubles

View = tuple[float, float]


def extent(curves: Sequence[Curve], options: Options) -> View:
    """Return the first and last epoch that there is or, with ``options.planned``, that is to come.

    While a run is at work the axis is up to a sixteenth longer, so that it seldom moves.
    """
    last = 1
    for curve in curves:
        done = curve.epochs[-1].epoch if curve.epochs else 0
        reached = max(done, math.ceil(curve.partial[0]) if curve.partial else 0)
        if curve.at_work and reached:
            grain = 2 ** max(0, (reached // _STILL).bit_length() - 1)
            reached = max(reached, min(curve.total_epochs, -(-reached // grain) * grain))
        last = max(last, reached, curve.total_epochs if options.planned else 0)
    # Epoch 1 lies at its end, and its steps before it.
    return (0.0 if "steps" in (options.shown, options.second) else 1.0), float(last)


def visible_epochs(curves: Sequence[Curve], options: Options) -> View:
    """Return the first and last epoch that is shown."""
    return fitted(options.zoom, extent(curves, options)) if options.zoom else extent(curves, options)


def fitted(view: View, whole: View) -> View:
    """Return ``view`` moved and, where it must be, narrowed to lie in ``whole``."""
    span = min(view[1] - view[0], whole[1] - whole[0])
    low = min(max(view[0], whole[0]), whole[1] - span)
    return low, low + span


def zoomed(view: View, whole: View, factor: float, around: float | None = None) -> View | None:
    """Return ``view`` made ``factor`` times as wide, in whole epochs; None when that shows all.

    ``around`` is the epoch that stays where it is, by default the one in the middle.
    """
    old = view[1] - view[0]
    span = max(LEAST_SPAN, float(round(old * factor)))
    if span == old and factor > 1:
        span += 1
    if span >= whole[1] - whole[0]:
        return None
    middle = (view[0] + view[1]) / 2 if around is None else around
    low = float(round(middle - span * ((middle - view[0]) / old if old else 0.5)))
    return fitted((low, low + span), whole)


def panned(view: View, whole: View, share: float) -> View:
    """Return ``view`` moved by a share of its width, at least an epoch."""
    step = math.copysign(max(1, round(abs(share) * (view[1] - view[0]))), share)
    return fitted((view[0] + step, view[1] + step), whole)


def with_epoch(view: View, whole: View, epoch: float) -> View:
    """Return ``view`` moved as little as brings ``epoch`` into sight."""
    by = min(0.0, epoch - view[0]) + max(0.0, epoch - view[1])
    return fitted((view[0] + by, view[1] + by), whole)
