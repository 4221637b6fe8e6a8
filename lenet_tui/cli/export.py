"""``lenet-tui export``: the pictures of runs again, from their folders alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tui import reports
from lenet_tui.cli import flags, output
from lenet_tui.cli.session import NO_NAME, is_number, is_untouched
from lenet_tui.errors import LabError, UsageError
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import Store

if TYPE_CHECKING:
    import argparse

    from lenet_tui.reports import Report


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``export``."""
    parser = commands.add_parser(
        "export",
        help="write the three pictures of runs into their folders",
        description="Write confusion.png, loss.png and t-SNE.png of each run into its folder, from the files in that "
        "folder. It trains nothing. An error in one run does not stop the others.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="number or folder of a run: 7, or lenet/bs64_lr0.001",
    )
    flags.add_root(parser)
    flags.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw every run's pictures and print their paths; return 0, the only run's failure, or 1 if any of many failed."""
    text, codes = [], []
    for name in arguments.runs:
        try:
            written = reports.write_all(find(name, arguments.root))
        except LabError as error:
            output.complain(error)
            text.append({"run": name, "error": str(error)})
            codes.append(error.exit_code)
            continue
        text.append({"run": name, **_pictures(written)})
        if any(report.failed for report in written):
            codes.append(1)
        if not arguments.json:
            _tell(written)
    if arguments.json:
        output.say_json({"runs": text})
    if not codes:
        return 0
    return codes[0] if len(arguments.runs) == 1 else 1


def find(name: str, root: Path) -> RunFolder:
    """Return the folder of run number ``name``, or the folder ``name`` from here or else from ``root``.

    Raises `UsageError` where there is none.
    """
    if is_number(name):
        return folder_of(int(name), root)
    if not name:
        raise UsageError(NO_NAME)
    for path in (Path(name), root / name):
        try:
            if path.is_dir():
                return RunFolder(path)
            if path.is_file():
                raise UsageError(f"{path} is a file; give the folder of the run, {path.parent}")
        except OSError as error:
            raise UsageError(f"cannot look at {path}: {error.strerror}") from None
    raise UsageError(f"there is no run folder {name}, neither here nor in --root {root}")


def folder_of(number: int, root: Path) -> RunFolder:
    """Return the folder of a run in ``root``. Raises `UsageError` where there is no run or no folder yet."""
    if is_untouched(root):
        raise UsageError(f"there is no run {number}: --root {root} has no runs")
    with Store(root) as store:
        run = store.get(number)
    if run.folder is None:
        raise UsageError(f"run {number} is {run.state} and has no folder yet")
    return RunFolder(root / run.folder)


def _tell(written: list[Report]) -> None:
    for report in written:
        if report.skipped is None:
            output.say(str(report.path))
        else:
            output.complain(report)


def _pictures(written: list[Report]) -> dict[str, Any]:
    return {
        "pictures": [str(report.path) for report in written if report.skipped is None],
        "skipped": {report.path.name: report.skipped for report in written if report.skipped is not None},
        "failed": [report.path.name for report in written if report.failed],
    }
