"""Watching the store: a thread that reads it when something was written, and hands out one immutable `Snapshot`."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host.hardware import Capacity
from lenet_tui.host.process import is_alive
from lenet_tui.host.safe_files import explain
from lenet_tui.runner import daemon
from lenet_tui.runner.estimate import seconds_until_done
from lenet_tui.store import PRIVATE_FOLDER, Store, StoreRebuilt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store import Changes, Run, SpeedKey

LOOK_SECONDS = 1.0
QUIET_SECONDS = 2.0
CHECK_SECONDS = 2.0
SPEEDS_SECONDS = 10.0
_REST_SECONDS = 5.0
_REMOVED = f"the folder {PRIVATE_FOLDER} was removed: it is made again, and the runs are read from their folders"

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Snapshot:
    """One state of the store. ``runs`` are all of them by number, ``queue`` those that run and then those that wait.

    ``until`` has the seconds until each run of the queue is done, ``epochs`` the history of the runs that are watched,
    ``trends`` the val loss of each epoch of the runs whose rows are in sight.
    ``capacity`` is what the runner computes on. ``runner_failure`` says why the runner cannot start, or is "".
    ``trouble`` says why the store could not be read, or is ""; the rest is then as it was before.
    """

    runs: Mapping[int, Run] = field(default_factory=dict)
    queue: tuple[Run, ...] = ()
    paused: bool = False
    runner_alive: bool = False
    runner_failure: str = ""
    speeds: Mapping[SpeedKey, float] = field(default_factory=dict)
    until: Mapping[int, float | None] = field(default_factory=dict)
    epochs: Mapping[int, tuple[EpochMetrics, ...]] = field(default_factory=dict)
    trends: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    capacity: Capacity = field(default=Capacity(1))  # before the store was read
    notices: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def running(self) -> tuple[Run, ...]:
        """The runs at work."""
        return tuple(run for run in self.queue if run.state == "running")


class Watcher:
    """Reads the store of ``root`` in a thread, and calls ``on_snapshot`` there when something changed.

    Like every command, it puts runs whose process died back into the queue, and starts a runner where one is missing.
    """

    def __init__(
        self, root: Path, on_snapshot: Callable[[Snapshot], object], look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._root = root
        self._on_snapshot = on_snapshot
        self._look_seconds = look_seconds
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._watched: frozenset[int] = frozenset()
        self._in_sight: frozenset[int] = frozenset()
        self._store: Store | None = None
        self._opening = threading.Lock()
        self._at_store = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def end(self) -> None:
        """Stop watching and close the store."""
        self._ended.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(5)
        if self._store is not None:
            self._store.close()

    def watch(self, run_ids: frozenset[int]) -> None:
        """Put the epochs of these runs into the next snapshots."""
        if run_ids != self._watched:
            self._watched = run_ids
            self.look()

    def watch_trends(self, run_ids: frozenset[int]) -> None:
        """Put the losses of these runs, whose rows are in sight, into the next snapshots."""
        if run_ids != self._in_sight:
            self._in_sight = run_ids
            self.look()

    def is_complete(self, snapshot: Snapshot) -> bool:
        """Say whether ``snapshot`` has the epochs of all watched runs that it has."""
        return (self._watched & snapshot.runs.keys()) <= snapshot.epochs.keys()

    def look(self) -> None:
        """Look again at once."""
        self._wake.set()

    def ask(self, question: Callable[[Store], _Answer]) -> _Answer:
        """Return what ``question`` returns of the store, from any thread, and look again. Raises `LabError`."""
        try:
            with self._at_store:
                return question(self._opened())
        except (LabError, OSError) as error:
            if isinstance(error, LabError) and self._root.is_dir():
                raise
            raise LabError(_why(self._root, error)) from None
        finally:
            self.look()

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """Leave the store alone meanwhile: a process that is stopped must not hold locks that runs wait for."""
        is_at_rest = self._at_store.acquire(timeout=_REST_SECONDS)
        try:
            yield
        finally:
            if is_at_rest:
                self._at_store.release()

    def _opened(self) -> Store:
        with self._opening:
            if self._store is None:
                self._store = Store(self._root)
            return self._store

    def _open_again(self, reading: _Reading) -> None:
        """Close a store whose folder was removed from its root, so that the next access makes it again."""
        with self._at_store, self._opening:
            if self._store is not None and self._root.is_dir() and not (self._root / PRIVATE_FOLDER).exists():
                reading.begin_again(self._store.notices)
                self._store.close()
                self._store = None

    def _work(self) -> None:
        reading = _Reading()
        while not self._ended.is_set():
            self._wake.clear()
            try:
                with self._at_store:
                    seen = reading.look(self._opened(), self._root, self._watched, self._in_sight)
            except StoreRebuilt:
                continue  # the next snapshot has a notice of it
            except (LabError, OSError) as error:
                seen = reading.failed(_why(self._root, error))
                self._open_again(reading)
            except Exception as error:  # noqa: BLE001 - after a bug, old values must not look current
                seen = reading.failed(f"internal error: {error!r}")
            if seen is not None and not self._ended.is_set():
                self._on_snapshot(seen)
            self._wake.wait(self._look_seconds)


class _Reading:
    """What was read so far, so that only what changed has to be read."""

    def __init__(self) -> None:
        self._last = Snapshot()
        self._runs: dict[int, Run] = {}
        self._counter: object = None
        self._generation = -1
        self._revision = -1
        self._watched: tuple[frozenset[int], ...] = ()
        self._next_check = 0.0
        self._next_speeds = 0.0
        self._notices: tuple[str, ...] = ()

    def begin_again(self, notices: Sequence[str]) -> None:
        """Read everything from another store, and keep the notices of the one before."""
        self._notices = (*self._notices, *notices, _REMOVED)
        self._counter, self._generation, self._revision = None, -1, -1

    def failed(self, reason: str) -> Snapshot | None:
        self._counter = None
        if reason == self._last.trouble:
            return None
        self._last = replace(self._last, trouble=reason)
        return self._last

    def look(
        self, store: Store, root: Path, watched: frozenset[int], in_sight: frozenset[int] = frozenset()
    ) -> Snapshot | None:
        """Return what is there now, or None when nothing changed."""
        runner = self._last.runner_alive, self._last.runner_failure
        if time.monotonic() >= self._next_check:
            self._next_check = time.monotonic() + CHECK_SECONDS
            store.requeue_dead(is_alive)
            runner = self._check_runner(root)
        counter = store.change_counter()
        state = self._counter, self._watched, (self._last.runner_alive, self._last.runner_failure)
        if state == (counter, (watched, in_sight), runner):
            return None
        if counter[0] != self._generation:  # another file: its revisions are others
            self._generation, self._revision = counter[0], -1
        self._read(store, watched, in_sight, runner)
        self._counter = counter
        return self._last

    def _check_runner(self, root: Path) -> tuple[bool, str]:
        """Start a runner where runs wait; return whether one is alive, and why it cannot start."""
        try:
            if daemon.is_running(root):
                return True, ""
            if any(run.waiting for run in self._last.queue) and not self._last.paused:
                daemon.ensure(root)
            return False, printable(daemon.last_failure(root) or "")
        except (LabError, OSError) as error:  # the runs can be looked at without one
            return False, printable(str(error))

    def _read(self, store: Store, watched: frozenset[int], in_sight: frozenset[int], runner: tuple[bool, str]) -> None:
        changes = _plain(store.changes(self._revision))
        before = {run.id for run in self._last.queue}
        if self._revision < 0:
            self._runs = {}
        self._runs.update((run.id, run) for run in changes.changed)
        self._runs.update((run.id, run) for run in changes.queue)
        if len(self._runs) != changes.count:  # some were deleted
            changes = _plain(store.changes())
            self._runs = {run.id: run for run in changes.changed}
            self._runs.update((run.id, run) for run in changes.queue)
        self._revision = changes.revision

        active = {run.id for run in changes.queue if run.state == "running"} | before | {r.id for r in changes.changed}
        epochs = {}
        for run_id in watched & self._runs.keys():
            last = self._last.epochs.get(run_id)
            epochs[run_id] = tuple(store.epochs(run_id)) if last is None or run_id in active else last
        trends = {run_id: losses for run_id, losses in self._last.trends.items() if run_id in in_sight - active}
        trends |= store.val_losses(in_sight - trends.keys())
        self._watched = watched, in_sight

        speeds = self._last.speeds
        is_unknown = None in self._last.until.values() and any(run.state == "running" for run in changes.queue)
        if time.monotonic() >= self._next_speeds or changes.changed or is_unknown:
            self._next_speeds = time.monotonic() + SPEEDS_SECONDS
            speeds = store.speeds()
        self._last = Snapshot(
            runs=MappingProxyType(dict(self._runs)),
            queue=tuple(changes.queue),
            paused=changes.paused,
            runner_alive=runner[0],
            runner_failure=runner[1],
            speeds=speeds,
            until=seconds_until_done(changes.queue, speeds, changes.capacity),
            capacity=changes.capacity,
            epochs=epochs,
            trends=trends,
            notices=(*self._notices, *store.notices),
        )


def _why(root: Path, error: Exception) -> str:
    """Return in a line why the store cannot be used."""
    if not root.is_dir():
        return f"{printable(str(root))} is missing; the app continues when it is back"
    return explain(error) if isinstance(error, OSError) else str(error)


def _plain(changes: Changes) -> Changes:
    """Return the changes with texts that a terminal can show."""
    return replace(changes, changed=list(map(_plain_run, changes.changed)), queue=list(map(_plain_run, changes.queue)))


def _plain_run(run: Run) -> Run:
    words = {"reason": run.reason, "note": run.note, "device": run.device}
    plain = {name: printable(text) for name, text in words.items() if text and printable(text) != text}
    run = replace(run, **plain) if plain else run  # type: ignore[arg-type]  # all three are words
    _ = run.identity  # kept with the run: for ten thousand it takes long, and the event loop asks for it
    return run
