"""``lenet-tui compare``: runs side by side, and which of their differences are more than noise."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, output, tables
from lenet_tui.cli.output import say, say_json, tell
from lenet_tui.cli.session import find, is_untouched
from lenet_tui.errors import LabError, UsageError
from lenet_tui.host import named_files
from lenet_tui.host.process import is_alive
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import Store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from lenet_tui.analysis.comparison.compare import Comparison
    from lenet_tui.store import Run

_NARROW = ("state", "epochs", "end gap", "overfits", "images/s")  # columns that only files have room for


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``compare``."""
    parser = commands.add_parser(
        "compare",
        help="compare runs, and say which differences are significant",
        description="Show the hyperparameters that differ and the results side by side. Runs that differ only in the "
        "seed are one group, with mean and 95 % interval. Groups that share two seeds or more with the first are "
        "tested against it, by val loss and test acc. Single runs are tested on the same test images (McNemar). Holm's "
        "method corrects for many tests.",
        allow_abbrev=False,
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="number or folder of a run; the first is the baseline")
    for name, text in (
        ("--markdown", "write tables, results of tests and notes as Markdown; - is standard output"),
        ("--csv", "write one line per run; - is standard output"),
        ("--picture", "draw the val loss curves as PNG"),
    ):
        parser.add_argument(name, type=flags.output_file, metavar="FILE", help=text)
    flags.add_root(parser)
    flags.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare the runs, write the files that were asked for, and print the comparison."""
    root: Path = arguments.root
    names = {name: getattr(arguments, name) for name in ("markdown", "csv", "picture")}
    on_output = [f"--{name}" for name, path in names.items() if path and named_files.descriptor(path) == 1]
    if len(on_output) + arguments.json > 1:
        both = " and ".join([*on_output, *(["--json"] if arguments.json else [])])
        raise UsageError(f"{both} would be mixed on the output; give a file for all but one")
    result = _runs(root, arguments.runs)

    # SciPy takes a second to import, which a mistyped number should not wait for.
    from lenet_tui.analysis import run_result
    from lenet_tui.analysis.comparison import formats
    from lenet_tui.analysis.comparison.compare import compare

    waiting = [f"run {run.id} is {run.state} and has no epoch yet: left out" for run in result if not run.folder]
    read = [
        run_result.read(run.id, RunFolder(root / run.folder), run.folder, run.state) for run in result if run.folder
    ]
    try:
        comparison = compare(read, waiting)
    except ValueError as error:
        raise LabError(str(error)) from None
    written = _write(arguments, comparison)
    if arguments.json:
        say_json(formats.as_json(comparison))
    elif not on_output:
        _show(comparison)
    for path in written:
        (tell if arguments.json or on_output else say)(f"wrote {path}")
    return 0


def _runs(root: Path, names: Sequence[str]) -> list[Run]:
    if is_untouched(root):
        raise UsageError(f"there is no run {names[0]}: --root {root} has no runs")
    with Store(root) as store:
        store.requeue_dead(is_alive)  # a dead run is not shown as running
        result = list({run.id: run for run in (find(store, root, name) for name in names)}.values())
    if len(result) < 2:
        raise UsageError("give at least two different runs to compare; 'lenet-tui runs' shows their numbers")
    return result


def _write(arguments: argparse.Namespace, comparison: Comparison) -> list[str]:
    from lenet_tui.analysis.comparison import formats

    written: list[str] = []
    for path, form in (
        (arguments.markdown, formats.as_markdown),
        (arguments.csv, formats.as_csv),
    ):
        if path:
            output.write_file(path, form(comparison).encode(errors="replace"))
            written.append(path)
    if arguments.picture:
        from lenet_tui.errors import NotDrawable
        from lenet_tui.reports import comparison as picture  # imports matplotlib, which takes a second

        try:
            output.write_file(arguments.picture, picture.draw(comparison))
        except NotDrawable as reason:
            raise LabError(f"{arguments.picture} not drawn: {reason}") from None
        written.append(arguments.picture)
    return [path for path in written if named_files.descriptor(path) != 1]


def _show(comparison: Comparison) -> None:
    from lenet_tui.analysis.comparison.formats import group_rows, run_rows

    heading, *rows = run_rows(comparison)
    kept = [index for index, name in enumerate(heading) if name not in _NARROW]
    tables.show([[row[index] for index in kept] for row in (heading, *rows)])
    if any(len(group.counted) > 1 for group in comparison.groups):
        say("")
        say("means over seeds ± half the 95 % interval:")
        tables.show([row[:-1] for row in group_rows(comparison)])  # 80 columns have no room for the gap
    for title, sentences in (("", [v.text for v in comparison.verdicts]), ("note: ", comparison.notes)):
        if sentences:
            say("")
        for sentence in sentences:
            say(_wrapped(f"{title}{sentence}"))


def _wrapped(text: str) -> str:
    """Return the text, broken between words where a terminal reads it."""
    if not output.is_terminal():
        return text
    # A percent sign stays with its number.
    held = text.replace(" %", "\N{NO-BREAK SPACE}%")
    return textwrap.fill(held, shutil.get_terminal_size().columns, break_on_hyphens=False, subsequent_indent="  ")
