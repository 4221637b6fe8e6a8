"""The homework study in the app: queued by key through the real command, and read."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Static, Tree
from textual.widgets._footer import FooterKey

from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS, Plan, study_runs
from lenet_tui.cli import study
from lenet_tui.config import RunConfig
from lenet_tui.store import Store
from lenet_tui.tui import subprocesses
from lenet_tui.tui.form import duplicates
from lenet_tui.tui.settings import Settings
from lenet_tui.tui.study import homework
from lenet_tui.tui.study.screen import StudyScreen
from lenet_tui.tui.widgets.document import Document, FlatTable
from tests.tui.runs import at_work, finished, running, snapshot_of
from tests.tui.test_main import Bench, opened
from tests.tui.test_snapshots import SIZE_NAMES, SIZES, compare, settled

if TYPE_CHECKING:
    from collections.abc import Sequence


DIGITS = Plan(seeds=1, epochs=2, dataset="digits")
DOCUMENT = """\
# The homework study

The default reaches **98.9 %** (run 1). [Back to it](#which-batch-size).

## Which batch size?

| arm | test accuracy | runs |
|---|---:|---|
| batch size 16 | **98.9 %** | 2, 3 |
| batch size 32 | 98.7 % | 4 |

![losses](loss.png)

## Is AlexNet better?

No difference shown.
"""


def queue(store: Store, plan: Plan) -> None:
    store.add([plan.config(variant, seed) for seed in range(plan.seeds) for variant in VARIANTS])


def write(root: Path, text: str = DOCUMENT) -> Path:
    path = root / "study" / "homework" / "discussion.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def screen_of(bench: Bench) -> StudyScreen:
    assert isinstance(bench.app.screen, StudyScreen)
    return bench.app.screen


def says(bench: Bench, name: str) -> str:
    return str(screen_of(bench).query_one(name, Static).content)


def seen(bench: Bench) -> str:
    return "\n".join(strip.text.rstrip() for strip in bench.app.screen._compositor.render_strips())


def offered(bench: Bench, key_id: str) -> bool:
    return any(item.action == f"press('{key_id}')" for item in screen_of(bench).query(FooterKey))


async def open_study(bench: Bench) -> None:
    await bench.press("escape", "h")
    await bench.until(lambda: isinstance(bench.app.screen, StudyScreen) and says(bench, "#title"))


# Which study is on record, and how far it is


def test_a_study_is_known_by_its_runs(store: Store) -> None:
    assert homework.stored_plan(store.runs()) is None
    queue(store, Plan(2, 5, "digits"))
    store.add([RunConfig(seed=7), RunConfig(dataset="digits", epochs=5, seed=9)])
    assert homework.stored_plan(store.runs()) == Plan(2, 5, "digits")


def test_the_study_that_was_queued_last_counts(store: Store) -> None:
    queue(store, Plan(2, 5, "digits"))
    queue(store, DIGITS)
    assert homework.stored_plan(store.runs()) == DIGITS
    store.add([RunConfig(dataset="digits", epochs=5, seed=3)])  # a default run belongs to any work
    assert homework.stored_plan(store.runs()) == DIGITS
    queue(store, Plan(1, 9, "digits"))
    assert homework.stored_plan(store.runs()) == Plan(1, 9, "digits")


def test_sweeps_are_not_taken_for_a_study(store: Store) -> None:
    store.add([RunConfig(batch_size=size, lr=lr) for size in (16, 32, 64) for lr in (0.01, 0.001, 0.0001)])
    store.add([RunConfig(model="alexnet"), RunConfig(dropout=0.3)])
    assert homework.stored_plan(store.runs()) is None


def test_what_a_machine_decides_does_not_make_another_study(store: Store) -> None:
    store.add(
        [DIGITS.config(variant, 0).model_copy(update={"threads": 2, "tsne_samples": 100}) for variant in VARIANTS]
    )
    assert homework.stored_plan(store.runs()) == DIGITS
    assert homework.study_progress(DIGITS, snapshot_of(store)).missing == []


def test_progress_counts_every_run_once_and_tells_what_is_at_work(store: Store) -> None:
    finished(store, DIGITS.config(DEFAULT, 0))
    store.add([DIGITS.config(VARIANTS[1], 0)])
    store.request_stop(2)
    at_work(store, running(store, DIGITS.config(VARIANTS[2], 0), epochs=1), epoch=2)
    store.add([DIGITS.config(variant, 0) for variant in VARIANTS[3:5]])
    found = homework.study_progress(DIGITS, snapshot_of(store, until={3: 10.0, 4: 30.0, 5: 90.0}))
    assert found.finished == {1}
    assert found.running == ("run 3, batch size 32, seed 0: epoch 2/2",)
    told = homework.progress_text(found, paused=False)
    assert told == "1 of 15 runs finished · 1 running · 2 waiting · 1 stopped · 10 not queued · about 90 s left"
    assert homework.progress_text(found, paused=True).endswith("the queue is paused")
    assert len(found.missing) == 10


def test_the_plan_says_what_it_means_and_what_is_not_trained_again(store: Store) -> None:
    finished(store, DIGITS.config(DEFAULT, 0))
    found = homework.study_progress(DIGITS, snapshot_of(store))
    text = homework.explanation(found, 3600)
    for words in (
        "15 configurations × 1 seed = 15 runs",
        "1 of 15 exist already",
        "14 runs to queue: about 60 min",
        "AlexNet",
        "one seed shows no seed-to-seed variation",
    ):
        assert words in text
    assert max(map(len, text.splitlines()[1:])) <= 78
    assert "no estimate yet" in homework.explanation(found, None)
    assert "take about two hours on two cores" in homework.explanation(found, None)
    assert "about 2 min; without AlexNet, not trained before" in homework.explanation(found, 120, "AlexNet")


def test_the_time_of_a_study_leaves_out_the_model_that_was_never_trained() -> None:
    configs = [DIGITS.config(variant, 0) for variant in VARIANTS]

    def pace(asked: Sequence[RunConfig], known: tuple[str, ...]) -> float | None:
        return 10.0 * len(asked) if {config.model for config in asked} <= set(known) else None

    both = ("lenet", "alexnet")
    assert homework.estimate(configs, lambda asked: pace(asked, both)) == (150.0, "")
    assert homework.estimate(configs, lambda asked: pace(asked, ("lenet",))) == (140.0, "AlexNet")
    assert homework.estimate(configs, lambda asked: pace(asked, ()))[0] is None
    assert homework.estimate([], lambda _: 0.0) == (0.0, "")


# The screen


async def test_keys_change_the_plan_and_enter_queues_it(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await open_study(bench)
        assert "MNIST, 20 epochs, 5 seeds" in says(bench, "#title")
        assert "75 runs to queue" in says(bench, "#plan Static")
        await bench.press("s")
        assert "6 seeds" in says(bench, "#title")
        await bench.press("S", "S", "S", "S", "S", "S", "E", "E", "E", "E", "e", "d", "d", "d")
        assert "digits (scikit-learn), 5 epochs, 1 seed" in says(bench, "#title")
        await bench.press("enter")
        await bench.until(lambda: len(store.queue()) == 15)
        assert {run.config for run in store.queue()} == {
            Plan(1, 5, "digits").config(variant, 0) for variant in VARIANTS
        }
        await bench.until(lambda: "queued 15 runs; the queue is paused" in bench.messages())
        await bench.until(lambda: "15 waiting · the queue is paused" in says(bench, "#progress"))
        await bench.until(lambda: screen_of(bench).place == "discussion" and screen_of(bench).path.is_file())
        await bench.press("p")
        assert "nothing to queue" in says(bench, "#plan Static")
        await bench.press("enter")
        await bench.until(lambda: "exists already" in bench.messages())
        assert len(store.queue()) == 15


async def test_the_screen_renews_itself_from_the_store_while_the_command_goes_on(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Header, sentence and keys never say different things: the store is what they all are made from."""
    over = asyncio.Event()

    async def command(*_words: str) -> subprocesses.Ended:
        await asyncio.to_thread(queue, Store(tmp_path), DIGITS)
        await over.wait()
        return subprocesses.Ended(0, json.dumps({"queued": list(range(1, 16))}), "")

    monkeypatch.setattr(subprocesses, "run", command)
    async with opened(tmp_path) as bench:
        await open_study(bench)
        await bench.press("S", "S", "S", "S", "d", "d", "d", "E", "E", "E", "E", "E")
        screen = screen_of(bench)
        assert (screen._plan, offered(bench, "queue-study")) == (DIGITS, True)
        await bench.press("enter")
        await bench.until(lambda: "15 waiting" in says(bench, "#progress"))
        assert "queueing" not in says(bench, "#where")
        assert "writing the discussion" in says(bench, "#where")
        await bench.until(lambda: "queued 15 runs; the queue is paused" in bench.messages())
        assert screen.place == "discussion"
        await bench.press("p")
        assert "nothing to queue" in says(bench, "#plan Static")
        assert not offered(bench, "queue-study")
        over.set()
        await bench.until(lambda: "writing" not in says(bench, "#where"))
        assert bench.messages().count("queued 15") == 1
        for number, variant in enumerate(VARIANTS, start=1):  # a runner works on them
            store.request_stop(store.queue()[0].id)
            finished(store, DIGITS.config(variant, 7))
            await bench.until(lambda n=number: f"{n} stopped" in says(bench, "#progress"))
        assert "waiting" not in says(bench, "#progress")


async def test_keys_are_offered_when_they_have_something_to_do(store: Store, tmp_path: Path) -> None:
    queue(store, DIGITS)
    async with opened(tmp_path, settings=Settings(quiet=True)) as bench:
        await bench.until(lambda: len(bench.app.lab.snapshot.runs) == 15)
        await open_study(bench)
        assert not offered(bench, "update-study")
        finished(store, DIGITS.config(DEFAULT, 0))
        await bench.until(lambda: "1 of 15 runs finished" in says(bench, "#progress"))
        await bench.until(lambda: offered(bench, "update-study"))
        await bench.press("p", "s")
        await bench.until(lambda: offered(bench, "queue-study"))


async def test_who_leaves_at_once_has_queued_it_all_the_same(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await open_study(bench)
        await bench.press("S", "S", "S", "S", "d", "d", "d", "enter", "escape")
        assert bench.app.screen is bench.main
        await bench.until(lambda: "queued 15 runs" in bench.messages())
        assert len(store.queue()) == 15


async def test_who_leaves_while_it_is_written_leaves_in_order(store: Store, tmp_path: Path) -> None:
    queue(store, DIGITS)
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.app.lab.snapshot.runs) == 15)
        await open_study(bench)
        await bench.press("u", "escape")
        assert bench.app.screen is bench.main
        await bench.until(lambda: not bench.app.workers)


async def test_a_study_that_fails_to_be_queued_is_a_message(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await open_study(bench)
        screen_of(bench)._root = tmp_path / "a file"
        (tmp_path / "a file").touch()
        await bench.press("d", "d", "d", "enter")
        await bench.until(lambda: "is a file; give a folder" in bench.messages())
        assert "75 runs to queue" in says(bench, "#plan Static")


@pytest.mark.parametrize("size", [(80, 24), (160, 50), (20, 5)])
async def test_the_discussion_is_read_with_its_contents_where_there_is_room(
    store: Store, tmp_path: Path, size: tuple[int, int]
) -> None:
    queue(store, DIGITS)
    write(tmp_path)
    async with opened(tmp_path, size) as bench:
        await bench.until(lambda: len(bench.app.lab.snapshot.runs) == 15)
        await open_study(bench)
        document = screen_of(bench).query_one(Document)
        await bench.until(lambda: len(document.query(FlatTable)) == 1)
        assert document.show_table_of_contents is (size[0] >= 120)
        await bench.press("t")
        assert document.show_table_of_contents is (size[0] < 120)
        await bench.press("t", "pagedown", "end", "home")
        if size[0] >= 80:
            await bench.until(lambda: "batch size 16" in seen(bench))
            assert "98.9 %" in seen(bench)
            assert "study/homework/discussion.md and discussion.html" in seen(bench)
        await bench.press("escape")
        assert bench.app.screen is bench.main


async def test_contents_lead_to_their_section(store: Store, tmp_path: Path) -> None:
    long = DOCUMENT.replace("No difference shown.", "No difference shown.\n\n" * 60)
    write(tmp_path, long + "\n## The last one\n\nDone.\n")
    async with opened(tmp_path, (160, 24)) as bench:
        await open_study(bench)
        document = screen_of(bench).query_one(Document)
        await bench.until(lambda: "The last one" in seen(bench))
        assert "Done." not in seen(bench)
        tree = document.query_one(Tree)
        tree.focus()
        await bench.press("end", "enter")
        await bench.until(lambda: "Done." in seen(bench))


async def test_links_out_of_the_document_only_say_where_they_lead(store: Store, tmp_path: Path) -> None:
    write(tmp_path)
    async with opened(tmp_path) as bench:
        await open_study(bench)
        document = screen_of(bench).query_one(Document).document
        await bench.until(lambda: "98.9 %" in seen(bench))
        for target in ("#which-batch-size", "#nowhere", "https://example.org/", "loss.png"):
            document.post_message(document.LinkClicked(document, target))
            await bench.pilot.pause()
        await bench.until(lambda: "loss.png" in bench.messages())


async def test_a_discussion_that_is_written_anew_is_shown_where_one_was_reading(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, DOCUMENT + "\n\nAnd more.\n" * 40)
    async with opened(tmp_path) as bench:
        await open_study(bench)
        document = screen_of(bench).query_one(Document)
        await bench.until(lambda: document.max_scroll_y > 20)
        await bench.press("pagedown")
        place = document.scroll_offset.y
        assert place > 0
        path.write_text(path.read_text() + "\n## An answer more\n")
        screen_of(bench)._read()
        await bench.until(lambda: "An answer more" in document.document.source)
        await bench.until(lambda: document.scroll_offset.y == place)


async def test_a_discussion_that_cannot_be_read_is_a_message(store: Store, tmp_path: Path) -> None:
    write(tmp_path).write_bytes(b"\xff\xfe")
    async with opened(tmp_path) as bench:
        await open_study(bench)
        await bench.until(lambda: "cannot be read" in seen(bench))


async def test_it_is_written_by_key_and_by_itself_when_a_run_is_finished(store: Store, tmp_path: Path) -> None:
    queue(store, DIGITS)
    path = tmp_path / "study" / "homework" / "discussion.md"
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.app.lab.snapshot.runs) == 15)
        await open_study(bench)
        await bench.press("u")
        await bench.until(path.is_file)
        await bench.until(lambda: not screen_of(bench)._doing)
        before = path.stat().st_mtime_ns
        screen_of(bench)._updated_at -= 100
        finished(store, DIGITS.config(DEFAULT, 0))
        await bench.until(lambda: path.stat().st_mtime_ns > before)


async def test_a_discussion_that_cannot_be_written_is_a_message(store: Store, tmp_path: Path) -> None:
    queue(store, DIGITS)
    (tmp_path / "study").write_text("in the way")
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.app.lab.snapshot.runs) == 15)
        await open_study(bench)
        await bench.press("u")
        await bench.until(lambda: "the study" in bench.messages())
        assert "Traceback" not in bench.messages()
        assert "No discussion yet" in seen(bench) or "cannot be read" in seen(bench)


async def test_a_discussion_is_not_replaced_by_one_of_nothing(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path)
    async with opened(tmp_path) as bench:
        await open_study(bench)
        await bench.until(lambda: "batch size 16" in seen(bench))
        await bench.press("u")
        await bench.until(lambda: "this study has no run yet" in bench.messages())
        assert path.read_text() == DOCUMENT


async def test_on_a_slow_link_it_is_written_by_key_only(store: Store, tmp_path: Path) -> None:
    queue(store, DIGITS)
    async with opened(tmp_path, settings=Settings(quiet=True)) as bench:
        await bench.until(lambda: len(bench.app.lab.snapshot.runs) == 15)
        await open_study(bench)
        finished(store, DIGITS.config(DEFAULT, 0))
        await bench.until(lambda: "1 of 15 runs finished" in says(bench, "#progress"))
        screen_of(bench)._update_by_itself()
        assert not screen_of(bench)._doing


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
async def test_plan_and_discussion_look_as_they_did(store: Store, tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size) as bench:
        await open_study(bench)
        screen_of(bench)._root = Path("/root")
        await bench.press("S", "S", "S", "S")
        await settled(bench, tmp_path)
        compare("study-plan", size, seen(bench) + "\n")
        screen_of(bench)._root = tmp_path
        write(tmp_path)
        screen_of(bench)._read()
        await bench.press("p")
        await bench.until(lambda: "batch size 16" in seen(bench))
        screen_of(bench).query_one("#where", Static).update("where")
        await settled(bench, tmp_path)
        compare("study-discussion", size, seen(bench) + "\n")


def test_the_answer_of_the_command_is_what_the_screen_counts(store: Store) -> None:
    from lenet_tui.tui.study.screen import _queued

    assert _queued(json.dumps({"queued": [1, 2, 3]})) == 3
    assert _queued("no document") == 0


def test_app_and_command_line_find_the_runs_of_a_study_that_lack_a_hyperparameter(store: Store) -> None:
    plan = Plan(1, 5, "digits")
    store.add([plan.config(variant, 0) for variant in VARIANTS])
    with sqlite3.connect(store.root / ".lenet-tui" / "store.db") as connection:
        connection.execute("DROP TRIGGER runs_keep_identity")  # as an earlier version would have written them
        connection.execute("UPDATE runs SET config = json_remove(config, '$.clip_norm')")
    with Store(store.root) as reopened:
        assert all("clip_norm" not in run.config_json for run in reopened.runs())
        by_command = [run.run_id for run in study_runs(plan, study.identities(reopened))]
        in_app = [run.run_id for run in homework.study_progress(plan, snapshot_of(reopened)).runs]
        assert by_command == in_app == list(range(1, 16))
        assert homework.stored_plan(reopened.runs()) == plan
        assert plan.config(DEFAULT, 0).identity() in duplicates.latest(reopened.runs())
