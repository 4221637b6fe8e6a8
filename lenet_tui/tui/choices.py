"""What a person chose with keys, kept for the next time: ``chosen.json`` beside the ``settings.toml`` that it is about.

A choice holds until the setting is another one in ``settings.toml``: what was done last wins.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lenet_tui.errors import LabError
from lenet_tui.host.safe_files import read_own, write_own
from lenet_tui.store import PRIVATE_FOLDER
from lenet_tui.tui import settings as settings_files

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.tui.settings import Settings

FILE = "chosen.json"
OF_A_ROOT = frozenset({"baseline"})  # the others are the person's, in every root
_MOST_BYTES = 100_000


class Choices:
    """The choices of a person, and those in a root. ``given`` are the settings of the files, without choices."""

    def __init__(self, root: Path, given: Settings) -> None:
        own = settings_files.own_path()
        self._given = given
        self._plain = given.model_dump(mode="json")
        self._paths = (own.with_name(FILE) if own else None, root / PRIVATE_FOLDER / FILE)
        self._unwritten: list[tuple[str, object]] = []
        self._writing = threading.Lock()

    def applied(self) -> Settings:
        """Return the settings with what was chosen since they were written."""
        result = self._given
        for chosen in map(_read, self._paths):
            for name, entry in chosen.items():
                if isinstance(entry, dict) and name in self._plain and entry.get("instead_of") == self._plain[name]:
                    try:
                        result = settings_files.Settings.model_validate(
                            {**result.model_dump(), name: entry.get("chosen")}
                        )
                    except ValidationError:
                        continue  # of another version
        return result

    def choose(self, name: str, value: object) -> None:
        """Take note of a choice; `write` keeps it."""
        self._unwritten.append((name, value))

    def write(self) -> None:
        """Keep what was chosen since the last time, from any thread. Raises `LabError`."""
        with self._writing:
            new, self._unwritten = self._unwritten, []
            for path, names in zip(self._paths, (_of_a_person, OF_A_ROOT.__contains__), strict=True):
                if path is not None and any(names(name) for name, _ in new):
                    self._write(path, {name: value for name, value in new if names(name)})

    def _write(self, path: Path, new: dict[str, object]) -> None:
        chosen = _read(path)  # another app may have written since
        for name, value in new.items():
            chosen.pop(name, None)
            if value != getattr(self._given, name):
                chosen[name] = {"chosen": value, "instead_of": self._plain[name]}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_own(path, (json.dumps(chosen, indent=2) + "\n").encode(), durable=False)


def _of_a_person(name: str) -> bool:
    return name not in OF_A_ROOT


def _read(path: Path | None) -> dict[str, Any]:
    """Return the choices in a file; none where it cannot be read: they are only a convenience."""
    if path is None:
        return {}
    try:
        content = json.loads(read_own(path, _MOST_BYTES))
    except (OSError, LabError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
