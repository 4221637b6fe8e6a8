"""What run folders and data sets hold, read on request and kept while the files stay as they are."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from lenet_tui import experiment
from lenet_tui.config import DATASET_TITLES
from lenet_tui.data import datasets
from lenet_tui.data.catalog import CLASS_NAMES, DIGITS, title
from lenet_tui.errors import LabError
from lenet_tui.inspection.classifier import Trained
from lenet_tui.run.folder import RunFolder
from lenet_tui.run.predictions import Predictions
from lenet_tui.training.evaluation import Scaling

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from lenet_tui.config import DatasetName
    from lenet_tui.run.folder import RunRecord

_KEPT = 12  # files that are kept: three of each of four runs
_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The images that no run learns from, as in `lenet_tui.data.datasets.Dataset`, and the scaling of pixels."""

    checksum: str
    source: str
    images: dict[str, Tensor]
    labels: dict[str, Tensor]
    scaling: Scaling


class Runs:
    """The runs below ``root``. ``doing`` hears, in words, of what takes a moment."""

    def __init__(self, root: Path, doing: Callable[[str], object] = lambda _: None) -> None:
        self._root = root
        self.doing = doing
        self._files: OrderedDict[Path, tuple[tuple[int, int], Any]] = OrderedDict()
        self._data: dict[tuple[str, int], HeldOut] = {}

    def folder(self, name: str) -> RunFolder:
        """Return the folder of that name. Raises `LabError` when it is gone."""
        path = self._root / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise LabError(f"{name} is not a folder below {self._root}")
        if not path.is_dir():
            raise LabError(f"the folder {path} is not there any more")
        return RunFolder(path)

    def record(self, name: str) -> RunRecord:
        """Return what ``run.json`` says. Raises `LabError`."""
        folder = self.folder(name)
        return self._kept(folder.record_path, folder.read_record)

    def predictions(self, name: str) -> Predictions:
        """Return the predictions of each held-out image. Raises `LabError` when there are none."""
        folder = self.folder(name)
        if not folder.predictions_path.exists():
            state = self.record(name).state
            when = "it is written when the run has ended" if state == "running" else f"the run is {state}"
            raise LabError(f"there is no predictions.npz: {when}")
        return self._kept(folder.predictions_path, lambda: Predictions.read(folder.predictions_path))

    def has_predictions(self, name: str) -> bool:
        """Say whether the network was tried on held-out images."""
        return self.folder(name).predictions_path.exists()

    def trained(self, name: str) -> Trained:
        """Return the network with its best weights so far and the scaling of pixels, on the CPU. Raises `LabError`."""
        folder, record = self.folder(name), self.record(name)
        if not folder.weights_path.exists():
            raise LabError(f"there is no model.safetensors yet in {folder.path}: it comes with the first epoch")
        network = self._kept(folder.weights_path, lambda: experiment.load_network(folder, record.config).eval())
        mean, std = record.dataset.mean, record.dataset.std
        has_scaling = mean is not None and std is not None  # folders of earlier versions don't tell
        return Trained(record, network, Scaling(mean, std) if has_scaling else self.held_out(name).scaling)  # type: ignore[arg-type]

    def held_out(self, name: str) -> HeldOut:
        """Return the held-out images of the data set that the run saw.

        Raises `LabError` when the data set is not here, or is another than the one that the run saw.
        """
        record = self.record(name)
        if record.dataset.name not in DATASET_TITLES:
            raise LabError(f"the run was trained on {record.dataset.name}, a data set that this version does not have")
        key = record.dataset.name, record.config.val_size
        if key not in self._data:
            self.doing(f"reading {title(cast('DatasetName', key[0]))}…")
            self._data[key] = _held_out(cast("DatasetName", key[0]), key[1])
        images = self._data[key]
        if images.checksum != record.dataset.checksum:
            raise LabError(
                f"the run saw {record.dataset.name} with checksum {record.dataset.checksum[:12]}…, and "
                f"{images.source} has {images.checksum[:12]}…; these are other images"
            )
        return images

    def images(self, name: str, split: str) -> Tensor:
        """Return the images (N, 1, 28, 28) of ``split``, uint8. Raises `LabError`, also where predictions don't fit."""
        held_out = self.held_out(name)
        if self.has_predictions(name):
            predictions = self.predictions(name)
            if predictions.split == split and not np.array_equal(predictions.labels, held_out.labels[split].numpy()):
                raise LabError("predictions.npz does not fit the data set; it may be another run's")
        return held_out.images[split]

    def class_names(self, name: str) -> tuple[str, ...]:
        """Return the names of the ten classes."""
        return CLASS_NAMES.get(self.record(name).dataset.name, DIGITS)

    def _kept(self, path: Path, read: Callable[[], _T]) -> _T:
        """Return what ``read`` makes of a file, again when the file has changed."""
        try:
            status = path.stat()
        except OSError:  # who reads it knows best what that means
            return read()
        stamp = status.st_mtime_ns, status.st_size
        cached = self._files.pop(path, None)
        if cached is None or cached[0] != stamp:
            cached = stamp, read()
        self._files[path] = cached
        while len(self._files) > _KEPT:
            self._files.popitem(last=False)
        return cast("_T", cached[1])


def _held_out(name: DatasetName, val_size: int) -> HeldOut:
    data = datasets.load_here(name, val_size=val_size)
    return HeldOut(
        data.checksum,
        data.source,
        {"test": data.test_images, "validation": data.val_images},
        {"test": data.test_labels, "validation": data.val_labels},
        Scaling(data.mean, data.std),
    )
