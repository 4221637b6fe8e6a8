"""The layers of a run's network as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host.safe_files import size

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.analysis.layers import Layer
    from lenet_tui.config import RunConfig

_BYTES = 4  # of a parameter


@dataclass(frozen=True)
class Network:
    """The layers of a run's network, and what they are called together."""

    title: str
    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """How many parameters all layers have."""
        return sum(layer.parameters for layer in self.layers)


def read(folder: Path, config: RunConfig) -> Network:
    """Return the network whose weights are in ``folder``. Raises `LabError` with the reason where there is none."""
    from lenet_tui.analysis import layers
    from lenet_tui.config import MODEL_TITLES
    from lenet_tui.run.folder import RunFolder
    from lenet_tui.run.weights import read_shapes

    try:
        shapes = read_shapes(RunFolder(folder).weights_path)
    except FileNotFoundError:
        if not folder.is_dir():
            raise LabError(f"The folder {folder} does not exist any more.") from None
        raise LabError(f"There are no weights: model.safetensors is not in {folder}.") from None
    return Network(MODEL_TITLES[config.model], tuple(layers.layers(config, shapes)))


def table(network: Network) -> Table:
    """Return title, layers and total."""
    rows = Table(box=None, padding=(0, 3, 0, 0), header_style="bold", show_footer=True, footer_style="bold")
    rows.add_column("layer", Text("all layers"))
    rows.add_column("output", justify="right")
    rows.add_column("weights", justify="right", style="dim")
    rows.add_column("parameters", Text(f"{network.parameters:,}"), justify="right")
    for layer in network.layers:
        rows.add_row(
            Text(printable(layer.title), "" if layer.weights else "dim"),
            Text(_shape(layer.output)),
            Text(_shape(layer.weights) if layer.weights else ""),
            Text(f"{layer.parameters:,}" if layer.parameters else "·", "" if layer.parameters else "dim"),
        )
    whole = Table.grid()
    whole.add_row(Text(f"{network.title}, {size(_BYTES * network.parameters)} of weights", style="bold"))
    whole.add_row("")
    whole.add_row(rows)
    return whole


def _shape(shape: tuple[int, ...] | None) -> str:
    return "not known" if shape is None else " × ".join(map(str, shape))
