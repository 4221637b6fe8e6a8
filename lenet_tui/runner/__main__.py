"""``python -m lenet_tui.runner ROOT``: the runner itself. `daemon.ensure` starts it; people need not."""

from __future__ import annotations

import sys
from pathlib import Path

from lenet_tui.runner import daemon
from lenet_tui.runner.service import Service
from lenet_tui.store import Store


def main() -> int:
    """Serve the root that is named until there is nothing to do; return at once where another runner serves it."""
    root = Path(sys.argv[1])
    while True:
        with daemon.only_runner(root) as held:
            if not held:
                return 0
            if Service(root).serve():
                return 0
        # Whoever added a run while the lock was still held took us for a runner that would see it.
        store = Store(root)
        if store.draining() or not any(run.waiting for run in store.queue()):
            return 0


if __name__ == "__main__":
    sys.exit(main())
