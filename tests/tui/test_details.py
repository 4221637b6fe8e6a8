from __future__ import annotations

import asyncio
import math
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from textual.app import App
from textual.containers import VerticalScroll
from textual.widgets import ContentSwitcher, DataTable, Static

from lenet_tui.config import RunConfig
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import Store
from lenet_tui.tui.details import text as details_text
from lenet_tui.tui.details.screen import DetailsScreen
from lenet_tui.tui.pictures.screen import PicturesScreen
from tests.reports.conftest import history
from tests.tui.folders import HISTORY, finished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.pilot import Pilot

    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store import Run

LENET = [
    *(("features.0", "weight", (6, 1, 5, 5)), ("features.0", "bias", (6,))),
    *(("features.3", "weight", (16, 6, 5, 5)), ("features.3", "bias", (16,))),
    *(("classifier.0", "weight", (120, 400)), ("classifier.0", "bias", (120,))),
    *(("classifier.2", "weight", (84, 120)), ("classifier.2", "bias", (84,))),
    *(("classifier.4", "weight", (10, 84)), ("classifier.4", "bias", (10,))),
]
SECTIONS = [name for name, _ in DetailsScreen.TABS]


class Bench(App[None]):
    def __init__(self, root: Path, run: Run, epochs: Sequence[EpochMetrics]) -> None:
        super().__init__()
        self.details = DetailsScreen(root, run, epochs)

    def on_mount(self) -> None:
        self.push_screen(self.details)


def shown(app: Bench, section: str) -> str:
    """What a section shows, as lines of text."""
    pane = app.details.query_one(f"#{section}")
    width, height = pane.virtual_size
    static = pane.query_one(Static)
    return "\n".join(static.render_line(y).text for y in range(static.size.height)) if width and height else ""


def said(app: Bench, section: str) -> str:
    """What a section says, in one line: however long a path is, and wherever it makes a sentence break."""
    return " ".join(shown(app, section).split())


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    for _ in range(1500):
        await pilot.pause()
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came true")


@pytest.mark.parametrize("size", [(80, 24), (140, 45), (10, 3)])
async def test_every_section_is_reached_by_its_number_and_by_arrows(tmp_path: Path, size: tuple[int, int]) -> None:
    app = Bench(tmp_path, *finished(tmp_path))
    async with app.run_test(size=size) as pilot:
        current = app.details.query_one(ContentSwitcher)
        for number, name in enumerate(SECTIONS, start=1):
            await pilot.press(str(number))
            assert current.current == name
        await pilot.press("right")
        assert current.current == "configuration"
        await pilot.press("left", "left")
        assert current.current == "log"
        await pilot.press("escape")
        assert app.screen is not app.details


async def test_configuration_is_what_differs_until_all_is_asked_for(tmp_path: Path) -> None:
    app = Bench(tmp_path, *finished(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "batch_size" in shown(app, "configuration"))
        text = shown(app, "configuration")
        assert "16" in text
        assert "default 64" in " ".join(text.split())
        assert "weight_decay" not in text
        await pilot.press("a")
        await until(pilot, lambda: "weight_decay" in shown(app, "configuration"))


async def test_result_tells_what_came_out_and_where_it_was_computed(tmp_path: Path) -> None:
    run, epochs = finished(tmp_path)
    app = Bench(tmp_path, run, epochs)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "2.6.0" in shown(app, "result"))
        text = said(app, "result")
        for part in ("finished", "lowest 0.3000 at epoch 3", "95.00 %", "0:06 for 4 epochs", "none yet"):
            assert part in text
        assert str(run.folder) in "".join(text.split())  # however often a long path is broken


async def test_epochs_have_the_best_and_the_kept_one_marked(tmp_path: Path) -> None:
    app = Bench(tmp_path, *finished(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        table = app.details.query_one(DataTable)
        assert table.row_count == 4
        assert [str(table.get_row_at(row)[0]) for row in range(4)] == ["", "", "◆✓", ""]
        assert table.virtual_size.width <= 80


async def test_the_confusion_matrix_comes_from_another_process(tmp_path: Path) -> None:
    app = Bench(tmp_path, *finished(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "accuracy 95.00 %, 114 of 120 right" in shown(app, "confusion"))
        assert "true 0, predicted 1: once" in shown(app, "confusion")
        await pilot.resize_terminal(140, 45)
        await until(pilot, lambda: "92%" in shown(app, "confusion"))


async def test_the_log_follows_while_the_run_goes_on(tmp_path: Path) -> None:
    run, epochs = finished(tmp_path)
    running = replace(run, state="running", finished_at=None)
    app = Bench(tmp_path, running, epochs)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: "finished" in shown(app, "log"))
        for number in range(100):
            RunFolder(tmp_path / str(run.folder)).log(f"line {number}")
        await until(pilot, lambda: "line 99" in shown(app, "log"))
        pane = app.details.query_one("#log", VerticalScroll)
        await until(pilot, lambda: pane.max_scroll_y > 0 and pane.scroll_offset.y == pane.max_scroll_y)


async def test_what_is_new_of_a_run_is_shown_while_it_is_open(tmp_path: Path) -> None:
    run, epochs = finished(tmp_path)
    app = Bench(tmp_path, replace(run, state="running", epochs_done=2, test_accuracy=None), epochs[:2])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        table = app.details.query_one(DataTable)
        assert table.row_count == 2
        app.details.update_run(run, epochs)
        await pilot.pause()
        assert table.row_count == 4
        assert str(table.get_row_at(1)[0]) == ""
        assert table.cursor_row == 3  # who was at the end stays there
        await pilot.press("2")
        await until(pilot, lambda: "95.00 %" in shown(app, "result"))
        app.details.update_run(run, epochs[:1])  # taken up anew
        await pilot.pause()
        assert table.row_count == 1


async def test_a_run_that_has_not_begun_has_nothing_to_show_and_says_so(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        (run,) = store.add([RunConfig(dataset="digits")])
    app = Bench(tmp_path, run, [])
    async with app.run_test(size=(80, 24)) as pilot:
        for section, words in (("2", "none yet: the run has not started"), ("4", "not started"), ("5", "no log yet")):
            await pilot.press(section)
            await until(pilot, lambda s=section, w=words: w in " ".join(said(app, SECTIONS[int(s) - 1]).split()))  # type: ignore[misc]


async def test_a_deleted_folder_is_a_message_in_each_section() -> None:
    with tempfile.TemporaryDirectory() as short:  # a long path would break within the words that are looked for
        await assert_deleted_folder_is_named(Path(short))


async def assert_deleted_folder_is_named(tmp_path: Path) -> None:
    run, epochs = finished(tmp_path)
    shutil.rmtree(tmp_path / str(run.folder))
    app = Bench(tmp_path, run, epochs)
    async with app.run_test(size=(140, 45)) as pilot:
        for section, words in (
            ("2", "does not exist any more"),
            ("4", "does not exist any more"),
            ("5", "There is no"),
        ):
            await pilot.press(section)
            await until(pilot, lambda s=section, w=words: w in " ".join(said(app, SECTIONS[int(s) - 1]).split()))  # type: ignore[misc]


async def test_damaged_files_are_messages(tmp_path: Path) -> None:
    run, epochs = finished(tmp_path)
    folder = tmp_path / str(run.folder)
    (folder / "predictions.npz").write_bytes(b"PK but not really")
    (folder / "run.json").write_text("{")
    (folder / "log.txt").unlink()
    (folder / "log.txt").mkdir()
    app = Bench(tmp_path, run, epochs)
    async with app.run_test(size=(140, 45)) as pilot:
        log = "is a folder, where a regular file belongs"
        for section, words in (("2", "run.json is damaged"), ("4", "is damaged"), ("5", log)):
            await pilot.press(section)
            await until(pilot, lambda s=section, w=words: w in " ".join(said(app, SECTIONS[int(s) - 1]).split()))  # type: ignore[misc]


async def test_a_configuration_of_another_version_is_shown_as_written(tmp_path: Path) -> None:
    run, epochs = finished(tmp_path)
    strange = replace(run, config_json='{"model": "transformer", "heads": 8}')
    app = Bench(tmp_path, strange, epochs)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "heads" in shown(app, "configuration"))
        await pilot.press("a")
        assert "cannot be read" in shown(app, "configuration")


def test_losses_that_are_no_numbers_are_shown_as_what_they_are() -> None:
    rows = details_text.epoch_rows(history([math.nan, math.inf], [math.nan, 1e9]))
    assert [row[2] for row in rows] == ["nan", "inf"]
    assert [row[0] for row in rows] == ["", "◆✓"]
    assert rows[1][4] == "1e+09"
    assert details_text.epoch_rows([]) == []
    assert [row[0] for row in details_text.epoch_rows(history([math.nan], [math.nan]))] == [""]


def test_the_end_of_a_long_log_begins_with_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("".join(f"line {number}\n" for number in range(1000)))
    text = details_text.last_lines(path, 100)
    assert text.splitlines()[0].startswith("line 9")
    assert text.endswith("line 999")


def test_the_history_in_use_has_a_best_epoch_that_is_not_the_last() -> None:
    assert [row[0] for row in details_text.epoch_rows(HISTORY)] == ["", "", "◆✓", ""]


def test_the_screen_needs_neither_numpy_nor_torch() -> None:
    code = (
        "import sys; import lenet_tui.tui.details.screen, lenet_tui.tui.pictures.screen, "
        "lenet_tui.tui.dialogs.get_data, lenet_tui.tui.runs.export; "
        "print({'numpy', 'torch', 'PIL', 'matplotlib', 'sklearn', 'textual_image'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("set()\n", "")


async def test_the_pictures_can_be_drawn_and_looked_at_from_the_details(tmp_path: Path) -> None:
    run, epochs = finished(tmp_path)
    app = Bench(tmp_path, run, epochs)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("e")
        await until(pilot, lambda: any("exported" in message.message for message in app._notifications))
        assert (tmp_path / run.folder / "loss.png").exists()
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, PicturesScreen))


async def test_the_layers_of_the_network_are_those_of_its_weights(tmp_path: Path) -> None:
    import safetensors.numpy

    run, rows = finished(tmp_path)
    app = Bench(tmp_path, run, rows)
    folder = tmp_path / str(run.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: "There are no weights" in said(app, "layers"))
        assert "model.safetensors is not in" in said(app, "layers")
        safetensors.numpy.save_file(
            {f"{name}.{part}": np.zeros(shape, np.float32) for name, part, shape in LENET}, folder / "model.safetensors"
        )
        await pilot.press("1", "6")
        await until(pilot, lambda: "61,706" in said(app, "layers"))
        assert "convolution 5×5, padding 2 6 × 28 × 28 6 × 1 × 5 × 5 156" in said(app, "layers")
        assert "fully connected 10 10 × 84 850" in said(app, "layers")
        (folder / "model.safetensors").write_bytes(b"no weights")
        await pilot.press("1", "6")
        await until(pilot, lambda: "is damaged" in said(app, "layers"))
        shutil.rmtree(folder)
        await pilot.press("1", "6")
        await until(pilot, lambda: "does not exist any more" in said(app, "layers"))


async def test_a_wide_screen_has_result_and_layers_beside_the_configuration(tmp_path: Path) -> None:
    import safetensors.numpy

    run, rows = finished(tmp_path)
    weights = {f"{name}.{part}": np.zeros(shape, np.float32) for name, part, shape in LENET}
    safetensors.numpy.save_file(weights, tmp_path / str(run.folder) / "model.safetensors")
    app = Bench(tmp_path, run, rows)
    async with app.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda: "61,706" in shown(app, "configuration"))
        assert "test accuracy" in shown(app, "configuration")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "61,706" not in shown(app, "configuration"))
