"""The scheduler needs nothing of an executor but its interface, and publishes what is free on it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.host.hardware import Capacity, available_cores
from lenet_tui.host.process import this_process
from lenet_tui.runner import daemon
from lenet_tui.runner.executors.base import Executor
from lenet_tui.runner.placement import Placed
from lenet_tui.runner.scheduler import MAX_FALSE_STARTS, Scheduler
from lenet_tui.store import Run, Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

THREE = Capacity(cores=3, gpus=1, free_cores=3, free_gpus=1)


class Elsewhere(Executor):
    """A machine with three cores and a GPU, whose workers stop their runs at the second look."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.places: dict[int, Placed] = {}
        self.seen: list[Capacity] = []
        self.working: set[int] = set()

    def capacity(self) -> Capacity:
        return THREE

    def start(self, run_id: int, placed: Placed) -> str:
        self.places[run_id] = placed
        assert self.store.claim(run_id, this_process(), placed.threads)
        self.working.add(run_id)
        return "a worker elsewhere"

    def poll(self) -> dict[int, str]:
        if self.working:
            self.seen.append(self.store.capacity())
        if len(self.seen) < 2:
            return {}
        ended, self.working = self.working, set()
        for run_id in ended:
            self.store.end(run_id, this_process(), "stopped")
        return dict.fromkeys(ended, "")

    def terminate(self, run_id: int, run: Run | None = None, *, force: bool = False) -> bool:
        raise AssertionError("nobody asked for that")


class Broken(Elsewhere):
    """A machine whose workers end before they have claimed their run."""

    def start(self, run_id: int, placed: Placed) -> str:
        self.working.add(run_id)
        return "a worker that ends at once"

    def poll(self) -> dict[int, str]:
        ended, self.working = self.working, set()
        return dict.fromkeys(ended, "no memory")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    with Store(tmp_path) as opened:
        yield opened
    for number, handler in handlers.items():
        signal.signal(number, handler)


def serve(store: Store, executor: Executor) -> None:
    with daemon.only_runner(store.root) as lock:
        assert lock is not None
        assert not Scheduler(store.root, lock, executor, idle_seconds=0.3).serve()


def test_runs_are_placed_by_the_capacity_of_the_executor_and_what_is_free_is_published(store: Store) -> None:
    store.add([RunConfig(seed=seed, device="cpu") for seed in range(2)] + [RunConfig(seed=2)])
    executor = Elsewhere(store)
    serve(store, executor)
    assert executor.places == {1: Placed(1), 2: Placed(1), 3: Placed(1, gpu=0)}
    assert executor.seen[0] == Capacity(cores=3, gpus=1, free_cores=1, free_gpus=0)
    assert [run.state for run in store.runs()] == ["stopped"] * 3
    assert store.capacity() == Capacity(available_cores(), 0, available_cores(), 0), "no runner, so this machine's"


def test_a_run_whose_workers_never_claim_it_fails_with_their_reason(store: Store) -> None:
    store.add([RunConfig()])
    serve(store, Broken(store))
    assert MAX_FALSE_STARTS > 1
    assert (store.get(1).state, store.get(1).reason) == ("failed", "its worker cannot start: no memory")
