"""The run folders are the record: a store that is damaged, deleted or replaced comes back from them."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError, UsageError
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import Store, StoreRebuilt
from tests.store.conftest import ME, claim_first, epoch, make_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.store.conftest import Actors


def file(root: Path) -> Path:
    return root / ".lenet-tui" / "store.db"


def damaged(root: Path) -> list[Path]:
    return sorted(
        path for path in file(root).parent.glob("store.db.damaged-*") if not path.name.endswith(("wal", "shm"))
    )


def remove_store(root: Path) -> None:
    for path in file(root).parent.glob("store.db*"):
        path.unlink()


def tear(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as store:
        store.seek(start)
        store.write(b"\xa5" * length)


def contents(store: Store) -> list[tuple[object, ...]]:
    return [(run.id, run.state, run.folder, run.config.seed, run.epochs_done) for run in store.runs()]


def test_folders_of_runs_that_were_made_before_the_store_are_in_it(tmp_path: Path) -> None:
    make_folder(tmp_path, RunConfig(seed=1), age=10)
    make_folder(tmp_path, RunConfig(model="alexnet", seed=2), "failed", age=30, reason="it broke")
    make_folder(tmp_path, RunConfig(seed=3), "stopped", epochs=2, age=20)
    with Store(tmp_path) as store:
        assert contents(store) == [
            (1, "failed", "alexnet/bs64_lr0.001_seed2", 2, 3),
            (2, "stopped", "lenet/bs64_lr0.001_seed3", 3, 2),
            (3, "finished", "lenet/bs64_lr0.001_seed1", 1, 3),
        ]
        assert store.get(1).reason == "it broke"
        assert store.get(3).test_accuracy == 0.975
        assert store.epochs(2) == [epoch(1), epoch(2)]
        (notice,) = store.notices
        assert "3 runs" in notice
    with Store(tmp_path) as store:
        assert store.notices == []


def test_a_new_root_has_nothing_to_tell(store: Store) -> None:
    assert store.notices == []
    assert store.runs() == []


def test_a_deleted_store_is_rebuilt_from_the_folders(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.import_folder(make_folder(tmp_path, RunConfig(seed=1)))
    remove_store(tmp_path)
    with Store(tmp_path) as store:
        assert contents(store) == [(1, "finished", "lenet/bs64_lr0.001_seed1", 1, 3)]


def test_a_store_deleted_while_it_is_open_is_rebuilt_at_the_next_use(tmp_path: Path) -> None:
    with Store(tmp_path) as store, Store(tmp_path) as other:
        store.import_folder(make_folder(tmp_path, RunConfig(seed=1)))
        counter = other.change_counter()
        remove_store(tmp_path)
        store.add([RunConfig(seed=9)])
        assert [run.config.seed for run in other.runs()] == [1, 9]
        assert other.change_counter() != counter


def test_a_log_left_behind_by_a_deleted_store_does_not_get_into_the_new_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add([RunConfig(seed=7)])
    assert file(tmp_path).with_name("store.db-wal").stat().st_size > 0
    file(tmp_path).unlink()
    file(tmp_path).with_name("queue.json").unlink()
    with Store(tmp_path) as fresh:
        assert fresh.runs() == []
        fresh.add([RunConfig(seed=8)])
        assert [run.config.seed for run in store.runs()] == [8]
    store.close()


def test_a_file_that_is_no_database_is_kept_aside_and_the_store_rebuilt(tmp_path: Path) -> None:
    make_folder(tmp_path, RunConfig(seed=1))
    Store(tmp_path).close()
    file(tmp_path).write_bytes(b"this is not a database" * 1000)
    with Store(tmp_path) as store:
        assert contents(store) == [(1, "finished", "lenet/bs64_lr0.001_seed1", 1, 3)]
        (aside,) = damaged(tmp_path)
        assert aside.read_bytes() == b"this is not a database" * 1000
        assert aside.stat().st_mode & 0o777 == 0o600
        (notice,) = store.notices
        assert "damaged" in notice
        assert str(aside) in notice


@pytest.mark.parametrize("size", [0, 1, 50, 100, 4096, 5000])
def test_a_store_cut_short_is_rebuilt(tmp_path: Path, size: int) -> None:
    make_folder(tmp_path, RunConfig(seed=1))
    Store(tmp_path).close()
    with file(tmp_path).open("r+b") as cut:
        cut.truncate(size)
    with Store(tmp_path) as store:
        assert [run.config.seed for run in store.runs()] == [1]
        assert store.add([RunConfig()])[0].place == 1


def test_an_empty_database_in_the_place_of_the_store_is_replaced_by_one(tmp_path: Path) -> None:
    make_folder(tmp_path, RunConfig(seed=1))
    Store(tmp_path).close()
    remove_store(tmp_path)
    empty = sqlite3.connect(file(tmp_path))
    empty.execute("VACUUM")  # no table, but not an empty file
    empty.close()
    assert file(tmp_path).stat().st_size > 0
    with Store(tmp_path) as store:
        assert [run.config.seed for run in store.runs()] == [1]


def test_another_programs_database_is_kept_aside(tmp_path: Path) -> None:
    Store(tmp_path).close()
    remove_store(tmp_path)
    foreign = sqlite3.connect(file(tmp_path))
    foreign.execute("CREATE TABLE recipes (name TEXT)")
    foreign.execute("PRAGMA user_version = 1")
    foreign.close()
    with Store(tmp_path) as store:
        assert store.runs() == []
    (aside,) = damaged(tmp_path)
    assert sqlite3.connect(aside).execute("SELECT count(*) FROM recipes").fetchone() == (0,)


def page_of(root: Path, table: str) -> int:
    with Store(root) as store, store._database.read() as database:
        page: int = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
        return page


def test_runs_that_a_damaged_store_still_shows_are_saved_with_their_numbers(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig(seed=n) for n in range(1, 6)])
        store.remove(1)
        store.set_note(4, "mind this one")
        store.move(5, 1)
        done = claim_first(store, ME)
        assert done is not None
        folder = make_folder(tmp_path, RunConfig(seed=5), "running")
        store.begin(done.id, ME, folder.path, "cpu", folder.read_metrics())
        before = store.runs()
    tear(file(tmp_path), (page_of(tmp_path, "epochs") - 1) * 4096, 4096)
    with Store(tmp_path) as store:
        with pytest.raises(
            StoreRebuilt, match=r"4 runs saved from it and 0 read from run folders; nothing else was done"
        ):
            store.epochs(5)
        assert store.runs() == before
        assert store.heartbeat(5, ME)  # its worker goes on as if nothing had been
        assert [row.epoch for row in store.epochs(5)] == [1, 2, 3]
        assert len(damaged(tmp_path)) == 1


def test_what_means_the_same_in_a_rebuilt_store_is_done_without_being_asked_again(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig(seed=n) for n in range(200)])
    page = page_of(tmp_path, "runs")
    with Store(tmp_path) as store:
        tear(file(tmp_path), (page - 1) * 4096, 4096)
        added = store.add([RunConfig(seed=1000)])
        assert added[0].config.seed == 1000
        assert store.notices
        assert len(damaged(tmp_path)) == 1
    with Store(tmp_path) as store:
        assert [run.config.seed for run in store.runs()][-1] == 1000


def test_what_lies_behind_a_damaged_page_is_saved_too(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig(seed=n) for n in range(200)])
    size = file(tmp_path).stat().st_size
    tear(file(tmp_path), size // 2 // 4096 * 4096, 4096)
    with Store(tmp_path) as store:
        saved = {run.config.seed for run in store.runs()}
    assert {0, 199} <= saved
    assert len(saved) > 100


def test_a_process_that_finds_the_store_replaced_by_another_uses_the_new_one(tmp_path: Path) -> None:
    make_folder(tmp_path, RunConfig(seed=1))
    with Store(tmp_path) as first, Store(tmp_path) as second:
        first._database._rebuilt()
        added = second.add([RunConfig(seed=2)])
        assert [run.config.seed for run in first.runs()] == [1, 2]
        assert first.get(added[0].id).state == "queued"
        assert len(damaged(tmp_path)) == 1


@pytest.mark.parametrize("broken", [False, True], ids=["missing", "damaged"])
def test_processes_that_rebuild_at_the_same_moment_end_with_one_store(
    tmp_path: Path, actors: Actors, broken: bool
) -> None:
    for seed in range(30):
        make_folder(tmp_path, RunConfig(seed=seed), age=100 - seed)
    if broken:
        Store(tmp_path).close()
        file(tmp_path).write_bytes(b"damaged" * 9999)
    builders = actors.start_together(4, "build", tmp_path)
    answers = [builder.communicate(timeout=60) for builder in builders]
    assert [errors for _, errors in answers] == [""] * 4
    assert len({out for out, _ in answers}) == 1
    assert len(json.loads(answers[0][0])) == 30
    assert len(damaged(tmp_path)) == (1 if broken else 0)
    with Store(tmp_path) as store:
        assert store._database._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("state", ["running", "queued", "interrupted"])
def test_a_folder_that_says_it_is_at_work_starts_nothing_in_a_store_that_did_not_start_it(
    tmp_path: Path, state: str
) -> None:
    folder = make_folder(tmp_path, RunConfig(), state, epochs=2)  # type: ignore[arg-type]
    with Store(tmp_path) as store:
        assert store.queue() == []
        (run,) = store.runs()
        assert (run.state, run.threads, run.epochs_done, run.best_epoch) == ("stopped", 2, 2, 2)
        assert run.reason == "this store did not start it; it can be resumed"
        assert store.root / str(run.folder) == folder.path
        assert store.resume(run.id).state == "queued"


@pytest.mark.parametrize("damage", ["first 100 bytes", "gone", "other database", "a link", "a folder"])
def test_queue_pause_notes_and_runs_at_work_survive_the_loss_of_the_store(tmp_path: Path, damage: str) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig(seed=n) for n in range(20)])
        store.move(20, 1)
        store.set_paused(True)
        store.set_note(7, "the odd one")
        store.set_note(store.import_folder(make_folder(tmp_path, RunConfig(seed=99))).id, "keep")
        store.set_paused(False)
        begun = claim_first(store, ME)
        assert begun is not None
        folder = make_folder(tmp_path, RunConfig(seed=19), "running")
        store.begin(begun.id, ME, folder.path, "cpu", [])
        store.set_paused(True)
        before = [(run.id, run.config.seed, run.note) for run in store.queue()]
    path = file(tmp_path)
    content = path.read_bytes()
    remove_store(tmp_path)
    if damage == "first 100 bytes":
        path.write_bytes(bytes(100) + content[100:])
    elif damage == "other database":
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE runs (id)")
            other.execute("PRAGMA user_version = 2")
    elif damage == "a link":
        (tmp_path / "elsewhere.db").write_bytes(content)
        path.symlink_to(tmp_path / "elsewhere.db")
    elif damage == "a folder":
        path.mkdir()
        (path / "something").touch()
    with Store(tmp_path) as store:
        queue = store.queue()
        assert [(run.id, run.config.seed, run.note) for run in queue] == before
        assert [run.state for run in queue] == ["interrupted"] + ["queued"] * 19
        assert [run.epochs_done for run in queue[:2]] == [3, 0]
        assert store.is_paused()
        assert [run.note for run in store.runs() if run.config.seed == 99] == ["keep"]
        assert "of the queue from queue.json" in store.notices[0]
    if damage == "a link":
        assert (tmp_path / "elsewhere.db").read_bytes() == content


def test_a_run_that_a_process_works_on_is_not_taken_from_it(tmp_path: Path, actors: Actors) -> None:
    folder = make_folder(tmp_path, RunConfig(seed=1), "running")
    make_folder(tmp_path, RunConfig(seed=2))
    worker = actors.start("work", tmp_path, folder.path)
    assert worker.stdout
    assert worker.stdout.readline() == "held\n"
    with Store(tmp_path) as store:
        assert [run.config.seed for run in store.runs()] == [2]
        assert any("is being worked on" in notice for notice in store.notices)
        with pytest.raises(LabError, match="is being worked on; import it when that is done"):
            store.import_folder(folder)
        mine = store.import_folder(folder, ME)  # what its own worker does
        assert (mine.state, mine.owner, mine.epochs_done) == ("running", ME, 3)
        assert store.heartbeat(mine.id, ME)
    assert worker.stdin
    worker.stdin.close()
    worker.wait()


def test_a_folder_that_cannot_be_read_is_named_and_the_others_are_indexed(tmp_path: Path) -> None:
    make_folder(tmp_path, RunConfig(seed=1))
    broken = make_folder(tmp_path, RunConfig(seed=2))
    broken.record_path.write_text("{")
    other = make_folder(tmp_path, RunConfig(seed=3))
    other.metrics_path.write_text("epoch\none\n")
    with Store(tmp_path) as store:
        assert [run.config.seed for run in store.runs()] == [1]
        text = "\n".join(store.notices)
        assert "seed2/run.json is damaged" in text
        assert "seed3/metrics.csv is damaged: line 1" in text


@pytest.mark.parametrize("name", ["outside", "missing"])
def test_what_cannot_be_imported_is_refused_in_one_line(
    tmp_path: Path, name: str, folders: Callable[..., RunFolder]
) -> None:
    with Store(tmp_path / "root") as store:
        if name == "outside":
            with pytest.raises(UsageError, match=r"is not below .*; copy it there first"):
                store.import_folder(folders())
        else:
            with pytest.raises(LabError, match=r"is not a run folder: it has no run\.json"):
                store.import_folder(RunFolder(tmp_path / "root" / "lenet"))
        assert store.runs() == []


def test_a_root_can_be_moved_while_nothing_runs(tmp_path: Path) -> None:
    root = tmp_path / "before"
    with Store(root) as store:
        store.import_folder(make_folder(root, RunConfig(seed=1)))
        store.add([RunConfig(seed=2)])
    moved = root.rename(tmp_path / "after")
    with Store(moved) as store:
        first, second = store.runs()
        assert (moved / str(first.folder) / "run.json").exists()
        assert second.place == 1
        assert store.notices == []
