"""``queue.json``: a copy of what only the store knows, in case the store is damaged beyond reading.

That is the order of the queue with its configurations, whether it is paused, which folders this store's runs are in
while they are not finished, and people's notes. It also tells a run that was begun here from one whose folder only
claims it.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lenet_tui.errors import LabError
from lenet_tui.host import safe_files
from lenet_tui.host.safe_files import MB

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

NAME = "queue.json"
_MOST_BYTES = 100 * MB
_COLUMNS = ("id", "config", "state", "position", "folder", "threads", "attempts", "note", "created_at", "started_at")
_OPEN = (
    f"SELECT {', '.join(_COLUMNS)} FROM runs WHERE state IN ('queued', 'interrupted', 'running') "  # noqa: S608
    "ORDER BY position, id"
)
_NOTES = "SELECT folder, note FROM runs WHERE note <> '' AND folder IS NOT NULL"


@dataclass(frozen=True)
class Backup:
    """What `save` wrote: ``runs`` are rows of the store, by column, in the order of the queue.

    ``unreadable`` counts the entries that `save` cannot have written.
    """

    paused: bool = False
    runs: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    unreadable: int = 0


def save(database: sqlite3.Connection, private: Path) -> None:
    """Write the backup of what ``database`` holds now, within its transaction. A failure never stops the work."""
    runs = [dict(zip(_COLUMNS, row, strict=True)) for row in database.execute(_OPEN)]
    notes = dict(database.execute(_NOTES).fetchall())
    paused = bool(database.execute("SELECT paused FROM control").fetchone()[0])
    document = json.dumps({"format": 1, "paused": paused, "runs": runs, "notes": notes})
    with contextlib.suppress(LabError):
        safe_files.write_own(private / NAME, document.encode(), durable=False, private=True)


def load(private: Path) -> Backup:
    """Return the backup in the private folder; an empty one where there is none that can be read."""
    try:
        document = json.loads(safe_files.read_own(private / NAME, _MOST_BYTES))
        entries, notes = document["runs"], document["notes"]
        runs = [
            {name: row[name] for name in _COLUMNS}
            for row in entries
            if isinstance(row, dict) and row.keys() >= {*_COLUMNS}
        ]
        texts = {k: v for k, v in notes.items() if isinstance(v, str)} if isinstance(notes, dict) else {}
        return Backup(bool(document["paused"]), runs, texts, len(entries) - len(runs))
    except (OSError, LabError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Backup()
