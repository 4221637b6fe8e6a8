"""The helper process as the app has it: real pipes, real runs of digits."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from lenet_tui import experiment, handwriting
from lenet_tui.errors import LabError
from lenet_tui.inspection import classifier
from lenet_tui.inspection.messages import (
    ConfusionRequest,
    Counts,
    Guesses,
    GuessesRequest,
    ImageRequest,
    Images,
    ImagesRequest,
    Layers,
    LayersRequest,
    Map,
    MapRequest,
    Shown,
)
from lenet_tui.run.folder import RunFolder
from lenet_tui.run.predictions import Predictions
from lenet_tui.tui.inspect.inspector import Inspector, _parse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lenet_tui.data.datasets import Dataset

LENET = "lenet/bs64_lr0.001_data-digits_ep2_thr1_tsne120"
ALEXNET = "alexnet/bs64_lr0.001_data-digits_ep1_thr1_tsne120"
STOPPED = "lenet/bs64_lr0.001_data-digits_ep2_seed1_thr1_tsne120"


@contextlib.asynccontextmanager
async def opened(root: Path) -> AsyncIterator[Inspector]:
    inspector = Inspector(root)
    try:
        yield inspector
    finally:
        inspector.end()


def predictions_of(root: Path, folder: str = LENET) -> Predictions:
    return Predictions.read(RunFolder(root / folder).predictions_path)


def copied(root: Path, target: Path, *folders: str) -> Path:
    for folder in folders:
        shutil.copytree(root / folder, target / folder)
    return target


async def test_a_finished_run_answers_every_wish(trained_root: Path, digits: Dataset) -> None:
    predictions = predictions_of(trained_root)
    wrong = int((predictions.predicted != predictions.labels).sum())
    async with opened(trained_root) as inspector:
        counts = await inspector.ask(ConfusionRequest(folder=LENET), Counts)
        assert (counts.split, sum(map(sum, counts.counts)), counts.names[3]) == ("test", 397, "3")
        assert sum(counts.counts[n][n] for n in range(10)) == 397 - wrong

        result = await inspector.ask(ImagesRequest(folder=LENET, count=1000), Images)
        assert result.total == len(result.images) == wrong > 10
        confidences = [image.confidence for image in result.images]
        assert confidences == sorted(confidences, reverse=True)  # type: ignore[type-var]
        first = result.images[0]
        assert first.pixels == digits.test_images[first.index].numpy().tobytes()
        assert (first.true, first.predicted) == (predictions.labels[first.index], predictions.predicted[first.index])
        logits = predictions.logits[first.index].astype(float)
        assert first.confidence == pytest.approx(np.exp(logits.max()) / np.exp(logits).sum())

        part = await inspector.ask(ImagesRequest(folder=LENET, start=2, count=3), Images)
        assert part.images == result.images[2:5]
        of_class = await inspector.ask(ImagesRequest(folder=LENET, true=first.true, count=1000), Images)
        assert of_class.images == tuple(image for image in result.images if image.true == first.true)
        cell = await inspector.ask(ImagesRequest(folder=LENET, true=0, predicted=0, count=1), Images)
        assert cell.total == counts.counts[0][0]
        assert (cell.images[0].true, cell.images[0].predicted) == (0, 0)

        assert await inspector.ask(ImageRequest(folder=LENET, index=first.index), Shown) == first
        with pytest.raises(LabError, match="there is no image 397: the test set has 397"):
            await inspector.ask(ImageRequest(folder=LENET, index=397), Shown)


async def test_the_map_is_that_of_the_picture(trained_root: Path) -> None:
    from lenet_tui.reports import tsne

    predictions, record = predictions_of(trained_root), RunFolder(trained_root / LENET).read_record()
    chosen, places = tsne.arranged(record, predictions)
    async with opened(trained_root) as inspector:
        heard: list[str] = []
        result = await inspector.ask(MapRequest(folder=LENET), Map, heard.append)
        assert any("t-SNE" in words for words in heard)
        assert result.indices == tuple(chosen)
        unit = (places - places.min(axis=0)) / np.ptp(places, axis=0)
        np.testing.assert_allclose(np.stack([result.x, result.y], axis=1), unit, atol=1e-4)
        assert result.true == tuple(predictions.labels[chosen])
        assert await inspector.ask(MapRequest(folder=LENET), Map) == result


async def test_other_wishes_are_answered_while_the_map_is_made(trained_root: Path) -> None:
    async with opened(trained_root) as inspector:
        await inspector.ask(ConfusionRequest(folder=LENET), Counts)
        making = asyncio.create_task(inspector.ask(MapRequest(folder=ALEXNET), Map))
        await inspector.ask(ImageRequest(folder=LENET, index=0), Shown)
        assert not making.done()
        assert (await making).indices


@pytest.mark.parametrize(
    ("folder", "shapes"),
    [
        (LENET, [(6, 5), (6, 28), (6, 14), (6, 14), (16, 10), (16, 5), (16, 5)]),
        (
            ALEXNET,
            [
                (24, 5),
                (24, 28),
                (24, 13),
                (24, 13),
                (64, 13),
                (64, 6),
                (64, 6),
                *[(96, 6)] * 4,
                *[(64, 6), (64, 2), (64, 2)],
            ],
        ),
    ],
)
async def test_filters_and_maps_are_those_of_the_network(
    trained_root: Path, digits: Dataset, folder: str, shapes: list[tuple[int, int]]
) -> None:
    network = experiment.load_network(
        RunFolder(trained_root / folder), RunFolder(trained_root / folder).read_record().config
    )
    async with opened(trained_root) as inspector:
        result = await inspector.ask(LayersRequest(folder=folder, index=7), Layers)
    assert [(layer.count, layer.width) for layer in result.layers] == shapes
    filters = result.layers[0]
    values = np.frombuffer(filters.values, np.int8).reshape(filters.count, 5, 5) * (filters.largest / 127)
    weights = network.features[0].weight[:, 0].detach().numpy()
    np.testing.assert_allclose(values, weights, atol=filters.largest / 127)
    relu = next(layer for layer in result.layers if layer.title.startswith("ReLU"))
    assert min(np.frombuffer(relu.values, np.int8)) == 0
    convolution = result.layers[1]
    assert min(np.frombuffer(convolution.values, np.int8)) < 0  # what is shown before the activation stays as it was
    assert result.image.pixels == digits.test_images[7].numpy().tobytes()
    assert result.of == 397


async def test_a_drawing_is_prepared_and_guessed_by_each_run(trained_root: Path) -> None:
    drawing = np.zeros((28, 28), np.uint8)
    drawing[3:20, 5:8] = 200
    async with opened(trained_root) as inspector:
        request = GuessesRequest(folders=(LENET, ALEXNET, "lenet/gone"), drawing=drawing.tobytes())
        first, second, gone = (await inspector.ask(request, Guesses)).guesses
        assert "lenet/gone is not there any more" in gone.error
        for guess, folder in ((first, LENET), (second, ALEXNET)):
            prepared = handwriting.prepare(drawing, "digits")
            assert guess.prepared == prepared.tobytes()
            network = classifier.load(RunFolder(trained_root / folder))
            assert guess.probabilities == pytest.approx(network.probabilities(prepared[np.newaxis])[0].tolist())
        with pytest.raises(LabError, match="28×28 bytes, and this has 3"):
            await inspector.ask(GuessesRequest(folders=(LENET,), drawing=b"abc"), Guesses)
        empty = await inspector.ask(GuessesRequest(folders=(LENET,), drawing=bytes(784)), Guesses)
        assert sum(empty.guesses[0].probabilities) == pytest.approx(1)


async def test_a_stopped_run_shows_validation_images(trained_root: Path, digits: Dataset) -> None:
    async with opened(trained_root) as inspector:
        counts = await inspector.ask(ConfusionRequest(folder=STOPPED), Counts)
        assert (counts.split, sum(map(sum, counts.counts))) == ("validation", 200)
        image = await inspector.ask(ImageRequest(folder=STOPPED, index=5), Shown)
        assert image.pixels == digits.val_images[5].numpy().tobytes()


async def test_a_run_at_work_shows_validation_images_and_its_weights_so_far(
    trained_root: Path, tmp_path: Path, digits: Dataset
) -> None:
    root = copied(trained_root, tmp_path, LENET)
    folder = RunFolder(root / LENET)
    folder.predictions_path.unlink()
    folder.write_record(folder.read_record().model_copy(update={"state": "running"}))
    async with opened(root) as inspector:
        with pytest.raises(LabError, match=r"no predictions\.npz: it is written when the run has ended"):
            await inspector.ask(ImagesRequest(folder=LENET, count=3), Images)
        result = await inspector.ask(LayersRequest(folder=LENET, index=0), Layers)
        assert result.split == "validation"
        assert result.image.pixels == digits.val_images[0].numpy().tobytes()
        assert result.image.predicted is None
        shutil.copy(trained_root / STOPPED / "model.safetensors", folder.weights_path)  # the next epoch was better
        assert (await inspector.ask(LayersRequest(folder=LENET, index=0), Layers)).layers != result.layers
        folder.weights_path.unlink()
        with pytest.raises(LabError, match="comes with the first epoch"):
            await inspector.ask(LayersRequest(folder=LENET, index=0), Layers)


async def test_what_is_wrong_with_a_folder_is_a_message_and_the_process_goes_on(
    trained_root: Path, tmp_path: Path
) -> None:
    root = copied(trained_root, tmp_path, LENET, ALEXNET)
    broken = RunFolder(root / ALEXNET)
    async with opened(root) as inspector:
        with pytest.raises(LabError, match="is not there any more"):
            await inspector.ask(ImagesRequest(folder="lenet/gone", count=1), Images)
        pid = inspector.pid
        broken.predictions_path.write_bytes(b"PK but not really")
        broken.weights_path.write_bytes(b"nothing")
        for request, kind in ((MapRequest(folder=ALEXNET), Map), (LayersRequest(folder=ALEXNET, index=0), Layers)):
            with pytest.raises(LabError, match=r"damaged|cannot load"):
                await inspector.ask(request, kind)
        shutil.copy(root / LENET / "predictions.npz", broken.predictions_path)
        answer = predictions_of(root)
        Predictions("test", answer.labels[::-1], answer.logits, answer.features).write(broken.predictions_path)
        with pytest.raises(LabError, match=r"predictions\.npz does not fit the data set"):
            await inspector.ask(ImagesRequest(folder=ALEXNET, count=1), Images)
        record = broken.read_record()
        other = record.dataset.model_copy(update={"checksum": "c0ffee"})
        broken.write_record(record.model_copy(update={"dataset": other}))
        with pytest.raises(LabError, match="these are other images"):
            await inspector.ask(ImagesRequest(folder=ALEXNET, count=1), Images)
        missing = record.dataset.model_copy(update={"name": "kmnist"})
        broken.write_record(
            record.model_copy(
                update={"dataset": missing, "config": record.config.model_copy(update={"val_size": 5000})}
            )
        )
        with pytest.raises(LabError, match="KMNIST is not on this machine; 'lenet-tui data get kmnist' fetches it"):
            await inspector.ask(ImagesRequest(folder=ALEXNET, count=1), Images)
        broken.record_path.write_text("{")
        with pytest.raises(LabError, match=r"run\.json is damaged"):
            await inspector.ask(ImagesRequest(folder=ALEXNET, count=1), Images)
        assert (await inspector.ask(ImagesRequest(folder=LENET, count=1), Images)).images
        assert inspector.pid == pid


async def test_weights_that_diverged_are_said_to_be_no_numbers(trained_root: Path, tmp_path: Path) -> None:
    import safetensors.torch

    root = copied(trained_root, tmp_path, LENET)
    path = RunFolder(root / LENET).weights_path
    safetensors.torch.save_file(
        {name: tensor * float("nan") for name, tensor in safetensors.torch.load_file(path).items()}, path
    )
    async with opened(root) as inspector:
        guesses = await inspector.ask(GuessesRequest(folders=(LENET,), drawing=bytes(784)), Guesses)
        assert "diverged" in guesses.guesses[0].error
        assert set((await inspector.ask(LayersRequest(folder=LENET, index=0), Layers)).layers[0].values) == {0}


async def test_a_process_that_dies_is_noticed_and_started_again(trained_root: Path) -> None:
    async with opened(trained_root) as inspector:
        heard: list[str] = []
        waiting = asyncio.create_task(inspector.ask(ConfusionRequest(folder=LENET), Counts, heard.append))
        while "loading torch…" not in heard:
            await asyncio.sleep(0.01)
        assert inspector.pid is not None
        os.kill(inspector.pid, signal.SIGKILL)
        with pytest.raises(LabError, match=r"died \(code -9\)"):
            await waiting
        assert (await inspector.ask(ConfusionRequest(folder=LENET), Counts)).split == "test"
        os.kill(inspector.pid, signal.SIGKILL)  # while nobody waits
        while inspector.pid is not None:
            await asyncio.sleep(0.01)
        assert (await inspector.ask(ConfusionRequest(folder=LENET), Counts)).split == "test"


async def test_a_process_that_hangs_is_ended_and_started_again(trained_root: Path) -> None:
    inspector = Inspector(trained_root, patience=1.0)
    try:
        with contextlib.suppress(LabError):  # loading torch may take longer on a busy machine
            await inspector.ask(ConfusionRequest(folder=LENET), Counts)
        while inspector.pid is None:
            with contextlib.suppress(LabError):
                await inspector.ask(ConfusionRequest(folder=LENET), Counts)
        hung = inspector.pid
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(LabError, match="did not answer for 1 seconds; the next try starts another"):
            await inspector.ask(ConfusionRequest(folder=LENET), Counts)
        assert inspector.pid is None
        inspector._patience = 300.0
        assert (await inspector.ask(ConfusionRequest(folder=LENET), Counts)).split == "test"
        assert inspector.pid != hung
    finally:
        inspector.end()


@pytest.mark.parametrize("folder", ["../elsewhere", "/etc", "lenet/../../elsewhere"])
async def test_a_folder_outside_the_root_is_not_looked_into(trained_root: Path, folder: str) -> None:
    async with opened(trained_root) as inspector:
        with pytest.raises(LabError, match="is not a folder below"):
            await inspector.ask(ConfusionRequest(folder=folder), Counts)


def test_answers_that_do_not_fit_together_are_errors_for_who_waits() -> None:
    good = {"kind": "shown", "index": 1, "pixels": base64.b64encode(bytes(784)).decode(), "true": 3}
    layer = {"title": "x", "count": 2, "height": 3, "width": 3, "largest": 1.0, "values": ""}
    assert _parse(json.dumps({"id": 3, "answer": good}).encode()).answer is not None  # type: ignore[union-attr]
    for bad in (good | {"true": 10}, good | {"pixels": ""}, good | {"index": -1}, layer | {"kind": "layer"}, {}, 7):
        result = _parse(json.dumps({"id": 3, "answer": bad}).encode())
        assert result is not None
        assert (result.id, result.answer) == (3, None)
        assert "damaged answer" in result.error
    for noise in (b"warning: something\n", b"[]", b"7", b'{"id": []}', b"\xff\x00"):
        assert _parse(noise) is None


async def test_who_no_longer_waits_leaves_the_process_to_others(trained_root: Path) -> None:
    async with opened(trained_root) as inspector:
        hasty = asyncio.create_task(inspector.ask(ConfusionRequest(folder=LENET), Counts))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        hasty.cancel()
        assert (await inspector.ask(ConfusionRequest(folder=LENET), Counts)).split == "test"


def test_the_process_is_polite_and_ends_with_its_input(trained_root: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lenet_tui.inspection", str(trained_root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        assert b"loading torch" in process.stdout.readline()
        process.stdin.write(b"this is no JSON\n")
        process.stdin.flush()
        assert b"this is no request" in process.stdout.readline()
        assert psutil.Process(process.pid).nice() - psutil.Process().nice() == 5  # after the app, before training
        assert b"t-SNE" in ask_for_a_map(process)
        process.stdin.close()
        begun = time.monotonic()
        assert process.wait(20) == 0
        assert time.monotonic() - begun < 10  # though a map is being made


def ask_for_a_map(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b'{"id": 1, "request": {"kind": "map", "folder": "%s"}}\n' % LENET.encode())
    process.stdin.flush()
    return process.stdout.readline()
