"""Duplicates: runs of one configuration. Allowed, as a measure of noise, and named, since they may be a mistake."""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING

from lenet_tui.run.folder import numbered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from lenet_tui.config import RunConfig
    from lenet_tui.store import Run

Identity = str  # that of `RunConfig.identity`


def latest(runs: Iterable[Run]) -> dict[Identity, int]:
    """Return the number of the latest run of each configuration."""
    found: dict[Identity, int] = {}
    for run in runs:
        found[run.identity] = max(run.id, found.get(run.identity, 0))
    return found


def before_queueing(wanted: Sequence[Identity], known: Mapping[Identity, int]) -> str:
    """Say in the form that what would be queued is on record already, "" where it is not."""
    there = [known[identity] for identity in wanted if identity in known]
    if not there:
        return ""
    return f"same settings as run {there[0]}" if len(wanted) == 1 else f"{len(there)} are on record already"


def question(wanted: Sequence[RunConfig], known: Mapping[Identity, int]) -> str:
    """Ask whether to train again where every run to be queued is on record already, "" where one is not."""
    there = [known.get(config.identity()) for config in wanted]
    if not there or None in there:
        return ""
    if len(there) == 1:
        return f"Run {there[0]} has these very settings. Train another like it, in a folder of its own?"
    return f"All {len(there)} are on record already. Train them again, in folders of their own?"


def after_queueing(queued: Sequence[Run], others: Sequence[Run], root: Path) -> str:
    """Say of runs that were queued just now which other has the same settings, and where the new one's files will be.

    "" where there is none.
    """
    known = latest(others)
    repeated = [run for run in queued if run.identity in known]
    if not repeated:
        return ""
    if len(queued) > 1:
        return f"{len(repeated)} with the settings of earlier runs, in folders of their own"
    (run,) = repeated
    ahead = sum(other.waiting and other.folder is None and other.identity == run.identity for other in others)
    return f"run {known[run.identity]} has the same settings, so this one's folder will be " + _folder_to_be(
        root, run.config, ahead
    )


def _folder_to_be(root: Path, config: RunConfig, ahead: int) -> str:
    """Return the folder that a run gets when ``ahead`` others take theirs before."""
    names = (f"{config.model}/{numbered(config.folder_name(), attempt)}" for attempt in count(1))
    return next(islice((name for name in names if not (root / name).exists()), ahead, None))
