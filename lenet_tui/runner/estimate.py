"""How long runs will take, from the speed of runs like them."""

from __future__ import annotations

import heapq
import math
import statistics
from typing import TYPE_CHECKING

from lenet_tui.config import TRAINABLE_IMAGES
from lenet_tui.store.speed import speed_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lenet_tui.config import RunConfig
    from lenet_tui.host.hardware import Capacity
    from lenet_tui.store import Run, SpeedKey

PICTURES_SECONDS = 5.0


def seconds_left(run: Run, speeds: Mapping[SpeedKey, float]) -> float | None:
    """Return the seconds that a run has still to work, pictures included; None while that cannot be said.

    A run's own epochs, evaluation included, say most about it; before the first is done, its steps, as soon as enough
    of them are; before those, runs like it. One that was asked to stop only draws its pictures.
    """
    if run.is_stop_requested:
        return PICTURES_SECONDS
    values = run.values
    if values["dataset"] not in TRAINABLE_IMAGES:  # of another version
        return None
    if run.epochs_done and run.train_seconds:
        seconds = run.train_seconds / run.epochs_done
    else:
        speed = speed_of(run) or _measured(values["model"], values["batch_size"], run.threads or 1, speeds)
        if speed is None:
            return None
        seconds = max(TRAINABLE_IMAGES[values["dataset"]] - values["val_size"], 0) / speed
    epochs = values["epochs"] - run.epochs_done
    if run.progress is not None and run.progress.epoch > run.epochs_done:
        epochs -= run.progress.step / run.progress.steps
    return float(max(epochs, 0) * seconds + PICTURES_SECONDS)


def seconds_until_done(
    queue: Sequence[Run], speeds: Mapping[SpeedKey, float], capacity: Capacity, *, paused: bool = False
) -> dict[int, float | None]:
    """Return, for each run of ``queue`` by its number, the seconds until it is done; None where that is unknown.

    ``queue`` holds what runs and then what waits, in order. Waiting runs are thought to start one after the other as
    places become free; once one of unknown length has to be waited for, the end of later ones is unknown too.
    While the queue is ``paused`` nothing starts, so that no waiting run is ever done.
    """
    done, busy = _running(queue, speeds, capacity)
    waiting = [run for run in queue if run.state != "running"]
    if paused:
        return done | {run.id: None for run in waiting}
    for run in waiting:
        end = _take_place(busy, seconds_left(run, speeds))
        done[run.id] = end if math.isfinite(end) else None
    return done


def seconds_for(
    configs: Sequence[RunConfig], queue: Sequence[Run], speeds: Mapping[SpeedKey, float], capacity: Capacity
) -> float | None:
    """Return the seconds until runs of these configurations would all be done, were they queued now behind ``queue``.

    None where that is unknown.
    """
    _, busy = _running(queue, speeds, capacity)
    for run in queue:
        if run.state != "running":
            _take_place(busy, seconds_left(run, speeds))
    # A lone run gets every core.
    threads = capacity.cores if not queue and len(configs) == 1 and not capacity.gpus else 1
    lengths: dict[tuple[str, str, int, int, int, int], float | None] = {}
    last = 0.0
    for c in configs:
        like = (c.model, c.dataset, c.batch_size, c.epochs, c.val_size, c.threads)
        if like not in lengths:
            speed = _measured(c.model, c.batch_size, c.threads or threads, speeds)
            images = c.epochs * (TRAINABLE_IMAGES[c.dataset] - c.val_size)
            lengths[like] = None if speed is None else max(images, 0) / speed + PICTURES_SECONDS
        last = max(last, _take_place(busy, lengths[like]))
    return last if math.isfinite(last) else None


def _running(
    queue: Sequence[Run], speeds: Mapping[SpeedKey, float], capacity: Capacity
) -> tuple[dict[int, float | None], list[float]]:
    """Return the seconds that what runs has left, by its number, and a heap of when each place becomes free."""
    done: dict[int, float | None] = {}
    places = capacity.gpus or capacity.cores
    busy: list[float] = []
    for run in queue:
        if run.state == "running":
            left = seconds_left(run, speeds)
            done[run.id] = left
            taken = 1 if capacity.gpus else min(run.threads or 1, places)
            busy += [math.inf if left is None else left] * taken
    busy = sorted(busy)[:places] + [0.0] * max(0, places - len(busy))
    heapq.heapify(busy)
    return done, busy


def _take_place(busy: list[float], seconds: float | None) -> float:
    """Let a run of that length (None: unknown) take the next free place, and return when it ends."""
    end = busy[0] + (math.inf if seconds is None else seconds)
    heapq.heapreplace(busy, end)
    return end


def _measured(model: str, batch_size: int, threads: int, speeds: Mapping[SpeedKey, float]) -> float | None:
    """Return images/second of the runs of a model that are most alike: in batch size first, then in threads."""

    def distance(key: SpeedKey) -> tuple[float, float]:
        ratios = max(key.batch_size, 1) / max(batch_size, 1), max(key.threads, 1) / max(threads, 1)
        return abs(math.log2(ratios[0])), abs(math.log2(ratios[1]))

    alike = {key: speed for key, speed in speeds.items() if key.model == model and speed > 0}
    if not alike:
        return None
    nearest = min(map(distance, alike))
    return statistics.median([speed for key, speed in alike.items() if distance(key) == nearest])
