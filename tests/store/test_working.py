"""What a worker writes is on record while the run is its own, and not a moment longer."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.errors import UsageError
from lenet_tui.host import process
from lenet_tui.run.metrics import Progress
from lenet_tui.store import SpeedKey, Store
from tests.store.conftest import ME, OTHER, claim_first, epoch, make_folder, summary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lenet_tui.run.folder import RunFolder
    from lenet_tui.store import Run
    from tests.store.conftest import Actors

PROGRESS = Progress(epoch=2, step=10, steps=100, train_loss=0.5, images_per_second=900.0)


@pytest.fixture
def run(store: Store) -> Run:
    """Run 1, begun by ME."""
    started = store.start(RunConfig(), ME, 2)
    assert store.begin(started.id, ME, store.root / "lenet" / "a", "cpu")
    return store.get(started.id)


def test_a_run_that_is_claimed_says_whose_it_is_and_on_how_many_threads(store: Store) -> None:
    store.add([RunConfig()])
    assert store.claim(1, ME, 3)
    run = store.get(1)
    assert (run.state, run.owner, run.threads, run.attempts, run.place) == ("running", ME, 3, 1, None)
    assert run.started_at is not None
    assert run.heartbeat is not None
    assert not store.claim(1, OTHER, 3)
    assert store.get(1).owner == ME


def test_a_run_keeps_the_threads_it_began_with_however_it_is_resumed(store: Store) -> None:
    store.add([RunConfig()])
    store.claim(1, ME, 3)
    store.end(1, ME, "stopped")
    store.resume(1)
    store.claim(1, OTHER, 1)
    assert store.get(1).threads == 3


def test_a_run_in_the_foreground_is_on_record_and_never_waits(store: Store) -> None:
    store.set_paused(True)
    run = store.start(RunConfig(lr=0.5), ME, 4)
    assert (run.state, run.owner, run.config.lr, run.threads) == ("running", ME, 0.5, 4)
    assert claim_first(store, OTHER) is None


def test_epochs_come_back_as_they_were_and_the_best_is_on_record(store: Store, run: Run) -> None:
    rows = [epoch(1, 0.5, 0.7), epoch(2, 0.3, 0.8), epoch(3, 0.4, 0.9)]
    for row in rows:
        assert store.record_epoch(run.id, ME, row)
    assert store.epochs(run.id) == rows
    result = store.get(run.id)
    assert (result.epochs_done, result.best_epoch, result.best_val_loss, result.selected_epoch) == (3, 2, 0.3, 3)
    assert result.train_seconds == 7.5


def test_no_epoch_is_there_twice_and_a_resumed_run_replaces_what_it_does_again(store: Store, run: Run) -> None:
    for number in (1, 2, 3):
        store.record_epoch(run.id, ME, epoch(number))
    store.record_epoch(run.id, ME, epoch(3))
    assert [row.epoch for row in store.epochs(run.id)] == [1, 2, 3]
    store.record_epoch(run.id, ME, epoch(2, 0.9))  # resumed from the checkpoint after epoch 1
    assert [(row.epoch, row.val_loss) for row in store.epochs(run.id)] == [(1, 1.0), (2, 0.9)]
    assert store.get(run.id).epochs_done == 2


def test_a_run_that_begins_again_has_the_epochs_of_its_folder(store: Store, run: Run) -> None:
    store.record_epoch(run.id, ME, epoch(1))
    history = [epoch(1, 0.7), epoch(2, 0.6)]
    store.begin(run.id, ME, store.root / "lenet" / "a", "cpu", history)
    assert store.epochs(run.id) == history
    store.begin(run.id, ME, store.root / "lenet" / "a", "cpu")
    assert store.epochs(run.id) == []
    assert store.get(run.id).best_epoch is None


def test_losses_that_are_not_numbers_are_kept_as_such_and_never_best(store: Store, run: Run) -> None:
    store.record_epoch(run.id, ME, epoch(1, math.inf))
    store.record_epoch(run.id, ME, epoch(2, math.nan))
    assert store.get(run.id).best_epoch is None
    store.record_epoch(run.id, ME, epoch(3, 0.5))
    first, second, _ = store.epochs(run.id)
    assert first.val_loss == math.inf
    assert math.isnan(second.val_loss)
    assert store.get(run.id).best_epoch == 3
    store.record_progress(run.id, ME, dataclasses.replace(PROGRESS, train_loss=math.nan))
    progress = store.get(run.id).progress
    assert progress is not None
    assert math.isnan(progress.train_loss)


def test_progress_is_seen_by_others_and_ends_with_the_run(store: Store, run: Run) -> None:
    assert store.record_progress(run.id, ME, PROGRESS)
    with Store(store.root) as other:
        seen = other.get(run.id).progress
    assert seen is not None
    assert (seen.epoch, seen.step, seen.steps, seen.train_loss, seen.images_per_second) == (2, 10, 100, 0.5, 900.0)
    store.end(run.id, ME, "stopped")
    assert store.get(run.id).progress is None


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.heartbeat(1, OTHER),
        lambda store: store.record_progress(1, OTHER, PROGRESS),
        lambda store: store.record_epoch(1, OTHER, epoch(1)),
        lambda store: store.begin(1, OTHER, store.root / "lenet" / "b", "cuda"),
        lambda store: store.end(1, OTHER, "finished", summary=summary([epoch(1)])),
        lambda store: store.end(1, OTHER, "failed", "why"),
        lambda store: store.end(1, OTHER, "stopped"),
        lambda store: store.interrupt(1, OTHER),
    ],
)
def test_a_process_that_has_lost_its_run_changes_nothing_and_is_told(
    store: Store, run: Run, write: Callable[[Store], bool]
) -> None:
    assert write(store) is False
    assert store.get(run.id) == run
    assert store.epochs(run.id) == []


def test_a_heartbeat_is_on_record(store: Store, run: Run) -> None:
    time.sleep(0.01)
    assert store.heartbeat(run.id, ME)
    heartbeat = store.get(run.id).heartbeat
    assert heartbeat is not None
    assert run.heartbeat is not None
    assert heartbeat > run.heartbeat


def test_a_stop_request_reaches_the_worker_and_is_gone_once_it_stopped(store: Store, run: Run) -> None:
    assert not store.is_stop_requested(run.id)
    assert store.request_stop(run.id).is_stop_requested
    assert store.request_stop(run.id).state == "running"  # twice is no harm
    assert store.is_stop_requested(run.id)
    assert store.end(run.id, ME, "stopped", "stopped on request")
    result = store.get(run.id)
    assert (result.state, result.stop_request, result.reason) == ("stopped", None, "stopped on request")
    assert not store.is_stop_requested(99)


def test_a_finished_run_has_its_summary_and_nobody_working_on_it(store: Store, run: Run) -> None:
    history = [epoch(1, 0.5), epoch(2, 0.4)]
    for row in history:
        store.record_epoch(run.id, ME, row)
    assert store.end(run.id, ME, "finished", summary=summary(history))
    result = store.get(run.id)
    assert (result.state, result.owner, result.heartbeat, result.best_epoch) == ("finished", None, None, 2)
    assert (result.test_accuracy, result.images_per_second, result.stopped_early) == (0.975, 1234.5, False)
    assert result.finished_at is not None
    assert result.folder == "lenet/a"
    with pytest.raises(UsageError, match="run 1 is finished"):
        store.take(run.id, OTHER, 1)


def test_a_run_whose_folder_was_removed_by_hand_makes_room_for_the_next_of_that_name(store: Store, run: Run) -> None:
    store.end(run.id, ME, "finished", summary=summary([epoch(1)]))
    second = store.start(RunConfig(), ME, 1)
    assert store.begin(second.id, ME, store.root / "lenet" / "a", "cpu")
    assert [(result.id, result.folder) for result in store.runs()] == [(second.id, "lenet/a")]


def test_a_run_whose_worker_was_killed_is_interrupted_and_first(store: Store, actors: Actors) -> None:
    child = actors.start("build", store.root / "elsewhere", 0)
    owner = process.owner_of(child.pid)
    assert owner is not None
    store.add([RunConfig(seed=n) for n in range(3)])
    store.claim(2, owner, 1)
    assert store.requeue_dead(process.is_alive) == []
    child.kill()
    child.wait()
    (run,) = store.requeue_dead(process.is_alive)
    assert (run.id, run.state, run.place, run.owner) == (2, "interrupted", 1, None)
    assert [run.id for run in store.queue()] == [2, 1, 3]
    assert store.requeue_dead(process.is_alive) == []


def test_after_three_deaths_in_one_epoch_a_run_fails_and_retry_gives_it_three_more(store: Store) -> None:
    store.add([RunConfig()])
    for attempt in (1, 2, 3):
        assert store.get(1).state in ("queued", "interrupted")
        store.claim(1, ME, 1)
        assert store.get(1).attempts == attempt
        store.requeue_dead(lambda _: False)
    run = store.get(1)
    assert (run.state, run.place) == ("failed", None)
    assert run.reason == "its worker died 3 times in the same epoch; log.txt may say why"
    assert store.retry(1).attempts == 0


def test_a_run_that_gets_further_each_time_is_never_given_up(store: Store) -> None:
    store.add([RunConfig()])
    for number in range(1, 8):
        assert store.claim(1, ME, 1)
        store.record_epoch(1, ME, epoch(number))
        assert [run.state for run in store.requeue_dead(lambda _: False)] == ["interrupted"]


def test_an_orderly_end_of_the_runner_is_no_failed_attempt(store: Store) -> None:
    store.add([RunConfig()])
    for _ in range(5):
        assert store.claim(1, ME, 1)
        assert store.interrupt(1, ME)
    assert store.get(1).attempts == 0


def test_a_dead_worker_that_was_asked_to_stop_leaves_a_stopped_run(store: Store, run: Run) -> None:
    store.request_stop(run.id)
    (result,) = store.requeue_dead(lambda _: False)
    assert (result.state, result.stop_request, result.place) == ("stopped", None, None)


def test_a_worker_that_died_between_the_last_word_in_its_folder_and_the_store_has_finished(store: Store) -> None:
    run = store.start(RunConfig(), ME, 2)
    folder = make_folder(store.root, RunConfig(), epochs=4)
    store.begin(run.id, ME, folder.path, "cpu")
    (result,) = store.requeue_dead(lambda _: False)
    assert (result.state, result.test_accuracy, result.epochs_done) == ("finished", 0.975, 4)
    assert len(store.epochs(run.id)) == 4


def test_a_silent_process_of_another_host_is_left_alone_while_it_holds_its_folder(store: Store, actors: Actors) -> None:
    folder = make_folder(store.root, RunConfig(), "running")
    run = store.import_folder(folder, ME)
    worker = actors.start("work", store.root, folder.path)
    assert worker.stdout
    assert worker.stdout.readline() == "held\n"
    unknown: Callable[[object], None] = lambda _: None  # noqa: E731
    assert store.requeue_dead(unknown) == []  # heard of a moment ago
    silent_since(store, run, timedelta(seconds=61))
    assert store.requeue_dead(unknown) == []  # holds its folder
    worker.kill()
    worker.wait()
    assert [result.state for result in store.requeue_dead(unknown)] == ["interrupted"]


def test_a_process_of_another_host_that_was_heard_of_lately_is_alive_for_all_we_know(store: Store, run: Run) -> None:
    silent_since(store, run, timedelta(seconds=30))
    assert store.requeue_dead(lambda _: None) == []
    silent_since(store, run, timedelta(seconds=-3600))  # a clock is wrong: then it is the lock that tells
    assert len(store.requeue_dead(lambda _: None)) == 1


def silent_since(store: Store, run: Run, age: timedelta) -> None:
    assert run.heartbeat is not None
    with store._database.write() as database:
        beat = (run.heartbeat - age).isoformat()
        database.execute("UPDATE runs SET heartbeat = ? WHERE id = ?", (beat, run.id))


def test_speeds_are_medians_of_runs_alike(store: Store) -> None:
    def finish(seed: int, speed: float, batch_size: int) -> None:
        run = store.start(RunConfig(seed=seed, batch_size=batch_size), ME, 1)
        store.begin(run.id, ME, store.root / "lenet" / str(seed), "cpu")
        store.end(
            run.id, ME, "finished", summary=summary([epoch(1)]).model_copy(update={"train_seconds": 55_000 / speed})
        )

    for seed, speed in enumerate([100, 900, 110]):
        finish(seed, speed, 16)
    finish(10, 5000, 64)
    running = store.start(RunConfig(), ME, 2)
    assert store.begin(running.id, ME, store.root / "lenet" / "r", "cuda")
    store.record_progress(running.id, ME, Progress(1, 50, 100, 0.5, 928.0))
    assert store.speeds() == {
        SpeedKey("lenet", "mnist", 16, 1, "cpu"): pytest.approx(110),
        SpeedKey("lenet", "mnist", 64, 1, "cpu"): pytest.approx(5000),
        SpeedKey("lenet", "mnist", 64, 2, "cuda"): pytest.approx(928 * 55_000 / 58_000),  # evaluation is not reported
    }


def test_the_change_counter_changes_with_every_write_of_anybody_and_never_else(store: Store, run: Run) -> None:
    with Store(store.root) as other:
        seen = {other.change_counter()}
        assert other.change_counter() in seen
        other.runs()
        store.runs()
        assert other.change_counter() in seen
        for write in (
            lambda: store.add([RunConfig()]),
            lambda: store.heartbeat(run.id, ME),
            lambda: other.add([RunConfig()]),
            lambda: store.record_progress(run.id, ME, PROGRESS),
            lambda: store.end(run.id, ME, "finished", summary=summary([epoch(1)])),
        ):
            write()
            assert other.change_counter() not in seen
            seen.add(other.change_counter())
            assert other.change_counter() in seen


def test_a_store_is_not_used_across_a_fork(store: Store) -> None:
    child = os.fork()
    if child == 0:
        try:
            store.runs()
        except RuntimeError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert store.runs() == []


def test_importing_a_folder_twice_is_once(store: Store, tmp_path: Path) -> None:
    folder: RunFolder = make_folder(tmp_path, RunConfig(lr=0.02))
    first = store.import_folder(folder)
    assert (first.state, first.folder, first.config.lr) == ("finished", "lenet/bs64_lr0.02", 0.02)
    assert store.import_folder(folder) == first
    assert len(store.runs()) == 1
