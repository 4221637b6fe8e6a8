"""Corrects environment variables that break a process, and those it starts, before it can report an error."""

from __future__ import annotations

import contextlib
import os
import re

_COUNT = r"\s*[1-9]\d*\s*"
_CPUS = r"\d+(-\d+(:\d+)?)?"
# What the OpenMP library in torch reads when it is loaded: at anything else it complains, or never comes back.
_OPENMP = {
    "OMP_NUM_THREADS": rf"{_COUNT}(,{_COUNT})*",
    "OMP_THREAD_LIMIT": _COUNT,
    "OMP_SCHEDULE": r"(?i)\s*((non)?monotonic\s*:\s*)?(static|dynamic|guided|auto)\s*(,\s*[1-9]\d*\s*)?",
    "GOMP_CPU_AFFINITY": rf"\s*{_CPUS}([\s,]+{_CPUS})*\s*",
}
# The runner works in another folder than the one that it was started from.
_PATHS = ("LENET_TUI_CACHE", "LENET_TUI_DATA", "LENET_TUI_SETTINGS")


def settle() -> None:
    """Remove what OpenMP cannot read, and make the paths of lenet-tui absolute; call it before torch is imported."""
    for name, right in _OPENMP.items():
        if not re.fullmatch(right, os.environ.get(name, "")):
            os.environ.pop(name, None)
    for name in _PATHS:
        path = os.environ.get(name, "").strip()
        if path and not path.startswith("~"):
            with contextlib.suppress(FileNotFoundError):  # the current folder was deleted
                os.environ[name] = os.path.abspath(path)  # noqa: PTH100 - a path library costs each command's start
