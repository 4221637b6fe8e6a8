"""``python -m lenet_tui.tui.details.read_predictions FOLDER``: a confusion matrix as JSON, without numpy.

Prints ``{"split": "test", "counts": [[…], …], "names": ["0", …]}``, rows true and columns predicted classes, or
``{"error": "…"}`` with exit code 1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tui.config import CLASSES
from lenet_tui.data.catalog import CLASS_NAMES, DIGITS
from lenet_tui.errors import LabError
from lenet_tui.run.folder import RunFolder
from lenet_tui.run.predictions import Predictions


def read(folder: RunFolder) -> dict[str, Any]:
    """Return what is printed of a run's folder. Raises `LabError` when its predictions are missing or damaged."""
    predictions = Predictions.read(folder.predictions_path)
    counts = np.bincount(predictions.labels * CLASSES + predictions.predicted, minlength=CLASSES**2).reshape(
        CLASSES, CLASSES
    )
    try:
        names = CLASS_NAMES.get(folder.read_record().dataset.name, DIGITS)
    except LabError:  # show the numbers without names
        names = DIGITS
    return {"split": predictions.split, "counts": counts.tolist(), "names": names}


def main(path: str) -> int:
    """Print the document of one folder; return the exit code."""
    try:
        document, code = read(RunFolder(Path(path))), 0
    except LabError as error:
        document, code = {"error": str(error)}, 1
    sys.stdout.write(json.dumps(document) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
