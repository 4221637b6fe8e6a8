"""Who watches the runs reads only what changed."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from lenet_tui.config import RunConfig
from lenet_tui.host.process import this_process
from lenet_tui.store import Store, schema

if TYPE_CHECKING:
    from pathlib import Path


def test_only_what_changed_is_told_and_all_of_it(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        first, second = store.add([RunConfig(seed=1), RunConfig(seed=2)])
        begun = store.changes()
        assert [run.id for run in begun.changed] == [first.id, second.id]
        assert store.changes(begun.revision).changed == []

        store.set_note(second.id, "look here")
        noted = store.changes(begun.revision)
        assert [(run.id, run.note) for run in noted.changed] == [(second.id, "look here")]

        owner = this_process()
        store.claim(first.id, owner, threads=1)
        claimed = store.changes(noted.revision)
        assert [(run.id, run.state) for run in claimed.changed] == [(first.id, "running")]
        store.heartbeat(first.id, owner)
        assert store.changes(claimed.revision).changed == []  # those that run are in the queue, read every time
        assert [run.id for run in store.changes(claimed.revision).queue] == [first.id, second.id]

        store.end(first.id, owner, "failed", "it did")
        assert [run.state for run in store.changes(claimed.revision).changed] == ["failed"]


def test_a_deleted_run_is_noticed_by_the_count(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        run, _ = store.add([RunConfig(seed=1), RunConfig(seed=2)])
        before = store.changes()
        store.remove(run.id)
        after = store.changes(before.revision)
        assert (before.count, after.count, after.changed) == (2, 1, [])


def test_a_revision_from_before_the_store_was_rebuilt_gives_everything(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig(seed=1)])
        assert len(store.changes(since=10_000).changed) == 1


def test_a_store_from_before_changes_were_counted_gives_everything_at_first(tmp_path: Path) -> None:
    (tmp_path / ".lenet-tui").mkdir(mode=0o700)
    old = sqlite3.connect(tmp_path / ".lenet-tui" / "store.db", isolation_level=None)
    schema.migrate(old, schema.MIGRATIONS[:1])
    old.execute(
        "INSERT INTO runs (config, state, position, created_at) VALUES (?, 'queued', 1, '2026-01-01T00:00:00+00:00')",
        (RunConfig(seed=7).model_dump_json(),),
    )
    old.close()
    with Store(tmp_path) as store:
        begun = store.changes()
        assert [run.config.seed for run in begun.changed] == [7]
        assert store.changes(begun.revision).changed == []
