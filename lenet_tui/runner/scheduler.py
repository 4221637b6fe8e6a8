"""The runner's loop: start what waits while there is room, notice who died, end when there is nothing to do."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing import forkserver
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.formatting import counted, printable
from lenet_tui.host import hardware as machine
from lenet_tui.host.process import is_alive, owner_of, send_signal, this_process
from lenet_tui.run.folder import now
from lenet_tui.runner import daemon, entry, log, placement, temporary, tries
from lenet_tui.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path
    from types import FrameType

    from lenet_tui.host.process import Owner
    from lenet_tui.store import Run

# Workers are forked from a process that has imported all that takes long, and has done nothing else.
PRELOADED = ["lenet_tui.runner.preload"]
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


@dataclass(frozen=True)
class _Worker:
    """A worker process: who it is, where it computes, the run's attempts before it, and why it ended."""

    process: ForkServerProcess
    owner: Owner | None  # None where it ended at once
    placed: placement.Placed
    attempts: int
    answer: Connection

    def signal(self, number: signal.Signals) -> None:
        # Not process.terminate(), which signals a bare process id that may be another's by now.
        if self.owner is not None:
            send_signal(self.owner, number)


class Service:
    """A runner of one root, from its start to its end. ``lock`` is the descriptor of the runner's lock."""

    def __init__(self, root: Path, lock: int, idle_seconds: float = IDLE_SECONDS) -> None:
        self._root = root
        self._lock = lock
        self._me = this_process()
        self._store = Store(root)
        self._idle_seconds = idle_seconds
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._workers: dict[int, _Worker] = {}
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
        temporary.use_short_folder()
        self._machine = placement.Machine(machine.available_cores(), self._probe())
        signal.signal(signal.SIGTERM, self._end)
        self._log(f"runner {os.getpid()} serves {self._root}: {self._machine.cores} cores, {self._machine.gpus} GPUs")
        tries.clear(self._root)
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
        """Notice what died and what does not stop, a request to end, and a root that was moved, deleted or replaced."""
        if self._root.is_dir() and daemon.holds_lock(self._root, self._lock):
            self._seen_root = time.monotonic()
        elif time.monotonic() - self._seen_root > GONE_SECONDS:
            self._log(f"{self._root} is not there any more, or another; ending")
            self._ending = True
            return
        if daemon.is_asked_to_end(self._root, self._me):
            daemon.forget_request(self._root)
            self._log("asked to end")
            self._ending = True
            return
        log.rotate(self._root)
        for run in self._store.requeue_dead(is_alive):
            self._log(f"run {run.id} lost its worker: {run.state} ({run.reason})")
        self._enforce_stops()

    def _complain(self, error: LabError) -> None:
        """Log what is wrong. Raises it when that has lasted, and no worker is there that may still get its run done."""
        moment = time.monotonic()
        if moment - self._last_trouble > _CALM_SECONDS:
            self._trouble = moment
        self._last_trouble = moment
        if str(error) != self._last_complaint:
            self._last_complaint = str(error)
            self._log(str(error))
        if moment - self._trouble > TROUBLE_SECONDS and not self._workers:
            raise error

    def _step(self) -> bool:
        """Reap and start workers; return whether there is anything to wait for."""
        for run_id, worker in list(self._workers.items()):
            if not worker.process.is_alive():
                worker.process.join()
                del self._workers[run_id]
                reason = _reason(worker.process, worker.answer)
                worker.answer.close()
                if reason:
                    self._log(f"the worker of run {run_id} ended: {reason}")
                    self._store.requeue_dead(is_alive)
                    self._give_up_on_false_starts(run_id, worker, reason)
        queue = self._store.queue()
        running = [run for run in queue if run.state == "running"]
        waiting = [run for run in queue if run.waiting and run.id not in self._workers]
        if waiting and not self._store.is_paused():
            attempts = {run.id: run.attempts for run in waiting}
            for run_id, place in placement.place(
                [_waiting(run) for run in waiting], self._taken(running), self._machine
            ):
                self._start(run_id, place, attempts[run_id])
        return bool(self._workers or running or (waiting and not self._store.is_paused()))

    def _taken(self, running: list[Run]) -> list[placement.Placed]:
        """Return the places in use: by our workers, by those of a runner before us, and by runs in the foreground."""
        taken = [worker.placed for worker in self._workers.values()]
        for run in running:
            if run.id not in self._workers:
                on_gpu = placement.wants_gpu(run.config, self._machine)
                used = {place.gpu for place in taken}
                gpu = next((number for number in range(self._machine.gpus) if number not in used), None)
                taken.append(placement.Placed(run.threads or 1, gpu if on_gpu else None))
        return taken

    def _start(self, run_id: int, place: placement.Placed, attempts: int) -> None:
        gpu = place.gpu
        process, answer = self._fork(entry.work, f"run {run_id}", str(self._root), run_id, place.threads, gpu)
        assert process.pid is not None  # noqa: S101 - it was started
        self._workers[run_id] = _Worker(process, owner_of(process.pid), place, attempts, answer)
        where = counted(place.threads, "thread") if gpu is None else f"GPU {gpu}"
        self._log(f"run {run_id} goes to worker {process.pid} with {where}")

    def _fork(
        self, target: Callable[..., None], name: str, *words: object, ends_with_us: bool = False
    ) -> tuple[ForkServerProcess, Connection]:
        """Start a process that does ``target`` with ``words`` and a connection for its answer; return both.

        Raises `LabError` when the process that all are forked from does not start.
        """
        answer, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=target, args=(*words, theirs), name=name, daemon=ends_with_us)
        begin = log.size(self._root)
        try:
            forkserver.ensure_running()
            process.start()
        except (OSError, EOFError) as error:
            answer.close()
            # One that dies says why itself.
            reason = log.reason_since(self._root, begin) or str(error) or "it ends at once"
            raise LabError(f"no worker can start: {reason}") from None
        finally:
            theirs.close()
        return process, answer

    def _give_up_on_false_starts(self, run_id: int, worker: _Worker, reason: str) -> None:
        """Fail a run whose workers end before they have claimed it, so that it does not block the queue for ever."""
        run = self._store.get(run_id)
        if not run.waiting or run.attempts != worker.attempts:
            self._false_starts.pop(run_id, None)
            return
        self._false_starts[run_id] = self._false_starts.get(run_id, 0) + 1
        if self._false_starts[run_id] >= MAX_FALSE_STARTS and self._store.claim(run_id, self._me, threads=1):
            self._store.fail(run_id, self._me, f"its worker cannot start: {reason}")
            del self._false_starts[run_id]

    def _enforce_stops(self) -> None:
        """End by force the workers that do not stop when asked."""
        asked = {run.id: run for run in self._store.queue() if run.is_stop_requested}
        self._stopping = {run_id: self._stopping.get(run_id, time.monotonic()) for run_id in asked}
        for run_id, since in self._stopping.items():
            owner = asked[run_id].owner
            waited = time.monotonic() - since
            if waited > TERM_AFTER_SECONDS and owner is not None:
                number = signal.SIGKILL if waited > KILL_AFTER_SECONDS else signal.SIGTERM
                if send_signal(owner, number):
                    self._log(f"run {run_id} does not stop: {number.name} to its worker")

    def _abandon(self) -> None:
        """End the workers; each loses its epoch in progress, and goes on when a runner is started again.

        Those that a person has stopped before get the time to draw their pictures.
        """
        stopping: set[int] = set()
        with contextlib.suppress(LabError):
            stopping = {run.id for run in self._store.queue() if run.is_stop_requested}
        for run_id, worker in self._workers.items():
            if run_id not in stopping:
                worker.signal(signal.SIGTERM)
        deadline = time.monotonic() + DRAWING_SECONDS
        for run_id in stopping & self._workers.keys():
            self._workers[run_id].process.join(max(0.0, deadline - time.monotonic()))
        for worker in self._workers.values():
            worker.signal(signal.SIGTERM)
        for worker in self._workers.values():
            worker.process.join(5)
            if worker.process.is_alive():
                worker.signal(signal.SIGKILL)
                worker.process.join()
        with contextlib.suppress(LabError):  # else the next command does it
            self._store.requeue_dead(is_alive)
        self._log("ended")

    def _probe(self) -> int:
        """Return how many GPUs there are, as a worker sees it. Raises `LabError` when no worker can start."""
        process, answer = self._fork(entry.probe, "probe", ends_with_us=True)
        with answer, contextlib.suppress(EOFError):
            found = answer.recv()
            if isinstance(found, int):
                process.join()
                return found
            raise LabError(printable(str(found)))
        process.join()
        raise LabError(f"no worker can start: {_ending(process)}, and it said nothing")

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _log(self, line: str) -> None:
        with contextlib.suppress(OSError):  # a full disk
            print(f"{now():%Y-%m-%d %H:%M:%S}Z {printable(line)}", file=sys.stderr, flush=True)  # noqa: T201 - its log


def _waiting(run: Run) -> placement.Waiting:
    return placement.Waiting(run.id, run.config, run.threads or 0)


def _reason(process: ForkServerProcess, answer: Connection) -> str:
    """Return why a worker that has ended did; empty where all was well."""
    with contextlib.suppress(EOFError, OSError):
        if answer.poll():
            return printable(str(answer.recv()))
    return _ending(process) if process.exitcode else ""


def _ending(process: ForkServerProcess) -> str:
    code = process.exitcode or 0
    if code >= 0:
        return f"it ended with {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    return f"{name} ended it" + (", as a system without memory does" if name == "SIGKILL" else "")
