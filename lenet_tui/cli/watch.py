"""``lenet-tui watch``: follow one run that another process trains."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, output, tables
from lenet_tui.cli.session import Patience, find, is_untouched, start_runner_for_work, store_of
from lenet_tui.errors import LabError, UsageError
from lenet_tui.host.process import is_alive
from lenet_tui.run import metrics
from lenet_tui.run.folder import RunFolder

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from lenet_tui.cli.display import Display
    from lenet_tui.run.folder import RunRecord
    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store import Run, Store

_POLL_SECONDS = 0.5
_OPEN = ("queued", "running", "interrupted")


class _LeftAlone(LabError):  # noqa: N818 - names what happened
    """Ctrl-C ended the watching, and the run goes on."""

    exit_code = 130


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``watch``."""
    parser = commands.add_parser(
        "watch",
        help="follow one run until it ends, as train shows it",
        description="Print the epochs of a run as they come, until it ends; a run that waits is followed when it "
        "starts. Ctrl-C ends the watching, and the run goes on. Exit code 0 when the run finished, 1 when it failed or "
        "was stopped.",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="RUN", help="number or folder of a run")
    flags.add_root(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help='print a JSON document a line: {"event": "state" | "epoch" | "end", …}',
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Follow the run to its end; return 0 when it finished, else 1."""
    root: Path = arguments.root
    if is_untouched(root):
        raise UsageError(f"there is no run {arguments.name}: --root {root} has no runs")
    with store_of(arguments) as store:
        view = _view(root, as_json=arguments.json)
        current = find(store, root, arguments.name)
        try:
            with view:
                last = _follow(store, root, current.id, view)
        except KeyboardInterrupt:
            current = store.get(current.id)
            ended = "" if current.state in _OPEN else ", which has ended"
            raise _LeftAlone(f"no longer watching run {current.id}{ended or '; it goes on'}") from None
    return 0 if last.state == "finished" else 1


def _follow(store: Store, root: Path, run_id: int, view: _View) -> Run:
    """Hand every change of the run to ``view`` until it has ended. Raises `LabError` when it cannot start."""
    patience = Patience(root)
    while True:
        try:
            current = store.get(run_id)
        except UsageError:
            raise LabError(f"run {run_id} was deleted") from None
        view.show(current, store.epochs(run_id) if current.folder else [], paused=store.is_paused())
        if current.state not in _OPEN:
            view.end(current)
            return current
        if not store.read_only:
            store.requeue_dead(is_alive)
            start_runner_for_work(root, store)
        if current.waiting:
            patience.check()
        time.sleep(_POLL_SECONDS)


class _View(contextlib.AbstractContextManager["_View"]):
    """What is shown of the run; a context manager for the time of the watching."""

    def show(self, run: Run, epochs: list[EpochMetrics], *, paused: bool) -> None:
        """Show what is new."""

    def end(self, run: Run) -> None:
        """Show how the run ended."""

    def __exit__(self, *_: object) -> None:
        return None


class _JsonLines(_View):
    """A line of JSON for each new state, each epoch, and the end."""

    def __init__(self) -> None:
        self._state: tuple[object, ...] = ()
        self._epoch = 0

    def show(self, run: Run, epochs: list[EpochMetrics], *, paused: bool) -> None:
        """Print the new state and the new epochs."""
        state = (run.state, run.place, run.stop_request, paused)
        if state != self._state and run.state in _OPEN:
            self._state = state
            document = {"state": run.state, "place": run.place, "stop_request": run.stop_request, "paused": paused}
            output.say_json_line({"event": "state", "id": run.id} | document)
        for row in epochs[self._epoch :]:
            output.say_json_line({"event": "epoch", "id": run.id} | vars(row))
        self._epoch = len(epochs)

    def end(self, run: Run) -> None:
        """Print the run's record."""
        output.say_json_line({"event": "end"} | tables.as_json(run))


class _Lines(_View):
    """What ``train`` shows of its own run, by the same display."""

    def __init__(self, root: Path, display: Display) -> None:
        self._root = root
        self._display = display
        self._record: RunRecord | None = None  # once the run has a folder
        self._epoch = 0
        self._note = ""
        self._at_reports = False

    def __enter__(self) -> _View:
        self._display.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._display.__exit__(*error)

    def show(self, run: Run, epochs: list[EpochMetrics], *, paused: bool) -> None:
        """Print the new epochs, or what the run waits for."""
        self._tell(_waiting(run, paused=paused))
        if run.folder is None:
            return
        if self._record is None:
            with contextlib.suppress(LabError):  # not written yet, or damaged: the epochs come from the store
                self._record = RunFolder(self._root / run.folder).read_record()
                self._display.run_id = run.id
                self._display.on_run_start(RunFolder(self._root / run.folder), self._record)
        if self._record is None:
            return
        for row in epochs[self._epoch :]:
            best = metrics.best(epochs[: row.epoch])
            self._display.on_epoch_end(row, best or row)
        self._epoch = len(epochs)
        if run.state == "running" and run.progress is not None:
            self._display.on_progress(run.progress)
            if self._epoch == self._record.config.epochs and not self._at_reports:
                self._at_reports = True
                self._display.on_training_end("finished")

    def end(self, run: Run) -> None:
        """Print the closing lines of ``train``, or one line where the folder has none."""
        try:
            if run.folder is None:
                raise LabError("it never began")
            folder = RunFolder(self._root / run.folder)
            self._display.summary(folder, folder.read_record())
        except LabError:
            output.say(f"run {run.id} {tables.ending(run)}", flush=True)

    def _tell(self, note: str) -> None:
        if note and note != self._note:
            output.tell(note)
        self._note = note


def _waiting(run: Run, *, paused: bool) -> str:
    if not run.waiting:
        return ""
    again = "was interrupted and continues" if run.state == "interrupted" else "starts"
    if paused:
        return f"run {run.id} waits: the queue is paused; 'lenet-tui queue start' makes it active again"
    return f"run {run.id} is number {run.place} in the queue; it {again} when its turn comes"


def _view(root: Path, *, as_json: bool) -> _View:
    if as_json:
        return _JsonLines()
    from lenet_tui.cli.display import PlainDisplay, TerminalDisplay  # rich's bars take a tenth of a second

    kind = TerminalDisplay if output.is_terminal() else PlainDisplay
    return _Lines(root, kind(watching=True))
