"""``python -m lenet_tui.runner ROOT``: the runner itself. Started by `daemon.ensure`."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host.process import this_process
from lenet_tui.runner import daemon, log, tries

# A runner that ends with an error in its first minute is a try that failed, however well it began.
_WELL_BEGUN_SECONDS = 60.0


def main() -> int:
    """Serve the root that is named until there is nothing to do; return at once where another runner serves it.

    What prevents it from that is noted for the process that waits (`daemon.last_failure`).
    """
    root = Path(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until there are workers to take care of
    begun = time.monotonic()
    before = tries.read(root)
    try:
        return _serve(root)
    except LabError as error:
        reason = str(error)
        print(f"the runner ends: {printable(reason)}", file=sys.stderr)  # noqa: T201 - its log
    except Exception as error:  # noqa: BLE001 - noted, and the log has the details
        log.print_traceback(error)
        reason = log.reason_of(error)
    soon = time.monotonic() - begun < _WELL_BEGUN_SECONDS
    tries.fail(root, reason, count=before.count if before and soon else None)
    return 1


def _serve(root: Path) -> int:
    while True:
        with daemon.only_runner(root) as lock:
            if lock is None:
                last = tries.read(root)
                if last is not None and last.owner == this_process():  # this one was not needed
                    tries.clear(root)
                return 0
            # What cannot be imported here has its line too.
            from lenet_tui.runner.executors.local import LocalExecutor
            from lenet_tui.runner.scheduler import Scheduler
            from lenet_tui.store import Store

            if Scheduler(root, lock, LocalExecutor(root)).serve():
                return 0
        # A process that added a run while the lock was still held took us for a runner that would see it.
        with Store(root) as store:
            if store.is_paused() or not any(run.waiting for run in store.queue()):
                return 0


if __name__ == "__main__":
    sys.exit(main())
