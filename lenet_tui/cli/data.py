"""``lenet-tui data``: fetch or import a data set, verify what is there, say where it is."""

from __future__ import annotations

import argparse
from typing import Any, get_args

from lenet_tui import data
from lenet_tui.cli import flags
from lenet_tui.cli.fetch_display import fetch_progress
from lenet_tui.cli.output import say, say_json
from lenet_tui.config import DATASET_TITLES, DatasetName


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``data`` with ``get``, ``import``, ``verify`` and ``path``."""
    parser = commands.add_parser(
        "data",
        help="fetch, import or verify a data set, or print its folder",
        description="Fetch a data set into the cache, copy it there from a folder, verify its files, or print its "
        "folder. All roots share the cache, so --root changes nothing here.",
        allow_abbrev=False,
    )
    flags.add_root(parser, may_be_missing=True)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, text, run in (
        ("get", "find or fetch the data set, and verify it", get),
        ("import", "verify the files in a folder and copy them into the cache", import_),
        ("verify", "compare the files with their checksums; fetches nothing", verify),
        ("path", "print the folder that would be used; fetches nothing", path),
    ):
        action = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
        action.add_argument("name", choices=get_args(DatasetName), metavar="NAME", help=_names())
        if run is import_:
            action.add_argument("folder", type=flags.folder, metavar="FOLDER", help="folder with the four IDX files")
        else:
            text = f"folder with the IDX files (default {data.DATA_VARIABLE})"
            action.add_argument("--data-dir", type=flags.folder, metavar="DIR", help=text)
        if run is get:
            action.add_argument(
                "--json-progress", action="store_true", help="print progress on stderr as lines of JSON"
            )
        action.add_argument("--json", action="store_true", help="print one JSON document on stdout")
        flags.add_root(action, default=argparse.SUPPRESS)
        action.set_defaults(run=run)


def get(arguments: argparse.Namespace) -> int:
    """Find or fetch the data set and say what it is. Raises `DataError` when it can't be had."""
    with fetch_progress(as_json=arguments.json_progress) as progress:
        result = data.obtain(arguments.name, arguments.data_dir, progress)
    _print_verified(result, as_json=arguments.json)
    return 0


def import_(arguments: argparse.Namespace) -> int:
    """Verify a folder's files and copy them into the cache. Raises `DataError` when they are not right."""
    _print_verified(data.adopt(arguments.name, arguments.folder), as_json=arguments.json)
    return 0


def verify(arguments: argparse.Namespace) -> int:
    """Verify the data set that is there. Raises `DataError` when it is not, or not what it should be."""
    _print_verified(data.verify(arguments.name, arguments.data_dir), as_json=arguments.json)
    return 0


def path(arguments: argparse.Namespace) -> int:
    """Print the folder that the data set would be read from. Raises `DataError` when there is none."""
    located = data.locate(arguments.name, arguments.data_dir)
    if located is None:
        raise data.DataError(
            f"{DATASET_TITLES[arguments.name]} is not here; `lenet-tui data get {arguments.name}` fetches it"
        )
    if arguments.json:
        document = {"dataset": located.name, "source": located.origin, "folder": str(located.folder)}
        say_json(document)
    else:
        say(str(located.folder))
    return 0


def _print_verified(result: data.Verified, *, as_json: bool) -> None:
    if as_json:
        document = {
            "dataset": result.located.name,
            "source": result.source,
            "folder": str(result.located.folder),
            "checksum": result.checksum,
            "files": [
                {"path": str(file.path), "bytes": file.length, "md5": file.md5, "checked": file.checked}
                for file in result.files
            ],
        }
        say_json(document)
        return
    for file in result.files:
        say(f"{file.path.name}  {file.length:,} bytes  md5 {file.md5}  {file.checked}")
    say(f"{DATASET_TITLES[result.located.name]}: verified, from {result.source}")
    say(str(result.located.folder))


def _names() -> str:
    return "one of " + ", ".join(get_args(DatasetName))
