"""Answering requests, one at a time; only the map, which takes seconds, is made beside them."""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError

from lenet_tui import handwriting
from lenet_tui.config import CLASSES
from lenet_tui.data.catalog import CLASS_COLOURS
from lenet_tui.errors import LabError
from lenet_tui.host.process import NICENESS
from lenet_tui.inspection import layers, mistakes
from lenet_tui.inspection.messages import (
    SIDE,
    ConfusionRequest,
    Counts,
    Envelope,
    Guess,
    Guesses,
    GuessesRequest,
    ImageRequest,
    Images,
    ImagesRequest,
    Layers,
    LayersRequest,
    Map,
    MapRequest,
    Reply,
    Shown,
)
from lenet_tui.inspection.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Literal

    import torch
    from numpy.typing import NDArray

    from lenet_tui.inspection.messages import Answer, Request
    from lenet_tui.run.folder import RunRecord
    from lenet_tui.run.predictions import Predictions

    Split = Literal["test", "validation"]


class Service:
    """Answers requests about the runs below ``root`` by calling ``tell``, from more than one thread."""

    def __init__(self, root: Path, tell: Callable[[Reply], object]) -> None:
        self._tell = tell
        self._runs = Runs(root)
        self._maps: dict[str, tuple[Predictions, Map]] = {}
        self._to_arrange: queue.SimpleQueue[tuple[int, str, Predictions, RunRecord]] = queue.SimpleQueue()
        threading.Thread(target=self._arrange, name="map", daemon=True).start()

    def serve(self, lines: Iterable[bytes]) -> None:
        """Answer every request in ``lines``. Whatever goes wrong with one is its answer."""
        for line in lines:
            try:
                envelope = Envelope.model_validate_json(line)
            except ValidationError as error:
                self._tell(Reply(id=0, error=f"this is no request: {error.errors()[0]['msg']}"))
            else:
                self._serve(envelope)

    def _serve(self, envelope: Envelope) -> None:
        self._runs.doing = lambda words: self._tell(Reply(id=envelope.id, doing=words))
        self._answering(envelope.id, lambda: self._answer(envelope.id, envelope.request))

    def _answering(self, number: int, answer: Callable[[], Answer | None]) -> None:
        try:
            result = answer()
        except LabError as error:
            self._tell(Reply(id=number, error=str(error)))
        except Exception as error:  # noqa: BLE001 - a bug costs one answer, not the process
            traceback.print_exc()
            self._tell(Reply(id=number, error=f"internal error: {error!r}"))
        else:
            if result is not None:
                self._tell(Reply(id=number, answer=result))

    def _answer(self, number: int, request: Request) -> Answer | None:
        """Return the answer, None when it comes later."""
        match request:
            case ConfusionRequest():
                return self._counts(request.folder)
            case ImagesRequest():
                return self._images(request)
            case ImageRequest():
                return self._image(request.folder, request.index)
            case MapRequest():
                return self._map(number, request.folder)
            case LayersRequest():
                return self._layers(request)
            case GuessesRequest():
                return self._guesses(request)

    def _counts(self, folder: str) -> Counts:
        predictions = self._runs.predictions(folder)
        counts = np.bincount(predictions.labels * CLASSES + predictions.predicted, minlength=CLASSES**2).reshape(
            CLASSES, CLASSES
        )
        return Counts(split=predictions.split, counts=counts.tolist(), names=self._runs.class_names(folder))

    def _images(self, request: ImagesRequest) -> Images:
        predictions = self._runs.predictions(request.folder)
        numbers = mistakes.chosen(predictions, request.true, request.predicted)
        start = max(0, request.start)
        wanted = numbers[start : start + max(0, request.count)]
        pixels = self._runs.images(request.folder, predictions.split)
        confidence = mistakes.confidence(predictions)
        shown = [
            _shown(
                number, pixels[number], predictions.labels[number], predictions.predicted[number], confidence[number]
            )
            for number in wanted.tolist()
        ]
        return Images(total=len(numbers), images=tuple(shown))

    def _image(self, folder: str, index: int) -> Shown:
        split = self._split(folder)
        pixels = self._runs.images(folder, split)
        if not 0 <= index < len(pixels):
            raise LabError(f"there is no image {index}: the {split} set has {len(pixels):,}")
        if self._runs.has_predictions(folder):
            predictions = self._runs.predictions(folder)
            confidence = mistakes.probabilities(predictions.logits[index : index + 1]).max()
            return _shown(index, pixels[index], predictions.labels[index], predictions.predicted[index], confidence)
        return _shown(index, pixels[index], int(self._runs.held_out(folder).labels[split][index]))

    def _split(self, folder: str) -> Split:
        # The test set is looked at once, by the finished run.
        return self._runs.predictions(folder).split if self._runs.has_predictions(folder) else "validation"

    def _map(self, number: int, folder: str) -> Map | None:
        predictions, record = self._runs.predictions(folder), self._runs.record(folder)
        cached = self._maps.get(folder)
        if cached is not None and cached[0] is predictions:
            return cached[1]
        self._tell(Reply(id=number, doing="arranging the images with t-SNE, which takes a few seconds…"))
        self._to_arrange.put((number, folder, predictions, record))
        return None

    def _arrange(self) -> None:
        if sys.platform == "linux":  # elsewhere a thread has no priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), max(NICENESS, os.nice(0)))
        while True:
            number, folder, predictions, record = self._to_arrange.get()
            self._answering(number, partial(self._arranged, folder, predictions, record))

    def _arranged(self, folder: str, predictions: Predictions, record: RunRecord) -> Map:
        from lenet_tui.errors import NotDrawable
        from lenet_tui.reports import style, tsne

        try:
            chosen, places = tsne.arranged(record, predictions)
        except NotDrawable as reason:
            raise LabError(f"there is no map: {reason}") from None
        low = places.min(axis=0)
        unit = ((places - low) / np.maximum(places.max(axis=0) - low, 1e-9)).round(4)
        result = Map(
            indices=chosen.tolist(),
            x=unit[:, 0].tolist(),
            y=unit[:, 1].tolist(),
            true=predictions.labels[chosen].tolist(),
            predicted=predictions.predicted[chosen].tolist(),
            names=style.class_names(record),
            colours=CLASS_COLOURS,
        )
        self._maps[folder] = predictions, result
        return result

    def _layers(self, request: LayersRequest) -> Layers:
        trained = self._runs.trained(request.folder)
        split = self._split(request.folder)
        image = self._image(request.folder, request.index)
        pixels = self._runs.images(request.folder, split)
        maps = layers.feature_maps(trained.network, pixels[request.index : request.index + 1], trained.scaling)
        return Layers(
            split=split,
            image=image,
            of=len(pixels),
            names=self._runs.class_names(request.folder),
            layers=(layers.first_filters(trained.network), *maps),
        )

    def _guesses(self, request: GuessesRequest) -> Guesses:
        if len(request.drawing) != SIDE * SIDE:
            raise LabError(f"a drawing is {SIDE}×{SIDE} bytes, and this has {len(request.drawing)}")
        drawing = np.frombuffer(request.drawing, np.uint8).reshape(SIDE, SIDE)
        return Guesses(guesses=tuple(self._guess(name, drawing) for name in request.folders))

    def _guess(self, folder: str, drawing: NDArray[np.uint8]) -> Guess:
        try:
            trained = self._runs.trained(folder)
        except LabError as error:  # of this run; the other one can still answer
            return Guess(error=str(error))
        prepared = handwriting.prepare(drawing, trained.record.dataset.name)
        result = trained.probabilities(prepared[np.newaxis])[0]
        if not np.isfinite(result).all():
            return Guess(error="the network gives no numbers: the run diverged", prepared=prepared.tobytes())
        return Guess(probabilities=result.tolist(), names=self._runs.class_names(folder), prepared=prepared.tobytes())


def _shown(
    index: int, pixels: torch.Tensor, true: int, predicted: int | None = None, confidence: float | None = None
) -> Shown:
    return Shown(
        index=index,
        pixels=pixels.numpy().tobytes(),
        true=int(true),
        predicted=None if predicted is None else int(predicted),
        confidence=None if confidence is None else float(confidence),
    )
