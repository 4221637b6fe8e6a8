"""What most tests of the app begin with."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from lenet_tui.runner import daemon
from lenet_tui.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def _no_app_is_kept() -> Iterator[None]:
    """Free the apps of a module: each freezes what there is when it starts, and so keeps those before it."""
    yield
    gc.unfreeze()
    gc.collect()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store whose queue is paused, so that no runner is started but where a test makes it active."""
    with Store(tmp_path) as store:
        store.set_paused(True)
        yield store
    daemon.stop(tmp_path)
