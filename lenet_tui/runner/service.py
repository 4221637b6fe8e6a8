"""The runner's loop: start what waits while there is room, notice who died, end when there is nothing to do."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from multiprocessing import forkserver
from typing import TYPE_CHECKING

from lenet_tui import machine
from lenet_tui.errors import LabError
from lenet_tui.process import is_alive, this_process
from lenet_tui.runfolder import now
from lenet_tui.runner import daemon, entry, slots
from lenet_tui.store import Store
from lenet_tui.words import counted

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path
    from types import FrameType

    from lenet_tui.store import Run

# Workers are forked from a process that has imported all that takes long, and has done nothing else.
PRELOADED = [
    "lenet_tui.runner.worker",
    "torch._dynamo",  # torch imports it with the first optimizer, which takes more than a second
    "lenet_tui.reports.confusion",
    "lenet_tui.reports.loss",
    "lenet_tui.reports.tsne",
    "sklearn.datasets",
]
POLL_SECONDS = 0.1
CHECK_SECONDS = 1.0
IDLE_SECONDS = 60.0
GONE_SECONDS = 5.0
MAX_FALSE_STARTS = 3
# A stop that is asked for is heeded at the next step, and then pictures are drawn; only who hangs is ended by force.
TERM_AFTER_SECONDS = 60.0
KILL_AFTER_SECONDS = 70.0
# How long a runner that ends waits for runs that were asked to stop before, and are drawing their pictures.
DRAWING_SECONDS = 10.0


class Service:
    """A runner of one root, from its start to its end."""

    def __init__(self, root: Path, idle_seconds: float = IDLE_SECONDS) -> None:
        self._root = root
        self._store = Store(root)
        self._idle_seconds = idle_seconds
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._workers: dict[int, tuple[ForkServerProcess, slots.Placed]] = {}
        self._wished: dict[int, float] = {}
        self._false_starts: dict[int, int] = {}
        self._ending = False
        self._last_complaint = ""
        self._seen_root = time.monotonic()

    def serve(self) -> bool:
        """Run what is queued until there is nothing to do for a while.

        Return whether it was ended before, by SIGTERM or because the root is not there any more.
        """
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._end)
        forkserver.ensure_running()
        self._machine = slots.Machine(machine.available_cores(), self._count_gpus())
        self._log(f"runner {os.getpid()} serves {self._root}: {self._machine.cores} cores, {self._machine.gpus} GPUs")
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
                self._log("nothing to do; ending")
                return False
            time.sleep(POLL_SECONDS)
        self._abandon()
        return True

    def _check(self) -> None:
        """Notice what died and what does not stop, and whether the root itself was moved away or deleted."""
        if self._root.is_dir():
            self._seen_root = time.monotonic()
        elif time.monotonic() - self._seen_root > GONE_SECONDS:
            self._log(f"{self._root} is not there any more; ending")
            self._ending = True
        for run in self._store.requeue_dead(is_alive):
            self._log(f"run {run.id} lost its worker: {run.state} ({run.reason})")
        self._enforce_stops()
        daemon.rotate_log(self._root)

    def _complain(self, error: LabError) -> None:
        if str(error) != self._last_complaint:
            self._last_complaint = str(error)
            self._log(str(error))

    def _step(self) -> bool:
        """Reap and start workers; return whether there is anything to wait for."""
        for run_id, (process, _) in list(self._workers.items()):
            if not process.is_alive():
                process.join()
                del self._workers[run_id]
                if process.exitcode:
                    self._log(f"the worker of run {run_id} ended with {process.exitcode}")
                    self._store.requeue_dead(is_alive)
                    self._give_up_on_false_starts(run_id)
        queue = self._store.queue()
        running = [run for run in queue if run.state == "running"]
        waiting = [run for run in queue if run.waiting and run.id not in self._workers]
        if waiting and not self._store.draining():
            for run_id, place in slots.place([_waiting(run) for run in waiting], self._taken(running), self._machine):
                self._start(run_id, place)
        return bool(self._workers or running or (waiting and not self._store.draining()))

    def _taken(self, running: list[Run]) -> list[slots.Placed]:
        """Return the places in use: by our workers, by those of a runner before us, and by runs in the foreground."""
        taken = [place for _, place in self._workers.values()]
        for run in running:
            if run.id not in self._workers:
                on_gpu = slots.wants_gpu(run.config, self._machine)
                used = {place.gpu for place in taken}
                gpu = next((number for number in range(self._machine.gpus) if number not in used), None)
                taken.append(slots.Placed(run.threads or 1, gpu if on_gpu else None))
        return taken

    def _start(self, run_id: int, place: slots.Placed) -> None:
        gpu = place.gpu
        process = self._context.Process(
            target=entry.work, args=(str(self._root), run_id, place.threads, gpu), name=f"run {run_id}"
        )
        process.start()
        self._workers[run_id] = (process, place)
        where = counted(place.threads, "thread") if gpu is None else f"GPU {gpu}"
        self._log(f"run {run_id} goes to worker {process.pid} with {where}")

    def _give_up_on_false_starts(self, run_id: int) -> None:
        """Fail a run whose workers end before they have claimed it, so that it does not block the queue for ever."""
        run = self._store.get(run_id)
        if not run.waiting or run.attempts:
            return
        self._false_starts[run_id] = self._false_starts.get(run_id, 0) + 1
        if self._false_starts[run_id] >= MAX_FALSE_STARTS and self._store.claim(run_id, this_process(), threads=1):
            self._store.fail(run_id, this_process(), f"its worker cannot start; {daemon.log_path(self._root)} says why")

    def _enforce_stops(self) -> None:
        """End by force who does not heed a wish to stop."""
        wished = {run.id: run for run in self._store.queue() if run.wish == "stop"}
        self._wished = {run_id: self._wished.get(run_id, time.monotonic()) for run_id in wished}
        for run_id, since in self._wished.items():
            owner = wished[run_id].owner
            waited = time.monotonic() - since
            if waited > TERM_AFTER_SECONDS and owner is not None and is_alive(owner):
                number = signal.SIGKILL if waited > KILL_AFTER_SECONDS else signal.SIGTERM
                os.kill(owner.pid, number)
                self._log(f"run {run_id} does not heed the wish to stop: {number.name} to its worker")

    def _abandon(self) -> None:
        """End the workers; each loses its epoch in progress, and goes on when a runner is started again.

        Those that a person has stopped before get the time to draw their pictures.
        """
        stopping: set[int] = set()
        with contextlib.suppress(LabError):
            stopping = {run.id for run in self._store.queue() if run.wish == "stop"}
        for run_id, (process, _) in self._workers.items():
            if run_id not in stopping:
                process.terminate()
        deadline = time.monotonic() + DRAWING_SECONDS
        for run_id in stopping & self._workers.keys():
            self._workers[run_id][0].join(max(0.0, deadline - time.monotonic()))
        for process, _ in self._workers.values():
            process.terminate()
        for process, _ in self._workers.values():
            process.join(5)
            if process.is_alive():
                process.kill()
                process.join()
        with contextlib.suppress(LabError):  # else the next command does it
            self._store.requeue_dead(is_alive)
        self._log("ended")

    def _count_gpus(self) -> int:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=entry.count_gpus, args=(theirs,))
        process.start()
        theirs.close()
        try:
            count: int = ours.recv()
        except EOFError:
            count = 0
        process.join()
        return count

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _log(self, line: str) -> None:
        with contextlib.suppress(OSError):  # a full disk
            print(f"{now():%Y-%m-%d %H:%M:%S}Z {line}", file=sys.stderr, flush=True)  # noqa: T201 - its log


def _waiting(run: Run) -> slots.Waiting:
    return slots.Waiting(run.id, run.config, run.threads or 0)
