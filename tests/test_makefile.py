"""``make`` works wherever a person has put the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
# Stands for the Python of .venv: splits the variable at spaces, as pip does, and says which of the files are there.
PIP = """#!/bin/sh
for name in $PIP_CONSTRAINT; do [ -f "$name" ] || { echo "no file $name" >&2; exit 1; }; done
echo "$@"
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("name", ["a b", "it's", 'say "so"', "«ü»", "$HOME & (x); #1"])
def test_make_installs_what_constraints_pin_in_a_folder_of_any_name(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    (folder / ".venv" / "bin").mkdir(parents=True)
    for file in ("Makefile", "pyproject.toml", "constraints.txt", "setup.py"):
        shutil.copy(PROJECT / file, folder)
    python = folder / ".venv" / "bin" / "python"
    python.write_text(PIP)
    python.chmod(0o755)
    command = ["make", f"PYTHON={sys.executable}", "install"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "-m pip install" in ended.stdout
    assert (folder / ".venv" / ".installed").exists()

    again = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    assert "Nothing" in again.stdout
    os.utime(folder / ".venv" / ".engine", (1e9, 1e9))  # older than setup.py: that or the engine's source was changed
    compiled = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    assert "setup.py --quiet build_ext --inplace\n" in compiled.stdout
