"""The filter of the runs list: fields, values, words; what is wrong in a line; completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig, hyperparameters
from lenet_tui.tui.runs import columns, filtering
from tests.tui.runs import finished, snapshot_of
from tests.tui.test_main import opened

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store import Store


@pytest.fixture
def view(store: Store) -> columns.View:
    """Runs 1 to 3 are finished, 4 waits, 5 is stopped."""
    finished(store, RunConfig(), 0.99)
    finished(store, RunConfig(batch_size=16, lr=0.01, seed=1), 0.98)
    finished(store, RunConfig(model="alexnet", augment="affine"), 0.995)
    store.add([RunConfig(batch_size=32), RunConfig(batch_size=128)])
    store.request_stop(5)
    store.set_note(1, "the Odd one")
    store.set_tags(2, ["best", "thesis"])
    store.set_tags(3, ["best"])
    view = columns.View(snapshot_of(store))
    view.differences.update(view.snapshot.runs)
    return view


def found(view: columns.View, text: str) -> list[int]:
    chosen = filtering.parse(text)
    assert chosen.problem == ""
    runs = view.snapshot.runs.values()
    return sorted(run.id for run in runs if chosen.matches(run, view, filtering.text_of(run, view)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("lr=0.01", [2]),
        ("lr=1e-2", [2]),
        ("lr:0.01", [2]),
        ("lr!=0.01", [1, 3, 4, 5]),
        ("batch_size>=32", [1, 3, 4, 5]),
        ("batch-size<32", [2]),
        ("batch=16,32", [2, 4]),
        ("batch!=16,32", [1, 3, 5]),
        ("state:finished", [1, 2, 3]),
        ("state=waiting", [4]),
        ("state!=finished", [4, 5]),
        ("STATE:Finished Augment!=none", [3]),
        ("model=alexnet", [3]),
        ("tag:best", [2, 3]),
        ("tag:best tag:thesis", [2]),
        ("tag!=best", [1, 4, 5]),
        ("test_acc>98.5", [1, 3]),
        ("test_acc>=99.5%", [3]),
        ("val_loss<=99", [1, 2, 3]),
        ("epoch>0", [1, 2, 3]),
        ("note:odd", [1]),
        ('note:"odd one"', [1]),
        ("folder:bs16", [2]),
        ("id>3", [4, 5]),
        ("time<1:00", [1, 2, 3]),
        ("odd finished", [1]),
        ("AlexNet", [3]),
        ("batch 16", [2]),
        ("thesis", [2]),
        ('"lr=0.01"', []),
        ("no such run", []),
    ],
)
def test_a_filter_finds_the_runs_that_fulfil_all_of_it(view: columns.View, text: str, expected: list[int]) -> None:
    assert found(view, text) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("learnin_rate=1", "learnin_rate is not a field; tab completes one"),
        ("batchsize=16", "batchsize is not a field (did you mean batch_size?)"),
        ("batch_size=many", "batch_size=many: must be a number, as in batch_size=64"),
        ("lr=nan", "lr=nan: must be a number, as in lr=0.001"),
        ("state:finishd", "state=finishd: did you mean finished?"),
        ("augment=mirror", "augment=mirror: must be one of none, "),
        ("augment>none", "augment has no order; write augment=none or augment!=none"),
        ("lr=", "lr= needs a value, as in lr=0.001"),
        ("tag:", "tag: needs a value, as in tag:best"),
        ("lr>1,2", "lr> takes one value, not 2"),
        ("x\x1b[2J=1 lr\x1b=2", ""),
    ],
)
def test_what_is_wrong_is_one_line_and_the_rest_still_filters(view: columns.View, text: str, line: str) -> None:
    chosen = filtering.parse(f"{text} state:finished")
    assert chosen.problem.startswith(line)
    assert chosen.problem.isprintable()
    assert len(chosen.terms) == 1


def test_every_hyperparameter_is_a_field_and_so_is_its_label() -> None:
    assert {parameter.name for parameter in hyperparameters()} <= filtering.fields().keys()
    for label, name in (("schedule", "lr_schedule"), ("weight_decay", "weight_decay"), ("data", "dataset")):
        assert filtering.fields()[label].name == name


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("batch_s", "batch_size="),
        ("odd sta", "odd state:"),
        ("aug", "augment:"),
        ("augment!=aff", "augment!=affine"),
        ("state:fin", "state:finished"),
        ("tag:b", "tag:best"),
        ("batch_size=16,3", "batch_size=16,32"),
        ("batch_size=1", "batch_size=16"),
        ("Model=alex", "Model=alexnet"),
        ("", None),
        ("odd ", None),
        ("zzz", None),
        ("zzz=1", None),
        ("state:finished", None),
        ("note:o", None),
    ],
)
def test_the_last_word_is_completed(view: columns.View, text: str, completed: str | None) -> None:
    assert filtering.completion(text, view) == completed


async def test_the_filter_is_typed_completed_and_corrected_by_key(store: Store, tmp_path: Path) -> None:
    for seed, size in enumerate((16, 32, 64)):
        finished(store, RunConfig(seed=seed, batch_size=size))
    async with opened(tmp_path) as bench:
        runs = bench.main.runs
        await bench.until(lambda: len(runs.listed) == 3)
        await bench.press("escape", "slash", *"batch_s", "tab", *"64")
        await bench.until(lambda: [run.id for run in runs.listed] == [3])
        await bench.press("space", *"stat")
        await bench.press("tab", *"finishd")
        assert "✗ state=finishd: did you mean finished?" in runs.render_line(0).text
        assert [run.id for run in runs.listed] == [3]  # the term that is right still filters
        await bench.press("backspace", *"ed", "enter")
        assert "✗" not in runs.render_line(0).text
        assert runs.has_focus
        await bench.press("escape")
        await bench.until(lambda: len(runs.listed) == 3)
