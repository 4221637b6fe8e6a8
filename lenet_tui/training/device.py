"""Which device a run computes on."""

from __future__ import annotations

import os

import torch

from lenet_tui.errors import UsageError


def resolve(name: str) -> torch.device:
    """Return the device of that name; ``auto`` is the first there is of cuda, mps and cpu.

    Raises `UsageError` when the device that was asked for is not there.
    """
    present = available()
    if name == "auto":
        return torch.device(present[0])
    if name not in present:
        raise UsageError(f"--device {name} is not available on this machine; use {' or '.join(['auto', *present])}")
    return torch.device(name)


def available() -> list[str]:
    """Return the names of the devices that work here, best first."""
    present = ["cuda"] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        present.append("mps")
    return [*present, "cpu"]


def describe(device: torch.device) -> str:
    """Return the device's name for people."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def make_repeatable(device: torch.device, threads: int) -> None:
    """Have torch compute with ``threads`` CPU threads, and the same bits every time where the device can do that."""
    torch.set_num_threads(threads)
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is repeatable only with this set
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
