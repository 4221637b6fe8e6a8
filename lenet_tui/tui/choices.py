"""What a person chose in the app and finds again the next time: columns, sort, the baseline of a root.

`settings.toml` is written by the person, ``choices.json`` beside it by the app; what belongs to one root lies in its
private folder.
"""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from lenet_tui.errors import LabError, UsageError
from lenet_tui.host.safe_files import read_own, write_own
from lenet_tui.store import PRIVATE_FOLDER
from lenet_tui.tui import settings

if TYPE_CHECKING:
    from pathlib import Path

FILE = "choices.json"
_MOST_BYTES = 100_000
_Value = TypeVar("_Value")


class Choices:
    """Values by name, those of the person and those of a root; what cannot be read or written is forgotten.

    ``own`` is the person's file, None to keep theirs in memory only, as in tests.
    """

    def __init__(self, root: Path, own: Path | None = None) -> None:
        self._paths = {False: own, True: root / PRIVATE_FOLDER / FILE}
        self._values = {of_root: _read(path) for of_root, path in self._paths.items()}
        self._writing = threading.Lock()
        self._writers: list[threading.Thread] = []

    def get(self, name: str, kind: type[_Value], default: _Value, *, of_root: bool = False) -> _Value:
        """Return what was chosen, ``default`` where nothing of that kind was."""
        value = self._values[of_root].get(name, default)
        return value if type(value) is kind else default

    def names(self, name: str) -> tuple[str, ...]:
        """Return a chosen list of words, () where there is none."""
        value = self.get(name, list, [])
        return tuple(value) if all(isinstance(word, str) for word in value) else ()

    def keep(self, name: str, value: Any, *, of_root: bool = False) -> None:
        """Keep a value, written in a thread since the event loop never waits for a disk; None forgets it."""
        self._values[of_root][name] = value
        path = self._paths[of_root]
        if path is not None:
            self._writers = [writer for writer in self._writers if writer.is_alive()]
            self._writers.append(threading.Thread(target=self._write, args=(path, name, value), daemon=True))
            self._writers[-1].start()

    def close(self) -> None:
        """Wait until all is written, not for long."""
        for writer in self._writers:
            writer.join(2)

    def _write(self, path: Path, name: str, value: Any) -> None:
        with self._writing, contextlib.suppress(LabError, OSError):
            values = _read(path) | {name: value}  # another app may have written since
            text = json.dumps({name: value for name, value in values.items() if value is not None}, indent=1)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_own(path, text.encode(), durable=False, private=True)


def own_path() -> Path | None:
    """Return where the person's own choices are; None where their settings have no place."""
    try:
        path = settings.own_path()
    except UsageError:
        return None
    return path and path.with_name(FILE)


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = json.loads(read_own(path, _MOST_BYTES))
    except (LabError, OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
