"""``lenet-tui runner``: the background process. Seldom needed: every command that queues runs starts it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, tables
from lenet_tui.cli.output import say, say_json, tell
from lenet_tui.cli.session import is_untouched, store_of
from lenet_tui.formatting import counted
from lenet_tui.host.process import host_name, this_host
from lenet_tui.runner import daemon

if TYPE_CHECKING:
    import argparse

    from lenet_tui.host.process import Owner


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``runner``."""
    parser = commands.add_parser(
        "runner",
        help="show, start or stop the background process that trains the queued runs",
        description="Show, start or stop the background process that trains the queued runs. It starts by itself when "
        "a run is queued. 'stop' interrupts the running runs and pauses the queue until 'start': interrupted runs then "
        "continue after their last epoch.",
        allow_abbrev=False,
    )
    flags.add_root(parser)
    flags.add_json(parser)
    parser.add_argument(
        "action", nargs="?", default="status", choices=("status", "start", "stop"), help="(default: status)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it, and show the state after it."""
    if arguments.action == "stop":
        return _stop(arguments)
    if arguments.action == "start":
        with store_of(arguments) as store:
            store.set_paused(paused=False)
            daemon.ensure(arguments.root, at_once=True)
            daemon.wait_until_there(arguments.root)
    return _status(arguments)


def _stop(arguments: argparse.Namespace) -> int:
    if is_untouched(arguments.root):
        return _nothing_to_stop(arguments)
    with store_of(arguments) as store:
        alive = daemon.is_running(arguments.root)
        if not alive and not any(run.waiting for run in store.queue()):
            return _nothing_to_stop(arguments)
        # Else the next command would start another one for what waits.
        store.set_paused(paused=True)
        before = {run.id for run in store.queue() if not run.waiting}
        if alive:
            daemon.stop(arguments.root, tell=tell)
        queue = store.queue()
    interrupted = sum(run.waiting and run.id in before for run in queue)
    others = sum(run.waiting for run in queue) - interrupted
    if arguments.json:
        say_json(
            {"stopped": alive, "interrupted": interrupted, "waiting": others + interrupted, **_paused(paused=True)}
        )
        return 0
    text = "stopped" if alive else "the runner was not running"
    if interrupted:
        them = "it continues" if interrupted == 1 else "they continue"
        text += f"; {counted(interrupted, 'run')} interrupted, {them} after 'lenet-tui runner start'"
    say(text)
    if others:
        say(f"{counted(others, 'run')} waiting; no run starts until 'lenet-tui runner start'")
    elif not interrupted:
        say("the queue is paused: no run starts until 'lenet-tui runner start'")
    return 0


def _nothing_to_stop(arguments: argparse.Namespace) -> int:
    if arguments.json:
        say_json({"stopped": False, "interrupted": 0, "waiting": 0, **_paused(paused=False)})
    else:
        say("the runner is not running and no run waits: nothing changed")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    count = tables.counts([])
    alive, paused, capacity = False, False, None
    if not is_untouched(arguments.root):
        with store_of(arguments) as store:
            count = tables.counts(store.queue())
            paused, capacity = store.is_paused(), store.capacity()
        alive = daemon.is_running(arguments.root)
    owner = daemon.runner_owner(arguments.root) if alive else None
    failure = daemon.last_failure(arguments.root)
    if arguments.json:
        who = {"pid": owner.pid if owner else None, "host": host_name(owner) if owner else None}
        free = {"capacity": asdict(capacity) if alive and capacity else None}
        say_json({"alive": alive, **who, **count, **_paused(paused=paused), **free, "failure": failure})
        return 0
    where = _where(owner) if alive else "stopped"
    stopping = f"{count['stopping']} stopping, " if count["stopping"] else ""
    say(f"the runner is {where}; {count['running']} running, {stopping}{count['waiting']} waiting")
    if alive and capacity:
        gpus = f" and {capacity.free_gpus} of {counted(capacity.gpus, 'GPU')}" if capacity.gpus else ""
        say(f"{capacity.free_cores} of {counted(capacity.cores, 'core')}{gpus} free")
    if paused:
        say("the queue is paused, so no run starts; 'lenet-tui queue start' makes it active again")
    elif not alive and not count["waiting"] and failure is None:
        say("it starts when a run is queued, and stops after a minute without work")
    if failure is not None and (paused or not count["waiting"]):  # else `store_of` has reported it
        tell(f"the runner could not start: {failure}")
    if alive or failure is not None:
        say(f"its log: {daemon.log_path(arguments.root)}")
    return 0


def _paused(*, paused: bool) -> dict[str, bool]:
    return {"paused": paused, "draining": paused}  # the second is its name in 0.1


def _where(owner: Owner | None) -> str:
    if owner is None:
        return "running in an unnamed process"
    here = owner.host == this_host()
    return f"process {owner.pid}" if here else f"process {owner.pid} on {host_name(owner)}"
