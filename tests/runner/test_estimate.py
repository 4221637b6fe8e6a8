"""When runs will be done, told from the runs before them; of runs that stop and of a paused queue as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lenet_tui.cli import tables
from lenet_tui.config import RunConfig
from lenet_tui.host.hardware import Capacity
from lenet_tui.host.process import this_process
from lenet_tui.run.metrics import EpochMetrics, Progress
from lenet_tui.runner.estimate import PICTURES_SECONDS, seconds_for, seconds_left, seconds_until_done
from lenet_tui.store import SpeedKey, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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


def record_epochs(store: Store, run_id: int, seconds: Sequence[float]) -> None:
    for number, each in enumerate(seconds, start=1):
        row = EpochMetrics(number, 0.5, 0.4, 0.8, 0.9, 0.001, each, 0.45, 0.85, 0.4)
        assert store.record_epoch(run_id, this_process(), row)


def record_steps(store: Store, run_id: int, epoch: int, step: int, speed: float) -> None:
    assert store.record_progress(run_id, this_process(), Progress(epoch, step, 860, 0.5, speed))


def test_a_runs_own_epochs_are_averaged_whole_and_the_speed_of_the_moment_does_not_matter(store: Store) -> None:
    store.begin(1, this_process(), store.root / "lenet" / "a", "cpu")
    record_epochs(store, 1, [9.0, 5.0])
    for step, speed in ((1, 3.0), (430, 1e6)):
        record_steps(store, 1, 3, step, speed)
        expected = (8 - step / 860) * 7.0 + PICTURES_SECONDS
        assert seconds_left(store.get(1), SPEEDS) == pytest.approx(expected)


def test_the_first_steps_say_nothing_and_then_an_alexnet_needs_no_run_before_it(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.start(RunConfig(model="alexnet", epochs=10), this_process(), threads=2)
        (waiting,) = store.add([RunConfig(model="alexnet", epochs=10, seed=1)])
        record_steps(store, 1, 1, step=2, speed=100.0)  # 1.3 seconds
        assert seconds_left(store.get(1), store.speeds()) is None
        assert seconds_until_done(store.queue(), store.speeds(), TWO_CORES) == {1: None, waiting.id: None}
        record_steps(store, 1, 1, step=10, speed=200.0)  # 3.2 seconds
        images = EPOCH + 0.3 * 10_000  # evaluating 10,000 takes as long as training on 3,000
        left = seconds_left(store.get(1), store.speeds())
        assert left == pytest.approx((10 - 10 / 860) * images / 200 + PICTURES_SECONDS)
        until = seconds_until_done(store.queue(), store.speeds(), TWO_CORES)
        assert until[waiting.id] == pytest.approx(10 * images / 200 + PICTURES_SECONDS + left)


def test_a_run_that_waits_is_as_fast_as_the_runs_most_like_it() -> None:
    speeds = {
        SpeedKey("lenet", "mnist", 16, 1, "cpu"): 10_000.0,
        SpeedKey("lenet", "mnist", 64, 1, "cpu"): 20_000.0,
        SpeedKey("lenet", "mnist", 64, 2, "cpu"): 30_000.0,
        SpeedKey("alexnet", "mnist", 32, 1, "cpu"): 300.0,
    }
    for size, threads, speed in ((16, 1, 10_000), (8, 2, 10_000), (128, 2, 30_000), (64, 1, 20_000)):
        config = RunConfig(epochs=1, batch_size=size, threads=threads)
        seconds = seconds_for([config], [], speeds, Capacity(cores=4))
        assert seconds == pytest.approx(EPOCH / speed + PICTURES_SECONDS)


def test_a_stopped_run_is_measured_too(store: Store) -> None:
    store.begin(1, this_process(), store.root / "lenet" / "a", "cpu")
    record_epochs(store, 1, [11.0, 9.0])
    assert store.end(1, this_process(), "stopped")
    assert store.speeds() == {SpeedKey("lenet", "mnist", 64, 1, "cpu"): pytest.approx(EPOCH / 10)}


def test_the_queue_says_that_it_is_estimating_and_two_figures(store: Store) -> None:
    queue = store.queue()
    names = {run.id: run.name for run in queue}
    rows = tables.queue_rows(queue, {1: 57.3, 2: None, 3: None}, names, is_paused=True)
    assert [row[-1] for row in rows] == ["time left", "57 s", "estimating…", ""]


def test_a_stopping_run_is_counted_as_stopping_and_not_as_running(store: Store) -> None:
    store.request_stop(2)
    assert tables.counts(store.queue()) == {"running": 1, "stopping": 1, "waiting": 1}
