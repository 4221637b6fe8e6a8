"""Which engine a run computes with: the native one, or PyTorch's own layers. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lenet_tui.engine import library as loading
from lenet_tui.engine.library import library
from lenet_tui.errors import UsageError


@dataclass(frozen=True)
class Engine:
    """An engine; for the native one, the instruction set that it was dispatched to and how many threads it has."""

    name: Literal["native", "torch"]
    instructions: str = ""
    threads: int = 1

    def __str__(self) -> str:
        return f"{self.name} ({self.instructions})" if self.instructions else self.name


TORCH = Engine("torch")


def choose(wanted: str, model: str, device: str, threads: int = 1) -> Engine:
    """Return the engine for a new run of ``model`` on the device of type ``device`` (cpu, cuda, mps).

    Raises `UsageError` when ``wanted`` is ``native`` and cannot be had.
    """
    if wanted == "torch":
        return TORCH
    instructions, problem = loading.instructions()
    problem = _why_not(model, device) or problem
    if not problem:
        return Engine("native", instructions, threads)
    if wanted == "native":
        raise UsageError(f"--engine native cannot be used: {problem}; use auto or torch")
    return TORCH


def keep(recorded: Engine, model: str, device: str) -> tuple[Engine, str]:
    """Return the engine to resume a run with, and "" or why it is not the ``recorded`` one, in a sentence."""
    if recorded.name == "torch":
        return recorded, ""
    if recorded.instructions in library().available and not _why_not(model, device):
        return recorded, ""
    engine = choose("auto", model, device, recorded.threads)
    problem = _why_not(model, device) or library().problem or f"this processor has no {recorded.instructions}"
    return engine, (
        f"it was begun with engine {recorded}, which cannot be used here: {problem}; it goes on with engine {engine}, "
        "and does not end in the same bits"
    )


def _why_not(model: str, device: str) -> str:
    if model != "lenet":
        return f"it computes LeNet only, not {model}"
    if device != "cpu":
        return f"it computes on the CPU, not on {device}"
    return ""
