"""What the app and the helper process say to each other: one line of JSON a message, bytes in it as base64.

Neither torch nor numpy is needed to read them.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lenet_tui.config import CLASSES

SIDE = 28  # of an image, in pixels

Pixels = Annotated[bytes, Field(min_length=SIDE * SIDE, max_length=SIDE * SIDE)]
Class = Annotated[int, Field(ge=0, lt=CLASSES)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1.0001)]  # a sum of floats may be a little more than 1
_ROW = Field(min_length=CLASSES, max_length=CLASSES)
Names = Annotated[tuple[str, ...], Field(min_length=CLASSES, max_length=CLASSES)]


class Message(BaseModel):
    """Common to all: nothing in one changes, and nothing unknown is in it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", defer_build=True, ser_json_bytes="base64", val_json_bytes="base64"
    )


# Requests. ``folder`` is a run's folder below the root that the process was started for.


class ConfusionRequest(Message):
    """How often each class is predicted as which: answered by `Counts`."""

    kind: Literal["confusion"] = "confusion"
    folder: str


class ImagesRequest(Message):
    """Images of a true and a predicted class, None for any, most confident first: answered by `Images`.

    Those that were classified correctly are only among them where both classes are given.
    """

    kind: Literal["images"] = "images"
    folder: str
    true: int | None = None
    predicted: int | None = None
    start: int = 0
    count: int


class ImageRequest(Message):
    """One image by its number: answered by `Shown`."""

    kind: Literal["image"] = "image"
    folder: str
    index: int


class MapRequest(Message):
    """The map that t-SNE.png shows: answered by `Map`. Takes seconds; other requests are answered meanwhile."""

    kind: Literal["map"] = "map"
    folder: str


class LayersRequest(Message):
    """The first filters, and what each layer makes of an image: answered by `Layers`."""

    kind: Literal["layers"] = "layers"
    folder: str
    index: int


class GuessesRequest(Message):
    """The prediction of each of some runs for a drawing, 28 × 28 bytes: answered by `Guesses`."""

    kind: Literal["guesses"] = "guesses"
    folders: tuple[str, ...]
    drawing: bytes


Request = Annotated[
    ConfusionRequest | ImagesRequest | ImageRequest | MapRequest | LayersRequest | GuessesRequest,
    Field(discriminator="kind"),
]


class Envelope(Message):
    """A request with the number that its answer will carry."""

    id: int
    request: Request


# Answers


class Counts(Message):
    """``counts[true][predicted]`` images of ``split``, and the names of the ten classes."""

    kind: Literal["counts"] = "counts"
    split: Literal["test", "validation"]
    counts: Annotated[tuple[Annotated[tuple[Count, ...], _ROW], ...], _ROW]
    names: Names


class Shown(Message):
    """An image: its number, 28 × 28 bytes row by row, its class, the predicted class and its confidence.

    ``confidence`` is the softmax of the predicted class, from 0 to 1. ``predicted`` and ``confidence`` are None where
    the network was not asked yet.
    """

    kind: Literal["shown"] = "shown"
    index: Count
    pixels: Pixels
    true: Class
    predicted: Class | None = None
    confidence: float | None = None


class Images(Message):
    """Some of the ``total`` requested images, in order."""

    kind: Literal["images"] = "images"
    total: int
    images: tuple[Shown, ...]


class Map(Message):
    """The places of a sample of the images: ``x`` to the right and ``y`` upwards, both from 0 to 1.

    ``indices`` are the images' numbers. ``colours`` are those of the classes in t-SNE.png.
    """

    kind: Literal["map"] = "map"
    indices: Annotated[tuple[Count, ...], Field(min_length=1)]
    x: tuple[Share, ...]
    y: tuple[Share, ...]
    true: tuple[Class, ...]
    predicted: tuple[Class, ...]
    names: Names
    colours: Names

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if len({len(part) for part in (self.indices, self.x, self.y, self.true, self.predicted)}) > 1:
            raise ValueError("a map has as many of everything as it has images")
        return self


class Layer(Message):
    """``count`` planes of ``height`` × ``width`` signed bytes, one after the other; 127 stands for ``largest``.

    The scale is the same for all planes, so that they can be compared.
    """

    kind: Literal["layer"] = "layer"
    title: str
    count: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]
    largest: float
    values: bytes

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if len(self.values) != self.count * self.height * self.width:
            raise ValueError("a layer has a byte for each value of its planes")
        return self

    def plane(self, number: int) -> bytes:
        """Return one plane, row by row."""
        size = self.height * self.width
        return self.values[number * size : (number + 1) * size]


class Layers(Message):
    """The filters of the first convolution, then the maps after each layer, for ``image`` of the ``of`` of ``split``.

    ``names`` are those of the ten classes.
    """

    kind: Literal["layers"] = "layers"
    split: Literal["test", "validation"]
    image: Shown
    of: Annotated[int, Field(ge=1)]
    names: Names
    layers: Annotated[tuple[Layer, ...], Field(min_length=1)]


class Guess(Message):
    """The ten probabilities by one run, with the names of its classes; or why there are none.

    ``prepared`` is what its network saw of the drawing, 28 × 28 bytes.
    """

    kind: Literal["guess"] = "guess"
    prepared: bytes = b""
    probabilities: tuple[Share, ...] = ()
    names: tuple[str, ...] = ()
    error: str = ""

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        sizes = len(self.prepared), len(self.probabilities), len(self.names)
        if not self.error and sizes != (SIDE * SIDE, CLASSES, CLASSES):
            raise ValueError("a guess has an image, and a probability and a name for each class")
        return self


class Guesses(Message):
    """The prediction of each run, in the order of the request."""

    kind: Literal["guesses"] = "guesses"
    guesses: tuple[Guess, ...]


Answer = Annotated[Counts | Shown | Images | Map | Layers | Guesses, Field(discriminator="kind")]


class Reply(Message):
    """What comes back for request ``id``: now and then what is being done, at last an answer or an error.

    Number 0 is no request's: it says what the process does of itself.
    """

    id: int
    doing: str = ""
    error: str = ""
    answer: Answer | None = None

    @property
    def is_last(self) -> bool:
        """Whether nothing more comes for this request."""
        return not self.doing
