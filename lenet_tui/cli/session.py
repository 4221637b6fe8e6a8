"""What every command on the queue does first and last: open the store, start the runner where runs wait."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.cli import output
from lenet_tui.config import MODEL_TITLES
from lenet_tui.errors import LabError, UsageError
from lenet_tui.host.process import is_alive
from lenet_tui.run.folder import check_root
from lenet_tui.runner import daemon
from lenet_tui.store import PRIVATE_FOLDER, Store, below

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from lenet_tui.store import Run

_TRIES = 3  # to start a runner that failed, after which waiting for it ends
NO_NAME = "the name of a run is empty; give its number or folder, which 'lenet-tui runs' shows"


@contextlib.contextmanager
def store_of(arguments: argparse.Namespace) -> Iterator[Store]:
    """Open the store of ``--root``, with dead runs put back into the queue; start a runner where runs wait.

    An error of that start goes to stderr. On a read-only or full disk a copy of the store is opened.
    """
    root: Path = arguments.root
    if not root.is_dir():
        check_root(root)
    with Store(root) as store:
        at_opening = len(store.notices)
        for notice in store.notices:
            output.tell(notice)
        if store.read_only:
            yield store
            return
        store.requeue_dead(is_alive)
        try:
            yield store
            for notice in store.notices[at_opening:]:  # it was rebuilt meanwhile
                output.tell(notice)
        except BaseException:
            with contextlib.suppress(LabError):  # the error that ended the command counts
                start_runner_for_work(root, store)
            raise
        try:
            start_runner_for_work(root, store)
        except LabError as error:
            output.tell(str(error))
        else:
            tell_why_none_runs(root, store)


def find(store: Store, root: Path, name: str) -> Run:
    """Return the run of a number or a folder, as a path or below ``root``.

    Raises `UsageError` when there is none.
    """
    if is_number(name):
        return store.get(int(name))
    if not name:
        raise UsageError(NO_NAME)
    wanted = set()
    for place in (Path(), root):
        with contextlib.suppress(LabError):
            wanted.add(below(root, place / name))
    for run in store.runs():
        if run.folder in wanted:
            return run
    raise UsageError(f"{name} is neither a run's number nor its folder; 'lenet-tui runs' shows both")


def is_number(name: str) -> bool:
    """Say whether a run is named by its number; a folder of such a name is ``./7``."""
    return name.isascii() and name.isdigit() and len(name) < 19  # as far as SQLite counts


def is_untouched(root: Path) -> bool:
    """Say whether ``root`` holds nothing of lenet-tui, so that looking at it need not make anything there."""
    return not any((root / name).exists() for name in (PRIVATE_FOLDER, *MODEL_TITLES))


def start_runner_for_work(root: Path, store: Store) -> bool:
    """Start the runner where runs wait, the queue is active and no runner is there; say whether it did.

    After a failed start it waits until the next try is due. Raises `LabError`.
    """
    return _has_work(store) and daemon.ensure(root)


def tell_why_none_runs(root: Path, store: Store) -> None:
    """Report why the runner could not start, where runs wait for it."""
    reason = daemon.last_failure(root)
    if reason is not None and _has_work(store):
        output.tell(f"the runner cannot start: {reason}")


class Patience:
    """Watches the tries to start a runner while a command waits for one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        tries = daemon.failed_tries(root)
        self._before = tries.count if tries else 0
        self._reported = ""

    def check(self) -> None:
        """Report each new reason. Raises `LabError` after some tries in a row, at least one of them from now on."""
        tries = daemon.failed_tries(self._root)
        if tries is None or tries.under_way:
            return
        if tries.count >= _TRIES and tries.count > self._before:
            raise LabError(f"the runner cannot start: {tries.reason} ({tries.count} tries)")
        if tries.reason != self._reported:
            self._reported = tries.reason
            output.tell(f"the runner cannot start: {tries.reason}; it is tried again")


def _has_work(store: Store) -> bool:
    return not store.is_paused() and any(run.waiting for run in store.queue())


def raise_all(refused: list[LabError]) -> None:
    """Report every error and raise the last one; do nothing where there is none."""
    for error in refused[:-1]:
        output.complain(error)
    if refused:
        raise refused[-1]
