"""Undoing a deletion: the run is there again with number, figures, epochs, note, tags and folder."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.store import Store
from tests.tui.runs import finished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lenet_tui.store import Run


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


def ended(store: Store) -> Run:
    run = finished(store, RunConfig(batch_size=16), epochs=4)
    (store.root / str(run.folder) / "run.json").write_text("{}")
    store.set_note(run.id, "mine")
    store.set_tags(run.id, ["good"])
    return store.get(run.id)


def test_a_deleted_run_is_restored_whole(store: Store) -> None:
    run = ended(store)
    history = store.epochs(run.id)
    _, place = store.delete(run.id)
    assert place is not None
    assert store.restore(run, place, history) == run
    assert store.epochs(run.id) == history
    assert (store.root / str(run.folder) / "run.json").read_text() == "{}"
    assert not place.exists()


def test_a_removed_run_gets_its_place_in_the_queue_back(store: Store) -> None:
    store.add([RunConfig(seed=seed) for seed in range(4)])
    run = store.get(2)
    store.remove(2)
    assert store.restore(run, None).place == 2
    assert [each.id for each in store.queue()] == [1, 2, 3, 4]


def test_nothing_is_restored_over_what_came_since(store: Store) -> None:
    run = ended(store)
    _, place = store.delete(run.id)
    (store.root / str(run.folder)).mkdir()
    with pytest.raises(LabError, match="exists again"):
        store.restore(run, place)
    assert store.runs() == []
    (store.root / str(run.folder)).rmdir()
    assert place is not None
    shutil.rmtree(place)
    with pytest.raises(LabError, match="is not in the trash any more; run 1 cannot be restored"):
        store.restore(run, place)
    assert store.runs() == []
    other = finished(store, RunConfig())
    with pytest.raises(LabError, match="its number or folder is in use again"):
        store.restore(other, None)


def test_a_place_outside_the_trash_is_not_moved(store: Store, tmp_path: Path) -> None:
    run = ended(store)
    store.delete(run.id)
    mine = tmp_path / "thesis"
    mine.mkdir()
    with pytest.raises(LabError, match="is not in the trash"):
        store.restore(run, mine)
    assert mine.is_dir()


def test_val_losses_are_read_for_the_runs_that_are_asked_for(store: Store) -> None:
    run = ended(store)
    (waiting,) = store.add([RunConfig(seed=9)])
    losses = store.val_losses([run.id, waiting.id, 77])
    assert losses == {run.id: tuple(row.val_loss for row in store.epochs(run.id)), waiting.id: (), 77: ()}
