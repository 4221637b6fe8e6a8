"""The runner's loop: start waiting runs while there is room, notice dead workers, end without work."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.formatting import counted
from lenet_tui.host.process import is_alive, this_process
from lenet_tui.runner import daemon, log, placement, tries
from lenet_tui.runner.placement import Placed, Waiting
from lenet_tui.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import FrameType

    from lenet_tui.runner.executors.base import Executor
    from lenet_tui.store import Run

POLL_SECONDS = 0.1
CHECK_SECONDS = 1.0
IDLE_SECONDS = 60.0
GONE_SECONDS = 5.0
MAX_FALSE_STARTS = 3
# A store that cannot be used for this long, with no worker left to wait for, ends the runner.
TROUBLE_SECONDS = 60.0
_CALM_SECONDS = 10.0  # without trouble, after which it counts as over
# A stop request takes effect at the next step, then pictures are drawn; only a worker that hangs is ended by force.
TERM_AFTER_SECONDS = 60.0
KILL_AFTER_SECONDS = 70.0
# How long a runner that ends waits for runs that were asked to stop before, and are drawing their pictures.
DRAWING_SECONDS = 10.0
ENDING_SECONDS = 5.0


@dataclass(frozen=True)
class _Started:
    """Where a run of ours computes, and its attempts before."""

    placed: Placed
    attempts: int


class Scheduler:
    """The runner of one root, from its start to its end. ``lock`` is the descriptor of the runner's lock."""

    def __init__(self, root: Path, lock: int, executor: Executor, idle_seconds: float = IDLE_SECONDS) -> None:
        self._root = root
        self._lock = lock
        self._me = this_process()
        self._store = Store(root)
        self._executor = executor
        self._idle_seconds = idle_seconds
        self._started: dict[int, _Started] = {}
        self._ended: list[tuple[int, _Started, str]] = []  # workers that ended, and were not looked into yet
        self._stopping: dict[int, float] = {}
        self._false_starts: dict[int, int] = {}
        self._ending = False
        self._last_complaint = ""
        self._trouble = self._last_trouble = 0.0
        self._seen_root = time.monotonic()

    def serve(self) -> bool:
        """Run what is queued until there is nothing to do for a while.

        Return whether it was ended before, by SIGTERM, a request or because the root is not there any more. Raises
        `LabError` when no worker can be started, or the store cannot be used any more.
        """
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        daemon.forget_request(self._root)  # it was for a runner before this one
        self._capacity = self._published = self._executor.capacity()
        signal.signal(signal.SIGTERM, self._end)
        cores, gpus = self._capacity.cores, self._capacity.gpus
        log.write(f"runner {os.getpid()} serves {self._root}: {cores} cores, {gpus} GPUs")
        tries.clear(self._root)
        with contextlib.suppress(LabError):
            self._store.publish_capacity(self._capacity)
        try:
            return self._loop()
        finally:
            with contextlib.suppress(LabError):
                self._store.publish_capacity(None)

    def _loop(self) -> bool:
        idle_since = time.monotonic()
        next_check = 0.0
        while not self._ending:
            try:
                if time.monotonic() >= next_check:
                    next_check = time.monotonic() + CHECK_SECONDS
                    self._check()
                busy = self._step()
            except LabError as error:  # a full disk, say; the workers go on, and so does this when it can
                self._complain(error)
                time.sleep(CHECK_SECONDS)
                continue
            if busy:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > self._idle_seconds:
                log.write("nothing to do; ending")
                return False
            time.sleep(POLL_SECONDS)
        self._abandon()
        return True

    def _check(self) -> None:
        """Notice dead and hanging workers, a request to end, and a root that was moved, deleted or replaced."""
        if self._root.is_dir() and daemon.holds_lock(self._root, self._lock):
            self._seen_root = time.monotonic()
        elif time.monotonic() - self._seen_root > GONE_SECONDS:
            log.write(f"{self._root} is not there any more, or another; ending")
            self._ending = True
            return
        if daemon.is_asked_to_end(self._root, self._me):
            daemon.forget_request(self._root)
            log.write("asked to end")
            self._ending = True
            return
        log.rotate(self._root)
        for run in self._store.requeue_dead(is_alive):
            log.write(f"run {run.id} lost its worker: {run.state} ({run.reason})")
        self._enforce_stops()

    def _complain(self, error: LabError) -> None:
        """Log what is wrong. Raises it when that has lasted, and no worker is there that may still get its run done."""
        moment = time.monotonic()
        if moment - self._last_trouble > _CALM_SECONDS:
            self._trouble = moment
        self._last_trouble = moment
        if str(error) != self._last_complaint:
            self._last_complaint = str(error)
            log.write(str(error))
        if moment - self._trouble > TROUBLE_SECONDS and not self._started:
            raise error

    def _step(self) -> bool:
        """Reap and start workers; return whether there is anything to wait for."""
        self._ended += [(run_id, self._started.pop(run_id), why) for run_id, why in self._executor.poll().items()]
        while self._ended:
            run_id, started, reason = self._ended.pop()
            if reason:
                log.write(f"the worker of run {run_id} ended: {reason}")
                self._store.requeue_dead(is_alive)
                self._give_up_on_false_starts(run_id, started, reason)
        queue = self._store.queue()
        running = [run for run in queue if run.state == "running"]
        waiting = {run.id: run for run in queue if run.waiting and run.id not in self._started}
        active = bool(waiting) and not self._store.is_paused()
        taken = self._taken(running)
        if active:
            candidates = [Waiting(run.id, run.config, run.threads or 0) for run in waiting.values()]
            for run_id, placed in placement.place(candidates, taken, self._capacity):
                name = self._executor.start(run_id, placed)
                self._started[run_id] = _Started(placed, waiting[run_id].attempts)
                taken.append(placed)
                where = counted(placed.threads, "thread") if placed.gpu is None else f"GPU {placed.gpu}"
                log.write(f"run {run_id} goes to {name} with {where}")
        free = placement.free(taken, self._capacity)
        if free != self._published:
            self._store.publish_capacity(free)
            self._published = free
        return bool(self._started or running or active)

    def _taken(self, running: list[Run]) -> list[Placed]:
        """Return the places in use: by our workers, by those of a runner before us, and by runs in the foreground."""
        taken = [started.placed for started in self._started.values()]
        for run in running:
            if run.id not in self._started:
                on_gpu = placement.wants_gpu(run.config, self._capacity)
                used = {place.gpu for place in taken}
                gpu = next((number for number in range(self._capacity.gpus) if number not in used), None)
                taken.append(Placed(run.threads or 1, gpu if on_gpu else None))
        return taken

    def _give_up_on_false_starts(self, run_id: int, started: _Started, reason: str) -> None:
        """Fail a run whose workers end before they have claimed it, so that it does not block the queue for ever."""
        run = self._store.get(run_id)
        if not run.waiting or run.attempts != started.attempts:
            self._false_starts.pop(run_id, None)
            return
        self._false_starts[run_id] = self._false_starts.get(run_id, 0) + 1
        if self._false_starts[run_id] >= MAX_FALSE_STARTS and self._store.claim(run_id, self._me, threads=1):
            self._store.end(run_id, self._me, "failed", f"its worker cannot start: {reason}")
            del self._false_starts[run_id]

    def _enforce_stops(self) -> None:
        """End by force the workers that do not stop when asked."""
        asked = {run.id: run for run in self._store.queue() if run.is_stop_requested}
        self._stopping = {run_id: self._stopping.get(run_id, time.monotonic()) for run_id in asked}
        for run_id, since in self._stopping.items():
            waited = time.monotonic() - since
            force = waited > KILL_AFTER_SECONDS
            if waited > TERM_AFTER_SECONDS and self._executor.terminate(run_id, asked[run_id], force=force):
                log.write(f"run {run_id} does not stop: its worker is {'killed' if force else 'terminated'}")

    def _abandon(self) -> None:
        """End the workers; each loses its epoch in progress, and goes on when a runner is started again.

        Those that a person has stopped before get the time to draw their pictures.
        """
        asked: set[int] = set()
        with contextlib.suppress(LabError):
            asked = {run.id for run in self._store.queue() if run.is_stop_requested}
        ours = set(self._started)
        for run_id in ours - asked:
            self._executor.terminate(run_id)
        self._wait_for(ours & asked, DRAWING_SECONDS)
        for run_id in self._started:
            self._executor.terminate(run_id)
        self._wait_for(ours, ENDING_SECONDS)
        for run_id in self._started:
            self._executor.terminate(run_id, force=True)
        self._wait_for(ours, ENDING_SECONDS)
        with contextlib.suppress(LabError):  # else the next command does it
            for run in self._store.queue():
                if run.id in ours and run.owner is not None:
                    self._store.interrupt(run.id, run.owner)
            self._store.requeue_dead(is_alive)
        log.write("ended")

    def _wait_for(self, run_ids: Iterable[int], seconds: float) -> None:
        """Wait until the workers of these runs have ended, ``seconds`` at most."""
        deadline = time.monotonic() + seconds
        while True:
            for run_id in self._executor.poll():
                del self._started[run_id]
            if self._started.keys().isdisjoint(run_ids) or time.monotonic() > deadline:
                return
            time.sleep(POLL_SECONDS / 5)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True
