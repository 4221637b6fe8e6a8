"""What the app and the helper process say to each other: one line of JSON a message, bytes in it as base64.

Neither torch nor numpy is needed to read them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SIDE = 28  # of an image, in pixels


class Message(BaseModel):
    """Common to all: nothing in one changes, and nothing unknown is in it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", defer_build=True, ser_json_bytes="base64", val_json_bytes="base64"
    )


# Wishes. ``folder`` is a run's folder below the root that the process was started for.


class WishConfusion(Message):
    """How often each class is taken for which: answered by `Counts`."""

    wish: Literal["confusion"] = "confusion"
    folder: str


class WishImages(Message):
    """Images of a true and a predicted class, None for any, most confident first: answered by `Images`.

    Those that were classified rightly are only among them where both classes are given.
    """

    wish: Literal["images"] = "images"
    folder: str
    true: int | None = None
    predicted: int | None = None
    start: int = 0
    count: int


class WishImage(Message):
    """One image by its number: answered by `Shown`."""

    wish: Literal["image"] = "image"
    folder: str
    index: int


class WishMap(Message):
    """The map that t-SNE.png shows: answered by `Map`. Takes seconds; other wishes are answered meanwhile."""

    wish: Literal["map"] = "map"
    folder: str


class WishLayers(Message):
    """The first filters, and what each layer makes of an image: answered by `Layers`."""

    wish: Literal["layers"] = "layers"
    folder: str
    index: int


class WishGuesses(Message):
    """What each of some runs takes a drawing for, 28 × 28 bytes: answered by `Guesses`."""

    wish: Literal["guesses"] = "guesses"
    folders: tuple[str, ...]
    drawing: bytes


Wish = Annotated[
    WishConfusion | WishImages | WishImage | WishMap | WishLayers | WishGuesses, Field(discriminator="wish")
]


class Request(Message):
    """A wish with the number that its answer will carry."""

    id: int
    wish: Wish


# Answers


class Counts(Message):
    """``counts[true][predicted]`` images of ``split``, and the names of the ten classes."""

    kind: Literal["counts"] = "counts"
    split: Literal["test", "validation"]
    counts: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]


class Shown(Message):
    """An image: its number, 28 × 28 bytes row by row, its class, and what it was taken for with which confidence.

    ``confidence`` is the softmax of the predicted class, from 0 to 1. ``predicted`` and ``confidence`` are None where
    the network was not asked yet.
    """

    kind: Literal["shown"] = "shown"
    index: int
    pixels: bytes
    true: int
    predicted: int | None = None
    confidence: float | None = None


class Images(Message):
    """Some of the ``total`` images that were wished for, in order."""

    kind: Literal["images"] = "images"
    total: int
    images: tuple[Shown, ...]


class Map(Message):
    """The places of a sample of the images: ``x`` to the right and ``y`` upwards, both from 0 to 1.

    ``indices`` are the images' numbers. ``colours`` are those of the classes in t-SNE.png.
    """

    kind: Literal["map"] = "map"
    indices: tuple[int, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    true: tuple[int, ...]
    predicted: tuple[int, ...]
    names: tuple[str, ...]
    colours: tuple[str, ...]


class Layer(Message):
    """``count`` planes of ``height`` × ``width`` signed bytes, one after the other; 127 stands for ``largest``.

    The scale is the same for all planes, so that they can be compared.
    """

    kind: Literal["layer"] = "layer"
    title: str
    count: int
    height: int
    width: int
    largest: float
    values: bytes

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
    of: int
    names: tuple[str, ...]
    layers: tuple[Layer, ...]


class Guess(Message):
    """The ten probabilities by one run, with the names of its classes; or why there are none.

    ``prepared`` is what its network saw of the drawing, 28 × 28 bytes.
    """

    kind: Literal["guess"] = "guess"
    prepared: bytes = b""
    probabilities: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    error: str = ""


class Guesses(Message):
    """What each run takes the drawing for, in the order of the wish."""

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
