"""The list of runs: what it shows, sorts, filters and marks, also when it holds ten thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.app import App, ComposeResult

from lenet_tui.config import RunConfig
from lenet_tui.host.process import this_process
from lenet_tui.tui.runs import columns
from lenet_tui.tui.runs.status import headline
from lenet_tui.tui.runs.table import RunsList
from tests.tui.runs import at_work, finished, running, snapshot_of

if TYPE_CHECKING:
    from lenet_tui.store import Run, Store


def view_of(store: Store) -> columns.View:
    view = columns.View(snapshot_of(store))
    view.differences.update(view.snapshot.runs)
    return view


class ListApp(App[None]):
    def compose(self) -> ComposeResult:
        yield RunsList(id="runs")

    @property
    def runs(self) -> RunsList:
        return self.query_one(RunsList)

    def text(self) -> list[str]:
        return [self.runs.render_line(y).text.rstrip() for y in range(self.runs.size.height)]


def test_what_runs_comes_first_then_the_queue_then_the_newest(store: Store) -> None:
    done = finished(store, RunConfig(seed=1))
    newer = finished(store, RunConfig(seed=2))
    first, second = store.add([RunConfig(seed=3), RunConfig(seed=4)])
    store.move(second.id, 1)
    busy = running(store, RunConfig(seed=5))
    view = view_of(store)
    order = columns.ordered(view.snapshot.runs.values(), view, columns.DEFAULT_SORT, reverse=False)
    assert [run.id for run in order] == [busy.id, second.id, first.id, newer.id, done.id]


def test_sorting_by_a_figure_puts_runs_without_it_last(store: Store) -> None:
    worse = finished(store, RunConfig(seed=1), test_accuracy=0.98)
    better = finished(store, RunConfig(seed=2), test_accuracy=0.99)
    (waiting,) = store.add([RunConfig(seed=3)])
    view = view_of(store)
    for reverse, expected in ((False, [better, worse, waiting]), (True, [worse, better, waiting])):
        order = columns.ordered(view.snapshot.runs.values(), view, "test_acc", reverse=reverse)
        assert [run.id for run in order] == [run.id for run in expected]


@pytest.mark.parametrize("width", [10, 30, 52, 78, 120, 200])
def test_columns_never_take_more_than_there_is_unless_only_the_name_and_number_are_left(width: int) -> None:
    chosen = columns.fitting(width, columns.COLUMNS)
    assert {"id", "run"} <= {column.title for column, _ in chosen}
    if len(chosen) > 2:
        assert sum(room + 1 for _, room in chosen) <= width + 1


@pytest.mark.parametrize("width", [10, 30, 52, 78, 160])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_arrow_of_the_order_is_seen_at_every_column(width: int, reverse: bool) -> None:
    layout = columns.fitting(width, columns.COLUMNS, most=12)
    plain = "".join(columns.heading(layout, columns.DEFAULT_SORT, reverse=reverse))
    arrow = "▼" if reverse else "▲"
    for column, room in layout:
        before, chosen, after = columns.heading(layout, column.key, reverse=reverse)
        is_beyond = column is layout[-1][0] and not column.left
        assert len(before + chosen + after) == len(plain) + is_beyond == sum(room + 1 for _, room in layout) + is_beyond
        assert chosen == (column.title if room > len(column.title) or not column.left else column.title[:-1]) + arrow


def test_a_wide_list_has_every_column() -> None:
    assert [column.key for column, _ in columns.fitting(250, columns.COLUMNS)] == [c.key for c in columns.COLUMNS]


def test_text_that_does_not_fit_is_cut_in_the_middle() -> None:
    assert columns.cell("lenet/bs64_lr0.001", 9, left=True) == "lenet/…01"
    assert columns.cell("abc", 5, left=False) == "  abc"
    assert columns.cell("abc", 1, left=True) == "…"


async def test_the_list_shows_each_run_in_a_row_with_a_sign_for_its_state(store: Store) -> None:
    finished(store, RunConfig())
    store.add([RunConfig(batch_size=16)])
    app = ListApp()
    async with app.run_test(size=(90, 10)) as pilot:
        app.runs.show(snapshot_of(store))
        await pilot.pause()
        heading, first, second, *_ = app.text()
        assert heading.split() == [
            "id",
            "run",
            "state",
            *["val", "loss", "loss", "curve", "epoch", "val", "acc", "test", "acc", "time"],
        ]
        assert first.split()[:6] == ["▸", "2", "batch", "16", "○", "queued"]
        assert second.split()[:4] == ["1", "default", "✓", "finished"]
        assert "99.00" in second


def in_list(run: Run, store: Store, width: int) -> str:
    """What stands in the column of states of a list so wide."""
    view = view_of(store)
    layout = columns.fitting(width, columns.shown(view))
    column, room = next((c, room) for c, room in layout if c.key == "state")
    return columns.cell(column.text(run, view, room), room, left=True).rstrip()


def test_title_and_list_tell_the_same_epoch(store: Store) -> None:
    run = running(store, RunConfig(), epochs=6)
    assert headline(run, snapshot_of(store)).startswith("run 1 · starting · ")
    assert in_list(run, store, 54) == "● starting"
    run = at_work(store, run, epoch=7)
    assert headline(run, snapshot_of(store)).startswith("run 1 · epoch 7/20 58 % · estimating… · ")
    assert in_list(run, store, 54) == "● 7/20"
    assert in_list(run, store, 110) == "● epoch 7/20"
    run = at_work(store, run, epoch=6, step=50)  # before the first steps of the next
    assert headline(run, snapshot_of(store)).startswith("run 1 · epoch 6/20 100 % · ")
    assert in_list(run, store, 110) == "● epoch 6/20"
    run = at_work(store, run, epoch=5)  # progress is told seldom, and epochs can be short
    assert headline(run, snapshot_of(store)).startswith("run 1 · epoch 6/20 · ")
    assert in_list(run, store, 110) == "● epoch 6/20"


def test_a_run_that_draws_its_pictures_or_stops_is_told_so_in_title_and_list(store: Store) -> None:
    run = at_work(store, running(store, RunConfig(epochs=3)), epoch=3)
    assert headline(run, snapshot_of(store)).startswith("run 1 · drawing pictures · ")
    assert in_list(run, store, 54) == "● drawing"
    assert in_list(run, store, 120) == "● drawing pictures"
    run = store.request_stop(run.id)
    assert headline(run, snapshot_of(store)).startswith("run 1 · stopping · ")
    assert in_list(run, store, 54) == "● stopping"


def test_a_stopped_run_tells_how_many_epochs_it_has_done(store: Store) -> None:
    run = running(store, RunConfig(), epochs=7)
    assert store.end(run.id, this_process(), "stopped")
    run = store.get(run.id)
    assert in_list(run, store, 54) == "■ stop 7/20"
    assert in_list(run, store, 110) == "■ stopped 7/20"
    assert headline(run, snapshot_of(store)).startswith("run 1 · stopped 7/20 · ")
    (never_began,) = store.add([RunConfig()])
    assert in_list(store.request_stop(never_began.id), store, 54) == "■ stopped"


def test_a_run_is_told_in_the_same_words_from_its_first_to_its_last_epoch(store: Store) -> None:
    run = running(store, RunConfig(epochs=1000), epochs=1)
    for epoch in (2, 10, 999):
        assert in_list(at_work(store, run, epoch), store, 54) == f"● {epoch}/1000"


async def test_the_cursor_stays_on_its_run_while_others_come_and_go(store: Store) -> None:
    one = finished(store, RunConfig(seed=1))
    app = ListApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.runs.show(snapshot_of(store))
        store.add([RunConfig(seed=n) for n in range(2, 20)])
        app.runs.show(snapshot_of(store))
        await pilot.pause()
        assert app.runs.current is not None
        assert app.runs.current.id == one.id


async def test_filtering_and_marking(store: Store) -> None:
    for seed in range(4):
        finished(store, RunConfig(seed=seed))
    store.set_note(2, "odd one")
    app = ListApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.runs.show(snapshot_of(store))
        app.runs.focus()
        app.runs.filter("ODD finished")
        assert [run.id for run in app.runs.listed] == [2]
        app.runs.filter("nothing like it")
        await pilot.pause()
        assert app.runs.chosen == []
        assert "no run matches" in app.text()[1]
        app.runs.filter("")
        app.runs.go_to(4)
        app.runs.mark()
        assert app.runs.current.id == 4  # it stays
        app.runs.action_step(1)
        app.runs.mark()
        assert [run.id for run in app.runs.chosen] == [4, 3]
        app.runs.mark_all()
        assert len(app.runs.chosen) == 4
        app.runs.mark_all()
        assert len(app.runs.chosen) == 1


async def test_keys_move_through_ten_thousand_runs(store: Store) -> None:
    store.add([RunConfig(seed=n) for n in range(10_000)])
    app = ListApp()
    async with app.run_test(size=(80, 12)) as pilot:
        app.runs.show(snapshot_of(store))
        app.runs.focus()
        await pilot.press("end")
        await pilot.pause()
        assert app.text()[-1].split()[:2] == ["▸", "10000"]
        await pilot.press("home", "down", "pagedown")
        await pilot.pause()
        assert app.runs.current is not None
        assert app.runs.current.id == 12
        assert any(line.split()[:2] == ["▸", "12"] for line in app.text())
        await pilot.resize_terminal(40, 6)
        await pilot.pause()
        assert any(line.startswith("▸") for line in app.text())
