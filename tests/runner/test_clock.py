"""Wall clocks jump. Whether a run is at work is told by its process alone, whatever times are on record."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lenet_tui.store import Store
from tests.runner.conftest import runner_pid

if TYPE_CHECKING:
    from tests.runner.conftest import Bench

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc to see what is left over")

DIGITS = ("--dataset", "digits", "--threads", 1, "--tsne-samples", 100)
FAR = ("1970-01-01T00:00:01.000+00:00", "2999-12-31T23:59:59.000+00:00")


def set_clock_of_record(bench: Bench, moment: str) -> None:
    """Write what a runner and a worker would have written, had their clock been at ``moment``."""
    with closing(sqlite3.connect(bench.root / ".lenet-tui" / "store.db", timeout=30)) as database, database:
        database.execute("UPDATE runs SET heartbeat = ?, started_at = ? WHERE state = 'running'", (moment, moment))
        database.execute("UPDATE progress SET updated_at = ?", (moment,))


@pytest.mark.parametrize("moment", FAR)
def test_a_run_at_work_stays_running_wherever_the_clock_jumps(moment: str, bench: Bench) -> None:
    bench.call("queue", "add", *DIGITS, "--epochs", 300)
    store = Store(bench.root)
    bench.wait_for(lambda: store.get(1).epochs_done >= 2)
    before = store.get(1)
    for _ in range(3):
        set_clock_of_record(bench, moment)
        assert " epoch " in bench.call("queue").stdout  # which looks for runs whose process is dead
    bench.wait_for(lambda: store.get(1).epochs_done >= before.epochs_done + 5)  # and so does the runner, every second
    after = store.get(1)
    assert (after.state, after.owner, after.attempts) == ("running", before.owner, 1)
    assert bench.call("show", 1).returncode == 0


@pytest.mark.parametrize("moment", FAR)
def test_a_killed_run_is_noticed_wherever_the_clock_jumps(moment: str, bench: Bench) -> None:
    bench.call("queue", "add", *DIGITS, "--epochs", 300)
    store = Store(bench.root)
    bench.wait_for(lambda: store.get(1).epochs_done >= 2)
    runner = runner_pid(bench.root)
    owner = store.get(1).owner
    assert runner is not None
    assert owner is not None
    for pid in (runner, owner.pid):  # the runner first, which would put another worker in the dead one's place
        os.kill(pid, signal.SIGKILL)
    bench.wait_for(lambda: owner.pid not in bench.processes())
    set_clock_of_record(bench, moment)
    assert "interrupted #1" in bench.call("queue").stdout
    done = store.get(1).epochs_done
    bench.wait_for(lambda: store.get(1).epochs_done > done)
    assert store.get(1).owner != owner
