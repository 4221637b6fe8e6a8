"""What many tests need: a small real data set, real runs of it, and the command as a person starts it."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

import pytest

# A developer's own settings and choices are not those of the tests.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="lenet-tui-tests")
# Threads that wait by spinning take the cores from the tests beside them.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from tests import warm

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lenet_tui.data.datasets import Dataset
    from lenet_tui.run.metrics import EpochMetrics, Progress


@pytest.fixture(scope="session")
def digits() -> Dataset:
    from lenet_tui.data import datasets

    return datasets.load("digits", val_size=200)


@pytest.fixture(scope="session", autouse=True)
def no_warm_process_is_left() -> Iterator[None]:
    yield
    warm.close()
    shutil.rmtree(os.environ["XDG_CONFIG_HOME"], ignore_errors=True)


class Watcher:
    """A reporter that keeps what it hears, and stops the run after an epoch when told to."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.rows: list[EpochMetrics] = []
        self.reported: list[Progress] = []
        self.stop_after = stop_after

    def on_run_start(self, folder: object, record: object) -> None: ...

    def on_training_end(self, state: str) -> None: ...

    def on_reports_written(self, written: object) -> None: ...

    def on_progress(self, progress: Progress) -> None:
        self.reported.append(progress)

    def on_epoch_end(self, row: EpochMetrics, best: EpochMetrics) -> None:
        self.rows.append(row)

    def should_stop(self) -> bool:
        return self.stop_after is not None and len(self.rows) >= self.stop_after


@pytest.fixture(scope="session")
def trained_root(tmp_path_factory: pytest.TempPathFactory, digits: Dataset) -> Path:
    """A root with short real runs of digits on record: 1 LeNet, 2 AlexNet, both finished, and 3 a stopped LeNet.

    Nobody may change it: copy what you want otherwise.
    """
    from lenet_tui import experiment
    from lenet_tui.config import RunConfig
    from lenet_tui.store import Store

    root = tmp_path_factory.mktemp("trained")
    short = {"dataset": "digits", "threads": 1, "tsne_samples": 120}
    with Store(root) as store:
        for config, stop_after in (
            (RunConfig(**short, epochs=2), None),
            (RunConfig(**short, epochs=1, model="alexnet"), None),
            (RunConfig(**short, epochs=2, seed=1), 1),
        ):
            folder, record = experiment.begin(root, config, digits)
            experiment.run(folder, record, digits, Watcher(stop_after))
            store.import_folder(folder)
    return root


def environment(**extra: str) -> dict[str, str]:
    """The environment of a command under test: one thread, no colours of the developer's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LENET_TUI_", "NO_COLOR", "FORCE_COLOR"))}
    cache = os.environ.get("LENET_TUI_CACHE")
    return kept | ({"LENET_TUI_CACHE": cache} if cache else {}) | {"COLUMNS": "100"} | extra


@pytest.fixture
def lab(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``lenet-tui`` with these words in an empty folder, and return what it printed and its exit code."""

    def call(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
        env = environment(**options.pop("env", {}))  # type: ignore[arg-type]
        return warm.run([*map(str, words)], options.pop("cwd", tmp_path), env, **options)  # type: ignore[arg-type]

    return call
