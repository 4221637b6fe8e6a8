"""``python -m lenet_tui.inspection ROOT``: answers requests about the runs below ROOT until its input ends.

Requests and replies are lines of JSON, see `lenet_tui.inspection.messages`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tui.inspection.messages import Reply

if TYPE_CHECKING:
    from typing import BinaryIO

_NICENESS = 5  # after the app, and before runs at work, since a person waits for its answers


class Voice:
    """Writes replies, whole lines at a time."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def tell(self, reply: Reply) -> None:
        """Write one reply. Without a reader, the process ends."""
        line = reply.model_dump_json().encode() + b"\n"
        with self._lock:
            try:
                self._stream.write(line)
                self._stream.flush()
            except BrokenPipeError:
                os._exit(0)


def main(root: str) -> None:
    """Load torch and answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    voice = Voice(sys.stdout.buffer)
    voice.tell(Reply(id=0, doing="loading torch…"))
    import torch

    from lenet_tui.inspection.service import Service

    os.nice(_NICENESS)
    torch.set_num_threads(1)  # the cores are for training
    Service(Path(root), voice.tell).serve(iter(sys.stdin.buffer.readline, b""))
    sys.stderr.flush()
    os._exit(0)  # at once, without waiting for a map


if __name__ == "__main__":
    main(sys.argv[1])
