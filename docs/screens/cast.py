"""Record the cast of README, an asciinema v2 file, from the app in a terminal: ``python docs/screens/cast.py ROOT``.

ROOT has finished runs of MNIST; it is copied first, since the recording queues more of them.
"""

from __future__ import annotations

import codecs
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.terminal import Terminal
from lenet_tui.runner import daemon
from lenet_tui.store import Store

COLUMNS, LINES = 100, 30
FILE = Path(__file__).with_name("app.cast")
_IDLE_SECONDS = 1.2  # a longer silence is shortened to this
_DOWN, _UP, _LEFT, _ESCAPE, _ENTER = b"\x1b[B", b"\x1b[A", b"\x1b[D", b"\x1b", b"\r"
# Keys and the seconds to watch what they do.
STEPS: tuple[tuple[bytes, float], ...] = (
    (b"", 2.5),
    (_DOWN, 0.4), (_DOWN, 0.4), (_DOWN, 0.6),  # to the batch size
    *((char.encode(), 0.15) for char in "16,32"),
    (_DOWN, 0.5), (_DOWN, 0.5), (b"4", 0.8),  # the epochs
    (b"\x12", 2.5),  # queue
    (_ESCAPE, 1.5), (b"f", 9.0),
    (_LEFT, 0.6), (b"2", 0.6), (_LEFT, 0.6), (_LEFT, 1.2),  # read out the curves
    (_ESCAPE, 0.8), (b"G", 0.3), (b"\x1b[F", 1.0),
    (b" ", 0.4), (_UP, 0.4), (b" ", 0.4), (_UP, 0.4), (b" ", 1.8),  # several runs in one chart
    (_ESCAPE, 0.5), (_ENTER, 2.0), (b"4", 2.5),  # details
    (_ESCAPE, 1.0), (b"q", 1.0),
)  # fmt: skip


def record(root: Path) -> None:
    """Press the keys, and write what the terminal was sent, with its times."""
    events: list[tuple[float, str, str]] = []
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    clock = last = 0.0
    with Terminal(root, COLUMNS, LINES) as terminal:
        for keys, seconds in STEPS:
            if keys:
                terminal.press(keys)
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                if output := decoder.decode(terminal.read(0.05)):
                    now = time.perf_counter() - terminal.begun
                    clock += min(now - last, _IDLE_SECONDS)
                    last = now
                    events.append((round(clock, 3), "o", output))
    header = {"version": 2, "width": COLUMNS, "height": LINES, "title": "lenet-tui", "env": {"TERM": "xterm-256color"}}
    lines = [json.dumps(header), *(json.dumps(event, ensure_ascii=False) for event in events)]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = f"{folder}/settings"
        root = Path(folder) / "mnist"
        shutil.copytree(sys.argv[1], root)
        with Store(root) as store:
            store.set_paused(False)
        try:
            record(root)
        finally:
            daemon.stop(root)
