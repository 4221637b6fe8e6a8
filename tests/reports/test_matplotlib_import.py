"""Pictures are the same whatever a person has set for matplotlib, and with whatever text they are drawn."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import matplotlib
import pytest

from lenet_tui import reports
from lenet_tui.analysis.comparison.compare import compare
from lenet_tui.formatting import printable
from lenet_tui.reports import comparison, loss
from tests.analysis.study.making import study
from tests.reports.conftest import LEARNING, opened, predictions, record
from tests.reports.test_write_all import EVERYTHING

if TYPE_CHECKING:
    from pathlib import Path

USETEX = "text.usetex: True\nfont.family: serif\nfigure.dpi: 30\nsavefig.dpi: 3\nbackend: nonsense\nno colon here\n"


def write_rc(path: Path, content: bytes | str | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        os.mkfifo(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("content", [USETEX, b"\xff\xfe\x00 not text", None], ids=["usetex", "binary", "FIFO"])
def test_backend_and_matplotlibrc_of_a_person_change_neither_pictures_nor_output(make_run, tmp_path, content):
    folder = make_run()
    (wanted,) = [report.path.read_bytes() for report in reports.write_all(folder) if not report.skipped]
    places = {name: tmp_path / name for name in ("here", "home", "named", "xdg")}
    for name, path in places.items():
        below = {"home": ".config/matplotlib", "xdg": "matplotlib"}.get(name, "")
        write_rc(path / below / "matplotlibrc", content)
    (folder.path / "loss.png").unlink()
    env = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "MPL", "MATPLOTLIB"))}
    done = subprocess.run(
        [sys.executable, "-m", "lenet_tui", "export", str(folder.path)],
        cwd=places["here"],
        env=env
        | {
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MATPLOTLIBRC": str(places["named"] / "matplotlibrc"),
            "MPLCONFIGDIR": str(places["xdg"] / "matplotlib"),
            "HOME": str(places["home"]),
            "XDG_CONFIG_HOME": str(places["xdg"]),
            "PYTHONWARNINGS": "error",
        },
        capture_output=True,
        text=True,
        timeout=100,
    )
    answer = [line for line in done.stderr.splitlines() if "predictions.npz is not there yet" not in line]
    assert (done.returncode, answer) == (0, [])
    assert (folder.path / "loss.png").read_bytes() == wanted


def test_what_the_process_has_set_for_matplotlib_changes_no_picture_and_is_as_it_was_afterwards(tmp_path):
    wanted = loss.draw(record(EVERYTHING), LEARNING)
    with matplotlib.rc_context({"text.usetex": True, "lines.linewidth": 9, "figure.dpi": 30, "axes.grid": True}):
        assert loss.draw(record(EVERYTHING), LEARNING) == wanted
        assert matplotlib.rcParams["text.usetex"]


@pytest.mark.parametrize(
    "cache", ["/proc/nowhere", "{tmp}/file", "~nosuchuser/x"], ids=["cannot be made", "file", "no such user"]
)
def test_a_cache_folder_that_does_not_work_costs_neither_pictures_nor_words(make_run, tmp_path, cache):
    folder = make_run()
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", "lenet_tui", "export", str(folder.path)],
        env=os.environ | {"LENET_TUI_CACHE": cache.format(tmp=tmp_path), "MPLCONFIGDIR": "/proc/nowhere"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0
    assert done.stdout.splitlines() == [str(folder.path / "loss.png")]
    assert done.stderr.count("\n") == 2 == done.stderr.count("predictions.npz is not there yet")


@pytest.mark.parametrize(
    "text",
    ["\x1b[6n\x00\x07", r"$\foo$ $x^{$", "\ud83d lone \udcff", "数字 🙂", "x" * 1_000_000, "a b " * 100_000, "\n\n\n"],
    ids=["control", "formula", "surrogates", "other letters", "long word", "long text", "lines"],
)
def test_any_text_of_a_record_is_drawn_and_short_in_the_metadata(make_run, text):
    folder = make_run(predicted=predictions(), fallback_for="mnist")
    made = folder.read_record()
    dataset = made.dataset.model_copy(update={"name": text, "fallback_for": text, "checksum": text})
    for name, drawn in {
        "loss": loss.draw(made.model_copy(update={"dataset": dataset}), LEARNING),
        "comparison": comparison.draw(compare(hostile_pair(text))),
    }.items():
        image = opened(drawn)
        assert image.height < 2500, name
        assert all(len(value) < 1000 for value in image.info.values() if isinstance(value, str))
        assert all(printable(str(value)) == str(value) for value in image.info.values() if isinstance(value, str))


def hostile_pair(text: str) -> list[object]:
    """Two runs of one configuration on other images, whose names a comparison has to say."""
    runs = []
    first = study(1).finished[0]
    for number in range(2):
        dataset = first.record.dataset.model_copy(update={"name": text, "checksum": f"{number}{text}"})
        runs.append(replace(first, run_id=number, record=first.record.model_copy(update={"dataset": dataset})))
    return runs
