"""Tags: short words that a person gives to runs, to find them again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lenet_tui.errors import UsageError
from lenet_tui.formatting import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 20  # on one run
_LONGEST = 30
_TAG = re.compile(rf"\w[\w.-]{{0,{_LONGEST - 1}}}")


def to_text(tags: Iterable[str]) -> str:
    """Return tags as the store has them: sorted, each once. Raises `UsageError` for one that is none, or too many."""
    names = sorted(dict.fromkeys(tags))
    for name in names:
        if not is_tag(name):
            raise UsageError(
                f"{shown(name, 40) or 'an empty word'} is not a tag; a tag is one word of up to {_LONGEST} letters, "
                "digits, - _ ."
            )
    if len(names) > MOST:
        raise UsageError(f"{len(names)} tags are too many; a run has at most {MOST}")
    return " ".join(names)


def from_text(text: str) -> tuple[str, ...]:
    """Return the tags in a text of the store. Raises ValueError for what `to_text` does not write."""
    names = tuple(text.split(" ")) if text else ()
    if len(names) > MOST or not all(map(is_tag, names)):
        raise ValueError("its tags are none")
    return names


def is_tag(name: str) -> bool:
    """Say whether a word can be a tag."""
    return name.isprintable() and _TAG.fullmatch(name) is not None
