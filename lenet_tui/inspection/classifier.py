"""The network of a run, ready to classify images. Imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lenet_tui.errors import LabError
from lenet_tui.experiment import load_network
from lenet_tui.training.evaluation import Scaling, outputs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lenet_tui.run.folder import RunFolder, RunRecord
    from lenet_tui.training.models import Network


@dataclass(frozen=True, eq=False)
class Trained:
    """The network of a run with the weights of its best epoch, on the CPU, and its scaling of pixels."""

    record: RunRecord
    network: Network
    scaling: Scaling

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the probability of each class, (N, 10), for images (N, 28, 28) uint8 as they are in the data set."""
        logits, _ = outputs(self.network, torch.from_numpy(images).unsqueeze(1), self.scaling)
        result: NDArray[np.float64] = logits.double().softmax(dim=1).numpy()
        return result


def load(folder: RunFolder) -> Trained:
    """Return the network of the run in ``folder``.

    Raises `LabError` when the folder is no run folder, has no weights yet or damaged ones, or when its scaling is not
    on record, as in folders of earlier versions, and its data set cannot be had.
    """
    record = folder.read_record()
    if not folder.weights_path.exists():
        raise LabError(f"{folder.path} has no weights ({record.state}): a run has weights after its first epoch")
    return Trained(record, load_network(folder, record.config), scaling_of(folder, record))


def scaling_of(folder: RunFolder, record: RunRecord) -> Scaling:
    """Return the scaling on record or, where there is none, that of the images it was trained on. Raises `LabError`."""
    if record.dataset.mean is not None and record.dataset.std is not None:
        return Scaling(record.dataset.mean, record.dataset.std)
    from lenet_tui.data import datasets

    data = datasets.load_here(record.config.dataset, val_size=record.config.val_size)
    if data.checksum != record.dataset.checksum:
        raise LabError(
            f"{folder.path} was trained on other images of {record.dataset.name} than {data.source} has, and its "
            "run.json does not tell how to scale pixels"
        )
    return Scaling(data.mean, data.std)
