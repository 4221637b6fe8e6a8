"""Several processes use one store at once, and are killed at any moment; nothing is lost and nobody is told of it."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.store import Store
from tests.store.conftest import make_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.conftest import Actors


def is_whole(store: Store) -> bool:
    answer = store._database._connection.execute("PRAGMA integrity_check").fetchall()
    return [row[0] for row in answer] == ["ok"]


@pytest.mark.parametrize("disk", ["local", "network"])
def test_eight_processes_add_stop_move_and_claim_at_once_and_no_update_is_lost(
    tmp_path: Path, actors: Actors, disk: str
) -> None:
    cast = actors.start_together(8, "churn", tmp_path, disk)
    answers = [actor.communicate(timeout=200) for actor in cast]
    assert [errors for _, errors in answers] == [""] * 8
    done: dict[str, list[int]] = {}
    for out, _ in answers:
        for act, ids in json.loads(out).items():
            done.setdefault(act, []).extend(ids)
    for ids in done.values():
        assert len(ids) >= 5  # or this tests nothing
    with Store(tmp_path) as store:
        runs = {run.id: run for run in store.runs()}
        assert is_whole(store)
    assert sorted(runs) == sorted(done["added"])
    assert len(set(done["claimed"])) == len(done["claimed"])  # nobody got what another one had
    assert {run_id for run_id, run in runs.items() if run.attempts == 1} == set(done["claimed"])
    assert {run_id for run_id, run in runs.items() if run.state == "stopped"} == {*done["stopped"], *done["ended"]}
    running = {run_id for run_id, run in runs.items() if run.state == "running"}
    assert running == set(done["claimed"]) - set(done["ended"])
    assert {run_id for run_id in running if runs[run_id].is_stop_requested} == running & set(done["asked"])
    waiting = [run for run in runs.values() if run.waiting]
    assert sorted(run.place or 0 for run in waiting) == list(range(1, len(waiting) + 1))


def test_a_writer_killed_in_the_middle_of_a_transaction_leaves_no_trace_and_holds_nobody_up(
    tmp_path: Path, actors: Actors
) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig(seed=1)])
        writer = actors.start("half", tmp_path)
        assert writer.stdout
        assert writer.stdout.readline() == "half\n"
        assert [run.config.seed for run in store.runs()] == [1]  # reading does not wait for it
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        store.add([RunConfig(seed=2)])
        assert [run.config.seed for run in store.runs()] == [1, 2]


def test_a_writer_killed_again_and_again_at_random_loses_nothing_it_had_said_was_done(
    tmp_path: Path, actors: Actors
) -> None:
    chance = random.Random(3)
    size = 25
    output: list[int] = []
    for _ in range(8):
        writer = actors.start("batches", tmp_path, size)
        assert writer.stdout
        output.append(int(writer.stdout.readline()))
        time.sleep(chance.uniform(0, 0.05))
        writer.send_signal(signal.SIGKILL)
        rest, errors = writer.communicate()
        assert errors == ""
        output += [int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        with Store(tmp_path) as store:
            assert is_whole(store)
            seeds = [run.config.seed for run in store.runs()]
        assert set(output) <= set(seeds)
        assert all(seeds.count(seed) == size for seed in set(seeds))
    assert len(output) > 8


def test_a_rebuild_killed_at_random_ends_well_the_next_time(tmp_path: Path, actors: Actors) -> None:
    for seed in range(60):
        make_folder(tmp_path, RunConfig(seed=seed))
    chance = random.Random(5)
    for _ in range(5):
        (builder,) = actors.start_together(1, "build", tmp_path)
        time.sleep(chance.uniform(0, 0.15))
        builder.kill()
        builder.wait()
        with Store(tmp_path) as store:
            assert len(store.runs()) == 60
            assert is_whole(store)
        for path in (tmp_path / ".lenet-tui").glob("store.db*"):
            path.unlink()


def test_threads_share_one_store(store: Store) -> None:
    def add(seed: int) -> None:
        for _ in range(20):
            store.add([RunConfig(seed=seed)])
            store.queue()

    threads = [threading.Thread(target=add, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.config.seed for run in store.runs()) == sorted([0, 1, 2, 3] * 20)


def test_importing_the_store_imports_neither_torch_nor_anything_else_that_is_slow() -> None:
    heavy = ("torch", "numpy", "textual", "sklearn", "matplotlib", "pydantic", "rich")
    look = (
        f"import sys, lenet_tui.store, lenet_tui.host.process; print([name for name in {heavy} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
