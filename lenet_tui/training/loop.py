"""The training loop. Read `train` from top to bottom; everything a run computes happens there."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from lenet_tui.engine.choice import TORCH
from lenet_tui.engine.native import native as native_of
from lenet_tui.engine.steps import Steps
from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host.safe_files import read_own, write_own
from lenet_tui.run import metrics
from lenet_tui.run.folder import MOST_WEIGHTS
from lenet_tui.run.metrics import EpochMetrics, Progress
from lenet_tui.training import checkpoint, models
from lenet_tui.training.augment import distort
from lenet_tui.training.averaging import averaged
from lenet_tui.training.calibration_log import CalibrationLog
from lenet_tui.training.evaluation import Correct, Scaling, evaluate
from lenet_tui.training.losses import objective
from lenet_tui.training.optimizer import make_optimizer, step_function
from lenet_tui.training.saving import saving
from lenet_tui.training.schedule import lr_factor
from lenet_tui.training.step_losses import StepLosses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.optim.swa_utils import AveragedModel

    from lenet_tui.config import RunConfig
    from lenet_tui.data.datasets import Dataset
    from lenet_tui.engine.choice import Engine
    from lenet_tui.engine.native import NativeLeNet
    from lenet_tui.run.folder import RunFolder
    from lenet_tui.training.losses import Objective
    from lenet_tui.training.models import Network
    from lenet_tui.training.saving import Saver

_REPORT_SECONDS = 0.2
_CHUNK = 1024  # images


class Reporter(Protocol):
    """What watches a run, and may end it."""

    def on_progress(self, progress: Progress) -> None:
        """Take note of the progress within an epoch: a few times a second, and at its end."""

    def on_epoch_end(self, row: EpochMetrics, best: EpochMetrics) -> None:
        """Take note of an epoch, whose files are on disk or soon will be, and of the best one so far."""

    def should_stop(self) -> bool:
        """Return whether the run is to stop; asked as often as progress is reported."""


class Stopped(Exception):  # noqa: N818 - not an error: a person asked for it
    """The reporter asked to stop; the epoch in progress is dropped, and replayed when the run is resumed."""


class Diverged(Exception):  # noqa: N818 - the run failed, not the program
    """The loss is not a finite number any more."""


@dataclass
class State:
    """What training has come to: the epochs done, the networks and the optimizer after them.

    ``native`` computes the networks; where it is None, they compute themselves.

    ``weights`` are those of the selected epoch so far, on the CPU, as in ``model.safetensors``; None before the first.
    """

    network: Network
    optimizer: torch.optim.Optimizer
    ema: AveragedModel | None
    history: list[EpochMetrics]
    weights: dict[str, Tensor] | None = None
    native: NativeLeNet | None = None


def prepare(config: RunConfig, data: Dataset, folder: RunFolder, device: torch.device, engine: Engine = TORCH) -> State:
    """Return the state in the folder's checkpoint, and write ``metrics.csv`` and the weights again where they differ.

    Where there is no checkpoint, or none that this run wrote, return the state before the first epoch: training leads
    to the same result from there. Raises `LabError` when the folder cannot be read or written.
    """
    state = begin(config, data, device, engine)
    path = folder.checkpoint_path
    try:
        saved = checkpoint.read(path, device)
        steps = math.ceil(len(data.train_labels) / config.batch_size)
        scheduled = config.lr_schedule != "constant"
        checkpoint.restore(saved, path, state.network, state.optimizer, state.ema, steps=steps, scheduled=scheduled)
        if len(saved.history) > config.epochs:
            raise checkpoint.DamagedCheckpointError(f"{path} has more epochs than the run")
        state.history = saved.history
        state.weights = saved.weights or read_weights(folder)
        write_results(folder, state)
    except FileNotFoundError:
        return state
    except checkpoint.DamagedCheckpointError as error:
        folder.log(f"{error}; training starts again, to the same result")
        path.unlink()
        return begin(config, data, device, engine)
    return state


def begin(config: RunConfig, data: Dataset, device: torch.device, engine: Engine = TORCH) -> State:
    """Return the state before the first epoch."""
    seed(config, epoch=0)
    native = native_of(config, engine, data.mean, data.std)
    network = models.build(config).to(device)
    if not native:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = make_optimizer(config, network, device)
    ema = averaged(network, config.ema) if config.ema else None
    return State(network, optimizer, ema, [], native=native)


def train(
    config: RunConfig,
    data: Dataset,
    folder: RunFolder,
    device: torch.device,
    reporter: Reporter,
    state: State | None = None,
) -> bool:
    """Train ``config`` on ``data`` from ``state``, by default the one that `prepare` returns.

    After every epoch, or every few seconds where epochs are shorter (`Saver`), the weights, where they are the best so
    far, ``metrics.csv`` and the checkpoint go to disk, in that order, and when training ends, however it does: after a
    crash in between, epochs are replayed with the same result. Returns whether it stopped early because there was no
    progress. Raises `Stopped`, `Diverged`, or `LabError` when the folder cannot be written.
    """
    state = state or prepare(config, data, folder, device)
    data = data.to(device)
    with saving(folder, state.weights) as saver:
        return _train(config, data, folder, reporter, state, saver)


def _train(config: RunConfig, data: Dataset, folder: RunFolder, reporter: Reporter, state: State, saver: Saver) -> bool:
    loss_function = objective(config)
    network, optimizer, ema, history = state.network, state.optimizer, state.ema, state.history
    scaling = Scaling(data.mean, data.std)
    step_losses = StepLosses(folder, config.epochs)
    step_losses.begin(len(history))
    calibrations = CalibrationLog(folder, len(history))

    for epoch in range(len(history) + 1, config.epochs + 1):
        if out_of_patience(history, config.patience):
            return True
        if reporter.should_stop():  # epochs too short for a report in between are asked about here
            raise Stopped
        begun = time.perf_counter()
        train_loss, train_accuracy = train_epoch(
            config, data, loss_function, state, epoch, reporter, step_losses, saver
        )
        judged = cast("Network", ema.module) if ema else network
        sample = evaluate(judged, data.sample_images, data.sample_labels, scaling, loss_function, state.native)
        validation = evaluate(judged, data.val_images, data.val_labels, scaling, loss_function, state.native)
        if not math.isfinite(validation.loss):
            raise Diverged(f"validation loss became {validation.loss} in epoch {epoch}")
        calibrations.add(epoch, validation.logits, data.val_labels)

        history.append(
            EpochMetrics(
                epoch=epoch,
                train_loss=train_loss,
                val_loss=validation.loss,
                train_accuracy=train_accuracy,
                val_accuracy=validation.accuracy,
                lr=optimizer.param_groups[0]["lr"],
                seconds=time.perf_counter() - begun,
                sample_loss=sample.loss,
                sample_accuracy=sample.accuracy,
                val_cross_entropy=validation.cross_entropy,
            )
        )
        best = metrics.best(history)
        selected = metrics.selected(history)
        assert best is not None  # noqa: S101 - the validation loss just appended is finite
        assert selected is not None  # noqa: S101
        if selected.epoch == epoch:
            state.weights = {name: value.cpu().clone().contiguous() for name, value in judged.state_dict().items()}
        average = ema.state_dict() if ema else None
        saver.keep(checkpoint.Checkpoint(history, network.state_dict(), optimizer.state_dict(), average, state.weights))
        reporter.on_epoch_end(history[-1], best)
    return False


def train_epoch(
    config: RunConfig,
    data: Dataset,
    loss_function: Objective,
    state: State,
    epoch: int,
    reporter: Reporter,
    step_losses: StepLosses,
    saver: Saver | None = None,
) -> tuple[float, float]:
    """Go once over the training set in the order of (seed, epoch); return mean loss and accuracy on the way.

    Raises `Stopped` when the reporter asks for it and `Diverged` when the loss is not finite. ``saver`` writes on the
    way what waits to be written.
    """
    network, optimizer, ema = state.network, state.optimizer, state.ema
    count, device = len(data.train_labels), data.train_labels.device
    steps = math.ceil(count / config.batch_size)
    seed(config, epoch)
    order = torch.randperm(count).to(device)
    # Both are kept on the device: reading a value back at every step would make the device wait.
    loss_sum = torch.zeros((), device=device)
    begun = time.perf_counter()
    next_report = begun + _REPORT_SECONDS
    network.train()
    step_losses.begin_epoch(epoch, steps)
    parameters, make_step = list(network.parameters()), step_function(optimizer)
    native = Steps(state.native, parameters) if state.native else None
    correct = Correct(device)

    for step, (logits, labels) in enumerate(_forward(config, data, state, order, native)):
        if config.lr_schedule != "constant":
            factor = lr_factor(config.lr_schedule, (epoch - 1) * steps + step, config.epochs * steps)
            for group in optimizer.param_groups:
                group["lr"] = config.lr * factor

        loss = loss_function(logits, labels)
        if native:
            loss.backward()  # as far as the logits
            native.backward(logits)
        else:
            for parameter in parameters:
                parameter.grad = None  # as zero_grad does, which takes 0.1 ms
            loss.backward()
        if config.clip_norm:
            nn.utils.clip_grad_norm_(parameters, config.clip_norm)
        make_step()
        if ema:
            ema.update_parameters(network)

        loss = loss.detach()
        step_losses.add(step + 1, loss)
        loss_sum.add_(loss, alpha=len(labels))
        correct.add(logits.detach(), labels)
        if time.perf_counter() >= next_report:
            if reporter.should_stop():
                raise Stopped
            step_losses.write()
            if saver:
                saver.write_if_due()
            seen = step * config.batch_size + len(labels)
            mean = _finite(float(loss_sum) / seen, f"epoch {epoch}, step {step + 1} of {steps}")
            reporter.on_progress(Progress(epoch, step + 1, steps, mean, seen / (time.perf_counter() - begun)))
            next_report = time.perf_counter() + _REPORT_SECONDS

    step_losses.write(now=True)
    mean = _finite(float(loss_sum) / count, f"epoch {epoch}")
    # Also for who watches epochs too short for a report in between.
    reporter.on_progress(Progress(epoch, steps, steps, mean, count / (time.perf_counter() - begun)))
    return mean, correct.count() / count


def _forward(
    config: RunConfig, data: Dataset, state: State, order: Tensor, native: Steps | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield logits and labels of the epoch's batches, each computed when it is asked for.

    Batches are cut from chunks, so that distorting, gathering and scaling cost little a step.
    """
    network, scaling = state.network, Scaling(data.mean, data.std)
    for chunk in order.split(max(1, _CHUNK // config.batch_size) * config.batch_size):
        labels = data.train_labels[chunk].split(config.batch_size)
        if native and config.augment == "none":
            for chosen, some in zip(chunk.split(config.batch_size), labels, strict=True):
                yield native.logits(data.train_images, chosen), some
            continue
        images = distort(data.train_images, config.augment, chunk, state.native)
        for part, some in zip((images if native else scaling(images)).split(config.batch_size), labels, strict=True):
            yield native.logits(part) if native else network(part), some


def seed(config: RunConfig, epoch: int) -> None:
    """Set torch's global generators from (seed, epoch), so that any epoch can be replayed without its history.

    Epoch 0 stands for the initial weights. NumPy's SeedSequence keeps neighbouring seeds and epochs independent.
    """
    torch.manual_seed(int(np.random.SeedSequence([config.seed, epoch]).generate_state(1, np.uint64)[0]))


def out_of_patience(history: list[EpochMetrics], patience: int) -> bool:
    """Say whether the validation loss has not got better for ``patience`` epochs; never with patience 0."""
    best = metrics.best(history)
    return bool(patience and best and history[-1].epoch - best.epoch >= patience)


def read_weights(folder: RunFolder) -> dict[str, Tensor]:
    """Return what is in ``model.safetensors``, on the CPU. Raises `LabError` when it is missing or damaged."""
    try:
        weights: dict[str, Tensor] = safetensors.torch.load(read_own(folder.weights_path, MOST_WEIGHTS))
    except FileNotFoundError:
        raise LabError(f"{folder.weights_path} is missing") from None
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        why = printable(str(error).strip().partition("\n")[0])[:200]
        raise LabError(f"{folder.weights_path} is damaged: {why}") from None
    return weights


def write_results(folder: RunFolder, state: State) -> None:
    """Write ``metrics.csv`` and ``model.safetensors`` again where they are not what ``state`` says."""
    if state.weights is None:
        return
    content = safetensors.torch.save(state.weights)
    for path, wanted in ((folder.metrics_path, metrics.to_csv(state.history).encode()), (folder.weights_path, content)):
        try:
            there = read_own(path, len(wanted)) == wanted
        except (FileNotFoundError, LabError):
            there = False
        if not there:
            folder.log(f"{path.name} is not what training left there; written again from the checkpoint")
            write_own(path, wanted)


def _finite(loss: float, where: str) -> float:
    if not math.isfinite(loss):
        raise Diverged(f"training loss became {loss} ({where})")
    return loss
