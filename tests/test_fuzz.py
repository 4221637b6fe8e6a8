"""Whatever a file of ours holds, reading it gives what it says or a `LabError` of one line; nothing else comes out."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.run import metrics
from lenet_tui.run.embedding import Embedding
from lenet_tui.run.folder import RunFolder
from lenet_tui.run.predictions import Predictions
from lenet_tui.store import Store
from lenet_tui.training import checkpoint, loop
from lenet_tui.training.optimizer import make_optimizer
from lenet_tui.tui import settings as app_settings
from tests.store.conftest import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

many = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@contextlib.contextmanager
def only_lab_errors() -> Any:
    complaint = ""
    try:
        yield
    except LabError as error:
        complaint = str(error)
    assert not {"\n", "\x1b"} & set(complaint)
    assert len(complaint) < 1000


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Some bytes of ``content`` replaced, cut out or put in; or other bytes altogether."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    result = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(result) - 1, 0)))
        length = draw(st.sampled_from([1, 2, 8, 100, 5000]))
        result[at : at + length] = draw(st.binary(max_size=8) | st.just(result[at : at + length] * 2))
    return bytes(result)


@pytest.fixture(scope="module")
def files(trained_root: Path) -> dict[str, bytes]:
    """The files of a finished run, and the checkpoint of a stopped one."""
    finished, stopped = sorted((trained_root / "lenet").iterdir(), key=lambda path: "seed" in path.name)
    return {path.name: path.read_bytes() for folder in (finished, stopped) for path in folder.iterdir()}


def read_checkpoint(path: Path) -> object:
    config = RunConfig(dataset="digits", epochs=2, seed=1, threads=1, tsne_samples=120)
    network = loop.models.build(config)
    optimizer = make_optimizer(config, network, torch.device("cpu"))
    saved = checkpoint.read(path, torch.device("cpu"))
    checkpoint.restore(saved, path, network, optimizer, None, steps=19, scheduled=False)
    return saved


READERS: dict[str, Callable[[Path], object]] = {
    "run.json": lambda path: RunFolder(path.parent).read_record(),
    "metrics.csv": lambda path: RunFolder(path.parent).read_metrics(),
    "steps.csv": lambda path: RunFolder(path.parent).read_steps(),
    "calibration.csv": lambda path: RunFolder(path.parent).read_calibration(),
    "predictions.npz": Predictions.read,
    "t-SNE.csv": Embedding.read,
    "model.safetensors": lambda path: loop.read_weights(RunFolder(path.parent)),
    "checkpoint.pt": read_checkpoint,
}


@pytest.mark.parametrize("name", READERS)
@many
@given(data=st.data())
def test_damaged_bytes(name: str, files: dict[str, bytes], tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / name
    path.write_bytes(data.draw(damaged(files[name])))
    with only_lab_errors():
        READERS[name](path)


@many
@given(data=st.data())
def test_records_of_any_values(files: dict[str, bytes], tmp_path: Path, data: st.DataObject) -> None:
    record = json.loads(files["run.json"])
    place = data.draw(st.sampled_from([record, record["config"], record["dataset"], record["summary"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(values)
    (tmp_path / "run.json").write_text(json.dumps(record))
    with only_lab_errors():
        read = RunFolder(tmp_path).read_record()
        assert not {"\x1b", "\n"} & set(read.device + str(read.reason) + "".join(read.environment.values()))
        RunFolder(tmp_path).write_record(read)
        assert RunFolder(tmp_path).read_record() == read


@many
@given(rows=st.lists(st.lists(st.text(max_size=12), min_size=10, max_size=10), max_size=5))
def test_metrics_of_any_cells(rows: list[list[str]]) -> None:
    text = ",".join(metrics.COLUMNS) + "\n" + "\n".join(",".join(row) for row in rows)
    with only_lab_errors():
        metrics.from_csv(text)


@many
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_settings_of_any_content(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".lenet-tui").mkdir(mode=0o700, exist_ok=True)
    (tmp_path / ".lenet-tui" / "settings.toml").write_bytes(content)
    result, complaints = app_settings.load(tmp_path, frozenset({"quit"}))
    assert isinstance(result, app_settings.Settings)
    assert all("\n" not in line and "\x1b" not in line for line in complaints)


@settings(parent=many, max_examples=30)
@given(data=st.data())
def test_stores_of_damaged_bytes(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    root = tmp_path_factory.mktemp("root")
    with Store(root) as store:
        store.import_folder(make_folder(root, RunConfig(seed=1)))
        store.add([RunConfig(seed=2)])
    path = root / ".lenet-tui" / "store.db"
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    with only_lab_errors(), Store(root) as store:
        runs = store.runs()
        assert 1 in [run.config.seed for run in runs]
        for run in runs:
            store.epochs(run.id)


COLUMNS = [
    "config",
    "state",
    "position",
    "folder",
    "threads",
    "device",
    "attempts",
    "note",
    "created_at",
    "epochs_done",
]


@settings(parent=many, max_examples=40)
@given(
    column=st.sampled_from(COLUMNS), value=st.none() | st.integers(-9, 2**63 - 1) | st.floats() | st.text(max_size=9)
)
def test_stores_with_any_value_in_a_row(tmp_path_factory: pytest.TempPathFactory, column: str, value: object) -> None:
    root = tmp_path_factory.mktemp("root")
    with Store(root) as store:
        store.import_folder(make_folder(root, RunConfig(seed=1)))
        store.add([RunConfig(seed=2)])
        database = store._database._connection
        database.execute("PRAGMA ignore_check_constraints = ON")
        with contextlib.suppress(sqlite3.IntegrityError, UnicodeEncodeError):
            database.execute(f"UPDATE runs SET {column} = ? WHERE id = 2", (value,))
    with only_lab_errors(), Store(root) as store:
        assert 1 in [run.config.seed for run in store.runs() if run.id == 1]
        store.queue()
