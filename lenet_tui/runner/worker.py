"""What works on one run, in a process of its own or in the foreground: `experiment`, told to the store as it goes."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui import experiment
from lenet_tui.data import datasets
from lenet_tui.errors import LabError, UsageError
from lenet_tui.process import NICENESS, this_process
from lenet_tui.runfolder import RunFolder
from lenet_tui.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lenet_tui.data.datasets import Dataset
    from lenet_tui.metrics import EpochMetrics
    from lenet_tui.process import Owner
    from lenet_tui.reports import Report
    from lenet_tui.runfolder import RunRecord, State
    from lenet_tui.store import Run
    from lenet_tui.training import loop

PROGRESS_SECONDS = 0.5
_PATIENCE_SECONDS = 3600.0  # in the background, where nobody waits for an answer


class StoreReporter:
    """Tells the store what a run does, and ``inner``, who may be watching in the foreground.

    A store that cannot be written, or was rebuilt under the run, never ends the run: its folder is the record.
    """

    def __init__(self, store: Store, run_id: int, owner: Owner, inner: experiment.Reporter | None = None) -> None:
        self._store = store
        self.run_id = run_id
        self._owner = owner
        self._inner = inner
        self._folder: RunFolder | None = None
        self._next_progress = 0.0
        self._lost = False

    def begun(self, folder: RunFolder, record: RunRecord) -> None:
        """Tell where the folder is, and the epochs in it: a kill may have come between folder and store."""
        self._folder = folder
        history = folder.read_metrics() if folder.checkpoint_path.exists() else []
        self._tell(lambda: self._store.begun(self.run_id, self._owner, folder.path, record.device, history))
        if self._inner:
            self._inner.begun(folder, record)

    def progress(self, progress: loop.Progress) -> None:
        """Record where the epoch is, twice a second at most."""
        if time.monotonic() >= self._next_progress:
            self._next_progress = time.monotonic() + PROGRESS_SECONDS
            self._tell(lambda: self._store.record_progress(self.run_id, self._owner, progress))
        if self._inner:
            self._inner.progress(progress)

    def epoch(self, row: EpochMetrics, best: EpochMetrics) -> None:
        """Record the figures of an epoch."""
        self._tell(lambda: self._store.record_epoch(self.run_id, self._owner, row))
        if self._inner:
            self._inner.epoch(row, best)

    def should_stop(self) -> bool:
        """Say whether somebody wished the run to stop, or took it from this process."""
        if self._lost or (self._inner and self._inner.should_stop()):
            return True
        try:
            return self._store.wishes(self.run_id) == "stop"
        except LabError:
            return False

    def reporting(self, state: State) -> None:
        """Pass it on."""
        if self._inner:
            self._inner.reporting(state)

    def drawn(self, written: Sequence[Report]) -> None:
        """Pass it on."""
        if self._inner:
            self._inner.drawn(written)

    def _tell(self, call: Callable[[], bool]) -> None:
        try:
            if not call():
                self._return_to_record()
        except LabError as error:
            if self._folder is not None:
                self._folder.log(f"the store could not be told: {error}")

    def _return_to_record(self) -> None:
        """Find out why the run is not ours: off the record with a store that was rebuilt, or in other hands."""
        try:
            self._store.get(self.run_id)
        except UsageError:
            if self._folder is not None:
                self.run_id = self._store.import_folder(self._folder, self._owner).id
        else:
            self._lost = True


def work(root: str, run_id: int, threads: int, gpu: int | None) -> None:
    """Claim a run and work on it to its end. The whole life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # costs the epoch in progress, which any stop costs
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
        pass  # on record
    except Exception:  # noqa: BLE001 - on record too, and the log has the details
        traceback.print_exc()


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

    Raises `LabError` when it could not be worked on; that is on record as its failure then.
    """
    with _failures_on_record(store, run.id, owner, patience=5.0 if inner else _PATIENCE_SECONDS):
        data = data or datasets.load(run.config.dataset, val_size=run.config.val_size)
        if run.folder is None:
            folder, record = experiment.begin(root, run.config, data, threads=run.threads, fallback_for=fallback_for)
        else:
            folder = RunFolder(root / run.folder)
            record = folder.read_record()
        reporter = StoreReporter(store, run.id, owner, inner)
        if record.state != "finished":  # else it was killed between finishing and telling so
            record = experiment.run(folder, record, data, reporter)
        if record.state == "finished":
            assert record.summary is not None  # noqa: S101 - nothing finishes without one
            store.finish(reporter.run_id, owner, record.summary)
        elif record.state == "failed":
            store.fail(reporter.run_id, owner, record.reason or "", record.summary)
        else:
            store.stop(reporter.run_id, owner, record.reason, record.summary)
    return folder, record


@contextlib.contextmanager
def _failures_on_record(store: Store, run_id: int, owner: Owner, patience: float) -> Iterator[None]:
    try:
        yield
    except LabError as error:
        _insist(store, run_id, owner, str(error), patience)
        raise
    except KeyboardInterrupt:
        store.stop(run_id, owner)
        raise
    except Exception as error:
        _insist(store, run_id, owner, f"internal error: {error!r}", patience)
        raise


def _insist(store: Store, run_id: int, owner: Owner, reason: str, patience: float) -> None:
    # The disk may be full, which is then why the run failed; somebody may be making room right now.
    deadline = time.monotonic() + patience
    while True:
        try:
            store.fail(run_id, owner, reason)
        except (LabError, sqlite3.Error) as error:
            if time.monotonic() > deadline or not store.root.is_dir():
                print(f"run {run_id} failed ({reason}), and the store cannot be told: {error}", file=sys.stderr)  # noqa: T201
                return
            time.sleep(1.0)
        else:
            return
