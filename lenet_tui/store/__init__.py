"""The store of a root: every run and the queue, in one SQLite file that several processes share.

``reading`` looks, ``asking`` does what people ask for, ``working`` is for the runner and its workers; below them
``database`` has the file, ``schema`` the tables and what may never be in them, ``recovery`` a new store from the run
folders.
"""

from __future__ import annotations

from lenet_tui.store.asking import Asking
from lenet_tui.store.database import StoreRebuilt
from lenet_tui.store.files import PRIVATE_FOLDER
from lenet_tui.store.records import Changes, Position, Progress, Run, SpeedKey, StopRequest
from lenet_tui.store.recovery import below
from lenet_tui.store.working import ATTEMPTS, Working

__all__ = [
    "ATTEMPTS",
    "PRIVATE_FOLDER",
    "Changes",
    "Position",
    "Progress",
    "Run",
    "SpeedKey",
    "StopRequest",
    "Store",
    "StoreRebuilt",
    "below",
]


class Store(Asking, Working):
    """Every run of a root and the order of those that wait.

    Each method is one transaction, and each change of a run is conditional on the state it is in then. Usable from any
    thread of the process that opened it, not across a fork; close it, or use ``with``. Every method may raise
    `LabError` when the file cannot be read or written.
    """
