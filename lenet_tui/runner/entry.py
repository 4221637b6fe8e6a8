"""What worker processes are started with: names that the runner can hand over without importing torch itself."""

from __future__ import annotations

import contextlib
import sys
import traceback
from typing import TYPE_CHECKING

from lenet_tui.formatting import printable

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def work(root: str, run_id: int, threads: int, gpu: int | None, answer: Connection) -> None:
    """Work on one run; see `lenet_tui.runner.worker.work`. Send why where that raises."""
    try:
        from lenet_tui.runner import worker

        worker.work(root, run_id, threads, gpu)
    except BaseException as error:  # noqa: BLE001 - a library that exits while it is imported, too
        _give_up(error, answer)


def probe(answer: Connection) -> None:
    """Send how many accelerators torch sees here, or a text: why no worker can start."""
    try:
        import torch

        from lenet_tui.runner import worker  # noqa: F401 - whether it can be imported is the question
    except BaseException as error:  # noqa: BLE001 - whatever an import may raise
        _give_up(error, answer)
    try:
        count = torch.cuda.device_count() or int(torch.backends.mps.is_available())
    except Exception as error:  # noqa: BLE001 - a broken driver; there is the CPU
        print_traceback(error)
        count = 0
    with contextlib.suppress(BrokenPipeError):  # the runner that asked is gone
        answer.send(count)


def reason_of(error: BaseException) -> str:
    """Return an exception as the one line that ends its traceback."""
    return printable("".join(traceback.format_exception_only(error)).strip() or type(error).__name__)


def print_traceback(error: BaseException) -> None:
    """Print an exception to the log, without what a terminal would obey."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    print("\n".join(printable(line) for line in lines), file=sys.stderr, flush=True)  # noqa: T201 - the log


def _give_up(error: BaseException, answer: Connection) -> None:
    print_traceback(error)
    with contextlib.suppress(OSError):
        answer.send(reason_of(error))
    sys.exit(1)
