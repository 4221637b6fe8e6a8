"""What other processes do to a store while a test looks on: ``python -m tests.store.actors ACT WORD…``."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from lenet_tui.config import RunConfig
from lenet_tui.errors import UsageError
from lenet_tui.host import process
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import Store
from lenet_tui.store.records import insert


def churn(root: str, disk: str, seed: str) -> None:
    """Add, stop, move, claim at random, and print as JSON what was done."""
    chance = random.Random(int(seed))
    me = process.this_process()
    done: dict[str, list[int]] = {"added": [], "claimed": [], "stopped": [], "asked": [], "ended": []}
    mine: list[int] = []
    _wait_for_a_word()
    for number in range(50):
        # Opening and closing is where SQLite's own waiting has gaps, so do it often.
        with Store(Path(root), network=disk == "network") as store:
            act = chance.choice(["add", "add", "stop", "move", "claim", "end"])
            queue = store.queue()
            if act == "add":
                configs = [RunConfig(seed=int(seed) * 1000 + number, batch_size=size) for size in (16, 32)]
                done["added"] += [run.id for run in store.add(configs)]
            elif act == "claim":
                first = next((run.id for run in queue if run.waiting and store.claim(run.id, me, 1)), None)
                if first:
                    done["claimed"].append(first)
                    mine.append(first)
            elif act == "end" and mine:
                run_id = mine.pop()
                assert store.heartbeat(run_id, me)
                assert store.end(run_id, me, "stopped")
                done["ended"].append(run_id)
            elif act in ("stop", "move") and queue:
                run_id = chance.choice(queue).id
                try:
                    if act == "move":
                        store.move(run_id, chance.randint(1, 5))
                    else:
                        was = store.request_stop(run_id)
                        done["stopped" if was.state == "stopped" else "asked"].append(run_id)
                except UsageError:  # it runs, or another process was quicker
                    pass
    print(json.dumps(done))


def batches(root: str, size: str) -> None:
    """Queue grids of one size without end, and print the number of each once it is safe."""
    with Store(Path(root)) as store:
        start = max((run.config.seed for run in store.runs()), default=0) + 1
        for number in range(start, 1_000_000):
            store.add([RunConfig(seed=number)] * int(size))
            print(number)


def half(root: str) -> None:
    """Write half of something, say so, and wait to be killed in the middle of the transaction."""
    store = Store(Path(root))
    with store._database.write() as database:
        for number in range(200):
            values = {"config": "{}", "state": "queued", "position": 10_000 + number, "created_at": "2026-01-01"}
            insert(database, values)
        database.execute("DELETE FROM runs WHERE id = 1")
        print("half")
        time.sleep(60)


def build(root: str, _: str) -> None:
    """Open the store at a word, and print the numbers and folders of the runs in it."""
    _wait_for_a_word()
    with Store(Path(root)) as store:
        print(json.dumps([(run.id, run.folder) for run in store.runs()]))


def work(root: str, folder: str) -> None:
    """Hold a run folder as a worker does, until the standard input ends."""
    with RunFolder(Path(folder)).exclusively():
        print("held")
        sys.stdin.readline()


def zombie() -> None:
    """Say who a child is that then ends, and stay without ever asking how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        sys.stdin.readline()
        os._exit(0)
    owner = process.owner_of(child)
    assert owner is not None
    print(json.dumps([owner.pid, owner.host, owner.start]))
    time.sleep(60)


def _wait_for_a_word() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
