"""A worker is known to be alive whatever it does: its heartbeats come from a thread, not from its progress."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lenet_tui.config import RunConfig
from lenet_tui.host.process import this_process
from lenet_tui.runner import worker
from lenet_tui.store import Store
from tests.conftest import Watcher

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from lenet_tui.data.datasets import Dataset


def test_heartbeats_go_on_while_a_run_makes_no_progress(
    tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(worker.experiment, "run", lambda folder, record, data, reporter: stuck(record))
    me = this_process()
    beats = set()

    def stuck(record: object) -> object:
        deadline = time.monotonic() + 60
        while len(beats) < 3:
            assert time.monotonic() < deadline
            beats.add(store.get(1).heartbeat)
            time.sleep(0.01)
        return record

    with Store(tmp_path) as store:
        run = store.start(RunConfig(dataset="digits", threads=1), me, 1)
        worker.execute(store, tmp_path, run, me, digits, Watcher())
        assert store.get(1).state == "stopped"
