"""When runs will be done, told from the runs before them; of runs that stop and of a paused queue as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lenet_tui.cli import tables
from lenet_tui.config import RunConfig
from lenet_tui.host.hardware import Capacity
from lenet_tui.host.process import this_process
from lenet_tui.runner.estimate import PICTURES_SECONDS, seconds_until_done
from lenet_tui.store import SpeedKey, Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWO_CORES = Capacity(cores=2)
EPOCH = 55_000
SPEEDS = {SpeedKey("lenet", "mnist", 64, 1, "cpu"): float(EPOCH)}  # an epoch a second


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Runs 1 and 2 run, 3 waits; each of ten epochs."""
    with Store(tmp_path) as opened:
        for seed in range(2):
            opened.start(RunConfig(epochs=10, seed=seed), this_process(), threads=1)
        opened.add([RunConfig(epochs=10, seed=2)])
        yield opened


def test_what_waits_is_done_after_what_runs(store: Store) -> None:
    whole = 10 + PICTURES_SECONDS
    assert seconds_until_done(store.queue(), SPEEDS, TWO_CORES) == pytest.approx({1: whole, 2: whole, 3: 2 * whole})


def test_a_run_that_stops_only_draws_its_pictures_and_then_makes_room(store: Store) -> None:
    store.request_stop(1)
    until = seconds_until_done(store.queue(), SPEEDS, TWO_CORES)
    assert until == pytest.approx({1: PICTURES_SECONDS, 2: 10 + PICTURES_SECONDS, 3: 10 + 2 * PICTURES_SECONDS})


def test_of_a_paused_queue_nothing_that_waits_is_ever_done(store: Store) -> None:
    until = seconds_until_done(store.queue(), SPEEDS, TWO_CORES, paused=True)
    assert until == {1: 10 + PICTURES_SECONDS, 2: 10 + PICTURES_SECONDS, 3: None}


def test_a_stopping_run_is_counted_as_stopping_and_not_as_running(store: Store) -> None:
    store.request_stop(2)
    assert tables.counts(store.queue()) == {"running": 1, "stopping": 1, "waiting": 1}
