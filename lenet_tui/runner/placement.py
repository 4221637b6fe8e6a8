"""What to start next, and with how many threads or on which GPU: a pure function of what runs and what waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.config import RunConfig
    from lenet_tui.host.hardware import Capacity


@dataclass(frozen=True)
class Placed:
    """A run that has its place: ``gpu`` is the number of its GPU, None for one that computes on ``threads`` cores."""

    threads: int
    gpu: int | None = None


@dataclass(frozen=True)
class Waiting:
    """A run that waits; ``threads`` is what it began with, 0 for one that has not begun."""

    run_id: int
    config: RunConfig
    threads: int = 0


def place(waiting: Sequence[Waiting], running: Sequence[Placed], capacity: Capacity) -> list[tuple[int, Placed]]:
    """Return the runs to start now with their places, in the order of the queue.

    On a CPU each run gets one core, so that many run side by side; a lone run in an otherwise empty queue gets all of
    them, and one that names its threads or began with some gets those. A GPU takes one run of any number of threads. No
    run overtakes another that waits for the same kind of place.
    """
    taken = {place.gpu for place in running if place.gpu is not None}
    free_gpus = [number for number in range(capacity.gpus) if number not in taken]
    free_cores = capacity.cores - sum(place.threads for place in running if place.gpu is None)
    alone = len(waiting) == 1 and not running
    starting: list[tuple[int, Placed]] = []
    cores_blocked = gpus_blocked = False
    for run in waiting:
        if wants_gpu(run.config, capacity):
            if free_gpus and not gpus_blocked:
                starting.append((run.run_id, Placed(run.threads or run.config.threads or 1, free_gpus.pop(0))))
            else:
                gpus_blocked = True
            continue
        threads = run.threads or run.config.threads or (capacity.cores if alone else 1)
        # A run with more threads than there are cores waits for an empty machine, not for ever.
        if not cores_blocked and (threads <= free_cores or free_cores == capacity.cores):
            starting.append((run.run_id, Placed(threads)))
            free_cores -= threads
        else:
            cores_blocked = True
    return starting


def free(taken: Sequence[Placed], capacity: Capacity) -> Capacity:
    """Return the capacity with what is free beside the places in use."""
    cores = sum(placed.threads for placed in taken if placed.gpu is None)
    gpus = len({placed.gpu for placed in taken} - {None})
    return replace(capacity, free_cores=max(0, capacity.cores - cores), free_gpus=max(0, capacity.gpus - gpus))


def wants_gpu(config: RunConfig, capacity: Capacity) -> bool:
    """Say whether a run computes on a GPU."""
    return config.device in ("cuda", "mps") or (config.device == "auto" and capacity.gpus > 0)
