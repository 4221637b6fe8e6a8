"""Which runs the curves panel shows, and as what: from the store's runs and the settings to curves and options."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import TYPE_CHECKING

from lenet_tui.config import TRAINABLE_IMAGES
from lenet_tui.tui.curves.charts import Curve, Options
from lenet_tui.tui.runs import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store import Run
    from lenet_tui.tui.settings import Settings
    from lenet_tui.tui.store_watcher import Snapshot

MOST_OVERLAID = 8
MOST_SEEDS = 30


def runs_shown(
    current: Run | None, marked: Sequence[Run], snapshot: Snapshot, baseline: int | None, *, seeds: bool
) -> list[Run]:
    """Return the runs to show: the current one, the marked ones, the baseline, and with ``seeds`` their other seeds."""
    pinned = snapshot.runs.get(baseline) if baseline is not None else None
    wanted = [*([current] if current else []), *marked[: MOST_OVERLAID + 1], *([pinned] if pinned else [])]
    shown = {run.id: run for run in wanted}
    if len(shown) > MOST_OVERLAID + 1:  # with the baseline one too many, for the last marked one
        shown = {run_id: shown[run_id] for run_id in [*list(shown)[:MOST_OVERLAID], list(shown)[-1]]}
    if seeds:
        groups = {group_of(run) for run in shown.values()}
        others = [run for run in snapshot.runs.values() if run.epochs_done and run.id not in shown]
        alike = sorted((run for run in others if group_of(run) in groups), key=lambda run: -run.id)
        shown |= {run.id: run for run in alike[:MOST_SEEDS]}
    return list(shown.values())


def curves_of(
    runs: Sequence[Run], snapshot: Snapshot, baseline: int | None = None, name: Callable[[Run], str] = columns.name
) -> list[Curve]:
    """Return the curves of runs under their names."""
    return [curve(run, snapshot.epochs.get(run.id, ()), name(run), is_baseline=run.id == baseline) for run in runs]


def curve(run: Run, epochs: tuple[EpochMetrics, ...], name: str = "", *, is_baseline: bool = False) -> Curve:
    """Return what the charts show of a run, with its place within the epoch while it trains."""
    partial = None
    where = run.progress
    if where is not None and where.steps and where.epoch > run.epochs_done and math.isfinite(where.train_loss):
        partial = (where.epoch - 1 + where.step / where.steps, where.train_loss)
    values = run.values
    return Curve(
        run.id,
        f"{run.id} {name}",
        epochs,
        int(values["epochs"]),
        partial,
        at_work=run.state == "running",
        images=max(0, TRAINABLE_IMAGES.get(str(values["dataset"]), 0) - int(values["val_size"])),
        group=group_of(run),
        is_baseline=is_baseline,
        folder=run.folder or "",
        is_read=bool(epochs) or not run.epochs_done,
    )


def group_of(run: Run) -> str:
    """Return what the runs of one configuration have in common, whatever their seed."""
    return _without_seed(run.identity)


@lru_cache(maxsize=16_384)
def _without_seed(identity: str) -> str:
    values = json.loads(identity)
    values.pop("seed", None)
    return json.dumps(values, sort_keys=True)


def options_of(settings: Settings) -> Options:
    """Return how the settings want curves shown."""
    return Options(
        shown=settings.chart,
        second=settings.second_chart,
        log=settings.log_scale,
        smoothing=settings.smoothing,
        train=settings.train_curve,
        seeds=settings.seeds,
        marks=settings.line_marks,
    )


def as_settings(options: Options) -> dict[str, object]:
    """Return the settings for what a person chose."""
    return {
        "chart": options.shown,
        "second_chart": options.second,
        "log_scale": options.log,
        "smoothing": options.smoothing,
        "train_curve": options.train,
        "seeds": options.seeds,
        "line_marks": options.marks,
    }
