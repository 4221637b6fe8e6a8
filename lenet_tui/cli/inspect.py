"""``lenet-tui inspect``: the images that a run misclassifies, most confident first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, output
from lenet_tui.cli.export import find
from lenet_tui.cli.output import say, say_json
from lenet_tui.errors import UsageError
from lenet_tui.formatting import confidence, counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lenet_tui.run.predictions import Predictions

_LAST_CLASS = 9
_COUNT = 10


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``inspect``."""
    parser = commands.add_parser(
        "inspect",
        help="show the images that a run misclassifies",
        description="Show the test images that a run misclassifies, most confident first. Of a run that is not "
        "finished, the validation images. With the same --true and --predicted it shows correct images. In the app, i "
        "shows more: t-SNE map, filters, feature maps, and a canvas to draw a digit on.",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="RUN", help="number or folder of a run")
    parser.add_argument("--true", type=int, metavar="D", help="only images of this true class, 0 to 9")
    parser.add_argument("--predicted", type=int, metavar="D", help="only images with this prediction, 0 to 9")
    parser.add_argument("--count", type=int, default=_COUNT, metavar="N", help=f"number of images (default {_COUNT})")
    flags.add_root(parser)
    flags.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print how many are wrong, and the first of them."""
    for name in ("true", "predicted"):
        value = getattr(arguments, name)
        if value is not None and not 0 <= value <= _LAST_CLASS:
            raise UsageError(f"--{name} {value} is not a class; give a number from 0 to {_LAST_CLASS}")
    if arguments.count < 0:
        raise UsageError(f"--count {arguments.count} is negative; give 0 or more")
    folder = find(arguments.name, arguments.root)

    from lenet_tui.inspection import mistakes
    from lenet_tui.inspection.runs import Runs  # imports torch, which takes a second

    runs, name = Runs(folder.path.absolute().parent), folder.path.name
    predictions, names = runs.predictions(name), runs.class_names(name)
    numbers = mistakes.chosen(predictions, arguments.true, arguments.predicted)
    confidences = mistakes.confidence(predictions)
    shown = [
        {
            "index": number,
            "true": int(predictions.labels[number]),
            "predicted": int(predictions.predicted[number]),
            "confidence": float(confidences[number]),
        }
        for number in numbers[: arguments.count].tolist()
    ]
    if arguments.json:
        wrong = int((predictions.predicted != predictions.labels).sum())
        say_json(
            {
                "run": arguments.name,
                "split": predictions.split,
                "of": len(predictions.labels),
                "wrong": wrong,
                "found": len(numbers),
            }
            | {"classes": names, "images": shown}
        )
        return 0
    images = runs.images(name, predictions.split) if shown else None
    say(summary(predictions, names))
    if arguments.true is not None or arguments.predicted is not None:
        say(f"{_filter(arguments.true, arguments.predicted, names)}: {counted(len(numbers), 'image')}")
    say("")
    if images is not None:
        _draw(shown, [images[image["index"]][0].numpy() for image in shown], names)
    return 0


def summary(predictions: Predictions, names: Sequence[str]) -> str:
    """Return ``87 of 10,000 test images misclassified; most often true 4, predicted 9 (8×)``."""
    import numpy as np

    predicted = predictions.predicted
    wrong = predicted != predictions.labels
    text = f"{wrong.sum():,} of {len(predictions.labels):,} {predictions.split} images misclassified"
    if not wrong.any():
        return text
    counts = np.zeros((_LAST_CLASS + 1, _LAST_CLASS + 1), int)
    np.add.at(counts, (predictions.labels[wrong], predicted[wrong]), 1)
    true, guess = divmod(int(counts.argmax()), _LAST_CLASS + 1)
    return f"{text}; most often true {names[true]}, predicted {names[guess]} ({counts[true, guess]}×)"


def _filter(true: int | None, predicted: int | None, names: Sequence[str]) -> str:
    parts = [] if true is None else [f"true {names[true]}"]
    parts += [] if predicted is None else [f"predicted {names[predicted]}"]
    return ", ".join(parts)


def _draw(shown: Sequence[dict[str, Any]], images: Sequence[Any], names: Sequence[str]) -> None:
    from rich.text import Text

    from lenet_tui.cli.images import drawn, has_colours, side_by_side

    console = output.console()
    pictures = []
    for text, image in zip(shown, images, strict=True):
        true, predicted = names[text["true"]], names[text["predicted"]]
        words = f"true {true}, predicted {predicted}, {confidence(text['confidence'])}"
        pictures.append(
            [*drawn(image, colours=has_colours(console)), Text(words), Text(f"image {text['index']}", "dim")]
        )
    side_by_side(console, pictures)
