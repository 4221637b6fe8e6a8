"""``lenet-tui predict``: classify pictures of handwriting with a run's network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, images, output
from lenet_tui.cli.export import find
from lenet_tui.cli.output import say, say_json, tell
from lenet_tui.data.catalog import CLASS_NAMES, DIGITS
from lenet_tui.errors import LabError
from lenet_tui.formatting import percent, printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lenet_tui.handwriting import Digit, Handwriting
    from lenet_tui.inspection.classifier import Trained


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``predict``."""
    parser = commands.add_parser(
        "predict",
        help="classify pictures of handwriting with a run's network",
        description="Classify pictures of handwritten digits with the weights of a run's best epoch, and say how sure "
        "the network is. It reads PNG, JPEG, WEBP, BMP, GIF and TIFF of any size, dark on light or light on dark, and "
        "ignores shadows, table edges, thumbs and printed lines. Each digit is prepared as MNIST was: scaled into "
        "20×20, its centre of mass in the middle of 28×28. Several digits are answered from left to right. A picture "
        "that cannot be read does not stop the others.",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="RUN", help="number or folder of a run")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="a picture of one or more digits")
    parser.add_argument("--show", action="store_true", help="draw the network input of each digit")
    flags.add_root(parser)
    flags.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each digit; return 0, or 1 if any picture could not be read, 2 if only for being no file."""
    from lenet_tui import handwriting
    from lenet_tui.inspection import classifier  # imports torch, which takes a second

    network = classifier.load(find(arguments.name, arguments.root))
    dataset = network.record.config.dataset
    names = CLASS_NAMES.get(dataset, DIGITS)
    answers: list[dict[str, Any]] = []
    codes = set()
    for path in arguments.images:
        try:
            result = handwriting.read(path, dataset)
        except LabError as error:
            tell(f"lenet-tui: {error}")
            answers.append({"image": str(path), "error": str(error)})
            codes.add(error.exit_code)
            continue
        answer, seen = classify(network, result)
        answers.append({"image": str(path), **answer})
        if not arguments.json:
            _print(path, answer, seen, names, show=arguments.show)
    if arguments.json:
        say_json({"run": arguments.name, "dataset": dataset, "images": answers})
    return min(codes, default=0)


def line(path: Path, shares: Sequence[float], names: Sequence[str], place: str = "") -> str:
    """Return the answer for a digit: ``four.png  4  99.2 %  (next: 9, 0.6 %)``; ``place``: which of several it is."""
    second, first = sorted(range(len(shares)), key=lambda own: (shares[own], own))[-2:]
    return (
        f"{printable(str(path))}{place}  {names[first]}  {percent(shares[first], 1)}  "
        f"(next: {names[second]}, {percent(shares[second], 1)})"
    )


def classify(network: Trained, result: Handwriting) -> tuple[dict[str, Any], list[NDArray[np.uint8]]]:
    """Return the answer for a picture, the first digit's at its top, and what the network saw of each digit."""
    answers, seen = [], []
    for digit in result.digits:
        answer, image = _answer(network, digit, result)
        answers.append(answer)
        seen.append(image)
    first = {key: answers[0][key] for key in ("class", "name", "probabilities")}
    doubts = [
        f"digit {number} of {len(answers)}: {doubt}" if len(answers) > 1 else doubt
        for number, answer in enumerate(answers, start=1)
        for doubt in answer["warnings"]
    ]
    return {**first, "warnings": [*result.warnings, *doubts], "digits": answers}, seen


def _answer(network: Trained, digit: Digit, result: Handwriting) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    import numpy as np

    from lenet_tui.handwriting import doubts

    dataset = network.record.config.dataset
    names = CLASS_NAMES.get(dataset, DIGITS)
    variants = doubts.variants(digit.ink, dataset)
    shares = network.probabilities(variants)
    if not np.isfinite(shares).all():
        raise LabError("the network gives no numbers: the run diverged")
    best = int(shares[0].argmax())
    height, width = digit.ink.shape
    answer = {
        "class": best,
        "name": names[best],
        "probabilities": shares[0].tolist(),
        "warnings": [*digit.doubts, *doubts.of_network(shares, names)],
        "box": {  # shares of the picture's width and height
            "left": round(digit.left / result.width, 4),
            "top": round(digit.top / result.height, 4),
            "right": round((digit.left + width) / result.width, 4),
            "bottom": round((digit.top + height) / result.height, 4),
        },
    }
    return answer, variants[0]


def _print(
    path: Path, answer: dict[str, Any], seen: list[NDArray[np.uint8]], names: Sequence[str], *, show: bool
) -> None:
    for number, (digit, image) in enumerate(zip(answer["digits"], seen, strict=True), start=1):
        place = f"  digit {number} of {len(seen)}" if len(seen) > 1 else ""
        say(line(path, digit["probabilities"], names, place))
        if show:
            _draw(image)
    for warning in answer["warnings"]:
        tell(f"lenet-tui: {printable(str(path))}: {warning}")


def _draw(image: NDArray[np.uint8]) -> None:
    console = output.console()
    images.side_by_side(console, [images.drawn(image, colours=images.has_colours(console))])
