"""The watcher reads a real store in its thread; what it hands out is what is there."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.host.process import this_process
from lenet_tui.run.metrics import EpochMetrics
from lenet_tui.store import Store
from lenet_tui.tui.store_watcher import Snapshot, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Seen:
    """Collects what a watcher tells, and waits for something among it."""

    def __init__(self) -> None:
        self.all: list[Snapshot] = []
        self._new = threading.Condition()

    def __call__(self, snapshot: Snapshot) -> None:
        with self._new:
            self.all.append(snapshot)
            self._new.notify_all()

    def until(self, holds: Callable[[Snapshot], bool], seconds: float = 20) -> Snapshot:
        deadline = time.monotonic() + seconds
        with self._new:
            while not (self.all and holds(self.all[-1])):
                left = deadline - time.monotonic()
                assert left > 0, f"not seen: {self.all[-1:]}"
                self._new.wait(left)
            return self.all[-1]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def watcher(tmp_path: Path, store: Store, seen: Seen) -> Iterator[Watcher]:
    watcher = Watcher(tmp_path, seen)
    watcher.start()
    yield watcher
    watcher.end()


def epoch(number: int) -> EpochMetrics:
    return EpochMetrics(number, 0.5, 0.4, 0.8, 0.9, 0.001, 1.0, 0.45, 0.85, 0.4)


def test_what_another_process_writes_is_seen(watcher: Watcher, store: Store, seen: Seen) -> None:
    (run,) = store.add([RunConfig(seed=5)])
    snapshot = seen.until(lambda s: bool(s.runs))
    assert [r.id for r in snapshot.queue] == [run.id]
    assert snapshot.runs[run.id].config.seed == 5
    assert snapshot.paused

    store.remove(run.id)
    assert seen.until(lambda s: not s.runs).queue == ()


def test_epochs_are_read_for_the_runs_that_are_watched(watcher: Watcher, store: Store, seen: Seen) -> None:
    me = this_process()
    run = store.start(RunConfig(), me, threads=1)
    watcher.watch(frozenset({run.id}))
    store.record_epoch(run.id, me, epoch(1))
    assert seen.until(lambda s: len(s.epochs.get(run.id, ())) == 1).epochs[run.id] == (epoch(1),)
    store.record_epoch(run.id, me, epoch(2))
    store.end(run.id, me, "failed", "for the test")
    last = seen.until(lambda s: s.runs[run.id].state == "failed")
    assert len(last.epochs[run.id]) == 2
    assert last.queue == ()


def test_nothing_new_is_nothing_told(watcher: Watcher, store: Store, seen: Seen) -> None:
    store.add([RunConfig()])
    seen.until(lambda s: bool(s.runs))
    count = len(seen.all)
    for _ in range(3):
        watcher.look()
        time.sleep(0.05)
    assert len(seen.all) == count


def test_a_deleted_store_is_a_notice_and_the_watching_goes_on(
    watcher: Watcher, store: Store, seen: Seen, tmp_path: Path
) -> None:
    store.add([RunConfig()])
    seen.until(lambda s: bool(s.runs))
    for file in [*(tmp_path / ".lenet-tui").glob("store.db*"), tmp_path / ".lenet-tui" / "queue.json"]:
        file.unlink()
    seen.until(lambda s: not s.runs)
    store.add([RunConfig(seed=9)])
    assert seen.until(lambda s: bool(s.runs)).queue[0].config.seed == 9


def test_a_store_that_cannot_be_read_is_told_and_what_was_seen_stays(
    watcher: Watcher, store: Store, seen: Seen, tmp_path: Path
) -> None:
    store.add([RunConfig()])
    seen.until(lambda s: bool(s.runs))
    other = tmp_path / "other"
    other.mkdir()
    with Store(other) as later, later._database.write() as database:
        database.execute("PRAGMA user_version = 99")
    (other / ".lenet-tui" / "store.db").replace(tmp_path / ".lenet-tui" / "store.db")
    snapshot = seen.until(lambda s: bool(s.trouble))
    assert "made by a later lenet-tui" in snapshot.trouble
    assert len(snapshot.runs) == 1


def test_what_is_asked_is_done_and_seen(watcher: Watcher, seen: Seen) -> None:
    (run,) = watcher.ask(lambda store: store.add([RunConfig()]))
    seen.until(lambda s: run.id in s.runs)
