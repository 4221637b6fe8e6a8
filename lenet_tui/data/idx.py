"""The IDX format, in which MNIST comes: a magic number, the dimensions, then the values, all big-endian.

Only files of unsigned bytes (type 0x08) are read; all of the data sets here are such files.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from lenet_tui.errors import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_UNSIGNED_BYTE = 0x08
_MOST_DIMENSIONS = 4


def header(shape: Sequence[int]) -> bytes:
    """Return the first bytes of an IDX file of unsigned bytes of this shape."""
    return struct.pack(f">HBB{len(shape)}I", 0, _UNSIGNED_BYTE, len(shape), *shape)


def parse(content: bytes | bytearray, where: str) -> NDArray[np.uint8]:
    """Return the values as an array of the shape that the file states; a view of ``content``, no copy.

    Raises `DamagedFileError` beginning with ``where`` when the magic number is not that of unsigned bytes, or
    the length is not exactly what the dimensions ask for.
    """
    if len(content) < 4 or content[:3] != bytes((0, 0, _UNSIGNED_BYTE)):
        begins = bytes(content[:4]).hex(" ") or "nothing"
        raise DamagedFileError(f"{where} is not an IDX file of unsigned bytes: it begins with {begins}, not 00 00 08")
    dimensions = content[3]
    if dimensions > _MOST_DIMENSIONS:
        raise DamagedFileError(f"{where} declares {dimensions} dimensions; an IDX file has at most 4")
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise DamagedFileError(f"{where} ends within its header: expected {start} bytes, found {len(content)}")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    expected = start + math.prod(shape)
    if len(content) != expected:
        raise DamagedFileError(
            f"{where} has the wrong length: expected {expected} bytes for {shape_text(shape)}, found {len(content)}"
        )
    import numpy as np  # only those who read values wait for it

    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def shape_text(shape: Sequence[int]) -> str:
    """Write a shape for people: ``60000×28×28``."""
    return "×".join(str(size) for size in shape) or "one value"
