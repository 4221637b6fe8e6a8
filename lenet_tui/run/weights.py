"""What ``model.safetensors`` says of itself, read from its head alone: names and shapes, no numbers, no torch."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host import safe_files
from lenet_tui.host.safe_files import MB

if TYPE_CHECKING:
    from pathlib import Path

MOST_HEAD = 1 * MB
_LENGTH = struct.Struct("<Q")  # before the head
_MOST_TENSORS, _MOST_DIMENSIONS, _LARGEST = 1000, 8, 10**9


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor by its name, in the order of the file.

    Raises FileNotFoundError, and `LabError` when it is damaged, not ours or larger than any network's.
    """
    with safe_files.open_own(path) as file:
        try:
            start = file.read(_LENGTH.size)
            length = _LENGTH.unpack(start)[0] if len(start) == _LENGTH.size else MOST_HEAD + 1
            head = file.read(length) if length <= MOST_HEAD else b""
        except OSError as error:
            raise LabError(f"cannot read {path}: {safe_files.explain(error)}") from None
    try:
        if len(head) != length:
            raise ValueError("it ends too early, or is no file of weights")
        return _shapes(json.loads(head))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise LabError(f"{path} is damaged: {printable(str(error))[:200]}") from None


def _shapes(document: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    shapes = {}
    for name, tensor in document.items():
        if name == "__metadata__":
            continue
        shape = tuple(tensor["shape"])
        if len(shape) > _MOST_DIMENSIONS or not all(type(size) is int and 0 <= size <= _LARGEST for size in shape):
            raise ValueError(f"{printable(name)[:50]} has no shape")
        shapes[printable(name)[:100]] = shape
    if not 0 < len(shapes) <= _MOST_TENSORS:
        raise ValueError(f"it has {len(shapes)} tensors")
    return shapes
