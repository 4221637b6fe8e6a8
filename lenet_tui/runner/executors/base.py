"""What the scheduler asks of the place where runs are worked on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenet_tui.host.hardware import Capacity
    from lenet_tui.runner.placement import Placed
    from lenet_tui.store import Run


class Executor(ABC):
    """Starts workers, each of which claims one run in the store and works on it to its end."""

    @abstractmethod
    def capacity(self) -> Capacity:
        """Return the cores and GPUs there are, all free. Raises `LabError` when no worker can start."""

    @abstractmethod
    def start(self, run_id: int, placed: Placed) -> str:
        """Start a worker for a run; return its name for the log. Raises `LabError` when that is impossible."""

    @abstractmethod
    def poll(self) -> dict[int, str]:
        """Return the runs whose workers ended since the last call, with why; "" where all was well."""

    @abstractmethod
    def terminate(self, run_id: int, run: Run | None = None, *, force: bool = False) -> bool:
        """End the worker of a run, with ``force`` even one that hangs; return whether it was there to be ended.

        ``run`` is its row in the store, which names the process of a worker that a runner before this one started.
        """
