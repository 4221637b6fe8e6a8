"""Reading ``steps.csv`` for the charts: again only when the file changed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.run.folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.tui.curves.chart import Point

NONE = "no steps.csv: trained by an older version"
NOT_YET = "no step on record yet"

Steps = tuple[tuple["Point", ...], str]  # (epochs done, train loss) and, without points, why there are none


class StepReader:
    """Reads the files of a root, from any thread."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, tuple[tuple[int, int], Steps]] = {}
        self._reading = threading.Lock()

    def read(self, folder: str) -> Steps:
        """Return what is on record in a run's folder; in an epoch e of n steps, step s is at e - 1 + s / n."""
        if not folder:
            return (), NOT_YET
        run_folder = RunFolder(self._root / folder)
        with self._reading:
            try:
                status = run_folder.steps_path.lstat()
                state = status.st_mtime_ns, status.st_size
                if folder not in self._known or self._known[folder][0] != state:
                    rows = run_folder.read_steps()
                    points = tuple((epoch - 1 + step / steps, loss) for epoch, step, steps, loss in rows)
                    self._known[folder] = state, (points, "" if points else NOT_YET)
                return self._known[folder][1]
            except FileNotFoundError:
                return (), NONE
            except (LabError, OSError) as error:
                return (), printable(str(error))
