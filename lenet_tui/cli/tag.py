"""``lenet-tui tag``: words that a person gives to runs, to find them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, tables
from lenet_tui.cli.output import say, say_json
from lenet_tui.cli.session import find, store_of
from lenet_tui.errors import UsageError
from lenet_tui.store.tags import to_text

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``tag``."""
    text = "add tags to runs, remove them, or show them"
    parser = commands.add_parser(
        "tag",
        help=text,
        description=f"{text[0].upper()}{text[1:]}. 'lenet-tui tag 3 4 +thesis' adds one to two runs; without a tag it "
        "shows what the runs have. The app shows them and filters by tag:thesis.",
        allow_abbrev=False,
    )
    flags.add_root(parser, may_be_missing=False)
    flags.add_json(parser)
    parser.add_argument(
        "words", nargs="+", metavar="RUN|+TAG", help="number or folder of a run; a tag to add, with + before it"
    )
    parser.add_argument("--remove", action="append", default=[], metavar="TAG", help="a tag to remove; may be repeated")
    parser.set_defaults(run=tag)


def tag(arguments: argparse.Namespace) -> int:
    """Change the tags of runs, all of them or none."""
    added = [word[1:] for word in arguments.words if word.startswith("+")]
    names = [word for word in arguments.words if not word.startswith("+")]
    if not names:
        raise UsageError("no run is named; as in lenet-tui tag 3 +thesis")
    removed = {name.removeprefix("-").removeprefix("+") for name in arguments.remove}
    with store_of(arguments) as store:
        runs = list({run.id: run for run in (find(store, arguments.root, name) for name in names)}.values())
        wanted = {run.id: [name for name in (*run.tags, *added) if name not in removed] for run in runs}
        if added or removed:
            for tags in wanted.values():
                to_text(tags)
            for run in runs:
                store.set_tags(run.id, wanted[run.id])
        runs = [store.get(run.id) for run in runs]
    if arguments.json:
        say_json([{"id": run.id, "tags": list(run.tags)} for run in runs])
    else:
        for run in runs:
            say(f"{run.id}  {tables.name(run)}  {' '.join(run.tags) or 'no tags'}")
    return 0
