"""The tables, with what may never be: SQLite refuses a state that contradicts itself, from any process.

`MIGRATIONS` holds one script for each version of the schema, in order; a script that has been released is never
changed. Nothing here needs more than SQLite 3.25.
"""

from __future__ import annotations

import contextlib
import sqlite3
from functools import cache
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    config TEXT NOT NULL CHECK (json_valid(config) AND json_type(config) = 'object'),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished', 'failed', 'stopped', 'interrupted')),
    -- Where it waits; the numbers only say who comes first.
    position INTEGER UNIQUE CHECK (position IS NULL OR typeof(position) = 'integer'),
    folder TEXT UNIQUE CHECK (folder <> '' AND folder NOT LIKE '/%' AND '/' || folder || '/' NOT LIKE '%/../%'),
    threads INTEGER CHECK (threads >= 1),
    device TEXT,
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    owner_pid INTEGER CHECK (owner_pid > 0),
    owner_host TEXT,
    owner_start TEXT,
    heartbeat TEXT,
    wish TEXT CHECK (wish IN ('stop')),
    reason TEXT CHECK (reason <> ''),
    note TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    started_at TEXT,
    finished_at TEXT,
    epochs_done INTEGER NOT NULL DEFAULT 0 CHECK (epochs_done >= 0),
    best_epoch INTEGER CHECK (best_epoch BETWEEN 1 AND epochs_done),
    kept_epoch INTEGER CHECK (kept_epoch BETWEEN 1 AND epochs_done),
    best_val_loss REAL,
    best_val_accuracy REAL,
    best_val_cross_entropy REAL,
    test_loss REAL,
    test_accuracy REAL,
    train_seconds REAL CHECK (train_seconds >= 0),
    images_per_second REAL CHECK (images_per_second >= 0),
    stopped_early INTEGER NOT NULL DEFAULT 0 CHECK (stopped_early IN (0, 1)),
    CHECK ((position IS NOT NULL) = (state IN ('queued', 'interrupted'))),
    CHECK ((owner_pid IS NOT NULL) = (state = 'running')),
    CHECK ((owner_host IS NOT NULL) = (state = 'running')),
    CHECK ((owner_start IS NOT NULL) = (state = 'running')),
    CHECK ((heartbeat IS NOT NULL) = (state = 'running')),
    CHECK (wish IS NULL OR state = 'running'),
    CHECK (state <> 'running' OR (threads IS NOT NULL AND started_at IS NOT NULL)),
    CHECK (state <> 'finished' OR (folder IS NOT NULL AND started_at IS NOT NULL)),
    CHECK (state <> 'failed' OR reason IS NOT NULL),
    CHECK (reason IS NULL OR state IN ('failed', 'stopped', 'interrupted')),
    CHECK ((finished_at IS NOT NULL) = (state IN ('finished', 'failed', 'stopped'))),
    CHECK ((best_epoch IS NULL) = (best_val_loss IS NULL))
);
CREATE INDEX runs_running ON runs (id) WHERE state = 'running';

CREATE TABLE epochs (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    -- NULL is "not a number": SQLite has no other word for it.
    train_loss REAL,
    val_loss REAL,
    train_accuracy REAL,
    val_accuracy REAL,
    lr REAL NOT NULL,
    seconds REAL NOT NULL,
    sample_loss REAL,
    sample_accuracy REAL,
    val_cross_entropy REAL,
    PRIMARY KEY (run_id, epoch)
) WITHOUT ROWID;

CREATE TABLE progress (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    step INTEGER NOT NULL CHECK (step >= 0),
    steps INTEGER NOT NULL CHECK (steps >= step),
    train_loss REAL,
    images_per_second REAL NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE control (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    draining INTEGER NOT NULL CHECK (draining IN (0, 1))
);
INSERT INTO control (id, draining) VALUES (1, 0);

CREATE TRIGGER runs_change_state BEFORE UPDATE OF state ON runs
WHEN OLD.state <> NEW.state AND NOT (
    (OLD.state IN ('queued', 'interrupted') AND NEW.state IN ('running', 'stopped'))
    OR (OLD.state = 'running' AND NEW.state IN ('finished', 'failed', 'stopped', 'interrupted'))
    OR (OLD.state IN ('stopped', 'failed', 'interrupted') AND NEW.state = 'queued')
)
BEGIN
    SELECT RAISE(ABORT, 'a run cannot change into that state from the one it is in');
END;

CREATE TRIGGER runs_keep_identity BEFORE UPDATE OF id, config, created_at ON runs
WHEN NEW.id <> OLD.id OR NEW.config <> OLD.config OR NEW.created_at <> OLD.created_at
BEGIN
    SELECT RAISE(ABORT, 'what a run computes never changes');
END;

CREATE TRIGGER runs_keep_running BEFORE DELETE ON runs WHEN OLD.state = 'running'
BEGIN
    SELECT RAISE(ABORT, 'a running run cannot be deleted');
END;

CREATE TRIGGER runs_end_progress AFTER UPDATE OF state ON runs WHEN NEW.state <> 'running'
BEGIN
    DELETE FROM progress WHERE run_id = NEW.id;
END;

CREATE TRIGGER progress_of_running BEFORE INSERT ON progress
WHEN NOT EXISTS (SELECT 1 FROM runs WHERE id = NEW.run_id AND state = 'running')
BEGIN
    SELECT RAISE(ABORT, 'only a running run makes progress');
END;

CREATE TRIGGER control_stays BEFORE DELETE ON control
BEGIN
    SELECT RAISE(ABORT, 'the control row stays');
END;
"""

# A reader of many runs reads only those that changed. What changes while a run works (epochs, progress, heartbeat)
# is not counted: runs at work are few, and are read every time.
_SECOND = """
ALTER TABLE control ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_revision ON runs (revision);

CREATE TRIGGER runs_count_insert AFTER INSERT ON runs
BEGIN
    UPDATE control SET revision = revision + 1;
    UPDATE runs SET revision = (SELECT revision FROM control) WHERE id = NEW.id;
END;

CREATE TRIGGER runs_count_update AFTER UPDATE OF state, folder, wish, note ON runs
BEGIN
    UPDATE control SET revision = revision + 1;
    UPDATE runs SET revision = (SELECT revision FROM control) WHERE id = NEW.id;
END;
"""

# Names by the table of words in CONTRIBUTING.md; what the runner computes on, published for those that estimate times.
_THIRD = """
ALTER TABLE runs RENAME COLUMN wish TO stop_request;
ALTER TABLE runs RENAME COLUMN kept_epoch TO selected_epoch;
ALTER TABLE control RENAME COLUMN draining TO paused;

CREATE TABLE capacity (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cores INTEGER NOT NULL CHECK (cores >= 1),
    gpus INTEGER NOT NULL CHECK (gpus >= 0),
    free_cores INTEGER NOT NULL CHECK (free_cores BETWEEN 0 AND cores),
    free_gpus INTEGER NOT NULL CHECK (free_gpus BETWEEN 0 AND gpus)
);
"""

# Words that a person gives to runs, separated by single spaces.
_FOURTH = """
ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '';
DROP TRIGGER runs_count_update;

CREATE TRIGGER runs_count_update AFTER UPDATE OF state, folder, stop_request, note, tags ON runs
BEGIN
    UPDATE control SET revision = revision + 1;
    UPDATE runs SET revision = (SELECT revision FROM control) WHERE id = NEW.id;
END;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH)


def version(database: sqlite3.Connection) -> int:
    """Return the schema version of a database; 0 is an empty one."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def check_version(number: int, migrations: Sequence[str] = MIGRATIONS) -> bool:
    """Say whether a database of schema version ``number`` is the last. Raises `LabError` when it is a later one."""
    if number > len(migrations):
        raise LabError(
            f"this store was made by a later lenet-tui (schema {number}, this version reads up to {len(migrations)}); "
            "upgrade lenet-tui, or give another --root"
        )
    return number == len(migrations)


def migrate(database: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring a database to the last version, wholly or not at all. Raises `LabError` when it is of a later one."""
    database.execute("BEGIN IMMEDIATE")
    try:
        number = version(database)
        if not check_version(number, migrations):
            for script in migrations[number:]:
                for statement in _statements(script):
                    database.execute(statement)
            database.execute(f"PRAGMA user_version = {len(migrations)}")
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise


def tables(database: sqlite3.Connection) -> frozenset[str]:
    """Return the statements that made what is in a database: its tables, indexes and triggers."""
    rows = database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    return frozenset(str(row[0]) for row in rows)


def has_control(database: sqlite3.Connection) -> bool:
    """Say whether the one row is there that says whether the queue is paused."""
    return bool(database.execute("SELECT count(*) FROM control").fetchone()[0] == 1)


@cache
def expected_tables(migrations: tuple[str, ...]) -> frozenset[str]:
    """Return what `tables` gives for a store that these migrations made."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        migrate(database, migrations)
        return tables(database)


def _statements(script: str) -> list[str]:
    # sqlite3's executescript would commit the transaction that all of this has to be in.
    statements = []
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            statements.append(text)
            text = ""
    return statements
