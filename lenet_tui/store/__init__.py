"""The store of a root: every run and the queue, in one SQLite file that several processes share.

`store` is its interface; its methods call functions of ``queries``, ``queue`` and ``ownership`` within transactions of
``database``; ``schema`` has the tables, ``records`` the rows, ``recovery`` makes a new store from the run folders.
"""

from __future__ import annotations

from lenet_tui.store.database import StoreRebuilt
from lenet_tui.store.files import PRIVATE_FOLDER
from lenet_tui.store.ownership import ATTEMPTS
from lenet_tui.store.records import Changes, Run, SpeedKey, StopRequest
from lenet_tui.store.recovery import below
from lenet_tui.store.store import Store

__all__ = [
    "ATTEMPTS",
    "PRIVATE_FOLDER",
    "Changes",
    "Run",
    "SpeedKey",
    "StopRequest",
    "Store",
    "StoreRebuilt",
    "below",
]
