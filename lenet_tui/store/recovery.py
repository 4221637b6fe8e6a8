"""A store from the run folders: the folder is the record, the store only an index of it."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

from lenet_tui.errors import LabError, UsageError
from lenet_tui.store import schema
from lenet_tui.store.files import is_held, make_private_file, set_aside
from lenet_tui.store.rows import stamp
from lenet_tui.store.statements import END_OF_QUEUE, insert, replace_epochs, set_summary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lenet_tui.process import Owner
    from lenet_tui.runfolder import RunFolder, RunRecord

_COUNT = "SELECT count(*) FROM runs"


def build(root: Path, store: Path) -> list[str]:
    """Make the store from the run folders below ``root``, and from what can be read of a damaged one in its place.

    The damaged one is kept aside. Returns what to tell a person, a line each. The caller holds `builders_lock`;
    whenever the process dies, either the old store is there or the whole new one.
    """
    scratch = store.with_name(f"{store.name}.new")
    for suffix in ("", "-journal"):
        scratch.with_name(scratch.name + suffix).unlink(missing_ok=True)
    try:
        make_private_file(scratch)
        with contextlib.closing(sqlite3.connect(scratch, isolation_level=None)) as database:
            database.execute("PRAGMA foreign_keys = ON")
            schema.migrate(database)
            database.execute("BEGIN IMMEDIATE")
            saved = _salvage(database, store, root)
            found, notices = _index(database, root)
            database.execute("COMMIT")
        aside = set_aside(store)
        scratch.replace(store)
    except OSError as error:
        raise LabError(f"cannot make {store}: {error.strerror}") from None
    except sqlite3.OperationalError as error:
        raise LabError(f"cannot make {store}: {error}") from None
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)
    if aside:
        text = f"the store was damaged: it is kept as {aside}, and a new one has {saved} runs saved from it"
        notices.insert(0, f"{text} and {found} read from run folders")
    elif found:
        notices.insert(0, f"there was no store in {store.parent}: a new one has {found} runs read from their folders")
    return notices


def insert_folder(
    database: sqlite3.Connection,
    root: Path,
    folder: RunFolder,
    *,
    owner: Owner | None = None,
    record: RunRecord | None = None,
) -> int:
    """Put a run folder's run on record and return its number; the number it has, where it is on record already.

    A run that was at work and is held by nobody waits to be resumed; one at work for ``owner`` is running.
    Raises `UsageError` when the folder is not below ``root`` and `LabError` when it cannot be read or another process
    works on it. ``record`` spares reading it again.
    """
    try:
        relative = folder.path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        raise UsageError(f"{folder.path} is not below {root}; copy it there first") from None
    known = database.execute("SELECT id FROM runs WHERE folder = ?", (relative,)).fetchone()
    if known:
        return int(known[0])
    record = record or folder.read_record()
    history = folder.read_metrics()
    if owner is None and record.state == "running" and is_held(folder.path):
        raise LabError(f"{folder.path} is being worked on; import it when that is done")
    values = _values(record, owner) | {"folder": relative}
    if values["state"] == "interrupted":
        values["position"] = database.execute(END_OF_QUEUE).fetchone()[0]
    run_id = insert(database, values)
    replace_epochs(database, run_id, history, after=0)
    if record.summary:
        set_summary(database, run_id, record.summary)
    return run_id


def _values(record: RunRecord, owner: Owner | None) -> dict[str, Any]:
    state: str = record.state
    if owner:
        state = "running"
    elif state in ("running", "queued"):
        state = "interrupted"
    ended = state in ("finished", "failed", "stopped")
    values: dict[str, Any] = {
        "config": record.config.model_dump_json(),
        "state": state,
        "threads": record.threads,
        "device": record.device,
        "created_at": record.created_at.isoformat(),
        "started_at": record.started_at.isoformat(),
        "finished_at": (record.finished_at or record.started_at).isoformat() if ended else None,
        "reason": (record.reason or "no reason on record") if state == "failed" else None,
    }
    if state == "stopped":
        values["reason"] = record.reason or None
    if owner:
        values |= {"owner_pid": owner.pid, "owner_host": owner.host, "owner_start": owner.start, "heartbeat": stamp()}
    return values


def _index(database: sqlite3.Connection, root: Path) -> tuple[int, list[str]]:
    """Put every run folder below ``root`` on record, in the order in which they were asked for."""
    notices = []
    records: list[tuple[RunRecord, RunFolder]] = []
    for folder in _folders(root):
        try:
            records.append((folder.read_record(), folder))
        except LabError as error:
            notices.append(f"left out of the new store: {error}")
    before: int = database.execute(_COUNT).fetchone()[0]
    for record, folder in sorted(records, key=lambda pair: (pair[0].created_at, pair[1].path)):
        try:
            insert_folder(database, root, folder, record=record)
        except (LabError, sqlite3.IntegrityError) as error:
            notices.append(f"left out of the new store: {error}")
    return database.execute(_COUNT).fetchone()[0] - before, notices


def _folders(root: Path) -> list[RunFolder]:
    from lenet_tui.config import ModelName

    found = [path.parent for model in get_args(ModelName) for path in (root / model).glob("*/run.json")]
    if not found:
        return []
    from lenet_tui.runfolder import RunFolder

    return [RunFolder(path) for path in found]


def _salvage(database: sqlite3.Connection, store: Path, root: Path) -> int:
    """Copy the runs that a damaged store still shows, with their numbers; return how many."""
    saved: set[int] = set()
    for row in _readable_rows(store):
        if row["id"] in saved or not _is_sound(row):
            continue
        with contextlib.suppress(sqlite3.IntegrityError):
            insert(database, row)
            saved.add(row["id"])
            _read_folder(database, root, row)
    return len(saved)


def _readable_rows(store: Path) -> Iterator[dict[str, Any]]:
    # From both ends, so that what lies behind a damaged page is found too.
    for order in ("ASC", "DESC"):
        with contextlib.suppress(sqlite3.DatabaseError):
            database = sqlite3.connect(store.absolute().as_uri() + "?mode=ro", uri=True, timeout=5)
            with contextlib.closing(database):
                if schema.version(database) != len(schema.MIGRATIONS):
                    return
                rows = database.execute(f"SELECT * FROM runs ORDER BY id {order}")  # noqa: S608
                names = [column[0] for column in rows.description]
                for row in rows:
                    yield dict(zip(names, row, strict=True))


def _is_sound(row: dict[str, Any]) -> bool:
    from pydantic import ValidationError

    from lenet_tui.config import RunConfig

    try:
        RunConfig.model_validate_json(row["config"])
        for name in ("created_at", "started_at", "finished_at", "heartbeat"):
            if row[name] is not None:
                datetime.fromisoformat(row[name])
    except (ValidationError, TypeError, ValueError):
        return False
    return True


def _read_folder(database: sqlite3.Connection, root: Path, row: dict[str, Any]) -> None:
    if row["folder"]:
        from lenet_tui.runfolder import RunFolder

        folder = RunFolder(root / row["folder"])
        with contextlib.suppress(LabError):  # what the old store said will do
            record, history = folder.read_record(), folder.read_metrics()
            replace_epochs(database, row["id"], history, after=0)
            if record.summary:
                set_summary(database, row["id"], record.summary)
