"""Duplicates: runs with the same configuration. They are allowed, to measure noise; the form points them out."""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING

from lenet_tui.formatting import counted
from lenet_tui.run.folder import numbered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from lenet_tui.config import RunConfig
    from lenet_tui.store import Run

Identity = str  # that of `RunConfig.identity`


def latest(runs: Iterable[Run]) -> dict[Identity, int]:
    """Return the number of the latest run of each configuration."""
    numbers: dict[Identity, int] = {}
    for run in runs:
        numbers[run.identity] = max(run.id, numbers.get(run.identity, 0))
    return numbers


def before_queueing(wanted: Sequence[Identity], existing: Mapping[Identity, int]) -> str:
    """Return a note on the duplicates that queueing would make, "" when there are none."""
    duplicates = [existing[identity] for identity in wanted if identity in existing]
    if not duplicates:
        return ""
    return f"duplicate of run {duplicates[0]}" if len(wanted) == 1 else counted(len(duplicates), "duplicate")


def question(wanted: Sequence[RunConfig], existing: Mapping[Identity, int]) -> str:
    """Return the question whether to train again when every configuration is a duplicate, else ""."""
    duplicates = [existing.get(config.identity()) for config in wanted]
    if not duplicates or None in duplicates:
        return ""
    if len(duplicates) == 1:
        return f"Run {duplicates[0]} has the same configuration. Train it again, in another folder?"
    return f"All {len(duplicates)} runs are duplicates. Train them again, in other folders?"


def after_queueing(queued: Sequence[Run], others: Sequence[Run], root: Path) -> str:
    """Return a note on the duplicates among runs that were just queued, "" when there are none.

    For a single run it names the other run and the folder that the new one will get.
    """
    existing = latest(others)
    duplicates = [run for run in queued if run.identity in existing]
    if not duplicates:
        return ""
    if len(queued) > 1:
        return f"{counted(len(duplicates), 'duplicate')} of earlier runs, in other folders"
    (run,) = duplicates
    ahead = sum(other.waiting and other.folder is None and other.identity == run.identity for other in others)
    folder = _folder_to_be(root, run.config, ahead)
    return f"run {existing[run.identity]} has the same configuration, so this one's folder will be {folder}"


def _folder_to_be(root: Path, config: RunConfig, ahead: int) -> str:
    """Return the folder that a run gets when ``ahead`` others take theirs before."""
    names = (f"{config.model}/{numbered(config.folder_name(), attempt)}" for attempt in count(1))
    return next(islice((name for name in names if not (root / name).exists()), ahead, None))
