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
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lenet_tui import metrics
from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lenet_tui.metrics import EpochMetrics

State = Literal["queued", "running", "finished", "failed", "stopped", "interrupted"]

ROOT_VARIABLE = "LENET_TUI_ROOT"
PICTURES = ("confusion.png", "loss.png", "t-SNE.png")


class DatasetRecord(BaseModel):
    """Which images a run saw: the data set, where it came from, its checksum, and the size of each part.

    ``fallback_for`` names the data set that was wanted where this one only stands in for it. ``mean`` and ``std`` are
    those of the training part's pixels scaled to 0..1, which whoever uses the weights has to know; None in folders of
    versions that did not keep them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: str
    source: str
    checksum: str
    train: int
    validation: int
    test: int
    fallback_for: str | None = None
    mean: float | None = None
    std: float | None = None


class Summary(BaseModel):
    """What a run reached. ``best_*`` are those of the epoch of lowest validation loss.

    The weights kept are those of ``kept_epoch``, of highest validation accuracy (see `metrics.kept`); ``test_*`` are
    None until they were tested, once, at the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    epochs_done: int
    best_epoch: int
    kept_epoch: int
    best_val_loss: float
    best_val_accuracy: float
    best_val_cross_entropy: float
    train_seconds: float
    images_per_second: float
    test_loss: float | None = None
    test_accuracy: float | None = None
    stopped_early: bool = False


class RunRecord(BaseModel):
    """The content of ``run.json``: what was asked for, on what machine, in which state it is, what came out."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    format: Literal[1] = 1
    state: State
    config: RunConfig
    threads: int
    device: str
    environment: dict[str, str]
    created_at: datetime
    started_at: datetime
    finished_at: datetime | None = None
    reason: str | None = None
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
    def weights_path(self) -> Path:
        """``model.safetensors``, the weights of the best-validation epoch."""
        return self.path / "model.safetensors"

    @property
    def predictions_path(self) -> Path:
        """``predictions.npz``: labels, logits and penultimate features."""
        return self.path / "predictions.npz"

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
        """Read ``run.json``. Raises `LabError` when it is missing, damaged or of a later format."""
        try:
            text = self.record_path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise LabError(f"{self.path} is not a run folder: it has no run.json") from None
        except (OSError, UnicodeDecodeError) as error:
            raise LabError(f"cannot read {self.record_path}: {error}") from None
        try:
            return RunRecord.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise LabError(f"{self.record_path} is damaged: {where}: {first['msg']}") from None

    def write_record(self, record: RunRecord) -> None:
        """Replace ``run.json``."""
        write_text(self.record_path, record.model_dump_json(indent=2) + "\n")

    def read_metrics(self) -> list[EpochMetrics]:
        """Read ``metrics.csv``; an empty list while no epoch is done. Raises `LabError` when it is damaged."""
        try:
            return metrics.from_csv(self.metrics_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except LabError as error:
            raise LabError(f"{self.path}: {error}") from None

    def write_metrics(self, history: Sequence[EpochMetrics]) -> None:
        """Replace ``metrics.csv``."""
        write_text(self.metrics_path, metrics.to_csv(history))

    def log(self, line: str) -> None:
        """Append a dated line to ``log.txt``. A log that cannot be written never stops the work."""
        with contextlib.suppress(OSError), self.log_path.open("a", encoding="utf-8") as file:
            file.write(f"{now():%Y-%m-%d %H:%M:%S}Z {line}\n")

    @contextlib.contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold the run for this process; the system lets go of it when the process ends, however it ends.

        Raises `LabError` when another process holds it. On a file system without locks nothing is held.
        """
        with _explained(f"cannot write in {self.path}"):
            file = self.log_path.open("a", encoding="utf-8")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LabError(f"another process is working on {self.path}; stop it first, or wait for it") from None
            except OSError as error:
                if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                    raise
            yield


def create(root: Path, config: RunConfig) -> RunFolder:
    """Make a new folder for a run of ``config`` below ``root``; ``.2``, ``.3`` … when its name is taken.

    Raises `UsageError` when ``root`` cannot hold it.
    """
    check_root(root)
    parent = root / config.model
    name, attempt = config.folder_name(), 1
    try:
        parent.mkdir(exist_ok=True)
        while True:
            path = parent / numbered(name, attempt)
            try:
                path.mkdir()  # creating is claiming: two processes can't get the same name
                return RunFolder(path)
            except FileExistsError:
                attempt += 1
    except OSError as error:
        raise UsageError(f"cannot make a run folder in {parent}: {error.strerror}") from None


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
        raise UsageError(f"--root {root} cannot be made: {error.strerror}") from None
    if not os.access(root, os.W_OK | os.X_OK) or not _can_create(root):
        raise UsageError(f"--root {root} is not writable; give a folder that is (--root or {ROOT_VARIABLE})")


def _can_create(folder: Path) -> bool:
    # access(2) says yes to root even on a read-only mount, so ask the file system itself.
    probe = folder / f".probe-{secrets.token_hex(4)}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return error.errno == errno.ENOSPC  # full is not read-only; what is written next says so
    return True


def write_bytes(path: Path, content: bytes) -> None:
    """Replace the file ``path`` by ``content``, wholly or not at all.

    Raises `LabError` when the disk is full or the folder cannot be written; the old file is then still there.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with _explained(f"cannot write {path}"):
            with scratch.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(path)
            _sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace the file ``path`` by ``text``, wholly or not at all."""
    write_bytes(path, text.encode())


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LabError(f"{what}: the disk is full; free some space and resume the run") from None
        raise LabError(f"{what}: {error.strerror or error}") from None


def _sync_folder(folder: Path) -> None:
    # The rename itself must reach the disk too; some network file systems refuse, and then nothing can be done.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
