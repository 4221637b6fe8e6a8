"""A run must not fail because of what the shell happens to have in its environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import environment

if TYPE_CHECKING:
    from pathlib import Path

TRAIN = "train --dataset digits --epochs 1 --tsne-samples 100 --threads 1".split()
PICTURES = 3

NONSENSE = {
    "a notebook's backend": {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
    "a backend that is none": {"MPLBACKEND": "nonsense"},
    "settings that need LaTeX": {"MATPLOTLIBRC": "{folder}/matplotlibrc"},
    "a relative cache": {"XDG_CACHE_HOME": "relative", "XDG_CONFIG_HOME": "relative"},
    "threads that are no number": {"OMP_NUM_THREADS": "abc", "MKL_NUM_THREADS": "abc"},
    "warnings as errors": {"PYTHONWARNINGS": "error"},
    "docstrings stripped": {"PYTHONOPTIMIZE": "2"},
    "a locale that is none": {"LC_ALL": "xx_XX.nonsense", "LANG": "nonsense"},
    "a time zone that is none": {"TZ": "Nowhere/Nonsense"},
    "a terminal that is none": {"TERM": "nonsense"},
    "a width that is no number": {"COLUMNS": "abc", "LINES": "-3"},
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
    env = environment() | named
    env.pop("MPLBACKEND" if "MPLBACKEND" not in named else "", None)
    assert_trained([sys.executable, "-m", "lenet_tui", *TRAIN], tmp_path, env)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root to become nobody's id")
def test_a_run_ends_well_for_a_user_without_a_name_or_a_home(tmp_path: Path) -> None:
    user = 54321
    for folder in tmp_path.parents:
        if folder.stat().st_mode & 0o001 == 0 and folder.is_relative_to("/tmp"):
            pytest.skip(f"{folder} is closed to other users")
    tmp_path.chmod(0o755)
    os.chown(tmp_path, user, user)
    env = {name: value for name, value in environment().items() if name not in ("HOME", "LENET_TUI_CACHE", "USER")}
    env = {name: value for name, value in env.items() if not name.startswith("XDG_") and name != "LOGNAME"}
    command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", sys.executable, "-m", "lenet_tui"]
    assert_trained([*command, *TRAIN], tmp_path, env)
