"""The main screen's lines on a run and on all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.formatting import percent, printable, speed, time_left
from lenet_tui.host.folders import home
from lenet_tui.store.wording import epoch_at_work, state
from lenet_tui.tui.runs import columns

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store import Run
    from lenet_tui.tui.runs.columns import View
    from lenet_tui.tui.store_watcher import Snapshot


def headline(run: Run, snapshot: Snapshot, view: View | None = None) -> str:
    """Return ``run 12 · epoch 7/20 58 % · about 26 s left · 28k images/s · batch 16``; what may be cut is last.

    With ``view`` it names the run by what differs, and says how it compares with the baseline.
    """
    parts = [f"run {run.id}"]
    where = run.progress
    if run.state != "running":
        parts.append(state(run) + (f": {run.reason}" if run.reason and run.state == "failed" else ""))
        if run.waiting and snapshot.until.get(run.id) is not None:
            parts.append(time_left(snapshot.until[run.id]))
        if run.test_accuracy is not None:
            parts.append(f"test acc {percent(run.test_accuracy)}")
        delta = view and view.baseline.val_loss(run)
        if delta and view and run is not view.baseline.run:
            parts.append(f"Δ loss {delta.text(1)} %")
    elif where is None or run.is_stop_requested or run.epochs_done >= run.values["epochs"]:
        parts.append(state(run))
    else:
        share = f" {percent(where.step / where.steps, 0)}" if where.steps and where.epoch == epoch_at_work(run) else ""
        parts.append(state(run) + share)
        parts.append(time_left(snapshot.until.get(run.id)))
        parts.append(speed(where.images_per_second))
    return printable(" · ".join([*parts, view.label(run) if view else columns.name(run)]))


def short(path: Path) -> str:
    """Return a path as a shell's prompt has it, with ~ for the home folder."""
    folder = home()
    return f"~/{path.relative_to(folder)}" if folder and path != folder and path.is_relative_to(folder) else str(path)


def status_line(snapshot: Snapshot, root: Path, sorting: str = "") -> str:
    """Return the top line: runs, time left and, last since it may be cut, the root."""
    if snapshot.trouble:
        return f"✗ {snapshot.trouble}"
    running, waiting = len(snapshot.running), sum(run.waiting for run in snapshot.queue)
    parts = []
    if running or waiting:
        parts.append(f"{running} running, {waiting} waiting")
        if snapshot.paused:
            parts.append("queue paused (p)")
        ahead = snapshot.running if snapshot.paused else snapshot.queue
        seconds = [snapshot.until.get(run.id) for run in ahead]
        known = [each for each in seconds if each is not None]
        if ahead and (snapshot.runner_alive or running):
            parts.append(time_left(max(known) if len(known) == len(seconds) else None))
    else:
        parts.append("idle, queue paused (p)" if snapshot.paused else "idle")
    if not snapshot.paused and waiting and not snapshot.runner_alive:
        failure = snapshot.runner_failure
        parts.append(f"the runner cannot start: {failure}" if failure else "the runner is starting")
    if sorting:
        parts.append(f"sorted: {sorting}")
    return " · ".join([*parts, short(root)])
