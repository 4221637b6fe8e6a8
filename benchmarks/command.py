"""``lenet-tui`` as a benchmark calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def lenet_tui(root: Path, *words: str) -> Any:
    """Run a command on ``root`` with ``--json`` and return its document; end the benchmark when it fails."""
    command = [sys.executable, "-m", "lenet_tui", *words, "--root", str(root), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"lenet-tui {' '.join(words)} ended with {done.returncode}")
    return json.loads(done.stdout)
