"""One connection to the store that several processes share: transactions, waiting for each other, repairs."""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from lenet_tui.errors import LabError
from lenet_tui.host import safe_files
from lenet_tui.host.safe_files import MB, explain
from lenet_tui.store import backup, recovery, schema
from lenet_tui.store.files import (
    PRIVATE_FOLDER,
    STORE,
    SUFFIXES,
    builders_lock,
    give_reserve,
    identity,
    is_trustworthy,
    keep_reserve,
    on_network,
    private_folder,
    tighten,
)
from lenet_tui.store.records import DamagedRowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUSY_SECONDS = 30.0
_ROOM = 65_536  # bytes, less than which no transaction takes
_MOST_COPIED = 1000 * MB
_NONE = (-1, -1)
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)


class StoreRebuilt(LabError):  # noqa: N818 - names what happened
    """The store turned out to be damaged and has been rebuilt; the call had no effect."""


class DiskFullError(LabError):
    """There is no room for what was to be written; nothing was."""


class _DamagedError(Exception):
    """There is no store in the file, or not a whole one."""


class Database:
    """The store's file, opened. It may be used by any thread of the process that opened it, one at a time.

    What was damaged and is repaired is in ``notices``, a line each. Where nothing can be written (a read-only or full
    disk, another user's root), a copy of the store is opened instead, to look at; ``read_only`` says why then.
    """

    def __init__(self, root: Path, *, network: bool | None = None) -> None:
        """Open the store of ``root``, made or rebuilt where it must be; ``network`` is detected unless given."""
        self.root = root
        self.notices: list[str] = []
        self.generation = 0
        self.read_only: str | None = None
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._wal = False
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self.path = root / PRIVATE_FOLDER / STORE
        self._network = on_network(self.path.parent) if network is None else network
        try:
            private_folder(root)
            self._connection, self._identity = self._open_with_room()
        except LabError as error:
            if not root.is_dir() or can_write(root / PRIVATE_FOLDER):
                raise
            self._connection, self._identity = self._open_copy(error)
        else:
            keep_reserve(self.path.parent)

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Read one state of the store, however much is written meanwhile."""
        with self._using() as connection, self._transaction(connection, "BEGIN"):
            yield connection

    @contextlib.contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Hold the right to write, and keep all that is written or, after an exception, nothing.

        Unless ``durable``, a power cut in the next moments may undo it (a crash of the process cannot). What is durable
        may change the queue, which is also written into `backup`.
        """
        if self.read_only:
            raise LabError(f"cannot write in {self.root}: {self.read_only}")
        with self._using() as connection:
            connection.execute(f"PRAGMA synchronous = {'NORMAL' if self._wal and not durable else 'FULL'}")
            with self._transaction(connection, "BEGIN IMMEDIATE"):
                yield connection
                if durable:
                    backup.save(connection, self.path.parent)

    def make_room(self) -> bool:
        """Give the reserve back to a full disk, for what will make more room; say whether there was one."""
        return give_reserve(self.path.parent)

    def change_counter(self) -> tuple[int, int, int]:
        """Return something that differs from its last value whenever any process wrote something."""
        with self._using() as connection:
            by_others = connection.execute("PRAGMA data_version").fetchone()[0]
            return self.generation, by_others, connection.total_changes

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
            if self._copy:
                self._copy.cleanup()

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if os.getpid() != self._pid:
                raise RuntimeError("a store does not survive a fork; open one in the new process")
            if identity(self.path) != self._identity:  # deleted, or rebuilt by another process
                self._reopen()
            try:
                yield self._connection
            except DamagedRowError:
                raise self._rebuilt() from None
            except sqlite3.DatabaseError as error:
                if _code(error) in _DAMAGE or "Could not decode to UTF-8" in str(error):
                    raise self._rebuilt() from None
                if _code(error) == sqlite3.SQLITE_FULL:
                    raise DiskFullError(_explain(error, self.path)) from error
                if isinstance(error, sqlite3.OperationalError):
                    raise LabError(_explain(error, self.path)) from error
                raise

    @contextlib.contextmanager
    def _transaction(self, connection: sqlite3.Connection, begin: str) -> Iterator[None]:
        _patiently(lambda: connection.execute(begin))
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back already
                connection.execute("ROLLBACK")
            raise

    def _reopen(self) -> None:
        self._connection.close()
        self._identity = _NONE  # should opening fail, the next call tries again
        self._connection, self._identity = self._open()
        self.generation += 1

    def _rebuilt(self) -> StoreRebuilt:
        self._connection.close()
        count = len(self.notices)
        self._build(self._identity)
        if len(self.notices) == count:
            self.notices.append(f"{self.path} was damaged, and has been rebuilt by another process")
        self._reopen()
        return StoreRebuilt(f"{self.notices[count]}; nothing else was done, so ask again")

    def _open_with_room(self) -> tuple[sqlite3.Connection, tuple[int, int]]:
        """Open the store, on a full disk with the room that the reserve takes."""
        try:
            return self._open()
        except LabError:
            if not self.make_room():
                raise
            return self._open()

    def _open_copy(self, error: LabError) -> tuple[sqlite3.Connection, tuple[int, int]]:
        """Open a copy of the store in a folder that can be written. Raises ``error`` where there is none."""
        try:
            self._copy = tempfile.TemporaryDirectory(prefix="lenet-tui-")
            copy = Path(self._copy.name) / STORE
            for suffix in SUFFIXES:
                with contextlib.suppress(FileNotFoundError):
                    content = safe_files.read_own(Path(f"{self.path}{suffix}"), _MOST_COPIED)
                    Path(f"{copy}{suffix}").write_bytes(content)
        except (OSError, LabError):
            raise error from None
        self.path = copy
        before = len(self.notices)
        opened = self._open()
        if rebuilt := self.notices[before:]:  # the copy; the damaged store stays where it is
            left_out = [notice for notice in rebuilt if str(copy.parent) not in notice]
            self.notices[before:] = ["its store is damaged or missing: this is what the run folders hold", *left_out]
        self.read_only = why_not_writable(self.root / PRIVATE_FOLDER)
        self.notices.append(f"{self.root} can only be looked at: {self.read_only}")
        return opened

    def _build(self, damaged: tuple[int, int] | None) -> None:
        with builders_lock(self.path):
            if identity(self.path) == damaged:  # otherwise another process was quicker
                self.notices += recovery.build(self.root, self.path)

    def _open(self) -> tuple[sqlite3.Connection, tuple[int, int]]:
        builds = 0
        while True:
            there = identity(self.path)
            try:
                if there is None or not is_trustworthy(self.path):
                    raise _DamagedError
                tighten(self.path)
                connection = self._connect()
                if identity(self.path) == there:
                    return connection, there
                connection.close()  # replaced by another process in this moment
            except _DamagedError:
                builds += 1
                if builds > 2:
                    raise LabError(f"{self.path} is damaged again as soon as it is rebuilt; check the disk") from None
                self._build(there)
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_CANTOPEN or identity(self.path) == there:
                    raise LabError(_explain(error, self.path)) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path.absolute().as_uri() + "?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA cell_size_check = ON")
            version = _patiently(lambda: schema.version(connection))
            if version == 0:  # stores are put in place with all their tables
                raise _DamagedError
            up_to_date = schema.check_version(version)
            if _patiently(lambda: schema.tables(connection)) != schema.expected_tables(schema.MIGRATIONS[:version]):
                raise _DamagedError
            if not _patiently(lambda: schema.has_control(connection)):
                raise _DamagedError
            if not up_to_date:
                _patiently(lambda: schema.migrate(connection))
            self._wal = self._choose_journal(connection) == "wal"
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.DatabaseError) and _code(error) in _DAMAGE:
                raise _DamagedError from error
            raise
        return connection

    def _choose_journal(self, connection: sqlite3.Connection) -> str:
        wanted = "delete" if self._network else "wal"
        # Changing it needs the store for oneself; while others keep it in use, what they use will do.
        with contextlib.suppress(sqlite3.OperationalError):
            _patiently(lambda: connection.execute(f"PRAGMA journal_mode = {wanted}"), seconds=2.0)
        return str(_patiently(lambda: connection.execute("PRAGMA journal_mode").fetchone()[0]))


_Answer = TypeVar("_Answer")
_Arguments = ParamSpec("_Arguments")
_Self = TypeVar("_Self")


def repeatable(
    method: Callable[Concatenate[_Self, _Arguments], _Answer],
) -> Callable[Concatenate[_Self, _Arguments], _Answer]:
    """Mark a method that means the same in a rebuilt store, where a run may have another number: it is called again."""

    @functools.wraps(method)
    def call(self: _Self, /, *arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Answer:
        try:
            return method(self, *arguments, **options)
        except StoreRebuilt:
            return method(self, *arguments, **options)

    return call


def _patiently(attempt: Callable[[], _Answer], seconds: float = BUSY_SECONDS) -> _Answer:
    # SQLite waits by itself almost everywhere, but not while the journal mode changes or a log is being recovered.
    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if _code(error) not in _BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def can_write(folder: Path) -> bool:
    """Say whether something can be written in a folder now."""
    return why_not_writable(folder) is None


def why_not_writable(folder: Path) -> str | None:
    """Return why nothing can be written in a folder: a full or read-only disk, or its rights; None where it can be."""
    while not folder.exists() and folder.parent != folder:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_ROOM))
    except OSError as error:
        return explain(error)
    return None


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _explain(error: sqlite3.DatabaseError, path: Path) -> str:
    reason = {
        sqlite3.SQLITE_FULL: "the disk is full; free some space and try again",
        sqlite3.SQLITE_READONLY: "it is not writable",
        sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    }.get(_code(error), str(error))
    if _code(error) in _BUSY:
        reason = f"another process has kept it busy for {BUSY_SECONDS:.0f} seconds; try again"
    return f"cannot use {path}: {reason}"
