"""``lenet-tui runner``: the background process itself. People seldom need it; whatever queues work starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags
from lenet_tui.cli.session import is_untouched, say, say_json, store_of
from lenet_tui.runner import daemon

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``runner``."""
    text = "start, stop or look at the background process that works on the queue"
    parser = commands.add_parser("runner", help=text, description=text, allow_abbrev=False)
    flags.add_root(parser)
    flags.add_json(parser)
    parser.add_argument("action", choices=("start", "stop", "status"), help="stop interrupts what runs; start goes on")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what is then."""
    if arguments.action == "start":
        with store_of(arguments) as store:
            store.set_draining(False)
            daemon.ensure(arguments.root)
            daemon.wait_until_there(arguments.root)
    elif arguments.action == "stop":
        with store_of(arguments) as store:
            # Else the next command would start another one for what waits.
            store.set_draining(True)
            daemon.stop(arguments.root)
    return _status(arguments)


def _status(arguments: argparse.Namespace) -> int:
    running = waiting = 0
    alive, draining = False, False
    if not is_untouched(arguments.root):
        with store_of(arguments) as store:
            queue = store.queue()
            draining = store.draining()
        running = sum(run.state == "running" for run in queue)
        waiting = len(queue) - running
        alive = daemon.is_running(arguments.root)
    pid = daemon.runner_pid(arguments.root) if alive else None
    if arguments.json:
        say_json({"alive": alive, "pid": pid, "running": running, "waiting": waiting, "draining": draining})
        return 0
    where = f"process {pid}" if pid else "starting" if alive else "not there"
    say(f"the runner is {where}; {running} running, {waiting} waiting")
    if draining:
        say("nothing more will start; 'lenet-tui runner start' or 'lenet-tui queue drain --off' lets the queue go on")
    elif not alive and not waiting:
        say("it comes when something is queued, and goes when there has been nothing to do for a minute")
    if alive:
        say(f"its log: {daemon.log_path(arguments.root)}")
    return 0
