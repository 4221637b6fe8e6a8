"""The run folder: names of its files, ``run.json``, ``metrics.csv``, and writing that cannot be half done.

A run folder is complete in itself: it can be copied, zipped and handed in, and every report can be written
again from it alone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from lenet_tui.config import MAX_THREADS, RunConfig
from lenet_tui.errors import LabError, UsageError
from lenet_tui.formatting import printable
from lenet_tui.host import safe_files
from lenet_tui.host.safe_files import MB
from lenet_tui.run import calibration, metrics, steps
from lenet_tui.run.metrics import MAX_EPOCHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lenet_tui.run.calibration import EpochCalibration
    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.run.steps import Point

_Parsed = TypeVar("_Parsed")
State = Literal["queued", "running", "finished", "failed", "stopped", "interrupted"]

ROOT_VARIABLE = "LENET_TUI_ROOT"
REPORT = "report.html"
PICTURES = ("confusion.png", "loss.png", "t-SNE.png")

# What is larger was not written by us, and is not read.
MOST_RECORD = 1 * MB
MOST_METRICS = 1 * MB
MOST_STEPS = 1 * MB
MOST_WEIGHTS = 100 * MB
_MOST_TEXT = 1000  # characters of a reason, a device's name …


def _plain(text: str) -> str:
    return printable(text[:_MOST_TEXT])


def _as_utc(moment: datetime) -> datetime:
    # Local times of every zone have to exist too.
    if 1970 <= moment.year <= 9998:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if 1970 <= moment.year <= 9998:
            return moment
    raise ValueError("this is no time of a run")


Text = Annotated[str, AfterValidator(_plain)]
Moment = Annotated[datetime, AfterValidator(_as_utc)]
Count = Annotated[int, Field(ge=0, le=10_000_000)]
Epoch = Annotated[int, Field(ge=1, le=MAX_EPOCHS)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class DatasetRecord(BaseModel):
    """Which images a run saw: the data set, where it came from, its checksum, and the size of each part.

    ``fallback_for`` names the data set that was wanted where this one only stands in for it. ``mean`` and ``std`` are
    those of the training part's pixels scaled to 0..1, which the weights are useless without; None in folders of
    versions that did not keep them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: Text
    source: Text
    checksum: Text
    train: Count
    validation: Count
    test: Count
    fallback_for: Text | None = None
    mean: Finite | None = None
    std: Annotated[Finite, Field(gt=0)] | None = None


class Summary(BaseModel):
    """What a run reached. ``best_*`` are those of the epoch of lowest validation loss.

    The weights are those of ``selected_epoch``, of highest validation accuracy (see `metrics.selected`); ``test_*`` are
    None until they were tested, once, at the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    epochs_done: Epoch
    best_epoch: Epoch
    selected_epoch: Annotated[Epoch, Field(validation_alias=AliasChoices("selected_epoch", "kept_epoch"))]  # in 0.1
    best_val_loss: Finite
    best_val_accuracy: Annotated[float, Field(ge=0, le=1)]
    best_val_cross_entropy: float
    train_seconds: Annotated[Finite, Field(ge=0)]
    images_per_second: Annotated[Finite, Field(ge=0)]
    test_loss: float | None = None
    test_accuracy: Annotated[float, Field(ge=0, le=1)] | None = None
    stopped_early: bool = False


class RunRecord(BaseModel):
    """The content of ``run.json``: what was asked for, on what machine, in which state it is, what came out.

    ``instructions`` is the instruction set of the native engine, and None with torch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    format: Literal[1] = 1
    state: State
    config: RunConfig
    threads: Annotated[int, Field(ge=1, le=MAX_THREADS)]
    device: Text
    engine: Literal["native", "torch"] = "torch"
    instructions: Text | None = None
    environment: Annotated[dict[Text, Text], Field(max_length=100)]
    created_at: Moment
    started_at: Moment
    finished_at: Moment | None = None
    reason: Text | None = None
    dataset: DatasetRecord
    summary: Summary | None = None


def now() -> datetime:
    """Return the current time, UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class RunFolder:
    """A run's folder and the files in it. Making one of these touches nothing on disk."""

    path: Path

    @property
    def record_path(self) -> Path:
        """``run.json``, the record of the run."""
        return self.path / "run.json"

    @property
    def metrics_path(self) -> Path:
        """``metrics.csv``, a line an epoch."""
        return self.path / "metrics.csv"

    @property
    def steps_path(self) -> Path:
        """``steps.csv``, the train loss within the epochs."""
        return self.path / "steps.csv"

    @property
    def calibration_path(self) -> Path:
        """``calibration.csv``, how certain the network is of the validation images, a line an epoch."""
        return self.path / "calibration.csv"

    @property
    def weights_path(self) -> Path:
        """``model.safetensors``, the weights of the best-validation epoch."""
        return self.path / "model.safetensors"

    @property
    def predictions_path(self) -> Path:
        """``predictions.npz``: labels, logits and penultimate features."""
        return self.path / "predictions.npz"

    @property
    def embedding_path(self) -> Path:
        """``t-SNE.csv``: the points of the t-SNE map."""
        return self.path / "t-SNE.csv"

    @property
    def checkpoint_path(self) -> Path:
        """``checkpoint.pt``, there while the run can be resumed."""
        return self.path / "checkpoint.pt"

    @property
    def log_path(self) -> Path:
        """``log.txt``, dated lines; also the file whose lock says that a process works on the run."""
        return self.path / "log.txt"

    @property
    def pictures(self) -> list[Path]:
        """The three pictures, in the order of their names."""
        return [self.path / name for name in PICTURES]

    def read_record(self) -> RunRecord:
        """Read ``run.json``. Raises `LabError` when it is missing, damaged, of a later format or not ours."""
        try:
            text = safe_files.read_own(self.record_path, MOST_RECORD)
        except FileNotFoundError:
            raise LabError(f"{self.path} is not a run folder: it has no run.json") from None
        return self.parse_record(text)

    def parse_record(self, text: bytes) -> RunRecord:
        """Return the record in the content of a ``run.json``. Raises `LabError` when it is damaged."""
        try:
            return RunRecord.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])[:100] or "the document"
            raise LabError(f"{self.record_path} is damaged: {printable(where)}: {first['msg'][:200]}") from None

    def write_record(self, record: RunRecord) -> None:
        """Replace ``run.json``."""
        safe_files.write_own(self.record_path, (record.model_dump_json(indent=2) + "\n").encode())

    def read_metrics(self) -> list[EpochMetrics]:
        """Read ``metrics.csv``; an empty list while no epoch is done. Raises `LabError` when it is damaged."""
        try:
            content = safe_files.read_own(self.metrics_path, MOST_METRICS)
        except FileNotFoundError:
            return []
        return self.parse_metrics(content)

    def parse_metrics(self, content: bytes) -> list[EpochMetrics]:
        """Return the epochs in the content of a ``metrics.csv``. Raises `LabError` when it is damaged."""
        return _parsed(self.metrics_path, content, metrics.from_csv)

    def write_metrics(self, history: Sequence[EpochMetrics]) -> None:
        """Replace ``metrics.csv``."""
        safe_files.write_own(self.metrics_path, metrics.to_csv(history).encode())

    def read_steps(self) -> list[Point]:
        """Read ``steps.csv``; an empty list where there is none. Raises `LabError` when it is damaged."""
        try:
            content = safe_files.read_own(self.steps_path, MOST_STEPS)
        except FileNotFoundError:
            return []
        return _parsed(self.steps_path, content, steps.from_csv)

    def read_calibration(self) -> list[EpochCalibration]:
        """Read ``calibration.csv``; an empty list where there is none. Raises `LabError` when it is damaged."""
        try:
            content = safe_files.read_own(self.calibration_path, MOST_METRICS)
        except FileNotFoundError:
            return []
        return _parsed(self.calibration_path, content, calibration.from_csv)

    def log(self, text: str) -> None:
        """Append a dated line to ``log.txt``, and what follows in ``text`` below it, marked.

        A log that cannot be written never stops the work.
        """
        first, *others = text.splitlines() or [""]
        lines = [f"{now():%Y-%m-%d %H:%M:%S}Z {printable(first)}", *(f"  | {printable(line)}" for line in others)]
        with contextlib.suppress(OSError, LabError), safe_files.open_own(self.log_path, "ab") as file:
            file.write(("\n".join(lines) + "\n").encode())

    @contextlib.contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold the run for this process; the system lets go of it when the process ends, however it ends.

        Raises `LabError` when another process holds it. On a file system without locks nothing is held.
        """
        try:
            file = safe_files.open_own(self.log_path, "ab")
        except FileNotFoundError:
            raise LabError(f"{self.path} is not there any more") from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LabError(f"another process is working on {self.path}; stop it first, or wait for it") from None
            except OSError as error:
                if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                    raise LabError(f"cannot lock {self.log_path}: {safe_files.explain(error)}") from None
            yield

    def is_held(self) -> bool | None:
        """Say whether a process holds the run; None where the file system cannot tell."""
        try:
            file = safe_files.open_own(self.log_path)
        except (OSError, LabError):  # no worker can hold it
            return False
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError:
                return None
        return False


def create(root: Path, config: RunConfig) -> RunFolder:
    """Make a new folder for a run of ``config`` below ``root``; ``.2``, ``.3`` … when its name is taken.

    Raises `UsageError` when ``root`` cannot hold it.
    """
    check_root(root)
    parent = root / config.model
    name, attempt = config.folder_name(), 1
    if parent.is_symlink() and not parent.exists():
        raise UsageError(f"{parent} is a link to {parent.readlink()}, which is not there; make that folder")
    try:
        parent.mkdir(exist_ok=True)
        safe_files.check_folder(parent)
        while True:
            path = parent / numbered(name, attempt)
            try:
                path.mkdir()  # creating is claiming: two processes can't get the same name
                return RunFolder(path)
            except FileExistsError:
                attempt += 1
    except OSError as error:
        raise UsageError(f"cannot make a run folder in {parent}: {safe_files.explain(error)}") from None


def numbered(name: str, attempt: int) -> str:
    """Return a run folder's name at the nth attempt to find one that is free: ``name``, ``name.2``, ``name.3``."""
    return name if attempt == 1 else f"{name}.{attempt}"


def check_root(root: Path) -> None:
    """Make ``root`` where it is missing. Raises `UsageError` when it is not a folder that can be written."""
    try:
        root.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UsageError(f"--root {root} is a file; give a folder") from None
    except OSError as error:
        raise UsageError(f"--root {root} cannot be made: {safe_files.explain(error)}") from None
    if not os.access(root, os.W_OK | os.X_OK) or not _can_create(root):
        raise UsageError(f"--root {root} is not writable; give a folder that is (--root or {ROOT_VARIABLE})")


def _can_create(folder: Path) -> bool:
    # access(2) says yes to root even on a read-only mount, so ask the file system itself.
    probe = folder / f".probe-{secrets.token_hex(4)}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return error.errno == errno.ENOSPC  # full is not read-only; the next write reports it
    return True


def _parsed(path: Path, content: bytes, parse: Callable[[str], _Parsed]) -> _Parsed:
    try:
        return parse(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise LabError(f"{path} is damaged: it is no text") from None
    except LabError as error:
        raise LabError(f"{path} is damaged: {error}") from None
