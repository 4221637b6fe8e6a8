"""The curves in the main screen: colours in the list of runs, baseline, seeds, and what is kept for the next time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.run.folder import RunFolder
from lenet_tui.run.steps import HEADER, to_csv
from lenet_tui.tui import settings
from lenet_tui.tui.app import LabApp
from lenet_tui.tui.choices import FILE, Choices
from lenet_tui.tui.curves.charts import Options
from lenet_tui.tui.curves.selection import MOST_OVERLAID, as_settings, curve, curves_of, options_of, runs_shown
from lenet_tui.tui.curves.step_reader import NONE, NOT_YET, StepReader
from lenet_tui.tui.keys import NAMES
from lenet_tui.tui.settings import Settings
from tests.tui.runs import at_work, finished, running, snapshot_of
from tests.tui.test_main import Bench, opened

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.store import Store


def panel(bench: Bench) -> str:
    return "\n".join(bench.main.curves.text())


async def test_the_sign_of_a_run_in_the_list_has_the_colour_of_its_curve(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig())
    finished(store, RunConfig(batch_size=16))
    finished(store, RunConfig(batch_size=32))
    async with opened(tmp_path, (120, 30)) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 3)
        await bench.press("escape", "home", "space", "down")
        await bench.until(lambda: len(bench.main.curves.colours) == 2)
        runs = bench.main.runs
        signs = {}
        for row, run in enumerate(runs.listed):
            first = next(iter(runs.render_line(1 + row)))
            signs[run.id] = first.style.color.get_truecolor().hex.upper() if first.style.color else ""
        colours = bench.main.curves.colours
        assert {run_id: signs[run_id] for run_id in colours} == dict(colours)
        assert len(set(signs.values())) == 3


async def test_each_key_of_the_curves_works_and_is_kept(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig(), epochs=6)
    async with opened(tmp_path, (160, 40)) as bench:
        await bench.until(lambda: "accuracy" in panel(bench) and "└" in panel(bench))
        await bench.press("escape", "2", "m", "M", "D", "l", "o", "A", "L")
        expected = Options("accuracy", "steps", log=True, smoothing=0.6, train=False, seeds=True, marks="blocks")
        assert bench.main.curves.options == expected
        await bench.until(lambda: options_of(bench.app.lab.settings) == expected)
        await bench.press("left", "left")
        assert bench.main.curves.cursor == 5
        await bench.press("right")
        assert bench.main.curves.cursor == 6
        await bench.press("plus")
        assert bench.main.curves.options.zoom == (3.0, 6.0)
        await bench.press("0", "0")
        assert bench.main.curves.options.planned
        await bench.press("escape")
        await bench.until(lambda: bench.main.curves.cursor is None)


async def test_a_pinned_baseline_is_shown_with_every_run_until_it_is_unpinned(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig())
    finished(store, RunConfig(batch_size=16))
    async with opened(tmp_path, (120, 40)) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 2)
        await bench.press("escape")
        bench.main.runs.go_to(1)
        await bench.press("B")
        await bench.until(lambda: "run 1 is the baseline" in bench.messages())
        await bench.until(lambda: "baseline" in panel(bench))
        bench.main.runs.go_to(2)
        await bench.until(lambda: "1 base" in panel(bench))
        signs = [bench.main.runs.render_line(1 + row).text[:2] for row in range(2)]
        assert signs == ["▸ ", " •"]
        assert len(bench.main.curves.colours) == 2
        bench.main.runs.go_to(1)
        await bench.press("B")
        await bench.until(lambda: bench.app.lab.settings.baseline is None)
        bench.main.runs.go_to(2)
        await bench.until(lambda: "base" not in panel(bench))


async def test_the_seeds_of_the_current_run_are_shown_without_marking_them(store: Store, tmp_path: Path) -> None:
    for seed in range(3):
        finished(store, RunConfig(seed=seed))
    finished(store, RunConfig(batch_size=16))
    async with opened(tmp_path, (120, 40)) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 4)
        await bench.press("escape")
        bench.main.runs.go_to(2)
        await bench.press("A")
        await bench.until(lambda: "mean of 3 seeds" in panel(bench))
        await bench.press("A")
        await bench.until(lambda: "mean of" not in panel(bench))


async def test_without_a_run_there_is_no_baseline(store: Store, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        await bench.press("escape", "B")
        await bench.until(lambda: "there is no run to" in bench.messages())


def test_the_current_run_comes_first_and_the_baseline_has_a_place(store: Store) -> None:
    for number in range(MOST_OVERLAID + 4):
        finished(store, RunConfig(batch_size=number + 1))
    snapshot = snapshot_of(store)
    runs = list(snapshot.runs.values())
    shown = runs_shown(runs[1], runs[2:], snapshot, 1, seeds=False)
    assert len(shown) == MOST_OVERLAID + 1
    assert (shown[0].id, shown[-1].id) == (2, 1)
    assert runs_shown(None, [], snapshot, None, seeds=True) == []
    assert [run.id for run in runs_shown(runs[0], [], snapshot, 999, seeds=False)] == [1]


def test_a_curve_says_how_far_its_run_is(store: Store) -> None:
    run = at_work(store, running(store, RunConfig(epochs=9)), epoch=4, step=25, steps=50)
    (shown,) = curves_of([run], snapshot_of(store, epochs={}))
    assert (shown.at_work, shown.total_epochs, shown.images) == (True, 9, 55_000)
    assert shown.partial == (3.5, 0.1)
    assert curve(run, (), is_baseline=True).is_baseline


# What a person chose


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own"
    monkeypatch.setenv(settings.VARIABLE, str(folder / "settings.toml"))
    return folder


def test_settings_and_options_say_the_same() -> None:
    options = Options("gap", "lr", log=True, smoothing=0.9, train=False, seeds=True, marks="ascii")
    assert options_of(Settings().model_copy(update=as_settings(options))) == options
    assert options_of(Settings()) == Options()


async def test_what_was_chosen_is_there_the_next_time(store: Store, tmp_path: Path, own: Path) -> None:
    finished(store, RunConfig())

    def app() -> LabApp:
        choices = Choices(tmp_path, settings.load(tmp_path, NAMES)[0])
        return LabApp(tmp_path, choices.applied(), (), choices)

    first = app()
    async with first.run_test(size=(120, 40)) as pilot:
        bench = Bench(first, pilot)
        await bench.until(lambda: len(bench.main.runs.listed) == 1)
        await bench.press("escape", "D", "m", "B")
        await bench.until((tmp_path / ".lenet-tui" / FILE).exists)
        await bench.until(lambda: (own / FILE).exists() and "train_curve" in (own / FILE).read_text())
    second = app()
    async with second.run_test(size=(120, 40)):
        assert options_of(second.lab.settings) == replace(Options("accuracy"), train=False)
        assert second.lab.settings.baseline == 1


def test_a_choice_holds_until_the_settings_are_others(tmp_path: Path, own: Path) -> None:
    given = Settings()
    choices = Choices(tmp_path, given)
    choices.choose("chart", "gap")
    choices.choose("baseline", 3)
    choices.write()
    assert Choices(tmp_path, given).applied().chart == "gap"
    assert Choices(tmp_path, given.model_copy(update={"chart": "lr"})).applied().chart == "lr"
    choices.choose("chart", "loss")
    choices.write()
    assert json.loads((own / FILE).read_text()) == {}


def test_two_apps_do_not_undo_what_the_other_chose(tmp_path: Path, own: Path) -> None:
    one, other = Choices(tmp_path, Settings()), Choices(tmp_path, Settings())
    one.choose("chart", "gap")
    other.choose("seeds", True)
    one.write()
    other.write()
    found = Choices(tmp_path, Settings()).applied()
    assert (found.chart, found.seeds) == ("gap", True)


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"chart": {"chosen": "pie", "instead_of": "loss"}}', '{"x": 1}'])
def test_a_damaged_file_of_choices_is_ignored(tmp_path: Path, own: Path, content: str) -> None:
    own.mkdir()
    (own / FILE).write_text(content)
    assert Choices(tmp_path, Settings()).applied() == Settings()


async def test_a_choice_that_cannot_be_kept_says_so_and_still_holds_now(
    store: Store, tmp_path: Path, own: Path
) -> None:
    own.write_text("a file where a folder belongs")
    app = LabApp(tmp_path, Settings(), (), Choices(tmp_path, Settings()))
    async with app.run_test(size=(120, 40)) as pilot:
        bench = Bench(app, pilot)
        await bench.press("escape", "D")
        await bench.until(lambda: "what you chose is not kept" in bench.messages())
        assert not app.lab.settings.train_curve


# Within the epochs


async def test_the_steps_of_a_run_are_read_when_its_chart_is_shown_and_again_when_there_are_more(
    store: Store, tmp_path: Path
) -> None:
    run = running(store, RunConfig(epochs=9))
    path = tmp_path / str(run.folder) / "steps.csv"
    path.write_text(HEADER + to_csv([(1, step, 10, 1 / step) for step in range(1, 11)]))
    async with opened(tmp_path, (100, 40)) as bench:
        await bench.until(lambda: "┤" in panel(bench))
        await bench.press("escape", "m", "m")
        await bench.until(lambda: "train loss by step" in panel(bench) and "┤" in panel(bench))
        await bench.press("2", "left")
        await bench.until(lambda: "epoch 3  0.1000" not in panel(bench) and "epoch 3  –" in panel(bench))
        await bench.press("right", "right", "right", "right")  # none, 0.1, 0.2, 0.3
        await bench.until(lambda: "epoch 0.3  0.3333" in panel(bench))
        with path.open("a") as file:
            file.write(to_csv([(2, 10, 10, 0.0625)]))
        at_work(store, run, epoch=4)
        bench.main.curves._put_cursor(2.0)
        await bench.until(lambda: "epoch 2  0.0625" in panel(bench))


async def test_a_run_of_an_older_version_says_that_it_has_no_steps(store: Store, tmp_path: Path) -> None:
    finished(store, RunConfig())
    async with opened(tmp_path, (100, 40), Settings(chart="steps")) as bench:
        await bench.until(lambda: NONE in panel(bench))


def test_steps_are_read_again_only_when_the_file_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, looks = RunFolder.read_steps, []
    monkeypatch.setattr(RunFolder, "read_steps", lambda folder: looks.append(folder) or read(folder))
    reader, path = StepReader(tmp_path), tmp_path / "a" / "steps.csv"
    assert reader.read("a") == ((), NONE)
    assert reader.read("") == ((), NOT_YET)
    path.parent.mkdir()
    path.write_text(HEADER)
    assert reader.read("a") == ((), NOT_YET)
    path.write_text(HEADER + "2,5,10,0.5\n")
    assert reader.read("a") == reader.read("a") == (((1.5, 0.5),), "")
    assert len(looks) == 2
    path.write_text("nonsense that is longer\n")
    assert "steps.csv is damaged: line 1" in reader.read("a")[1]
