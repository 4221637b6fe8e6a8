"""``queue.json``: a copy of what only the store knows, in case the store is damaged beyond reading.

That is the order of the queue with its configurations, whether it is paused, which folders this store's runs are in
while they are not finished, and people's notes and tags. It also tells a run that was begun here from one whose
folder only claims it.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lenet_tui.errors import LabError
from lenet_tui.host import safe_files
from lenet_tui.host.safe_files import MB
from lenet_tui.store.tags import from_text

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

NAME = "queue.json"
_MOST_BYTES = 100 * MB
_COLUMNS = ("id", "config", "state", "position", "folder", "threads", "attempts", "note", "created_at", "started_at")
_LATER = ("tags",)  # not in the backups of earlier versions
_OPEN = (
    f"SELECT {', '.join((*_COLUMNS, *_LATER))} FROM runs WHERE state IN ('queued', 'interrupted', 'running') "  # noqa: S608
    "ORDER BY position, id"
)
_NOTES = "SELECT folder, note FROM runs WHERE note <> '' AND folder IS NOT NULL"
_TAGS = "SELECT folder, tags FROM runs WHERE tags <> '' AND folder IS NOT NULL"


@dataclass(frozen=True)
class Backup:
    """What `save` wrote: ``runs`` are rows of the store, by column, in the order of the queue.

    ``notes`` and ``tags`` are by folder. ``unreadable`` counts the entries that `save` cannot have written.
    """

    paused: bool = False
    runs: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    unreadable: int = 0


def save(database: sqlite3.Connection, private: Path) -> None:
    """Write the backup of what ``database`` holds now, within its transaction. A failure never stops the work."""
    runs = [dict(zip((*_COLUMNS, *_LATER), row, strict=True)) for row in database.execute(_OPEN)]
    notes, tags = dict(database.execute(_NOTES).fetchall()), dict(database.execute(_TAGS).fetchall())
    paused = bool(database.execute("SELECT paused FROM control").fetchone()[0])
    document = json.dumps({"format": 1, "paused": paused, "runs": runs, "notes": notes, "tags": tags})
    with contextlib.suppress(LabError):
        safe_files.write_own(private / NAME, document.encode(), durable=False, private=True)


def load(private: Path) -> Backup:
    """Return the backup in the private folder; an empty one where there is none that can be read."""
    try:
        document = json.loads(safe_files.read_own(private / NAME, _MOST_BYTES))
        entries, notes = document["runs"], document["notes"]
        runs = [
            {name: row[name] for name in _COLUMNS} | {name: row[name] for name in _LATER if name in row}
            for row in entries
            if isinstance(row, dict) and row.keys() >= {*_COLUMNS}
        ]
        tags = {folder: text for folder, text in _texts(document.get("tags")).items() if _are_tags(text)}
        return Backup(bool(document["paused"]), runs, _texts(notes), tags, len(entries) - len(runs))
    except (OSError, LabError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Backup()


def _texts(values: object) -> dict[str, str]:
    return {k: v for k, v in values.items() if isinstance(v, str)} if isinstance(values, dict) else {}


def _are_tags(text: str) -> bool:
    try:
        return bool(from_text(text))
    except ValueError:
        return False
