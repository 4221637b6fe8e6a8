"""``lenet-tui study``: the whole assignment, trained and written up."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lenet_tui.analysis.study.plan import DEFAULT, Plan, StudyRun, study_runs
from lenet_tui.analysis.study.planner import power_text
from lenet_tui.cli import flags, tables
from lenet_tui.cli.output import say, say_json, tell
from lenet_tui.cli.session import store_of
from lenet_tui.config import TRAINABLE_IMAGES, problems
from lenet_tui.errors import LabError
from lenet_tui.formatting import counted
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import PRIVATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lenet_tui.run.folder import State
    from lenet_tui.store import Run, Store

MAX_SEEDS = 100


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``study``."""
    parser = commands.add_parser(
        "study",
        help="train all runs of the assignment and write its discussion",
        description="Train all runs of the assignment and write its discussion. There is one study, homework: the "
        "default configuration, batch sizes, learning rates, ways to improve and AlexNet. See 'lenet-tui study "
        "homework --help'.",
        allow_abbrev=False,
    )
    studies = parser.add_subparsers(metavar="STUDY", required=True)
    text = "default configuration, batch sizes, learning rates, ways to improve, AlexNet"
    homework = studies.add_parser(
        "homework",
        help=text,
        description=f"The assignment: {text}. It queues the missing runs, no configuration twice, and writes "
        "study/homework/discussion.md and discussion.html from the finished ones. Call it again when more are "
        "finished: the document grows, and lists what is missing.",
        allow_abbrev=False,
    )
    plan = Plan()
    homework.add_argument(
        "--seeds",
        type=flags.whole_number(1, MAX_SEEDS),
        default=plan.seeds,
        metavar="N",
        help=f"seeds of each configuration (default {plan.seeds})",
    )
    homework.add_argument("--epochs", default=argparse.SUPPRESS, metavar="N", help=f"epochs (default {plan.epochs})")
    dataset_names = ", ".join(TRAINABLE_IMAGES)
    homework.add_argument(
        "--dataset",
        default=argparse.SUPPRESS,
        metavar="NAME",
        help=f"images [{dataset_names}] (default {plan.dataset})",
    )
    homework.add_argument("--no-queue", action="store_true", help="queue nothing, only write the documents")
    flags.add_root(parser, may_be_missing=True)
    flags.add_root(homework, default=argparse.SUPPRESS)
    flags.add_json(homework)
    homework.set_defaults(run=homework_study)


def homework_study(arguments: argparse.Namespace) -> int:
    """Queue what is missing of the assignment's study, and write the documents from what is finished."""
    plan = plan_of(arguments)
    if arguments.no_queue:
        flags.check_root_exists(arguments.root)
    queued: list[Run] = []
    with store_of(arguments) as store:
        if not arguments.no_queue:
            with _one_at_a_time(arguments.root):
                missing = [run.config for run in study_runs(plan, identities(store)) if run.run_id is None]
                queued = store.add(missing)
        wanted = study_runs(plan, identities(store))
        runs = {run.id: run for run in store.runs()}
        paused = store.is_paused()
    written = _write(arguments.root, plan, wanted, runs)
    if arguments.json:
        say_json(
            {
                "queued": [run.id for run in queued],
                "finished": sum(run.state == "finished" for run in wanted),
                "documents": [str(path) for path in written],
                "runs": [_run_json(run, runs) for run in wanted],
            }
        )
        return 0
    for line in _summary(wanted, runs, queued):
        say(line)
    for path in written:
        say(f"wrote {path}")
    if paused and any(run.waiting for run in runs.values()):
        tell("the queue is paused, so no run starts; 'lenet-tui queue start' makes it active again")
    return 0


def _write(root: Path, plan: Plan, wanted: Sequence[StudyRun], runs: dict[int, Run]) -> list[Path]:
    # SciPy and matplotlib take a second to import, which only this command should wait for.
    from lenet_tui.analysis.study.plan import Study
    from lenet_tui.reports import discussion

    study = Study(plan, tuple(_with_result(root, run, runs) for run in wanted))
    return discussion.write(study, discussion.folder_in(root))


def _with_result(root: Path, wanted: StudyRun, runs: dict[int, Run]) -> StudyRun:
    from lenet_tui.analysis import run_result

    if wanted.run_id is None:
        return wanted
    run = runs[wanted.run_id]
    result, reason = None, run.reason
    if run.state == "finished" and run.folder is not None:
        try:
            result = run_result.read(run.id, RunFolder(root / run.folder), run.folder, run.state, details=True)
            if result.predictions is None:
                result, reason = None, "predictions.npz is not of the test set"
        except LabError as error:
            reason = str(error)
    return replace(wanted, state=run.state, epochs_done=run.epochs_done, reason=reason, result=result)


def plan_of(arguments: argparse.Namespace) -> Plan:
    """Return the plan that the flags make. Raises `UsageError` naming each wrong one."""
    given = {name: getattr(arguments, name) for name in ("epochs", "dataset") if name in arguments}
    config = flags.config_from(given)
    plan = Plan(arguments.seeds, config.epochs, config.dataset)
    try:
        plan.config(DEFAULT, plan.seeds - 1)
    except ValidationError as error:
        raise flags.usage_error(problems(error)) from None
    return plan


def identities(store: Store) -> list[tuple[int, State, str]]:
    """Return number, state and identity of every run of ``store``."""
    return [(run.id, run.state, run.identity) for run in store.runs()]


@contextlib.contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """Keep another ``study`` from looking for what is missing until this one has queued it."""
    with contextlib.ExitStack() as stack:
        descriptor = os.open(root / PRIVATE_FOLDER, os.O_RDONLY)
        stack.callback(os.close, descriptor)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def _summary(wanted: Sequence[StudyRun], runs: dict[int, Run], queued: Sequence[Run]) -> Iterator[str]:
    states = [run.state or "missing" for run in wanted]
    others = [f"{states.count(state)} {state}" for state in dict.fromkeys(states) if state != "finished"]
    yield f"{states.count('finished')} of {counted(len(wanted), 'run')} finished" + "".join(f", {o}" for o in others)
    if queued:
        numbers = f"run {queued[0].id}" if len(queued) == 1 else f"runs {queued[0].id} to {queued[-1].id}"
        yield f"queued {counted(len(queued), 'run')}: {numbers}"
        yield power_text(1 + max(run.seed for run in wanted))
    for run in wanted:
        if run.run_id and run.state in ("stopped", "failed"):
            way = "resume" if run.state == "stopped" else "retry"
            reason = runs[run.run_id].reason
            name = f"run {run.run_id}, {run.variant.name}, seed {run.seed}, {run.state}"
            yield f"{name}{f' ({reason})' if reason else ''}: lenet-tui queue {way} {run.run_id}"


def _run_json(wanted: StudyRun, runs: dict[int, Run]) -> dict[str, Any]:
    return {
        "configuration": wanted.variant.name,
        "arm": wanted.variant.name,  # its name until 0.1.0
        "question": wanted.variant.question,
        "seed": wanted.seed,
        "run": tables.as_json(runs[wanted.run_id]) if wanted.run_id else None,
    }
