"""How fast a run is, evaluation included, so that the speeds of whole runs and of first steps compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenet_tui.store.records import Run

_SETTLED_SECONDS = 3.0  # of steps, after which their speed says something
_SETTLED_SHARE = 0.2  # of an epoch, where that takes less
_SAMPLE = 5_000  # training images that are evaluated after each epoch
_EVALUATION = 0.3  # of what training on an image costs


def speed_of(run: Run) -> float | None:
    """Return the images/second that a run trains on, over its whole epochs or, before one is done, over its steps.

    None before enough steps are done: the first ones are far slower than the others.
    """
    from lenet_tui.config import TRAINABLE_IMAGES

    values = run.values
    images = TRAINABLE_IMAGES.get(values["dataset"], 0) - values["val_size"]
    if images <= 0:
        return None
    if run.epochs_done:
        return float(images * run.epochs_done / run.train_seconds) if run.train_seconds else None
    where = run.progress
    if where is None or where.images_per_second <= 0:
        return None
    seconds = where.step * values["batch_size"] / where.images_per_second
    if seconds < _SETTLED_SECONDS and where.step < _SETTLED_SHARE * where.steps:
        return None
    evaluated = values["val_size"] + min(_SAMPLE, images)
    return float(where.images_per_second * images / (images + _EVALUATION * evaluated))
