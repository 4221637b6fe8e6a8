"""``lenet-tui train``: one run, in the foreground."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, output
from lenet_tui.cli.display import EarlyNote, JsonDisplay, PlainDisplay, TerminalDisplay
from lenet_tui.cli.fetch_display import fetch_progress
from lenet_tui.config import DATASET_TITLES, hyperparameter
from lenet_tui.data import DamagedFileError, DataError
from lenet_tui.errors import LabError, UsageError
from lenet_tui.host.hardware import available_cores
from lenet_tui.host.process import is_alive, this_process
from lenet_tui.run.folder import check_root
from lenet_tui.store import Store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from lenet_tui.cli.display import Display
    from lenet_tui.data.datasets import Dataset
    from lenet_tui.run.folder import RunRecord

FALLBACK = "digits"
INTERRUPTED = 130


class _NothingStarted(LabError):  # noqa: N818 - names what happened
    """Ctrl-C came before there was a run."""

    exit_code = INTERRUPTED


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``train``."""
    parser = commands.add_parser(
        "train",
        help="train one run in the foreground: --model lenet --batch_size 64 --lr 0.001",
        description="Train one run and write its three pictures. The word train may be left out, and flags may be "
        "written with _ or -: lenet-tui --model lenet --batch_size 64 --lr 0.001. Ctrl-C stops it: it keeps its "
        "checkpoint and can be resumed. A second Ctrl-C leaves at once.",
        allow_abbrev=False,
    )
    flags.add_hyperparameters(parser)
    flags.add_root(parser, may_be_missing=True)
    flags.add_json(parser)
    parser.add_argument("--resume", metavar="RUN", help="continue a stopped or interrupted run: its number or folder")
    parser.add_argument(
        "--data-dir",
        type=flags.folder,
        metavar="DIR",
        help="folder with the data set's IDX files (default LENET_TUI_DATA)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train as the command line says; return the exit code."""
    values = flags.given(arguments)
    display = _display(as_json=arguments.json)
    go = _train if arguments.resume is None else _resume
    record = go(arguments, values, display)
    return {"finished": 0, "stopped": INTERRUPTED}.get(record.state, 1)


def _train(arguments: argparse.Namespace, values: dict[str, str], display: Display) -> RunRecord:
    config = flags.config_from(values)
    check_root(arguments.root)
    with _early(f"loading torch and {DATASET_TITLES[config.dataset]} …") as note:
        from lenet_tui import experiment
        from lenet_tui.training import device

        device.resolve(config.device)
        fallback_for = None
        try:
            data = _load(config.dataset, config.val_size, arguments.data_dir, note)
        except DataError as error:
            if "dataset" in values or arguments.data_dir or isinstance(error, DamagedFileError):
                raise
            note.clear()
            display.warn(f"{error}")
            display.warn(
                f"TRAINING ON {FALLBACK.upper()} INSTEAD OF {config.dataset.upper()}: 1,797 small images, not MNIST"
            )
            fallback_for = config.dataset
            config = flags.config_from(values | {"dataset": FALLBACK})
            data = _load(config.dataset, config.val_size, None, note)
        experiment.check(config, data)
        from lenet_tui.runner import worker

        owner = this_process()
    with Store(arguments.root) as store:
        row = store.start(config, owner, config.threads or available_cores())
        display.run_id = row.id
        with _stopped_by_signals(display), display:
            folder, record = worker.execute(store, arguments.root, row, owner, data, display, fallback_for)
    display.summary(folder, record)
    return record


def _resume(arguments: argparse.Namespace, values: dict[str, str], display: Display) -> RunRecord:
    if values:
        named = ", ".join(hyperparameter(name).flag for name in values)
        raise UsageError(f"--resume continues with the run's own hyperparameters; leave out {named}")
    from lenet_tui.cli.export import find  # which imports numpy

    folder = find(arguments.resume, arguments.root)
    with _early("loading torch and the run …") as note:
        from lenet_tui import experiment

        record = experiment.check_resumable(folder)
        data = _load(record.config.dataset, record.config.val_size, arguments.data_dir, note)
    if folder.path.resolve().parent.name != record.config.model:  # moved out of its root, so in no store
        with _stopped_by_signals(display), display:
            record = experiment.run(folder, record, data, display)
    else:
        from lenet_tui.runner import worker

        owner = this_process()
        root = folder.path.resolve().parents[1]
        with Store(root) as store:
            store.requeue_dead(is_alive)
            row = store.take(store.import_folder(folder).id, owner, record.threads)
            display.run_id = row.id
            with _stopped_by_signals(display), display:
                _, record = worker.execute(store, root, row, owner, data, display)
    display.summary(folder, record)
    return record


@contextlib.contextmanager
def _early(text: str) -> Iterator[EarlyNote]:
    """Say what is about to be done while that takes seconds. Raises `LabError` for a Ctrl-C that comes meanwhile."""
    note = EarlyNote()
    pressed = False

    def handler(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handler)
    try:
        note.show(text)
        yield note
        if pressed:  # an import caught it, as one that tries whether there is a library
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        note.clear()
        raise _NothingStarted("interrupted before a run started") from None
    finally:
        signal.signal(signal.SIGINT, before)
        note.clear()


def _load(name: Any, val_size: int, data_dir: Path | None, note: EarlyNote) -> Dataset:
    from lenet_tui.data import datasets

    with fetch_progress(before=note.clear) as progress:
        return datasets.load(name, val_size=val_size, data_dir=data_dir, progress=progress)


def _display(*, as_json: bool) -> Display:
    if as_json:
        return JsonDisplay()
    return TerminalDisplay() if output.is_terminal() else PlainDisplay()


@contextlib.contextmanager
def _stopped_by_signals(display: Display) -> Iterator[None]:
    """Stop the run on the first Ctrl-C, SIGTERM or hangup; a second one leaves at once."""

    def handler(_number: int, _frame: FrameType | None) -> None:
        if display.should_stop():
            raise KeyboardInterrupt
        display.stop()

    # What is ignored stays ignored: that is how nohup keeps a program running.
    signals = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in signals}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
