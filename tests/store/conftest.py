"""What the tests of the store need: a store, run folders as real runs leave them, processes that use the store."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.host.process import Owner
from lenet_tui.run import folder as runfolder
from lenet_tui.run import metrics
from lenet_tui.run.folder import DatasetRecord, RunFolder, RunRecord, Summary
from lenet_tui.run.metrics import EpochMetrics
from lenet_tui.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lenet_tui.run.folder import State
    from lenet_tui.store import Run

ME = Owner(1001, "here", "boot 1")
OTHER = Owner(1002, "here", "boot 2")
BEGINNING = runfolder.now()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def claim_first(store: Store, owner: Owner) -> Run | None:
    """Claim the first run that waits; None where none does, the queue is paused or another process was quicker."""
    first = next((run for run in store.queue() if run.waiting), None)
    return store.get(first.id) if first and store.claim(first.id, owner, 1) else None


def epoch(number: int, val_loss: float | None = None, val_accuracy: float = 0.9) -> EpochMetrics:
    loss = 1 / number if val_loss is None else val_loss
    return EpochMetrics(number, loss, loss, val_accuracy, val_accuracy, 0.001, 2.5, loss, val_accuracy, loss)


def summary(history: list[EpochMetrics], *, tested: bool = True) -> Summary:
    best, selected = metrics.best(history), metrics.selected(history)
    assert best is not None
    assert selected is not None
    return Summary(
        epochs_done=len(history),
        best_epoch=best.epoch,
        selected_epoch=selected.epoch,
        best_val_loss=best.val_loss,
        best_val_accuracy=best.val_accuracy,
        best_val_cross_entropy=best.val_cross_entropy,
        train_seconds=sum(row.seconds for row in history),
        images_per_second=1234.5,
        test_loss=0.25 if tested else None,
        test_accuracy=0.975 if tested else None,
    )


def make_folder(
    root: Path,
    config: RunConfig,
    state: State = "finished",
    epochs: int = 3,
    *,
    age: int = 0,
    reason: str | None = None,
) -> RunFolder:
    """A run folder as a run in ``state`` leaves it; ``age`` is seconds before now."""
    folder = runfolder.create(root, config)
    history = [epoch(number) for number in range(1, epochs + 1)]
    moment = BEGINNING - timedelta(seconds=age)
    folder.write_metrics(history)
    folder.write_record(
        RunRecord(
            state=state,
            config=config,
            threads=2,
            device="cpu",
            environment={},
            created_at=moment,
            started_at=moment,
            finished_at=moment if state in ("finished", "failed", "stopped") else None,
            reason=reason,
            dataset=DatasetRecord(name="digits", source="x", checksum="c", train=1000, validation=200, test=300),
            summary=summary(history) if state == "finished" else None,
        )
    )
    folder.log("made by a test")
    return folder


@dataclass
class Actors:
    """Other processes that use the store: the functions of ``actors.py``."""

    started: list[subprocess.Popen[str]]

    def start(self, act: str, *words: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.actors", act, *map(str, words)],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def start_together(self, count: int, act: str, *words: object) -> list[subprocess.Popen[str]]:
        """Start processes, each with its number for a last word, and let them begin when all of them are ready."""
        together = [self.start(act, *words, number) for number in range(count)]
        for process in together:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in together:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        return together


@pytest.fixture
def actors() -> Iterator[Actors]:
    cast = Actors([])
    yield cast
    for process in cast.started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def folders(tmp_path: Path) -> Callable[..., RunFolder]:
    def make(config: RunConfig | None = None, state: State = "finished", **details: object) -> RunFolder:
        return make_folder(tmp_path, config or RunConfig(), state, **details)  # type: ignore[arg-type]

    return make
