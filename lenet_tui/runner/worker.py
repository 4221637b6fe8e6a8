"""Works on one run, in a process of its own or in the foreground: `experiment`, recorded in the store as it goes."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui import experiment
from lenet_tui.data import datasets
from lenet_tui.errors import LabError, UsageError
from lenet_tui.formatting import printable
from lenet_tui.host.process import NICENESS, this_process
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import Store, below
from lenet_tui.training import saving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from lenet_tui.data.datasets import Dataset
    from lenet_tui.host.process import Owner
    from lenet_tui.reports import Report
    from lenet_tui.run.folder import RunRecord, State
    from lenet_tui.run.metrics import EpochMetrics, Progress
    from lenet_tui.store import Run

PROGRESS_SECONDS = 0.5
HEARTBEAT_SECONDS = 10.0  # by which a process of another host shows that it is alive
_PATIENCE_SECONDS = 3600.0  # in the background, where no person waits


class StoreReporter:
    """Records in the store what a run does, and passes it to ``inner``, which may show it in the foreground.

    A store that cannot be written, or was rebuilt under the run, never ends the run: its folder is the record. What
    the store did not take is recorded again, whole, with what comes next.
    """

    def __init__(self, store: Store, run_id: int, owner: Owner, inner: experiment.Reporter | None = None) -> None:
        self._store = store
        self.run_id = run_id
        self._owner = owner
        self._inner = inner
        self._folder: RunFolder | None = None
        self._device = ""
        self._history: list[EpochMetrics] = []
        self._behind = True
        self._next_progress = 0.0
        self._lost = False
        self._complaint = ""

    def on_run_start(self, folder: RunFolder, record: RunRecord) -> None:
        """Record where the folder is, and the epochs in it: a kill may have come between folder and store."""
        self.know(folder, record, folder.read_metrics() if folder.checkpoint_path.exists() else [])
        self.catch_up()
        if self._inner:
            self._inner.on_run_start(folder, record)

    def know(self, folder: RunFolder, record: RunRecord, history: Sequence[EpochMetrics]) -> None:
        """Keep what the store has to record of the run."""
        self._folder = folder
        self._device = record.device
        self._history = list(history)

    def on_progress(self, progress: Progress) -> None:
        """Record where the epoch is, twice a second at most."""
        if time.monotonic() >= self._next_progress:
            self._next_progress = time.monotonic() + PROGRESS_SECONDS
            self._record(lambda: self._store.record_progress(self.run_id, self._owner, progress))
        if self._inner:
            self._inner.on_progress(progress)

    def on_epoch_end(self, row: EpochMetrics, best: EpochMetrics) -> None:
        """Record the figures of an epoch."""
        self._history.append(row)
        if self._behind:
            self.catch_up()
        else:
            self._behind = not self._record(lambda: self._store.record_epoch(self.run_id, self._owner, row))
        if self._inner:
            self._inner.on_epoch_end(row, best)

    def catch_up(self) -> bool:
        """Record folder, device and all epochs where the store missed something; say whether it has them now."""
        folder = self._folder
        if self._behind and folder is not None:
            self._behind = not self._record(
                lambda: self._store.begin(self.run_id, self._owner, folder.path, self._device, self._history)
            )
        return not self._behind

    @property
    def is_unknown(self) -> bool:
        """Whether the run has no folder yet that the store could record."""
        return self._folder is None

    def should_stop(self) -> bool:
        """Say whether a person asked the run to stop, or the store gave it to another process."""
        if self._lost or (self._inner and self._inner.should_stop()):
            return True
        try:
            return self._store.is_stop_requested(self.run_id)
        except (LabError, sqlite3.Error):
            return False

    def on_training_end(self, state: State) -> None:
        """Pass it on."""
        if self._inner:
            self._inner.on_training_end(state)

    def on_reports_written(self, written: Sequence[Report]) -> None:
        """Pass it on."""
        if self._inner:
            self._inner.on_reports_written(written)

    def _record(self, call: Callable[[], bool]) -> bool:
        """Return whether the store took it, or has given the run to another process, which records for itself."""
        try:
            if not call():
                self.put_back()
        except (LabError, sqlite3.Error) as error:
            if self._folder is not None and str(error) != self._complaint:
                self._complaint = str(error)
                self._folder.log(f"the store could not be written: {error}")
            return False
        return True

    @contextlib.contextmanager
    def heartbeats(self) -> Iterator[None]:
        """Record from a thread that this process is alive, also while it loads data, evaluates or draws."""
        done = threading.Event()

        def beat() -> None:
            while not done.wait(HEARTBEAT_SECONDS):
                with contextlib.suppress(LabError, sqlite3.Error):
                    self._store.heartbeat(self.run_id, self._owner)

        thread = threading.Thread(target=beat, name="heartbeats", daemon=True)
        with contextlib.suppress(RuntimeError):  # no thread to be had
            thread.start()
        try:
            yield
        finally:
            done.set()

    def put_back(self) -> bool:
        """Put the run back where a rebuilt store has another one, or none, of its number.

        Return whether it was put back; False where another process works on it.
        """
        if self._folder is None:
            return False
        try:
            there = self._store.get(self.run_id).folder
        except UsageError:
            there = None
        if there == below(self._store.root, self._folder.path):
            self._lost = True
            return False
        self.run_id = self._store.import_folder(self._folder, self._owner).id
        return True


def work(root: str, run_id: int, threads: int, gpu: int | None) -> None:
    """Claim a run and work on it to its end. The whole life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _save_and_end)  # costs the epoch in progress, which any stop costs
    os.nice(NICENESS)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(gpu)
    store = Store(Path(root))
    owner = this_process()
    if not store.claim(run_id, owner, threads):
        return  # stopped, moved or claimed by another since
    run = store.get(run_id)
    try:
        execute(store, Path(root), run, owner)
    except LabError:
        pass  # recorded
    except Exception:  # noqa: BLE001 - recorded too, and the log has the details
        traceback.print_exc()


def _save_and_end(number: int, _frame: FrameType | None) -> None:
    """Write what training has come to, and end as the signal ends a process."""
    signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(LabError):
        saving.write_now()
    os.kill(os.getpid(), number)


def execute(
    store: Store,
    root: Path,
    run: Run,
    owner: Owner,
    data: Dataset | None = None,
    inner: experiment.Reporter | None = None,
    fallback_for: str | None = None,
) -> tuple[RunFolder, RunRecord]:
    """Work on a run that ``owner``, this process, has claimed, and record how it ended; return its folder and record.

    ``data`` is loaded where it is not given.

    Raises `LabError` when it could not be worked on; that is recorded as its failure then.
    """
    patience = 5.0 if inner else _PATIENCE_SECONDS
    reporter = StoreReporter(store, run.id, owner, inner)
    with reporter.heartbeats():
        with _failures_recorded(store, reporter, owner, patience):
            data = data or datasets.load(run.config.dataset, val_size=run.config.val_size)
            if run.folder is None:
                folder, record = experiment.begin(
                    root, run.config, data, threads=run.threads, fallback_for=fallback_for
                )
            else:
                folder = RunFolder(root / run.folder)
                record = experiment.record_of(folder, run.config, data, threads=run.threads, created_at=run.created_at)
            if record.state == "finished":  # its process was killed before it could record that
                reporter.know(folder, record, folder.read_metrics())
            else:
                record = experiment.run(folder, record, data, reporter)
        reason, summary = record.reason, record.summary

        def end() -> bool:
            state = record.state if record.state in ("finished", "failed") else "stopped"
            return store.end(reporter.run_id, owner, state, reason, summary)

        _insist(store, reporter, end, f"{record.state}", patience)
    return folder, record


@contextlib.contextmanager
def _failures_recorded(store: Store, reporter: StoreReporter, owner: Owner, patience: float) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        with contextlib.suppress(LabError, sqlite3.Error):  # else the next command finds that its process is gone
            store.end(reporter.run_id, owner, "stopped")
        raise
    except Exception as error:
        reason = str(error) if isinstance(error, LabError) else f"internal error: {error!r}"
        _insist(
            store, reporter, lambda: store.end(reporter.run_id, owner, "failed", reason), f"failed ({reason})", patience
        )
        raise


def _insist(store: Store, reporter: StoreReporter, end: Callable[[], bool], how: str, patience: float) -> None:
    """Record how a run ended, as often as it takes: the disk may be full, and a person making room."""
    deadline = time.monotonic() + patience
    while True:
        try:
            if reporter.catch_up() or reporter.is_unknown:
                if not end() and reporter.put_back():
                    end()
                return
            error: Exception | None = None
        except (LabError, sqlite3.Error) as refused:
            error = refused
        if time.monotonic() > deadline or not _may_have_room(store.root):
            why = f": {error}" if error else "; log.txt says why"
            text = f"run {reporter.run_id} {how}, and the store cannot be written{why}"
            print(printable(text), file=sys.stderr)  # noqa: T201 - the runner's log, or the person's terminal
            return
        time.sleep(1.0)


def _may_have_room(root: Path) -> bool:
    """Say whether the root can be written, or could be with more room: not one that is gone, read-only or broken."""
    try:
        tempfile.TemporaryFile(dir=root).close()
    except OSError as error:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return True
