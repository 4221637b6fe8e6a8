"""What this machine has, without importing torch."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import socket
from dataclasses import dataclass
from pathlib import Path

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True)
class Capacity:
    """What runs can be placed on: CPU cores, and GPUs, each of which takes one run at a time; how much is free now."""

    cores: int
    gpus: int = 0
    free_cores: int = 0
    free_gpus: int = 0


def total_cores() -> int:
    """Return the number of CPU cores of this machine, whether this process may use them or not."""
    return os.cpu_count() or 1


def available_cores() -> int:
    """Return the number of CPU cores that this process may use: as many as affinity and container quota leave."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else total_cores()
    try:
        quota, period = _CGROUP_QUOTA.read_text().split()
        cores = min(cores, max(1, int(int(quota) / int(period))))
    except (OSError, ValueError):  # no cgroup v2 here, or "max": no quota
        pass
    return cores


def package_version(name: str) -> str | None:
    """Return the installed version of a package without importing it, None where it is missing."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def environment() -> dict[str, str]:
    """Return what the run's numbers may depend on besides its configuration."""
    versions = {
        name: package_version(name) or "missing"
        for name in ("lenet-tui", "torch", "torchvision", "numpy", "scikit-learn")
    }
    return versions | {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "host": socket.gethostname(),
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
