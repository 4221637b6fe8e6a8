"""The three loops that are compared: the homework's, the best bare one we can write, and ours."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from lenet_tui import data as sources
from lenet_tui.data import datasets
from lenet_tui.data.torchvision_import import import_torchvision_datasets
from lenet_tui.engine.choice import choose
from lenet_tui.run.folder import RunFolder
from lenet_tui.training import loop, models
from lenet_tui.training.evaluation import Scaling
from lenet_tui.training.losses import objective
from lenet_tui.training.step_losses import StepLosses

if TYPE_CHECKING:
    from collections.abc import Callable

    from lenet_tui.config import RunConfig
    from lenet_tui.data.datasets import Dataset
    from lenet_tui.run.metrics import Progress

CPU = torch.device("cpu")


class Silent:
    """A reporter that asks for nothing."""

    def on_progress(self, progress: Progress) -> None:
        """Ignore it."""

    def on_epoch_end(self, row: object, best: object) -> None:
        """Ignore it."""

    def should_stop(self) -> bool:
        """Never."""
        return False


def mnist(images: int | None = None) -> Dataset:
    """Return MNIST, with only the first ``images`` of the training part where that is given."""
    data = datasets.load("mnist", val_size=5000)
    if images is None:
        return data
    return replace(data, train_images=data.train_images[:images], train_labels=data.train_labels[:images])


def homework(config: RunConfig, data: Dataset, *, evaluate: bool = False) -> Callable[[], float]:
    """Return a function that trains one epoch as the assignment's usual solution does and returns its seconds.

    With ``evaluate`` the epoch ends, as it does there, with the accuracy on the test set.

    The network has the same layers and parameters as ours, in the order that everybody writes: pooling after ReLU.
    """
    tv_datasets = import_torchvision_datasets()
    from torchvision import transforms

    located = sources.locate("mnist")
    root = located.folder.parent.parent
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((data.mean,), (data.std,))])
    with contextlib.redirect_stdout(io.StringIO()):
        everything = tv_datasets.MNIST(root, train=True, transform=transform)
        tested = tv_datasets.MNIST(root, train=False, transform=transform)
    subset = torch.utils.data.Subset(everything, range(len(data.train_labels)))
    loader = torch.utils.data.DataLoader(subset, batch_size=config.batch_size, shuffle=True)
    test_loader = torch.utils.data.DataLoader(tested, batch_size=1000)
    network = _activating_before_pooling(models.build(config))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=config.lr)

    def epoch() -> float:
        begun = time.perf_counter()
        network.train()
        for images, labels in loader:
            optimizer.zero_grad()
            loss = criterion(network(images), labels)
            loss.backward()
            optimizer.step()
        if evaluate:
            network.eval()
            correct = 0
            with torch.no_grad():
                for images, labels in test_loader:
                    correct += (network(images).argmax(dim=1) == labels).sum().item()
        return time.perf_counter() - begun

    return epoch


def _activating_before_pooling(network: models.Network) -> models.Network:
    layers = list(network.features)
    for index in range(len(layers) - 1):
        if isinstance(layers[index], nn.MaxPool2d) and isinstance(layers[index + 1], nn.ReLU):
            layers[index], layers[index + 1] = nn.ReLU(), layers[index]
    network.features = nn.Sequential(*layers)
    return network


def bare(config: RunConfig, data: Dataset) -> Callable[[], float]:
    """Return a function that trains one epoch on tensors in memory, with nothing measured on the way."""
    images = Scaling(data.mean, data.std)(data.train_images).contiguous(memory_format=torch.channels_last)
    labels = data.train_labels
    network = models.build(config).to(memory_format=torch.channels_last)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=config.lr, fused=True)

    def epoch() -> float:
        begun = time.perf_counter()
        network.train()
        for chosen in torch.randperm(len(labels)).split(config.batch_size):
            loss = criterion(network(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return time.perf_counter() - begun

    return epoch


def ours(config: RunConfig, data: Dataset) -> Callable[[], float]:
    """Return a function that trains one epoch with the package's own loop."""
    engine = choose(config.engine, config.model, "cpu", torch.get_num_threads())
    state = loop.begin(config, data, CPU, engine)
    step_losses = StepLosses(RunFolder(Path(tempfile.mkdtemp())), config.epochs)
    step_losses.begin(0)
    number = 0

    def epoch() -> float:
        nonlocal number
        number += 1
        begun = time.perf_counter()
        loop.train_epoch(config, data, objective(config), state, number, Silent(), step_losses)
        return time.perf_counter() - begun

    return epoch
