"""What worker processes are started with: names that the runner can hand over without importing torch itself."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def work(root: str, run_id: int, threads: int, gpu: int | None) -> None:
    """Work on one run; see `lenet_tui.runner.worker.work`."""
    from lenet_tui.runner import worker

    worker.work(root, run_id, threads, gpu)


def count_gpus(answer: Connection) -> None:
    """Send how many accelerators torch sees here."""
    import torch

    with contextlib.suppress(BrokenPipeError):  # the runner that asked is gone
        answer.send(torch.cuda.device_count() or int(torch.backends.mps.is_available()))
