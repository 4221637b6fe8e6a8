"""How certain a network is of the validation images after each epoch, and its form in ``calibration.csv``."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.run.metrics import MAX_EPOCHS

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class EpochCalibration:
    """Of the validation images after one epoch.

    ``scaled_cross_entropy`` (nats) is what is left of the plain cross-entropy when the logits are divided by
    ``temperature``, fitted to other validation images; ``calibration_error`` is the expected calibration error.
    """

    epoch: int
    temperature: float
    scaled_cross_entropy: float
    calibration_error: float


COLUMNS = tuple(field.name for field in fields(EpochCalibration))


def to_csv(rows: Sequence[EpochCalibration]) -> str:
    """Write ``rows`` as the text of a ``calibration.csv``; floats in full."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row.epoch, *map(repr, astuple(row)[1:])] for row in rows)
    return text.getvalue()


def from_csv(text: str) -> list[EpochCalibration]:
    """Read the text of a ``calibration.csv``. Raises `LabError` naming the line that cannot be read.

    Epochs are numbered from 1 without a gap.
    """
    reader = csv.DictReader(io.StringIO(text))
    rows: list[EpochCalibration] = []
    try:
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError
        for row in reader:
            values = [float(row[name]) for name in COLUMNS[1:]]
            if int(row["epoch"]) != len(rows) + 1 or len(rows) >= MAX_EPOCHS or not all(map(math.isfinite, values)):
                raise ValueError
            rows.append(EpochCalibration(len(rows) + 1, *values))
    except (KeyError, TypeError, ValueError, csv.Error):
        raise LabError(f"line {reader.line_num}: expected {','.join(COLUMNS)}") from None
    return rows
