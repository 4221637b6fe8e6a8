"""``lenet-tui predict``: what a run's network takes pictures of handwriting for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, images, output
from lenet_tui.cli.export import find
from lenet_tui.cli.output import say, say_json, tell
from lenet_tui.data.catalog import CLASS_NAMES, DIGITS
from lenet_tui.errors import LabError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``predict``."""
    parser = commands.add_parser(
        "predict",
        help="say what a run's network takes pictures of handwriting for",
        description="Say what a run's network, with the weights it kept, takes pictures of single digits for, and how "
        "sure it is. PNG and JPEG of any size, dark on light or light on dark; each is prepared as MNIST was: scaled "
        "into 20×20 and centred by its centre of mass in 28×28. A picture that can't be read doesn't keep the others "
        "from being told.",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="RUN", help="the run's number or folder")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="a PNG or JPEG picture of one digit")
    parser.add_argument("--show", action="store_true", help="draw what the network saw of each picture")
    flags.add_root(parser)
    flags.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each picture; return 0, or 1 if any could not be read, 2 if only because it was not there."""
    import numpy as np

    from lenet_tui import handwriting, trained  # imports torch, which takes a second

    network = trained.load(find(arguments.name, arguments.root))
    dataset = network.record.config.dataset
    names = CLASS_NAMES.get(dataset, DIGITS)
    told: list[dict[str, Any]] = []
    codes = set()
    for path in arguments.images:
        try:
            seen = handwriting.prepare(handwriting.read(path), dataset)
        except LabError as error:
            tell(f"lenet-tui: {error}")
            told.append({"image": str(path), "error": str(error)})
            codes.add(error.exit_code)
            continue
        shares = network.probabilities(seen[np.newaxis])[0]
        told.append(
            {
                "image": str(path),
                "class": int(shares.argmax()),
                "name": names[int(shares.argmax())],
                "probabilities": shares.tolist(),
            }
        )
        if not arguments.json:
            say(line(path, shares, names))
            if arguments.show:
                _draw(seen)
    if arguments.json:
        say_json({"run": arguments.name, "dataset": dataset, "images": told})
    return min(codes, default=0)


def line(path: Path, shares: NDArray[np.float64], names: Sequence[str]) -> str:
    """Return what is told of a picture: ``four.png  4  99.2 %  (next: 9, 0.6 %)``."""
    *_, second, first = shares.argsort(kind="stable")
    return f"{path}  {names[first]}  {_percent(shares[first])}  (next: {names[second]}, {_percent(shares[second])})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _draw(image: NDArray[np.uint8]) -> None:
    console = output.console()
    images.side_by_side(console, [images.drawn(image, colours=images.has_colours(console))])
