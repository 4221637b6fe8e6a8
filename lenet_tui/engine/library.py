"""The compiled library: where it is, what it can do here, and its C interface. Needs no torch.

An installation without a compiler has none; then, and where it cannot be loaded, `library` says why.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lenet_tui.errors import LabError

VARIABLE = "LENET_TUI_INSTRUCTIONS"
INSTRUCTIONS = ("baseline", "avx2", "avx512")  # as the library counts them; the widest is the fastest
_VERSION = 2  # of the interface, as in dispatch.cpp
_NAME = "_lenet.so"


class Call(ctypes.Structure):
    """``struct Call`` in ``source/engine.h``."""

    _fields_ = (
        ("images", ctypes.c_void_p),
        ("total", ctypes.c_int64),
        ("index", ctypes.c_void_p),
        ("count", ctypes.c_int64),
        ("is_bytes", ctypes.c_int32),
        ("is_tanh", ctypes.c_int32),
        ("is_mean", ctypes.c_int32),
        ("subtract", ctypes.c_float),
        ("multiply", ctypes.c_float),
        ("weights", ctypes.c_void_p * 10),
        ("mask1", ctypes.c_void_p),
        ("mask2", ctypes.c_void_p),
        ("logits", ctypes.c_void_p),
        ("features", ctypes.c_void_p),
        ("state", ctypes.c_void_p),
        ("logits_gradient", ctypes.c_void_p),
        ("gradients", ctypes.c_void_p * 10),
    )


class Distortion(ctypes.Structure):
    """``struct Distortion`` in ``source/engine.h``."""

    _fields_ = (
        ("images", ctypes.c_void_p),
        ("total", ctypes.c_int64),
        ("index", ctypes.c_void_p),
        ("count", ctypes.c_int64),
        ("matrices", ctypes.c_void_p),
        ("noise", ctypes.c_void_p),
        ("smoothing", ctypes.c_void_p),
        ("strength", ctypes.c_float),
        ("result", ctypes.c_void_p),
    )


@dataclass(frozen=True)
class Library:
    """What there is: ``handle`` is None where the library is missing or cannot be used, and ``problem`` says why.

    ``available`` are the instruction sets that the library and the processor have, the fastest last.
    """

    handle: ctypes.CDLL | None
    problem: str
    available: tuple[str, ...] = ()


@cache
def library() -> Library:
    """Return the library, loaded once a process."""
    return load(Path(__file__).with_name(_NAME))


def load(path: Path) -> Library:
    """Load the library at ``path``; never raises."""
    if not path.exists():
        return Library(None, "it was not compiled when lenet-tui was installed")
    try:
        handle = ctypes.CDLL(str(path))
        version = handle.lenet_version()
        if version != _VERSION:
            return Library(None, f"{path} is of another version of lenet-tui")
        handle.lenet_state_bytes.restype = ctypes.c_int64
        handle.lenet_state_bytes.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int, ctypes.c_int)
        for function in (handle.lenet_forward, handle.lenet_backward):
            function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.POINTER(Call))
        handle.lenet_distort.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.POINTER(Distortion))
        bits = handle.lenet_instructions()
    except (OSError, AttributeError) as error:
        return Library(None, f"{path} cannot be loaded: {str(error).removeprefix(f'{path}: ')}")
    return Library(handle, "", tuple(name for bit, name in enumerate(INSTRUCTIONS) if bits >> bit & 1))


def compute(function: str, instructions: int, threads: int, call: Call | Distortion) -> None:
    """Call a function of the library. Raises `LabError` without one, IndexError, ValueError and MemoryError."""
    handle = library().handle
    if handle is None:
        raise LabError(f"the native engine cannot be used: {library().problem}")
    code = getattr(handle, function)(instructions, threads, ctypes.byref(call))
    if code == 2:
        raise MemoryError
    if code == 3:
        raise IndexError("index has an image that is not there")
    if code:
        raise ValueError(f"instruction set {instructions} with {threads} threads is not to be had")


def instructions() -> tuple[str, str]:
    """Return the instruction set to use and "", or "" and why there is none.

    It is the fastest there is, or the one that the environment variable ``LENET_TUI_INSTRUCTIONS`` names.
    """
    here = library()
    if here.handle is None:
        return "", here.problem
    wanted = os.environ.get(VARIABLE, "")
    if not wanted:
        return here.available[-1], ""
    if wanted not in here.available:
        return "", f"{VARIABLE} is {wanted!r}, and here is {' or '.join(here.available)}"
    return wanted, ""
