"""``lenet-tui export``: the pictures of runs again, from their folders alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tui import reports
from lenet_tui.cli import flags, output
from lenet_tui.cli.session import NO_NAME, is_number, is_untouched
from lenet_tui.errors import LabError, UsageError
from lenet_tui.host import ssh
from lenet_tui.run.folder import REPORT, RunFolder
from lenet_tui.store import Store

if TYPE_CHECKING:
    import argparse

    from lenet_tui.reports import Report


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``export``."""
    parser = commands.add_parser(
        "export",
        help="write the three pictures of runs into their folders, a report, a zip file to hand in",
        description="Write confusion.png, loss.png and t-SNE.png of each run into its folder, from the files in that "
        "folder. It trains nothing. It says what it wrote and, over SSH, how to fetch it. An error in one run does "
        "not stop the others.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="number or folder of a run: 7, or lenet/bs64_lr0.001",
    )
    parser.add_argument(
        "--report", action="store_true", help="also write report.html, one page with all of the run and its pictures"
    )
    parser.add_argument(
        "--zip",
        action="store_true",
        help="also write a zip file to hand in: pictures, report.html, metrics.csv, run.json",
    )
    flags.add_root(parser)
    flags.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw every run's pictures and print their paths; return 0, the only run's failure, or 1 if any of many failed."""
    text, codes, results = [], [], []
    for name in arguments.runs:
        try:
            folder = find(name, arguments.root)
            written = reports.write_all(folder)
            others = _write_others(folder, written, arguments)
        except LabError as error:
            output.complain(error)
            text.append({"run": name, "error": str(error)})
            codes.append(error.exit_code)
            continue
        text.append({"run": name, **_pictures(written), **{kind: str(path) for kind, path in others.items()}})
        results.append([path for kind, path in others.items() if kind == "zip" or not arguments.zip] or [folder.path])
        if any(report.failed for report in written):
            codes.append(1)
        if not arguments.json:
            _tell(written)
            for path in others.values():
                output.say(str(path))
    fetch = ssh.scp_line(_to_fetch(results))
    if arguments.json:
        output.say_json({"runs": text, "fetch": fetch})
    elif fetch:
        output.tell(f"fetch it from your own machine: {fetch}")
    if not codes:
        return 0
    return codes[0] if len(arguments.runs) == 1 else 1


def _write_others(folder: RunFolder, written: list[Report], arguments: argparse.Namespace) -> dict[str, Path]:
    """Write the page and the zip file that were asked for; return their paths by kind."""
    if not (arguments.report or arguments.zip):
        return {}
    from lenet_tui.reports import run_page

    result = {"report": run_page.write(folder, written)}
    if arguments.zip:
        result["zip"] = run_page.write_zip(folder, written)
    return result


def _to_fetch(results: list[list[Path]]) -> list[str]:
    """Return what to copy for these runs; pictures and pages of several runs have the same names, folders do not."""
    paths = [path for result in results for path in result]
    if len(results) > 1 and any(path.name == REPORT for path in paths):
        paths = [path.parent for path in paths]
    if len(paths) == 1 and paths[0].is_dir():
        return [f"{paths[0].absolute()}/*.png"]
    return [str(path.absolute()) for path in paths]


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
