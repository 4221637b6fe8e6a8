"""Tags of runs: what is one, what keeps them, and stores from before there were any."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.errors import UsageError
from lenet_tui.store import Store, schema

if TYPE_CHECKING:
    from pathlib import Path


def test_tags_are_sorted_kept_and_counted_as_a_change(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig(), RunConfig(seed=1)])
        revision = store.changes().revision
        store.set_tags(2, ["thesis", "baseline", "thesis"])
        assert store.get(2).tags == ("baseline", "thesis")
        assert [run.id for run in store.changes(revision).changed] == [2]
        store.set_tags(2, [])
        assert store.get(2).tags == ()
        with pytest.raises(UsageError, match="there is no run 3"):
            store.set_tags(3, ["x"])


@pytest.mark.parametrize("name", ["", "two words", "a:b", "+a", "-a", "x" * 31, "a\n", "a\u202eb", "é" * 31, ","])
def test_what_is_no_tag_is_refused_in_a_line(tmp_path: Path, name: str) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig()])
        with pytest.raises(UsageError, match="is not a tag; a tag is one word") as caught:
            store.set_tags(1, ["fine", name])
        assert str(caught.value).isprintable()
        with pytest.raises(UsageError, match="21 tags are too many"):
            store.set_tags(1, [f"tag{number}" for number in range(21)])
        assert store.get(1).tags == ()


def test_a_store_of_schema_3_gets_room_for_tags_and_keeps_everything(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig(seed=n) for n in range(3)])
    path = tmp_path / ".lenet-tui" / "store.db"
    rows = "id, config, state, position, created_at, note"
    with contextlib.closing(sqlite3.connect(path)) as new:
        before = new.execute(f"SELECT {rows} FROM runs").fetchall()
    path.unlink()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        schema.migrate(old, schema.MIGRATIONS[:3])
        old.executemany(f"INSERT INTO runs ({rows}) VALUES (?, ?, ?, ?, ?, ?)", before)
    path.chmod(0o600)
    with Store(tmp_path) as store:
        assert not store.notices
        assert [(run.id, run.config.seed, run.tags) for run in store.queue()] == [(1, 0, ()), (2, 1, ()), (3, 2, ())]
        store.set_tags(1, ["kept"])
        store.set_note(1, "with a note")
    with Store(tmp_path) as store:
        assert (store.get(1).tags, store.get(1).note) == (("kept",), "with a note")


@pytest.mark.parametrize("version", [3, 4])
def test_a_damaged_store_with_tags_or_from_before_them_is_saved(tmp_path: Path, version: int) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig()])
        store.set_tags(1, ["kept"])
    with contextlib.closing(sqlite3.connect(tmp_path / ".lenet-tui" / "store.db")) as damaged:
        damaged.execute("DROP INDEX runs_revision")
        if version == 3:
            damaged.execute("DROP TRIGGER runs_count_update")
            damaged.execute("PRAGMA user_version = 3")
    (tmp_path / ".lenet-tui" / "queue.json").unlink()
    with Store(tmp_path) as store:
        assert "the store was damaged" in store.notices[0]
        assert store.get(1).tags == (("kept",) if version == 4 else ())


def test_tags_survive_the_loss_of_the_store(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig()])
        store.set_tags(1, ["a", "b"])
        store.add([RunConfig(seed=1)])
    (tmp_path / ".lenet-tui" / "store.db").unlink()
    with Store(tmp_path) as store:
        assert [run.tags for run in store.queue()] == [("a", "b"), ()]


@pytest.mark.parametrize("tags", ["two  spaces", " led", "a\x1b[2J", "x" * 99, None, 5, " ".join(map(str, range(21)))])
def test_tags_that_this_program_never_writes_are_a_damaged_row(tmp_path: Path, tags: object) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig()])
    with contextlib.closing(sqlite3.connect(tmp_path / ".lenet-tui" / "store.db", isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        with contextlib.suppress(sqlite3.IntegrityError):
            database.execute("UPDATE runs SET tags = ?", (tags,))
    with Store(tmp_path) as store:
        assert all(word.isprintable() and len(word) <= 30 for run in store.runs() for word in run.tags)
