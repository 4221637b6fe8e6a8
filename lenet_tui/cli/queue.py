"""``lenet-tui queue``: runs that wait and run in the background."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, tables
from lenet_tui.cli.output import say, say_json, tell
from lenet_tui.cli.session import Patience, find, is_untouched, raise_all, start_runner_for_work, store_of
from lenet_tui.errors import LabError, UsageError
from lenet_tui.host.process import is_alive
from lenet_tui.runner.estimate import seconds_until_done
from lenet_tui.sweep import MAX_RUNS, expand

if TYPE_CHECKING:
    from collections.abc import Callable

    from lenet_tui.config import RunConfig
    from lenet_tui.store import Run, Store

RUN_HELP = "a run's number or folder"
_POLL_SECONDS = 0.5
_COUNT = flags.whole_number(1, MAX_RUNS)
_SPREAD = "comma lists make a grid: --batch-size 16,32,64 --lr 0.01,0.001 are six runs"


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``queue`` with its subcommands."""
    parser = commands.add_parser(
        "queue",
        help="queue runs, which train in the background even when this terminal is closed",
        description="Queue runs. A runner in the background trains them, as many side by side as there are cores, also "
        "when this terminal is closed. Without a subcommand: the list.",
        allow_abbrev=False,
    )
    flags.add_root(parser)
    flags.add_json(parser)
    parser.set_defaults(run=list_queue)
    actions = parser.add_subparsers(metavar="ACTION")

    add = _action(actions, "add", add_runs, f"queue runs; {_SPREAD}", root_may_be_missing=True)
    add.add_argument("--seeds", type=_COUNT, default=1, metavar="N", help="queue each N times, with seeds counted up")
    flags.add_hyperparameters(add)
    _action(actions, "list", list_queue, "show the runs that run and wait, and the time left")
    for name, call, text in (
        ("stop", stop, "stop runs; they keep their checkpoint and can be resumed"),
        ("resume", resume, "queue stopped runs again; they continue where they stopped"),
        ("retry", retry, "queue failed runs again; they continue from their checkpoint"),
        ("remove", remove, "take waiting runs out of the queue"),
    ):
        _action(actions, name, call, text).add_argument("runs", nargs="+", metavar="RUN", help=RUN_HELP)
    move_parser = _action(actions, "move", move, "move a waiting run to another place in the queue")
    move_parser.add_argument("run_name", metavar="RUN", help=RUN_HELP)
    move_parser.add_argument("place", type=_COUNT, metavar="N", help="its new place, from 1")
    _action(actions, "pause", pause, "pause the queue: running runs finish, no run starts")
    _action(actions, "start", start, "make a paused queue active again")
    # What version 0.1 called the two.
    _action(actions, "drain", drain, None).add_argument("--off", action="store_true")
    wait_parser = _action(actions, "wait", wait, "wait until runs end, by default all of them")
    wait_parser.add_argument("runs", nargs="*", metavar="RUN", help=RUN_HELP)


def add_runs(arguments: argparse.Namespace) -> int:
    """Queue the grid of the values given."""
    configs = grid(flags.given(arguments), arguments.seeds)
    with store_of(arguments) as store:
        duplicates = {run.identity: run for run in store.waiting_duplicates(configs)}
        runs = store.add(configs)
        if arguments.json:
            say_json([tables.as_json(run) | {"same_as": _id_of(duplicates.get(run.identity))} for run in runs])
            return 0
        named = tables.names(arguments.root, runs, store.queue())
        for run in runs:
            other = duplicates.get(run.identity)
            same = f", the same as run {other.id}, {tables.state(other)}" if other else ""
            say(f"{run.id}  {named[run.id]}  {tables.state(run)}{same}")
        if store.is_paused():
            tell("the queue is paused, so no run starts; 'lenet-tui queue start' makes it active again")
    return 0


def grid(values: dict[str, str], seeds: int) -> list[RunConfig]:
    """Return the configurations of every combination of the comma-separated ``values``.

    Raises `UsageError` naming what is wrong with a value, or when there are too many combinations.
    """
    sweep = expand(values, seeds)
    if sweep.problems:
        raise flags.usage_error(sweep.problems)
    return list(sweep.configs)


def list_queue(arguments: argparse.Namespace) -> int:
    """Show the runs that run and wait."""
    if is_untouched(arguments.root):
        return _nothing(arguments)
    with store_of(arguments) as store:
        queue = store.queue()
        paused = store.is_paused()
        until = seconds_until_done(queue, store.speeds(), store.capacity(), paused=paused)
    if arguments.json:
        say_json({"paused": paused, "draining": paused, "runs": [tables.as_json(run, until[run.id]) for run in queue]})
        return 0
    if not queue:
        return _nothing(arguments)
    tables.show(tables.queue_rows(queue, until, tables.names(arguments.root, queue, queue), is_paused=paused))
    if paused:
        tell("the queue is paused: running runs finish, no run starts; 'lenet-tui queue start' makes it active again")
    return 0


def stop(arguments: argparse.Namespace) -> int:
    """Stop runs."""
    return _each(arguments, lambda store, run_id: store.request_stop(run_id))


def resume(arguments: argparse.Namespace) -> int:
    """Queue stopped runs again."""
    return _each(arguments, lambda store, run_id: store.resume(run_id))


def retry(arguments: argparse.Namespace) -> int:
    """Queue failed runs again."""
    return _each(arguments, lambda store, run_id: store.retry(run_id))


def move(arguments: argparse.Namespace) -> int:
    """Move a waiting run."""
    arguments.runs = [arguments.run_name]
    return _each(arguments, lambda store, run_id: store.move(run_id, arguments.place))


def remove(arguments: argparse.Namespace) -> int:
    """Take waiting runs out of the queue."""

    def call(store: Store, run_id: int) -> Run | str:
        return "removed" if store.remove(run_id) == "removed" else store.get(run_id)

    return _each(arguments, call)


def pause(arguments: argparse.Namespace) -> int:
    """Pause the queue."""
    return _set_paused(arguments, paused=True)


def start(arguments: argparse.Namespace) -> int:
    """Make the queue active again."""
    return _set_paused(arguments, paused=False)


def drain(arguments: argparse.Namespace) -> int:
    """Pause the queue, or make it active again with ``--off``."""
    return _set_paused(arguments, paused=not arguments.off)


def _set_paused(arguments: argparse.Namespace, *, paused: bool) -> int:
    with store_of(arguments) as store:
        store.set_paused(paused)
        queue = store.queue()
    count = tables.counts(queue)
    stopping = f", {count['stopping']} stopping" if count["stopping"] else ""
    if arguments.json:
        say_json({"paused": paused, "draining": paused, **count})
    else:
        state = "paused" if paused else "active"
        say(f"the queue is {state}: {count['running']} running{stopping}, {count['waiting']} waiting")
    return 0


def wait(arguments: argparse.Namespace) -> int:
    """Wait until runs end; return 1 when one of them did not finish. Raises `LabError` when none can start."""
    with store_of(arguments) as store:
        if arguments.runs:
            open_ids = {find(store, arguments.root, name).id for name in arguments.runs}
        else:
            open_ids = {run.id for run in store.queue()}
            if not open_ids:
                tell("the queue is empty")
        ended: list[Run] = []
        patience = Patience(arguments.root)
        while open_ids:
            queue = store.queue()
            for run_id in sorted(open_ids - {run.id for run in queue}):
                open_ids.discard(run_id)
                ended.append(store.get(run_id))
                if not arguments.json:
                    say(f"{run_id}  {tables.name(ended[-1])}  {tables.ending(ended[-1])}", flush=True)
            if not open_ids:
                break
            if store.is_paused() and not any(run.state == "running" for run in queue):
                raise LabError("the queue is paused, so no run starts; 'lenet-tui queue start' makes it active again")
            store.requeue_dead(is_alive)
            start_runner_for_work(arguments.root, store)
            if any(run.waiting and run.id in open_ids for run in queue):
                patience.check()
            time.sleep(_POLL_SECONDS)
    if arguments.json:
        say_json([tables.as_json(run) for run in ended])
    return 0 if all(run.state == "finished" for run in ended) else 1


def _each(arguments: argparse.Namespace, call: Callable[[Store, int], Run | str]) -> int:
    """Call ``call`` for each run named and show its new state; an error with one does not stop the others."""
    done: list[tuple[int, Run | str]] = []
    refused: list[LabError] = []
    with store_of(arguments) as store:
        for name in arguments.runs:
            try:
                run_id = find(store, arguments.root, name).id
                done.append((run_id, call(store, run_id)))
            except UsageError as error:
                refused.append(error)
        named = tables.names(arguments.root, [run for _, run in done if not isinstance(run, str)], store.queue())
    if arguments.json:
        say_json([tables.as_json(r) if not isinstance(r, str) else {"id": run_id, "state": r} for run_id, r in done])
    else:
        for run_id, result in done:
            say(
                f"{run_id}  {result}"
                if isinstance(result, str)
                else f"{run_id}  {named[run_id]}  {tables.state(result)}"
            )
    raise_all(refused)
    return 0


def _nothing(arguments: argparse.Namespace) -> int:
    if arguments.json:
        say_json({"paused": False, "draining": False, "runs": []})
    else:
        say("the queue is empty; 'lenet-tui queue add' queues a run, 'lenet-tui runs' shows those that ended")
    return 0


def _id_of(run: Run | None) -> int | None:
    return run.id if run else None


def _action(
    actions: argparse._SubParsersAction[Any],
    name: str,
    call: Callable[[argparse.Namespace], int],
    text: str | None,
    *,
    root_may_be_missing: bool = False,
) -> argparse.ArgumentParser:
    # Without a text it works and is not listed.
    shown: dict[str, Any] = {} if text is None else {"help": text, "description": text}
    parser: argparse.ArgumentParser = actions.add_parser(name, allow_abbrev=False, **shown)
    # Given before or after the subcommand; not repeating the default, which would undo the one given before.
    flags.add_root(parser, default=argparse.SUPPRESS, may_be_missing=root_may_be_missing)
    flags.add_json(parser, default=argparse.SUPPRESS)
    parser.set_defaults(run=call)
    return parser
