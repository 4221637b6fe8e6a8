"""How long runs will take, from how quick runs like them were on this machine."""

from __future__ import annotations

import heapq
import math
import statistics
from typing import TYPE_CHECKING

from lenet_tui.config import TRAINABLE_IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lenet_tui.runner.slots import Machine
    from lenet_tui.store import Run, SpeedKey

PICTURES_SECONDS = 5.0


def seconds_left(run: Run, speeds: Mapping[SpeedKey, float]) -> float | None:
    """Return the seconds that a run has still to work, pictures included; None while no run like it was measured.

    One that was asked to stop only draws its pictures.
    """
    if run.wish == "stop":
        return PICTURES_SECONDS
    speed = _speed(run, speeds)
    if speed is None:
        return None
    values = run.values
    images = TRAINABLE_IMAGES[values["dataset"]] - values["val_size"]
    epochs = values["epochs"] - run.epochs_done
    if run.progress is not None and run.progress.epoch > run.epochs_done:
        epochs -= run.progress.step / run.progress.steps
    return float(max(epochs, 0) * images / speed + PICTURES_SECONDS)


def seconds_until_done(
    queue: Sequence[Run], speeds: Mapping[SpeedKey, float], machine: Machine, *, draining: bool = False
) -> dict[int, float | None]:
    """Return, for each run of ``queue`` by its number, the seconds until it is done; None where that is not known.

    ``queue`` holds what runs and then what waits, in order. Waiting runs are thought to start one after the other as
    places become free; once one of unknown length has to be waited for, what starts after it is not known either.
    While the queue is ``draining`` nothing starts, so that no waiting run is ever done.
    """
    done: dict[int, float | None] = {}
    places = max(machine.gpus, 1) if machine.gpus else machine.cores
    busy: list[float] = []
    waiting = [run for run in queue if run.state != "running"]
    for run in queue:
        if run.state == "running":
            left = seconds_left(run, speeds)
            done[run.id] = left
            taken = 1 if machine.gpus else min(run.threads or 1, places)
            busy += [math.inf if left is None else left] * taken
    busy = sorted(busy)[:places] + [0.0] * max(0, places - len(busy))
    heapq.heapify(busy)
    if draining:
        return done | {run.id: None for run in waiting}
    for run in waiting:
        left = seconds_left(run, speeds)
        start = heapq.heappop(busy)
        end = start + (math.inf if left is None else left)
        heapq.heappush(busy, end)
        done[run.id] = end if math.isfinite(end) else None
    return done


def clock(seconds: float | None) -> str:
    """Return a duration for people: 0:26, 12:05, 3:00:10; "?" where it is not known."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _speed(run: Run, speeds: Mapping[SpeedKey, float]) -> float | None:
    """Return images/second of the runs most like this one: also of its threads, or only of its kind."""
    if run.progress is not None:
        return run.progress.images_per_second or None
    values = run.values
    alike = {key: speed for key, speed in speeds.items() if key.model == values["model"]}
    for fits in (
        lambda key: key.batch_size == values["batch_size"] and key.threads == (run.threads or 1),
        lambda key: key.batch_size == values["batch_size"],
        lambda _: True,
    ):
        found = [speed for key, speed in alike.items() if fits(key)]
        if found:
            return statistics.median(found)
    return None
