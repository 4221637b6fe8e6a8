"""What every command that looks at or changes the queue does first and last: open the store, keep the runner going."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tui.config import MODEL_TITLES
from lenet_tui.errors import LabError, UsageError
from lenet_tui.process import is_alive
from lenet_tui.runfolder import check_root
from lenet_tui.runner import daemon
from lenet_tui.store import PRIVATE_FOLDER, Store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from lenet_tui.store import Run


@contextlib.contextmanager
def store_of(arguments: argparse.Namespace) -> Iterator[Store]:
    """Open the store of ``--root``, with dead runs put back into the queue; have a runner work on what waits.

    Where none can start, that is said beside the output.
    """
    root: Path = arguments.root.expanduser()
    check_root(root)
    with Store(root) as store:
        for notice in store.notices:
            tell(notice)
        store.requeue_dead(is_alive)
        try:
            yield store
        except BaseException:
            with contextlib.suppress(LabError):  # what ended the command is said, and not what keeps a runner away
                start_runner_for_work(root, store)
            raise
        try:
            start_runner_for_work(root, store)
        except LabError as error:
            tell(str(error))
        else:
            tell_why_none_runs(root, store)


def find(store: Store, root: Path, name: str) -> Run:
    """Return the run that a person named by its number or its folder, as a path or below ``root``.

    Raises `UsageError` when there is none.
    """
    if is_number(name):
        return store.get(int(name))
    folders = {(place / name).resolve() for place in (Path(), root)}
    wanted = {path.relative_to(root.resolve()).as_posix() for path in folders if path.is_relative_to(root.resolve())}
    for run in store.runs():
        if run.folder in wanted:
            return run
    raise UsageError(f"{name} is neither a run's number nor its folder; 'lenet-tui runs' shows both")


def is_number(name: str) -> bool:
    """Say whether a run is named by its number; a folder of such a name is ``./7``."""
    return name.isascii() and name.isdigit() and int(name) < 2**62


def is_untouched(root: Path) -> bool:
    """Say whether nothing of ours is in ``root``, so that looking at it need not make anything there."""
    return not any((root / name).exists() for name in (PRIVATE_FOLDER, *MODEL_TITLES))


def start_runner_for_work(root: Path, store: Store) -> bool:
    """Start the runner where something waits, nothing drains the queue and no runner is there; say whether it did.

    One that could not start lately is not tried again before its next try is due. Raises `LabError`.
    """
    return _has_work(store) and daemon.ensure(root)


def tell_why_none_runs(root: Path, store: Store) -> None:
    """Say why the runner could not start, where something waits for it."""
    reason = daemon.last_failure(root)
    if reason is not None and _has_work(store):
        tell(f"the runner cannot start: {reason}")


def _has_work(store: Store) -> bool:
    return not store.draining() and any(run.waiting for run in store.queue())


def raise_all(refused: list[LabError]) -> None:
    """Tell every error and raise the last one; nothing where there is none."""
    for error in refused[:-1]:
        tell(f"lenet-tui: {error}")
    if refused:
        raise refused[-1]


def tell(text: str) -> None:
    """Say something to the person, beside the output."""
    print(text, file=sys.stderr)  # noqa: T201


def say(text: str) -> None:
    """Print a line of output."""
    print(text)  # noqa: T201


def say_json(document: Any) -> None:
    """Print the one JSON document of a command."""
    # Indenting thousands of runs takes a second, and nobody reads them with their own eyes.
    indent = None if isinstance(document, list) and len(document) > 100 else 2
    sys.stdout.write(json.dumps(document, indent=indent) + "\n")
