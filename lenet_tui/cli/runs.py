"""``lenet-tui runs``, ``show``, ``delete`` and ``import``: the runs of a root."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, tables
from lenet_tui.cli.output import say, say_json, say_json_lines, tell
from lenet_tui.cli.session import find, is_untouched, raise_all, store_of
from lenet_tui.errors import LabError, UsageError
from lenet_tui.formatting import counted, duration, loss, percent
from lenet_tui.host.safe_files import tail_own
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import below
from lenet_tui.store.importing import copy_into
from lenet_tui.store.recovery import folders_in

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store import Run

_LOG_LINES = 10
_LOG_BYTES = 20_000


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the commands ``runs``, ``show``, ``delete`` and ``import``."""
    for name, call, text, more in (
        (
            "runs",
            list_runs,
            "show all runs with their best and test results",
            "A line for each run of the root, oldest first: state, lowest val loss and its epoch, val acc, and test "
            "acc of finished runs. A narrow terminal shows fewer columns; a pipe gets all of them, and --json every "
            "value of every run.",
        ),
        (
            "show",
            show,
            "show one run: configuration, results, epochs, machine, log",
            "RUN is its number or its folder. --json has every value.",
        ),
        (
            "delete",
            delete,
            "delete finished, failed or stopped runs; their folders go to the trash",
            "It asks first. The trash is .lenet-tui/trash in the root. You can move a folder back from there and "
            "import it. Only you empty the trash.",
        ),
        (
            "import",
            import_,
            "import run folders, by default all that lie in this root",
            "A folder in the root is added where it is. A folder from somewhere else is copied into the root first: "
            "the files that a run writes, and no links. Runs that are listed already do not change. A "
            "run that is not finished is stopped here; 'lenet-tui queue resume' continues it.",
        ),
    ):
        description = f"{text[0].upper()}{text[1:]}. {more}"
        parser = commands.add_parser(name, help=text, description=description, allow_abbrev=False)
        flags.add_root(parser, may_be_missing=name == "import")
        flags.add_json(parser)
        parser.set_defaults(run=call)
        if name == "show":
            parser.add_argument("name", metavar="RUN", help="number or folder of a run")
        elif name == "delete":
            parser.add_argument("names", nargs="+", metavar="RUN", help="number or folder of a run")
            parser.add_argument("--yes", action="store_true", help="do not ask")
        elif name == "import":
            parser.add_argument(
                "folders", type=flags.folder, nargs="*", metavar="FOLDER", help="a run folder, from anywhere"
            )


def list_runs(arguments: argparse.Namespace) -> int:
    """Show all runs."""
    gc.disable()  # nothing made here is garbage, and looking for some among 10,000 runs takes a fifth of the time
    runs: list[Run] = []
    if not is_untouched(arguments.root):
        with store_of(arguments) as store:
            runs = store.runs()
    if arguments.json:
        say_json_lines(tables.json_lines(runs))
    elif runs:
        waiting = sorted((run for run in runs if not run.folder), key=lambda run: run.place or 0)
        tables.show(tables.run_rows(runs, tables.names(arguments.root, runs, waiting)))
    else:
        say("no runs yet; 'lenet-tui train' or 'lenet-tui queue add' makes one")
    return 0


def show(arguments: argparse.Namespace) -> int:
    """Show one run."""
    with store_of(arguments) as store:
        run = find(store, arguments.root, arguments.name)
        epochs = store.epochs(run.id)
    folder = RunFolder(arguments.root / run.folder) if run.folder else None
    if arguments.json:
        history = [vars(row) for row in epochs]
        say_json(tables.as_json(run) | {"epochs": history})
        return 0
    say(f"run {run.id}, {tables.state(run)}" + (f": {run.reason}" if run.reason else ""))
    say(run.config.title())
    say(f"  changed    {tables.differences(run.config)}")
    if run.folder:
        say(f"  folder     {run.folder}")
    if run.threads:
        where = run.device or "a device not chosen yet"
        say(f"  computes   on {where}, {counted(run.threads, 'thread')}, attempt {run.attempts}")
    for label, moment in (("queued", run.created_at), ("started", run.started_at), ("ended", run.finished_at)):
        if moment is not None:
            say(f"  {label:<9}  {moment.astimezone():%Y-%m-%d %H:%M:%S}")
    if run.best_val_loss is not None:
        say(f"  val loss   lowest {loss(run.best_val_loss)} at epoch {run.best_epoch}")
    if run.test_accuracy is not None:
        say(f"  test acc   {percent(run.test_accuracy)}, best epoch {run.selected_epoch}")
    if run.tags:
        say(f"  tags       {' '.join(run.tags)}")
    if run.note:
        say(f"  note       {run.note}")
    if epochs:
        say("")
        tables.show(_epoch_rows(epochs))
    if folder is not None and (lines := _last_lines(folder.log_path)):
        say("")
        say(f"{folder.log_path}, last lines:")
        for line in lines:
            say(f"  {line}")
    return 0


def _last_lines(path: Path) -> list[str]:
    """Return the last lines of a log; none where there is no log of this user."""
    try:
        return tail_own(path, _LOG_BYTES).decode(errors="replace").splitlines()[-_LOG_LINES:]
    except (FileNotFoundError, LabError):
        return []


def delete(arguments: argparse.Namespace) -> int:
    """Delete runs; their folders go into the trash inside the private folder."""
    with store_of(arguments) as store:
        named = [find(store, arguments.root, name) for name in arguments.names]
        runs = list({run.id: run for run in named}.values())
        if not arguments.yes:
            _ask(runs)
        trashed = []
        for run in runs:
            _, trash = store.delete(run.id)  # refuses what runs or waits
            trashed.append({"id": run.id, "trash": str(trash) if trash else None})
    if arguments.json:
        say_json(trashed)
    else:
        for run, entry in zip(runs, trashed, strict=True):
            where = f"; its folder is {entry['trash']}" if entry["trash"] else ""
            say(f"{run.id}  {tables.name(run)}  deleted{where}")
    return 0


def import_(arguments: argparse.Namespace) -> int:
    """Import run folders."""
    with store_of(arguments) as store:
        folders = arguments.folders or sorted(folder.path for folder in folders_in(arguments.root))
        runs: list[Run] = []
        refused: list[LabError] = []
        for path in folders:
            try:
                runs.append(store.import_folder(_in_root(arguments.root, RunFolder(path))))
            except LabError as error:
                refused.append(error)
    if arguments.json:
        say_json([tables.as_json(run) for run in runs])
    else:
        for run in runs:
            say(f"{run.id}  {tables.name(run)}  {tables.state(run)}")
        if not folders:
            say(f"there is no run folder in {arguments.root}")
    raise_all(refused)
    return 0


def _in_root(root: Path, folder: RunFolder) -> RunFolder:
    """Return the folder itself where it is below ``root``, else a copy of it there."""
    try:
        return RunFolder(root / below(root, folder.path))
    except UsageError:
        return copy_into(root, folder)


def _ask(runs: list[Run]) -> None:
    if not sys.stdin.isatty():
        raise UsageError("delete asks first, and there is no terminal to answer in; add --yes")
    for run in runs:
        tell(f"{run.id}  {tables.name(run)}  {tables.state(run)}")
    tell(f"delete {'this run' if len(runs) == 1 else f'these {len(runs)} runs'}? [y/N] ")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise LabError("nothing was deleted")


def _epoch_rows(epochs: list[EpochMetrics]) -> list[list[str]]:
    rows = [["epoch", "train loss", "val loss", "train acc", "val acc", "lr", "time"]]
    rows += [
        [
            str(row.epoch),
            loss(row.train_loss),
            loss(row.val_loss),
            percent(row.train_accuracy),
            percent(row.val_accuracy),
            f"{row.lr:.3g}",
            duration(row.seconds),
        ]
        for row in epochs
    ]
    return rows
