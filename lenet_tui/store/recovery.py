"""A store from the run folders: the folder is the record, the store only an index of it."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any, get_args

from lenet_tui.errors import LabError, UsageError
from lenet_tui.formatting import counted
from lenet_tui.host.safe_files import explain
from lenet_tui.store import backup, schema
from lenet_tui.store.files import PRIVATE_FOLDER, is_trustworthy, make_private_file, set_aside
from lenet_tui.store.records import (
    END_OF_QUEUE,
    PROGRESS_COLUMNS,
    RUN_COLUMNS,
    DamagedRowError,
    insert,
    is_inside,
    replace_epochs,
    set_summary,
    stamp,
    to_run,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lenet_tui.host.process import Owner
    from lenet_tui.run.folder import RunFolder, RunRecord
    from lenet_tui.store.backup import Backup

# What SQLite raises for values that are not a run's.
_BAD_ROW = (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError, OverflowError, UnicodeEncodeError)
_SAVED = (*RUN_COLUMNS, "position")
_OLD_NAMES = {"stop_request": "wish", "selected_epoch": "kept_epoch"}  # before schema 3
_COUNT = "SELECT count(*) FROM runs"


def build(root: Path, store: Path) -> list[str]:
    """Make the store from what can be read of a damaged one in its place, from `backup` and from the run folders.

    The damaged one is kept aside. Returns notices for a person, a line each. The caller holds `builders_lock`;
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
            saved_queue = backup.load(root / PRIVATE_FOLDER)
            saved = _salvage(database, store, root) if is_trustworthy(store) else 0
            queued = _restore(database, root, saved_queue)
            read, notices = _index(database, root)
            _write_notes(database, "note", saved_queue.notes)
            _write_notes(database, "tags", saved_queue.tags)
            if saved_queue.paused or (is_trustworthy(store) and _was_paused(store)):
                database.execute("UPDATE control SET paused = 1")
            database.execute("COMMIT")
        aside = set_aside(store)
        scratch.replace(store)
    except OSError as error:
        raise LabError(f"cannot make {store}: {explain(error)}") from None
    except sqlite3.OperationalError as error:
        raise LabError(f"cannot make {store}: {error}") from None
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)
    sources = [f"{counted(saved, 'run')} saved from it"] if aside else []
    lost = saved_queue.unreadable + sum(not _is_sound(_whole(row)) for row in saved_queue.runs)
    if lost:
        notices.append(f"{counted(lost, 'entry', 'entries')} of {backup.NAME} left out: not written by lenet-tui")
    if queued:
        sources += [f"{queued if sources else counted(queued, 'run')} of the queue from {backup.NAME}"]
    sources += [f"{read if sources else counted(read, 'run')} read from run folders"]
    if aside:
        notices.insert(0, f"the store was damaged: it is kept as {aside}, and a new one has {' and '.join(sources)}")
    elif read or queued:
        notices.insert(0, f"there was no store in {store.parent}: a new one has {' and '.join(sources)}")
    return notices


def insert_folder(
    database: sqlite3.Connection,
    root: Path,
    folder: RunFolder,
    *,
    owner: Owner | None = None,
    record: RunRecord | None = None,
) -> int:
    """Insert a run folder's run and return its number, which it keeps where it is in the store already.

    A run at work for ``owner`` is running. One that says it is at work, and was not begun by this store, is stopped: a
    folder may come from anywhere, and nothing starts by itself because a folder says so. ``record`` spares reading it
    again. Raises `UsageError` when the folder is not below ``root`` and `LabError` when it cannot be read, holds$
    what is not of a run, or another process works on it.
    """
    relative = below(root, folder.path)
    row = database.execute("SELECT id FROM runs WHERE folder = ?", (relative,)).fetchone()
    if row:
        return int(row[0])
    record = record or folder.read_record()
    history = folder.read_metrics()
    if owner is None and record.state == "running" and folder.is_held():
        raise LabError(f"{folder.path} is being worked on; import it when that is done")
    try:
        run_id = insert(database, _values(record, owner) | {"folder": relative})
        replace_epochs(database, run_id, history, after=0)
        if record.summary:
            set_summary(database, run_id, record.summary)
        query = f"SELECT {', '.join(RUN_COLUMNS)} FROM runs WHERE id = ?"  # noqa: S608
        to_run((*database.execute(query, (run_id,)).fetchone(), *[None] * len(PROGRESS_COLUMNS)), None)
    except (DamagedRowError, *_BAD_ROW) as error:
        raise LabError(f"{folder.path}: what is recorded there is not of a run: {error}") from None
    return run_id


def below(root: Path, folder: Path) -> str:
    """Return the path of a run folder below ``root`` as the store has it, by name: ``lenet/bs64_lr0.001``.

    The model's folder may be a link to another disk. Raises `UsageError` when the folder is not below ``root``, and
    `LabError` when its name cannot be stored.
    """
    real = folder.resolve()
    for model in _models():
        if (root / model).resolve() == real.parent:
            return _storable(f"{model}/{real.name}", folder)
    for place in (folder.absolute(), real):
        for base in (root.absolute(), root.resolve()):
            if place.is_relative_to(base) and is_inside(relative := place.relative_to(base).as_posix()):
                return _storable(relative, folder)
    raise UsageError(f"{folder} is not below {root}; copy it there first")


def _storable(relative: str, folder: Path) -> str:
    try:
        relative.encode()
    except UnicodeEncodeError:
        raise LabError(f"the name of {folder} is not UTF-8; rename it") from None
    return relative


def _values(record: RunRecord, owner: Owner | None) -> dict[str, Any]:
    state: str = record.state
    reason = record.reason
    if owner:
        state = "running"
    elif state in ("running", "queued", "interrupted"):
        state, reason = "stopped", "this store did not start it; it can be resumed"
    ended = state in ("finished", "failed", "stopped")
    values: dict[str, Any] = {
        "config": record.config.model_dump_json(),
        "state": state,
        "threads": record.threads,
        "device": record.device,
        "created_at": record.created_at.isoformat(),
        "started_at": record.started_at.isoformat(),
        "finished_at": (record.finished_at or record.started_at).isoformat() if ended else None,
        "reason": (reason or "no reason was recorded") if state == "failed" else None,
    }
    if state == "stopped":
        values["reason"] = reason or None
    if owner:
        values |= {"owner_pid": owner.pid, "owner_host": owner.host, "owner_start": owner.start, "heartbeat": stamp()}
    return values


def _restore(database: sqlite3.Connection, root: Path, saved: Backup) -> int:
    """Put the runs of the backup back into the queue, in its order, unless they are there; return how many."""
    from lenet_tui.run.folder import RunFolder

    restored = 0
    for row in saved.runs:
        values = row | {"state": "queued", "attempts": 0}
        if not _is_sound(_whole(values)):
            continue
        if row["folder"]:
            with contextlib.suppress(LabError, TypeError):
                folder = RunFolder(root / row["folder"])
                record = folder.read_record()
                if record.state in ("finished", "failed", "stopped") or folder.is_held():
                    continue  # its folder knows better
            values |= {"state": "interrupted", "reason": "the store was damaged before it was done"}
        values["position"] = database.execute(END_OF_QUEUE).fetchone()[0]
        with contextlib.suppress(*_BAD_ROW):
            insert(database, values)
            _read_folder(database, root, values)
            restored += 1
    return restored


def _whole(values: dict[str, Any]) -> dict[str, Any]:
    """Return a row of every column, the others as a new run has them."""
    given = {"epochs_done": 0, "attempts": 0, "stopped_early": 0, "tags": ""}
    return {name: given.get(name) for name in RUN_COLUMNS} | values


def _write_notes(database: sqlite3.Connection, column: str, texts: dict[str, str]) -> None:
    for folder, text in texts.items():
        with contextlib.suppress(*_BAD_ROW):
            database.execute(f"UPDATE runs SET {column} = ? WHERE folder = ? AND {column} = ''", (text, folder))  # noqa: S608


def _index(database: sqlite3.Connection, root: Path) -> tuple[int, list[str]]:
    """Insert the run of every run folder below ``root``, in the order in which they were queued.

    A folder that cannot be read is left out, and named.
    """
    notices = []
    records: list[tuple[RunRecord, RunFolder]] = []
    for folder in folders_in(root):
        try:
            records.append((folder.read_record(), folder))
        except LabError as error:
            notices.append(f"left out of the new store: {error}")
    before: int = database.execute(_COUNT).fetchone()[0]
    for record, folder in sorted(records, key=lambda pair: (pair[0].created_at, pair[1].path)):
        database.execute("SAVEPOINT folder")
        try:
            insert_folder(database, root, folder, record=record)
        except LabError as error:
            notices.append(f"left out of the new store: {error}")
        else:
            database.execute("RELEASE folder")
            continue
        database.execute("ROLLBACK TO folder")
    return database.execute(_COUNT).fetchone()[0] - before, notices


def folders_in(root: Path) -> list[RunFolder]:
    """Return the folders below ``root`` that have a record, or something of its name."""
    paths: list[Path] = []
    for model in _models():
        with contextlib.suppress(OSError):
            paths += (path for path in (root / model).iterdir() if path.name[0] != "." and _has_record(path))
    if not paths:
        return []
    from lenet_tui.run.folder import RunFolder

    return [RunFolder(path) for path in paths]


def _models() -> tuple[str, ...]:
    from lenet_tui.config import ModelName

    return get_args(ModelName)


def _has_record(folder: Path) -> bool:
    try:
        (folder / "run.json").lstat()
    except OSError:
        return False
    return True


def _salvage(database: sqlite3.Connection, store: Path, root: Path) -> int:
    """Copy the runs that a damaged store still shows, with their numbers; return how many."""
    saved: set[int] = set()
    for row in _readable_rows(store):
        if row["id"] in saved or not _is_sound(row):
            continue
        with contextlib.suppress(*_BAD_ROW):
            insert(database, row)
            saved.add(row["id"])
            _read_folder(database, root, row)
    return len(saved)


def _was_paused(store: Path) -> bool:
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_read_only(store)) as database:
        return bool(database.execute("SELECT paused FROM control").fetchone()[0] == 1)
    return False


def _read_only(store: Path) -> sqlite3.Connection:
    database = sqlite3.connect(store.absolute().as_uri() + "?mode=ro", uri=True, timeout=5)
    database.text_factory = lambda text: text.decode(errors="replace")
    return database


def _readable_rows(store: Path) -> Iterator[dict[str, Any]]:
    # From both ends, so that what lies behind a damaged page is read too.
    for order in ("ASC", "DESC"):
        with contextlib.suppress(sqlite3.DatabaseError), contextlib.closing(_read_only(store)) as database:
            version = schema.version(database)
            if not 1 <= version <= len(schema.MIGRATIONS):
                return
            old_names = (_OLD_NAMES if version < 3 else {}) | ({"tags": "''"} if version < 4 else {})
            columns = [f"{old_names.get(name, name)} AS {name}" for name in _SAVED]
            rows = database.execute(f"SELECT {', '.join(columns)} FROM runs ORDER BY id {order}")  # noqa: S608
            names = [column[0] for column in rows.description]
            for row in rows:
                yield dict(zip(names, row, strict=True))


def _is_sound(row: dict[str, Any]) -> bool:
    from pydantic import ValidationError

    from lenet_tui.config import RunConfig

    try:
        to_run((*(row[name] for name in RUN_COLUMNS), *[None] * len(PROGRESS_COLUMNS)), None)
        RunConfig.model_validate_json(row["config"])
    except (ValidationError, DamagedRowError, RecursionError):
        return False
    return True


def _read_folder(database: sqlite3.Connection, root: Path, row: dict[str, Any]) -> None:
    if row["folder"]:
        from lenet_tui.run.folder import RunFolder

        folder = RunFolder(root / row["folder"])
        with contextlib.suppress(LabError, *_BAD_ROW):  # the row of the old store is enough
            record, history = folder.read_record(), folder.read_metrics()
            replace_epochs(database, row["id"], history, after=0)
            if record.summary:
                set_summary(database, row["id"], record.summary)
