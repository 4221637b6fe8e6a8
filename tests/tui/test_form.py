"""The form: fields made from the configuration, lists that make sweeps, reasons beside what is wrong, by key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

import pytest
from textual.app import App
from textual.containers import Horizontal
from textual.events import Key

from lenet_tui.config import RunConfig, hyperparameters
from lenet_tui.host.hardware import Capacity
from lenet_tui.runner.estimate import PICTURES_SECONDS, seconds_for
from lenet_tui.store import SpeedKey, Store
from lenet_tui.sweep import expand
from lenet_tui.tui.form import values as form_values
from lenet_tui.tui.form.field import FieldInput, completion, next_choice
from lenet_tui.tui.form.panel import RunForm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.pilot import Pilot

SPEEDS = {SpeedKey("lenet", "mnist", 64, 1, "cpu"): 55_000.0}  # an epoch a second


TRAPS = ("x", "d", "space", "enter", "slash", "1")


class FormApp(App[None]):
    CSS = "#form { width: 26; padding: 0 1 0 0; border-right: solid $panel; }"
    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+r", "queue"), *((key, "trap") for key in TRAPS)]

    def __init__(self) -> None:
        super().__init__()
        self.queued: list[tuple[RunConfig, ...]] = []
        self.trapped = 0

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield RunForm(id="form")

    @property
    def form(self) -> RunForm:
        return self.query_one(RunForm)

    def on_mount(self) -> None:
        self.form.focus_first()

    def action_queue(self) -> None:
        self.form.queue()

    def action_trap(self) -> None:
        self.trapped += 1

    def on_run_form_queued(self, event: RunForm.Queued) -> None:
        self.queued.append(event.configs)

    def text(self) -> str:
        """What stands on the screen in the form, line by line."""
        lines = self.screen._compositor.render_strips()
        return "\n".join(line.text[:24].rstrip() for line in lines)

    def words(self) -> str:
        """The same without line breaks and alignment."""
        return " ".join(self.text().split())

    @property
    def field(self) -> str:
        assert isinstance(self.focused, FieldInput)
        return self.focused.field.name


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)
            await pilot.pause()


def test_every_hyperparameter_has_one_field_and_the_common_ones_come_first() -> None:
    names = [field.name for field in form_values.fields()]
    assert sorted(names) == sorted([*(h.name for h in hyperparameters()), "seeds"])
    assert names[:6] == ["model", "dataset", "batch_size", "lr", "epochs", "seeds"]
    assert all(field.help and field.expectation and len(field.label) <= 12 for field in form_values.fields())


def test_a_default_is_a_default_however_it_is_written() -> None:
    assert (
        form_values.changed({"lr": "1e-3", "epochs": " 20, ", "model": "lenet", "dropout": "0.0", "seeds": "1"}) == {}
    )
    assert form_values.changed({"lr": "0.01 , 0.1,"}) == {"lr": "0.01,0.1"}


def test_defaults_that_depend_on_other_fields_follow_them() -> None:
    assert form_values.default_text("dropout", {}) == "0"
    assert form_values.default_text("dropout", {"model": "alexnet"}) == "0.5"
    assert form_values.default_text("dropout", {"model": "lenet, alexnet"}) == "0/0.5"
    assert form_values.default_text("val_size", {"dataset": "digits"}) == "200"
    assert form_values.changed({"model": "alexnet", "dropout": "0.5"}) == {"model": "alexnet"}
    assert form_values.changed({"model": "lenet,alexnet", "dropout": "0"}) == {"model": "lenet,alexnet", "dropout": "0"}


def test_runs_are_counted_before_they_are_made() -> None:
    hundred = ",".join(str(n) for n in range(1, 101))
    assert form_values.run_count({"epochs": hundred, "batch_size": hundred, "seeds": "50"}) == 500_000
    assert form_values.run_count({"epochs": "1,2", "seeds": "many"}) == 2
    assert [
        problem.name for problem in form_values.check({"epochs": hundred, "batch_size": hundred, "seeds": "2"}).problems
    ] == [""]


@pytest.mark.parametrize("seeds", ["0", "-1", "x", "1,2", "9" * 6000, "٣", "10001"])
def test_a_wrong_number_of_seeds_is_told_of_its_field(seeds: str) -> None:
    (problem,) = form_values.check({"seeds": seeds}).problems
    assert problem.name == "seeds"
    assert form_values.reason(problem, seeds) == "must be a whole number from 1 to 10000"


def test_each_field_at_fault_is_told_once_and_in_a_list_with_the_value_meant() -> None:
    sweep = form_values.check({"lr": "-1,0.1,50", "seeds": "x"})
    assert [problem.name for problem in sweep.problems] == ["lr", "seeds"]
    assert form_values.reason(sweep.problems[0], "-1,0.1,50").startswith("-1 must be a number above 0")
    empty = form_values.check({"epochs": "1,,2"}).problems[0]
    assert form_values.reason(empty, "1,,2").startswith("nothing between commas; must be a whole number")


def test_the_summary_says_as_much_as_there_is_room_for() -> None:
    three = expand({"batch_size": "16,32,64"})
    assert form_values.summary(three, 110, behind=False, width=40) == "3 runs · about 2 min on this machine"
    assert form_values.summary(three, 110, behind=False, width=23) == "3 runs · about 2 min"
    assert form_values.summary(three, 110, behind=True, width=24) == "3 runs · in about 2 min"
    assert form_values.summary(three, 110, behind=True, width=5) == "3 runs · about 2 min"
    assert form_values.summary(three, None, behind=False, width=23) == "3 runs · no estimate yet"
    assert (
        form_values.summary(expand({"lr": "x", "model": "y"}), None, behind=False, width=23)
        == "✗ 2 problems: model, lr"
    )


def test_choices_are_completed_and_cycled_also_at_the_end_of_a_list() -> None:
    models = ("lenet", "alexnet")
    assert completion("AL", models) == "alexnet"
    assert completion("lenet,a", models) == "lenet,alexnet"
    assert completion("", models) is None
    assert completion("lenet,l", models) is None
    assert next_choice("lenet", models) == "alexnet"
    assert next_choice("alexnet", models) == "lenet"
    assert next_choice("lenet", ("a", "lenet", "c"), -1) == "a"
    assert next_choice("nonsense", models) == "lenet"
    assert next_choice("lenet,", models) == "lenet,alexnet"
    assert next_choice("lenet,alexnet", models) == "lenet,alexnet"


def test_a_sweep_takes_the_places_there_are_and_waits_for_what_comes_before(tmp_path: Path) -> None:
    configs = [RunConfig(epochs=10, seed=seed) for seed in range(3)]
    one, two = Capacity(cores=1), Capacity(cores=2)
    length = 10 + PICTURES_SECONDS
    assert seconds_for(configs, [], SPEEDS, one) == pytest.approx(3 * length)
    assert seconds_for(configs, [], SPEEDS, two) == pytest.approx(2 * length)
    assert seconds_for(configs, [], {}, two) is None
    assert seconds_for([*configs, RunConfig(model="alexnet")], [], SPEEDS, two) is None
    with Store(tmp_path) as store:
        store.add([RunConfig(epochs=20)])
        assert seconds_for(configs, store.queue(), SPEEDS, one) == pytest.approx(20 + PICTURES_SECONDS + 3 * length)


def test_a_lone_run_is_estimated_with_every_core() -> None:
    speeds = SPEEDS | {SpeedKey("lenet", "mnist", 64, 4, "cpu"): 110_000.0}
    assert seconds_for([RunConfig(epochs=10)], [], speeds, Capacity(cores=4)) == pytest.approx(5 + PICTURES_SECONDS)


async def test_all_of_it_fits_a_narrow_pane() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 20)) as pilot:
        await until(pilot, lambda: "1 run" in app.text())
        await pilot.pause()
        text = app.text()
        for word in ("assignment default", "model  lenet", "batch  64", "seeds  1", "+ regularisation", "+ run"):
            assert word in text
        assert text.splitlines()[-1] == " [ Queue ]"


async def test_the_help_of_every_field_is_in_sight_whole_at_80_columns_and_24_lines() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 22)) as pilot:  # less title and keys
        await until(pilot, lambda: "1 run" in app.text())
        for field in form_values.fields():
            if field.group:
                await app.form._open(field.group)
            app.form._rows[field.name].input.focus()
            whole = form_values.help_of(field).replace(" ", "")
            await until(pilot, lambda whole=whole: whole in app.text().replace("\n", "").replace(" ", ""))


async def test_help_without_room_is_cut_at_a_word_and_says_so() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 13)) as pilot:
        await pilot.press("down", "down")
        assert app.field == "dataset"
        await until(pilot, lambda: "data: images" in app.words() and "…" in app.words())
        shown = app.words().partition("data: ")[2].partition(" …")[0]
        assert f"{shown} " in form_values.help_of(form_values.fields()[1])


async def test_settings_that_are_on_record_already_are_told_before_they_are_queued() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.form.set_existing({RunConfig().identity(): 3, RunConfig(batch_size=16).identity(): 4})
        await until(pilot, lambda: "duplicate of run 3" in app.text())
        await pilot.press("space")
        await until(pilot, lambda: "2 duplicates" in app.text())
        app.form.load_values({"epochs": 7})
        await until(pilot, lambda: "1 run" in app.text() and "record" not in app.text() and "same" not in app.text())


async def test_a_preset_shows_at_once_how_many_runs_it_makes_and_is_queued_by_key() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.form.set_speeds(SPEEDS, (), Capacity(2))
        await pilot.press("space")
        await pilot.pause()
        assert "batch-size sweep" in app.text()
        assert "•batch  16,32,64" in app.text()
        assert "3 runs · about" in app.text()
        assert app.form.equivalent_command() == "lenet-tui queue add --batch-size 16,32,64"
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.queued)
        assert app.queued == [expand({"batch_size": "16,32,64"}).configs]
        await pilot.press("left")
        assert app.form.values() == {}


async def test_changing_a_field_by_hand_makes_it_custom_and_presets_do_not_lose_it() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "down", "down", "7", "up", "up", "up")
        await pilot.pause()
        assert "custom" in app.text()
        assert app.form.values() == {"batch_size": "7"}
        await pilot.press("space")
        await pilot.pause()
        assert "assignment default" in app.text()
        await pilot.press("left")
        assert app.form.values() == {"batch_size": "7"}
        app.form.reset()
        assert app.form.values() == {}


async def test_keys_go_from_field_to_field_and_end_at_the_button() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        assert app.field == "model"
        await pilot.press("enter")
        assert app.field == "dataset"
        await pilot.press("tab")
        assert app.field == "batch_size"
        await pilot.press("shift+tab", "up", "up", "up")
        await pilot.press(*["down"] * 40)
        await pilot.press("enter")
        await until(pilot, lambda: app.queued)
        assert app.queued == [(RunConfig(),)]


async def test_no_key_that_goes_down_is_lost_however_quickly_they_come() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(4):
            app.post_message(Key("down", None))
        await until(pilot, lambda: isinstance(app.focused, FieldInput) and app.field == "lr")


async def test_space_and_commas_make_lists_of_choices() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "space")
        assert app.form.values() == {"model": "alexnet"}
        await pilot.press("comma", "space")
        assert app.form.values() == {"model": "alexnet,lenet"}
        await pilot.press("down", *"dig", "enter")
        await pilot.pause()
        assert app.form.values() == {"model": "alexnet,lenet", "dataset": "digits"}
        assert app.trapped == 0


async def test_a_comma_goes_on_with_what_is_there_and_space_means_nothing_among_numbers() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "down", "down", "comma", "space", *"128")
        assert app.form.values() == {"batch_size": "64,128"}


async def test_a_group_unfolds_shows_its_fields_and_tells_what_is_changed_in_it() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.form.load(RunConfig(model="alexnet", pooling="avg", weight_decay=0.01, patience=3))
        await pilot.pause()
        assert "+ model 1 changed" in app.words()
        assert "+ regularisation 2 •" in app.words()
        await pilot.press(*["down"] * 9, "enter")
        await until(pilot, lambda: "•weight decay 0.01" in app.text())
        await pilot.press("down", "down")
        assert app.field == "dropout"
        assert "▸dropout      0.5" in app.text()
        assert app.form.values() == {"model": "alexnet", "pooling": "avg", "weight_decay": "0.01", "patience": "3"}


async def test_the_reason_stands_below_the_field_and_queueing_goes_there() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "down", "down", "down", "x")
        await until(pilot, lambda: "✗ must be a number above" in app.words())
        assert "✗ 1 problem: lr" in app.text()
        await pilot.press("down", "ctrl+r")
        await pilot.pause()
        assert app.field == "lr"
        assert app.queued == []
        await pilot.press("backspace", *"0.1")
        await until(pilot, lambda: "✗" not in app.text())


async def test_queueing_opens_the_group_that_has_the_fault() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.form.load_values({"momentum": 0.5})
        await pilot.pause()
        assert "+ optimisation 1 ✗" in app.words()
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "has no effect without" in app.words())
        assert app.field == "momentum"


async def test_letters_typed_beside_a_field_are_no_commands() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*TRAPS, *["down"] * 7, *TRAPS, *["down"] * 40, "x", "slash", "1")
        assert app.trapped == 0
        assert not [key for key, (_, binding, *_) in app.screen.active_bindings.items() if binding.action == "trap"]


async def test_a_large_sweep_is_made_beside_the_event_loop() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.form.load_values({"lr": ",".join(f"0.{n:03}" for n in range(1, 101))})
        await pilot.press(*["down"] * 6, *"100")
        await until(pilot, lambda: "10,000 runs · no" in app.text())
        app.form.set_speeds(SPEEDS, (), Capacity(2))
        await until(pilot, lambda: "10,000 runs · about" in app.text())
        await pilot.press("1")
        await until(pilot, lambda: "make 100,100 runs" in app.words())


@pytest.mark.parametrize("size", [(10, 3), (26, 5), (12, 40), (200, 60)])
async def test_no_size_breaks_it(size: tuple[int, int]) -> None:
    app = FormApp()
    async with app.run_test(size=size) as pilot:
        await pilot.press("down", "down", "down", "x", "ctrl+r")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "✗ must be a whole" in app.words())
