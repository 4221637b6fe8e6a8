"""The database itself refuses what may never be in it, from any process."""

from __future__ import annotations

import dataclasses
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.run import metrics
from lenet_tui.run.folder import Summary
from lenet_tui.run.metrics import Progress
from lenet_tui.store import Run, Store, schema
from lenet_tui.store.records import PROGRESS_COLUMNS, RUN_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUEUED: dict[str, Any] = {"config": "{}", "state": "queued", "position": 1, "created_at": "2026-01-01T00:00:00+00:00"}
ENDED = {"position": None, "started_at": "2026-01-01", "finished_at": "2026-01-01", "folder": "lenet/a"}
OWNER = {"owner_pid": 1, "owner_host": "h", "owner_start": "s", "heartbeat": "2026-01-01"}
RUNNING = QUEUED | {"state": "running", "position": None, "started_at": "2026-01-01", "threads": 1} | OWNER
FINISHED = QUEUED | ENDED | {"state": "finished"}
STATES = {
    "queued": QUEUED,
    "interrupted": QUEUED | {"state": "interrupted"},
    "running": RUNNING,
    "finished": FINISHED,
    "failed": QUEUED | ENDED | {"state": "failed", "reason": "it broke"},
    "stopped": QUEUED | ENDED | {"state": "stopped"},
}


@pytest.fixture
def tables() -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("PRAGMA foreign_keys = ON")
    schema.migrate(database)
    yield database
    database.close()


def write(database: sqlite3.Connection, values: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(values))
    database.execute(f"INSERT INTO runs ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


@pytest.mark.parametrize("state", STATES)
def test_a_sound_run_in_any_state_is_accepted(tables: sqlite3.Connection, state: str) -> None:
    write(tables, STATES[state])


@pytest.mark.parametrize(
    "values",
    [
        QUEUED | {"state": "sleeping"},
        QUEUED | {"config": "no json"},
        QUEUED | {"config": "[]"},
        QUEUED | {"config": None},
        QUEUED | {"created_at": None},
        QUEUED | {"position": None},
        QUEUED | {"position": "first"},
        QUEUED | {"attempts": -1},
        QUEUED | {"stop_request": "stop"},
        QUEUED | {"reason": "why"},
        QUEUED | {"threads": 0},
        QUEUED | {"finished_at": "2026-01-01"},
        *(QUEUED | {name: value} for name, value in OWNER.items()),
        *(RUNNING | {name: None} for name in OWNER),
        RUNNING | {"threads": None},
        RUNNING | {"started_at": None},
        RUNNING | {"position": 1},
        RUNNING | {"stop_request": "dance"},
        RUNNING | {"owner_pid": 0},
        RUNNING | {"finished_at": "2026-01-01"},
        FINISHED | {"folder": None},
        FINISHED | {"position": 1},
        FINISHED | {"finished_at": None},
        FINISHED | {"reason": "why"},
        FINISHED | {"folder": ""},
        FINISHED | {"folder": "/etc"},
        FINISHED | {"folder": "lenet/../../etc"},
        FINISHED | {"folder": ".."},
        FINISHED | {"epochs_done": 3, "best_epoch": 4, "best_val_loss": 0.1},
        FINISHED | {"epochs_done": 3, "best_epoch": 2},
        FINISHED | {"epochs_done": 3, "selected_epoch": 0},
        FINISHED | {"stopped_early": 2},
        STATES["failed"] | {"reason": None},
        STATES["stopped"] | {"finished_at": None},
        STATES["interrupted"] | {"position": None},
    ],
    ids=str,
)
def test_a_run_that_contradicts_itself_is_refused(tables: sqlite3.Connection, values: dict[str, Any]) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        write(tables, values)


LEGAL = {
    ("queued", "running"),
    ("queued", "stopped"),
    ("interrupted", "running"),
    ("interrupted", "stopped"),
    ("interrupted", "queued"),
    ("running", "finished"),
    ("running", "failed"),
    ("running", "stopped"),
    ("running", "interrupted"),
    ("stopped", "queued"),
    ("failed", "queued"),
}


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_a_run_changes_state_only_along_its_life(tables: sqlite3.Connection, before: str, after: str) -> None:
    write(tables, STATES[before])
    # Every column that differs is set too, so that only the change of state itself can be refused.
    wanted = dict.fromkeys(RUNNING | FINISHED | {"reason": None}) | STATES[after]
    statement = f"UPDATE runs SET {', '.join(f'{name} = ?' for name in wanted)}"
    if before == after or (before, after) in LEGAL:
        tables.execute(statement, tuple(wanted.values()))
    else:
        with pytest.raises(sqlite3.IntegrityError, match="cannot change"):
            tables.execute(statement, tuple(wanted.values()))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE runs SET config = '{\"lr\": 1}'",
        "UPDATE runs SET id = 7",
        "UPDATE runs SET created_at = '1998-11-01'",
        "DELETE FROM runs",
        "INSERT INTO progress VALUES (2, 1, 0, 10, 0.5, 100, '2026-01-01')",
        "INSERT INTO progress VALUES (1, 0, 0, 10, 0.5, 100, '2026-01-01')",
        "INSERT INTO progress VALUES (1, 1, 11, 10, 0.5, 100, '2026-01-01')",
        "INSERT INTO epochs (run_id, epoch, lr, seconds) VALUES (1, 0, 0.1, 1)",
        "INSERT INTO epochs (run_id, epoch, lr, seconds) VALUES (99, 1, 0.1, 1)",
        "INSERT INTO control (id, paused) VALUES (2, 0)",
        "UPDATE control SET paused = 2",
        "DELETE FROM control",
    ],
)
def test_what_must_stay_cannot_be_changed_or_deleted(tables: sqlite3.Connection, change: str) -> None:
    write(tables, RUNNING)
    write(tables, QUEUED)
    with pytest.raises(sqlite3.IntegrityError):
        tables.execute(change)


def test_no_two_runs_have_one_folder_or_one_place(tables: sqlite3.Connection) -> None:
    write(tables, FINISHED)
    with pytest.raises(sqlite3.IntegrityError, match="folder"):
        write(tables, FINISHED)
    write(tables, QUEUED)
    with pytest.raises(sqlite3.IntegrityError, match="position"):
        write(tables, QUEUED)


def test_progress_ends_with_the_running_and_epochs_with_the_run(tables: sqlite3.Connection) -> None:
    write(tables, RUNNING | {"folder": "lenet/a"})
    tables.execute("INSERT INTO progress VALUES (1, 1, 5, 10, 0.5, 100, '2026-01-01')")
    tables.execute("INSERT INTO epochs (run_id, epoch, lr, seconds) VALUES (1, 1, 0.1, 1)")
    release = ", ".join(f"{name} = NULL" for name in OWNER)
    tables.execute(f"UPDATE runs SET state = 'finished', finished_at = 'x', {release}")
    assert tables.execute("SELECT count(*) FROM progress").fetchone() == (0,)
    assert tables.execute("SELECT count(*) FROM epochs").fetchone() == (1,)
    tables.execute("DELETE FROM runs")
    assert tables.execute("SELECT count(*) FROM epochs").fetchone() == (0,)


def test_the_number_of_a_deleted_run_is_never_given_again(tables: sqlite3.Connection) -> None:
    write(tables, QUEUED)
    tables.execute("DELETE FROM runs")
    write(tables, QUEUED)
    assert tables.execute("SELECT id FROM runs").fetchone() == (2,)


def test_every_figure_of_a_run_and_of_an_epoch_has_a_column(tables: sqlite3.Connection) -> None:
    columns = {table: {row[1] for row in tables.execute(f"PRAGMA table_info({table})")} for table in ("runs", "epochs")}
    assert set(Summary.model_fields) <= columns["runs"]
    assert set(metrics.COLUMNS) | {"run_id"} == columns["epochs"]


def test_columns_are_read_in_the_order_of_the_fields_they_fill() -> None:
    renamed = ["config_json" if name == "config" else name for name in RUN_COLUMNS]
    fields = [field.name for field in dataclasses.fields(Run)]
    assert renamed == [*fields[:-3], "owner_pid", "owner_host", "owner_start"]
    assert fields[-3:] == ["owner", "progress", "place"]
    assert list(PROGRESS_COLUMNS) == [field.name for field in dataclasses.fields(Progress)]


def test_a_store_of_any_earlier_version_is_brought_up_to_date_with_what_is_in_it(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    first = "CREATE TABLE a (x INTEGER);\nINSERT INTO a VALUES (1);\n"
    second = "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 5;\nUPDATE a SET x = x + 1;\n"
    schema.migrate(old, [first])
    assert schema.version(old) == 1
    schema.migrate(old, [first, second])
    schema.migrate(old, [first, second])  # once is enough
    assert schema.version(old) == 2
    assert old.execute("SELECT x, y FROM a").fetchall() == [(2, 5)]
    old.close()


def test_a_migration_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    first = "CREATE TABLE a (x INTEGER);\nINSERT INTO a VALUES (1);\n"
    schema.migrate(old, [first])
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(old, [first, "UPDATE a SET x = 9;\nCREATE TABLE b (y);\nUPDATE nothing SET z = 1;\n"])
    assert schema.version(old) == 1
    assert old.execute("SELECT x FROM a").fetchall() == [(1,)]
    assert old.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)
    old.close()


def test_a_store_is_migrated_when_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig()])
    later = "CREATE TABLE shelf (id INTEGER);\nINSERT INTO shelf SELECT id FROM runs;\n"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, later))
    for function in (schema.check_version, schema.migrate):
        monkeypatch.setattr(function, "__defaults__", (schema.MIGRATIONS,))
    with Store(tmp_path) as store, store._database.read() as database:
        assert database.execute("SELECT id FROM shelf").fetchall() == [(1,)]
        assert schema.version(database) == len(schema.MIGRATIONS)
    assert not list((tmp_path / ".lenet-tui").glob("*damaged*"))


def test_the_store_of_a_later_version_is_left_alone_and_named(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig()])
    path = tmp_path / ".lenet-tui" / "store.db"
    later = sqlite3.connect(path)
    later.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    later.close()
    before = path.read_bytes()
    with pytest.raises(LabError, match=r"made by a later lenet-tui .* upgrade"):
        Store(tmp_path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*damaged*"))
