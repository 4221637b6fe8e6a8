"""A run must not fail because of what the shell happens to have in its environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lenet_tui.host.environment import settle
from tests.conftest import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAIN = ["train", "--dataset", "digits", "--epochs", "1", "--tsne-samples", "100", "--threads", "1"]
PICTURES = 3
USER_ID = 54_321  # that no list of users has

# Each needs a run of its own only where another would hide what it does.
NONSENSE = {
    "a notebook's backend, a relative cache": {
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "XDG_CACHE_HOME": "relative",
        "XDG_CONFIG_HOME": "relative",
    },
    "a backend that is none, threads that are no number": {
        "MPLBACKEND": "nonsense",
        "OMP_NUM_THREADS": "abc",
        "MKL_NUM_THREADS": "abc",
    },
    "settings that need LaTeX, a terminal and a width that are none": {
        "MATPLOTLIBRC": "{folder}/matplotlibrc",
        "TERM": "nonsense",
        "COLUMNS": "abc",
        "LINES": "-3",
    },
    "warnings as errors": {"PYTHONWARNINGS": "error"},
    "docstrings stripped, a locale and a time zone that are none": {
        "PYTHONOPTIMIZE": "2",
        "LC_ALL": "xx_XX.nonsense",
        "LANG": "nonsense",
        "TZ": "Nowhere/Nonsense",
    },
}


def assert_trained(command: list[str], folder: Path, env: dict[str, str]) -> None:
    ended = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert "Traceback" not in ended.stderr + ended.stdout
    assert ended.returncode == 0, ended.stderr
    assert len(list(folder.rglob("*.png"))) == PICTURES


@pytest.mark.parametrize("variables", NONSENSE.values(), ids=NONSENSE)
def test_a_run_ends_well_with_its_pictures_whatever_a_variable_says(variables: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nbackend: TkAgg\n")
    named = {name: value.format(folder=tmp_path) for name, value in variables.items()}
    env = {name: value for name, value in environment().items() if name != "MPLBACKEND"} | named
    assert_trained([sys.executable, "-m", "lenet_tui", *TRAIN], tmp_path, env)


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("OMP_NUM_THREADS", ["abc", "0", "-1", "1,", "2 3", ""], ["1", "4,2", " 8 "]),
        ("OMP_THREAD_LIMIT", ["many", "0"], ["16"]),
        ("OMP_SCHEDULE", ["abc", "static,x"], ["dynamic,4", "STATIC", "monotonic:guided"]),
        ("GOMP_CPU_AFFINITY", ["abc", "1-x", "0,,x"], ["0", "0 3 1-2 4-15:2", "0,1"]),
    ],
)
def test_only_what_openmp_cannot_read_is_left_out(
    name: str, wrong: list[str], right: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in [*wrong, *right]:
        monkeypatch.setenv(name, value)
        settle()
        assert os.environ.get(name) == (value if value in right else None)


def test_loading_torch_with_nonsense_for_openmp_says_nothing_and_ends() -> None:
    nonsense = {"OMP_NUM_THREADS": "abc", "OMP_SCHEDULE": "abc", "GOMP_CPU_AFFINITY": "abc"}
    command, env = [sys.executable, "-c", "import lenet_tui, torch; print('here')"], environment(**nonsense)
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True)
    assert (ended.stdout, ended.stderr) == ("here\n", "")


def test_a_relative_path_is_made_whole_for_the_runner_whose_folder_is_another(tmp_path: Path) -> None:
    given = {"LENET_TUI_CACHE": "a/b", "LENET_TUI_DATA": "~/c", "LENET_TUI_SETTINGS": ""}
    code = f"import os, lenet_tui; print([os.environ[name] for name in {list(given)}])"
    command, env = [sys.executable, "-c", code], environment(**given)
    ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == f"{[str(tmp_path / 'a/b'), '~/c', '']}\n"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can become another user")
def test_a_run_ends_well_for_a_user_without_a_name_or_a_home(open_folder: Path) -> None:
    os.chown(open_folder, USER_ID, USER_ID)
    personal = ("HOME", "USER", "LOGNAME", "MPLBACKEND", "LENET_TUI_CACHE")
    env = {n: value for n, value in environment().items() if n not in personal and not n.startswith("XDG_")}
    as_user = ["setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", "--clear-groups", sys.executable]
    reached = subprocess.run([*as_user, "-c", "import lenet_tui"], cwd=open_folder, env=env, check=False)
    if reached.returncode != 0:
        pytest.skip("another user cannot reach the interpreter")
    assert_trained([*as_user, "-m", "lenet_tui", *TRAIN], open_folder, env)
