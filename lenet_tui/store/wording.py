"""The state of a run in words, the same in the app and on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenet_tui.store.records import Run


def epoch_at_work(run: Run) -> int:
    """Return the number of the epoch that a running run is in or, for the moment before the next, has just done."""
    return max(run.progress.epoch if run.progress else 0, run.epochs_done)


def share_done(run: Run) -> float:
    """Return the share of all its epochs that a run has done, from 0 to 1, the epoch in progress included."""
    done = float(run.epochs_done)
    if run.progress is not None and run.progress.epoch > run.epochs_done:
        done += run.progress.step / run.progress.steps
    return float(min(done / max(run.values["epochs"], 1), 1.0))


def state(run: Run) -> str:
    """Return the state of a run in a word or two: ``queued #3``, ``epoch 7/20``, ``stopping``, ``stopped 7/20``."""
    if run.is_stop_requested:
        return "stopping"
    if run.state == "stopped" and run.epochs_done:
        return f"stopped {run.epochs_done}/{run.values['epochs']}"
    if run.state != "running":
        return f"{run.state} #{run.place}" if run.waiting else run.state
    if run.epochs_done >= run.values["epochs"]:
        return "drawing pictures"
    return f"epoch {epoch_at_work(run)}/{run.values['epochs']}" if run.progress else "starting"
