"""One line on the load of the machine: processor, memory and NVIDIA GPUs."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.widgets import Static

from lenet_tui.formatting import percent
from lenet_tui.host.hardware import total_cores

if TYPE_CHECKING:
    from textual.timer import Timer

INTERVAL = 2.0  # seconds
FIRST = 0.3  # seconds to measure the processor over when there was no measurement before
PATIENCE = 2.0  # seconds for nvidia-smi, which can hang on a broken driver
QUERY = ("--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")


@dataclass(frozen=True)
class Gpu:
    """Use of one GPU: a share from 0 to 1, and bytes."""

    use: float
    used: int
    total: int


@dataclass(frozen=True)
class Load:
    """Use of the machine: the mean of all cores as a share from 0 to 1, and bytes of memory."""

    cpu: float
    cores: int
    used: int
    total: int
    gpus: tuple[Gpu, ...] = ()


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    """Return the GPUs in the answer of nvidia-smi to `QUERY`; a line that has no figures, as ``[N/A]``, is left out."""
    gpus = []
    for line in text.splitlines():
        try:
            use, used, total = (float(field) for field in line.split(","))
        except ValueError:
            continue
        gpus.append(Gpu(use / 100, int(used * 2**20), int(total * 2**20)))
    return tuple(gpus)


def load_text(load: Load, width: int) -> str:
    """Return ``CPU ████░░ 63% of 2 cores · memory 1.9 of 7.8 GB · GPU …``, without what ``width`` has no room for."""
    cores = f" of {load.cores} cores" if load.cores > 1 else ""
    memory = _memory(load)
    gpus = [
        f"GPU{number if len(load.gpus) > 1 else ''} {percent(gpu.use, 0)}, {_memory(gpu)}"
        for number, gpu in enumerate(load.gpus)
    ]
    long = [
        f"CPU {_bar(load.cpu)} {percent(load.cpu, 0)}{cores}",
        f"memory {_bar(load.used / load.total)} {memory}",
        *gpus,
    ]
    short = [f"CPU {percent(load.cpu, 0)}{cores}", f"memory {memory}", *gpus]
    text = next((line for line in map(" · ".join, (long, short)) if len(line) <= width), "")
    while not text:
        short.pop()
        if not short:
            return f"CPU {percent(load.cpu, 0)}"[:width]
        text = " · ".join(short) if len(" · ".join(short)) <= width else ""
    return text


def _memory(part: Load | Gpu) -> str:
    return f"{_gigabytes(part.used)} of {_gigabytes(part.total)} GB"


def _gigabytes(count: int) -> str:
    size = count / 2**30
    return f"{size:.1f}" if size < 10 else f"{size:.0f}"


def _bar(share: float, width: int = 8) -> str:
    filled = min(width, max(0, round(share * width)))
    return "█" * filled + "░" * (width - filled)


def measure(seconds: float | None = None) -> Load:
    """Measure; blocks for as long as nvidia-smi takes.

    The use of the processor is that since the last call or, when given, that of the next ``seconds``.
    """
    import psutil

    memory = psutil.virtual_memory()
    cpu = psutil.cpu_percent(interval=seconds) / 100
    return Load(cpu, total_cores(), memory.total - memory.available, memory.total, _gpus())


def _gpus() -> tuple[Gpu, ...]:
    command = shutil.which("nvidia-smi")
    if command is None:
        return ()
    try:
        answer = subprocess.run(  # noqa: S603 - a fixed command
            [command, *QUERY], capture_output=True, text=True, check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return parse_gpus(answer.stdout)


class MachineLine(Static):
    """The line. Measures every two seconds while something runs, in a thread, and nothing at all otherwise."""

    DEFAULT_CSS = """
    MachineLine { height: 1; color: $foreground 65%; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__("", id=id, classes=classes, markup=False)
        self._timer: Timer | None = None
        self._active = False
        self._busy = False
        self._load: Load | None = None

    @property
    def active(self) -> bool:
        """Whether it measures now."""
        return self._active

    def set_active(self, active: bool) -> None:  # noqa: FBT001 - one switch, one value
        """Begin to measure, or stop and clear the line."""
        if active == self._active:
            return
        self._active = active
        if not self.is_mounted:
            return
        if active:
            self._begin()
        else:
            self._end()

    def on_mount(self) -> None:
        """Begin if it was activated before."""
        if self._active:
            self._begin()

    def on_resize(self) -> None:
        """Show more or less text, as there is room."""
        self._show()

    def _begin(self) -> None:
        self._timer = self.set_interval(INTERVAL, self._measure)
        self._measure()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._load = None
        self._show()

    def _measure(self) -> None:
        if not self._busy:
            self._busy = True
            self.run_worker(self._measure_in_thread(), group="machine")

    async def _measure_in_thread(self) -> None:
        try:
            load = await asyncio.to_thread(measure, FIRST if self._load is None else None)
        finally:
            self._busy = False
        if self._active:
            self._load = load
            self._show()

    def _show(self) -> None:
        self.display = self._load is not None
        text = load_text(self._load, self.size.width) if self._load else ""
        if text != self.content:
            self.update(text)
