"""Runs beside the one that is pinned: differences in the table, with an interval where seeds are shared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.tui.choices import Choices
from lenet_tui.tui.runs import columns
from lenet_tui.tui.runs.bars import progress_bar, sparkline
from lenet_tui.tui.runs.baseline import Baseline, Delta
from lenet_tui.tui.settings import Settings
from tests.tui.runs import finished
from tests.tui.test_main import opened

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store import Store


def set_figures(store: Store, run_id: int, val_loss: float, test_accuracy: float) -> None:
    with store._database.write() as database:
        statement = "UPDATE runs SET best_val_loss = ?, best_val_cross_entropy = ?, test_accuracy = ? WHERE id = ?"
        database.execute(statement, (val_loss, val_loss, test_accuracy, run_id))


def beside(store: Store, baseline: int) -> Baseline:
    result = Baseline()
    result.update({run.id: run for run in store.runs()}, baseline)
    return result


def test_a_single_run_shows_its_own_difference(store: Store) -> None:
    for number, (loss, accuracy) in enumerate(((0.1, 0.98), (0.09, 0.99)), start=1):
        finished(store, RunConfig(batch_size=16 * number))
        set_figures(store, number, loss, accuracy)
    baseline = beside(store, 1)
    run = store.get(2)
    assert baseline.val_loss(run) == Delta(pytest.approx(-10.0))
    assert baseline.test_accuracy(run) == Delta(pytest.approx(1.0))
    (waiting,) = store.add([RunConfig(seed=5)])
    assert baseline.val_loss(waiting) is None
    assert beside(store, 99).val_loss(run) is None  # the baseline was deleted


def test_configurations_that_share_seeds_show_the_mean_of_the_pairs_with_its_interval(store: Store) -> None:
    accuracies = {64: (0.980, 0.982, 0.984), 16: (0.985, 0.986, 0.990)}
    number = 0
    for size, values in accuracies.items():
        for seed, accuracy in enumerate(values):
            number += 1
            finished(store, RunConfig(batch_size=size, seed=seed))
            set_figures(store, number, 0.1 if size == 64 else 0.08, accuracy)
    baseline = beside(store, 2)
    delta = baseline.test_accuracy(store.get(5))
    assert delta is not None
    differences = (0.5, 0.4, 0.6)  # points
    assert delta.mean == pytest.approx(0.5)
    spread = math.sqrt(sum((each - 0.5) ** 2 for each in differences) / 2)
    assert delta.half == pytest.approx(4.303 * spread / math.sqrt(3), rel=1e-3)
    loss = baseline.val_loss(store.get(4))
    assert loss is not None
    assert loss.mean == pytest.approx(-20.0)
    assert loss.half == pytest.approx(0.0, abs=1e-6)
    other_seed = baseline.test_accuracy(store.get(1))  # of the baseline's own configuration: its own difference
    assert other_seed == Delta(pytest.approx(-0.2))


def test_runs_of_other_data_are_not_compared_and_those_of_another_loss_by_cross_entropy(store: Store) -> None:
    for config in (RunConfig(), RunConfig(dataset="digits"), RunConfig(loss="mse")):
        finished(store, config)
    set_figures(store, 3, 0.2, 0.98)
    with store._database.write() as database:
        database.execute("UPDATE runs SET best_val_loss = 0.01 WHERE id = 3")
    baseline = beside(store, 1)
    assert baseline.val_loss(store.get(2)) is None
    expected = 100 * (0.2 / store.get(1).best_val_cross_entropy - 1)
    assert baseline.val_loss(store.get(3)) == Delta(pytest.approx(expected))


def test_a_difference_is_written_with_a_true_minus() -> None:
    assert (Delta(-3.14).text(1), Delta(0.5, 0.25).text(2)) == ("−3.1", "+0.50 ±0.25")
    interval = Delta(-44.32, 21.4)
    assert [interval.text(1, room) for room in (12, 10, 8, 5)] == ["−44.3 ±21.4", "−44.3±21.4", "−44±21", "−44.3"]


async def test_the_baseline_is_pinned_by_key_and_kept_in_its_root(store: Store, tmp_path: Path) -> None:
    for seed in range(2):
        finished(store, RunConfig(seed=seed, batch_size=16 * (seed + 1)))
    async with opened(tmp_path, (140, 30)) as bench:
        runs = bench.main.runs
        await bench.until(lambda: len(runs.listed) == 2)
        assert "Δ" not in runs.render_line(0).text
        await bench.press("escape", "end", "B")
        assert "Δ loss %" in runs.render_line(0).text
        assert runs.render_line(2).text.count("baseline") == 2
        assert "+0.00" in runs.render_line(1).text
        assert bench.app.lab.settings.baseline == 1
        await bench.press("B")
        assert "Δ" not in runs.render_line(0).text
        assert bench.app.lab.settings.baseline is None


def test_what_was_chosen_is_there_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENET_TUI_SETTINGS", str(tmp_path / "own" / "settings.toml"))
    (tmp_path / ".lenet-tui").mkdir(mode=0o700)
    choices = Choices(tmp_path, Settings())
    for name, value in (("baseline", 7), ("columns", ["id", "run", "lr"]), ("sort", "val_loss"), ("reverse", True)):
        choices.choose(name, value)
    choices.write()
    found = Choices(tmp_path, Settings()).applied()
    assert (found.baseline, found.columns, found.sort, found.reverse) == (7, ["id", "run", "lr"], "val_loss", True)
    other = tmp_path / "other"
    other.mkdir()
    assert Choices(other, Settings()).applied().baseline is None  # of another root
    assert Choices(other, Settings()).applied().sort == "val_loss"


async def test_columns_and_order_of_the_settings_are_shown(store: Store, tmp_path: Path) -> None:
    for seed in range(3):
        finished(store, RunConfig(seed=seed))
    chosen = Settings(columns=["id", "run", "seed", "no such column"], sort="seed", reverse=True, baseline=99)
    async with opened(tmp_path, (120, 30), chosen) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 3)
        assert bench.main.runs.render_line(0).text.split() == ["id", "run", "seed▼"]
        assert [run.values["seed"] for run in bench.main.runs.listed] == [2, 1, 0]


def test_a_bar_is_full_only_at_the_end() -> None:
    assert [progress_bar(share, 4) for share in (0, 0.5, 0.999, 1)] == ["────", "━━──", "━━━─", "━━━━"]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ((), ""),
        ((0.5,), "▁"),
        ((1.0, 0.1, 0.01), "█▅▁"),
        ((math.nan, math.inf), "  "),
        ((1.0, math.nan, 0.01), "█ ▁"),
        ((0.0, 1.0), "▁█"),
        (tuple(0.9**n for n in range(100)), "█▇▆▅▄▄▃▂▂▁"),
    ],
)
def test_a_sparkline_has_a_bar_for_each_epoch_or_the_mean_of_several(values: tuple[float, ...], line: str) -> None:
    drawn = sparkline(values, 10)
    assert len(drawn) == min(len(values), 10)
    assert drawn == line or (len(values) == 100 and drawn == "".join(sorted(drawn, reverse=True)))


def test_no_two_columns_have_one_key() -> None:
    from lenet_tui.config import hyperparameters

    assert len(columns.every()) == len(columns.COLUMNS) + len(hyperparameters())
