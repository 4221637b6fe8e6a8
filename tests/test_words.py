"""One word for one thing: the words that CONTRIBUTING.md lists stay out of code and texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LISTED = re.compile(r"^A test keeps these words out of code and texts: (.*)\.$", re.MULTILINE)
# Names that version 0.1.0 stored or printed, which are still read or printed.
STORED = ("lenet_tui/store/schema.py", "lenet_tui/store/recovery.py", "lenet_tui/cli/tables.py")
FILES = [
    *(path for kind in ("*.py", "*.tcss") for path in sorted((ROOT / "lenet_tui").rglob(kind))),
    *(ROOT / "docs").glob("*.md"),
    ROOT / "README.md",
]


@pytest.fixture(scope="module")
def replaced() -> re.Pattern[str]:
    listed = LISTED.search((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert listed
    return re.compile(rf"\b({listed[1].replace(', ', '|')})(s|es|ed)?\b", re.IGNORECASE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_replaced_word_comes_back(path: Path, replaced: re.Pattern[str]) -> None:
    if str(path.relative_to(ROOT)) in STORED:
        pytest.skip("it reads what an earlier version stored")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if replaced.search(line)] == []
