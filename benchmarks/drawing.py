"""Drawing a digit: from a stroke to changed probabilities, of two runs, while every core trains and while none does."""

from __future__ import annotations

import asyncio
import math
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.result import Result
from lenet_tui.host.hardware import available_cores
from lenet_tui.inspection.messages import Guesses, GuessesRequest
from lenet_tui.runner import daemon
from lenet_tui.store import Store
from lenet_tui.tui.inspect.canvas import Canvas
from lenet_tui.tui.inspect.inspector import Inspector

if TYPE_CHECKING:
    from collections.abc import Iterator

_STROKES = 300
_PAUSE = 0.02  # seconds between strokes, about as a mouse sends them
_BOUND = 100.0


def measure() -> Iterator[Result]:
    """Yield what drawing is promised to take."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for model in ("lenet", "alexnet"):
            _command("train", "--model", model, "--dataset", "digits", "--epochs", "1", "--root", folder)
        with Store(root) as store:
            folders = tuple(str(run.folder) for run in store.runs())
        yield _result("stroke to changed probabilities, ms, 95th percentile", root, folders, "nothing trains")
        try:
            seeds = ",".join(map(str, range(available_cores())))
            _command("queue", "add", "--epochs", "1000", "--seed", seeds, "--threads", "1", "--root", folder)
            with Store(root) as store:
                while not all(run.progress for run in store.queue()):
                    time.sleep(0.5)
            yield _result("the same while every core trains", root, folders, "as many runs as cores")
        finally:
            daemon.stop(root)


def _result(name: str, root: Path, folders: tuple[str, ...], detail: str) -> Result:
    times = sorted(asyncio.run(_draw(root, folders)))
    shown = f"{_STROKES} strokes for a LeNet and an AlexNet, {detail}; median {statistics.median(times):.1f} ms"
    return Result(name, times[int(0.95 * len(times))], _BOUND, shown)


async def _draw(root: Path, folders: tuple[str, ...]) -> list[float]:
    """Return the milliseconds from each stroke of a spiral until there were other probabilities."""
    inspector = Inspector(root)
    canvas, times = Canvas(), []
    try:
        before = await inspector.ask(GuessesRequest(folders=folders, drawing=canvas.ink), Guesses)  # it is loaded now
        point = _spiral(0)
        for number in range(1, _STROKES + 1):
            await asyncio.sleep(_PAUSE)
            begun = time.perf_counter()
            before_it, point = point, _spiral(number)
            canvas.stroke(before_it, point)
            after = await inspector.ask(GuessesRequest(folders=folders, drawing=canvas.ink), Guesses)
            if any(guess.error for guess in after.guesses):
                raise SystemExit(f"the drawing could not be guessed: {after.guesses}")
            if after != before:
                times.append(1000 * (time.perf_counter() - begun))
            before = after
    finally:
        inspector.end()
    return times


def _spiral(number: int) -> tuple[float, float]:
    angle, radius = number / 8, 12 * number / _STROKES
    return 14 + radius * math.cos(angle), 14 + radius * math.sin(angle)


def _command(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "lenet_tui", *words], stdout=subprocess.DEVNULL, check=True)
