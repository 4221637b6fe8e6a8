"""What anybody may look at: runs, the queue, epochs, speeds."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, Self

from lenet_tui.store.database import Database, repeatable
from lenet_tui.store.records import Changes, SpeedKey
from lenet_tui.store.statements import epochs, get, running, select

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lenet_tui.config import RunConfig
    from lenet_tui.run.folder import State
    from lenet_tui.run.metrics import EpochMetrics
    from lenet_tui.store.records import Run

_SPEED_SAMPLE = 500


class Reading:
    """The part of the store that only looks."""

    def __init__(self, root: Path, *, network: bool | None = None) -> None:
        """Open the store of ``root``, making or rebuilding it where that is needed.

        ``network`` says whether the folder is shared by several machines; it is found out unless given. Raises
        `UsageError` when the folder cannot be used and `LabError` when the store is of a later lenet-tui.
        """
        self.root = root
        self._database = Database(root, network=network)

    @property
    def notices(self) -> list[str]:
        """What was found damaged or missing, and mended, since the store was opened; a line each."""
        return self._database.notices

    @property
    def read_only(self) -> str | None:
        """Why nothing can be written, where this is only a copy to look at; else None."""
        return self._database.read_only

    def close(self) -> None:
        """Let go of the store."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, run_id: int) -> Run:
        """Return a run. Raises `UsageError` when there is none of that number."""
        with self._database.read() as database:
            return get(database, run_id)

    @repeatable
    def runs(self, *states: State) -> list[Run]:
        """Return all runs, or those in one of ``states``, newest last."""
        with self._database.read() as database:
            if not states:
                return select(database, "ORDER BY r.id")
            return select(database, f"WHERE r.state IN ({', '.join('?' * len(states))}) ORDER BY r.id", states)

    @repeatable
    def queue(self) -> list[Run]:
        """Return the runs that run, lowest number first, and then those that wait, in their order."""
        with self._database.read() as database:
            return [*running(database), *select(database, "WHERE r.position IS NOT NULL ORDER BY r.position")]

    def waiting_duplicates(self, configs: Iterable[RunConfig]) -> list[Run]:
        """Return the waiting runs that would compute what one of ``configs`` would, in the order of the queue."""
        wanted = set(configs)
        return [run for run in self.queue() if run.waiting and run.config in wanted]

    def epochs(self, run_id: int) -> list[EpochMetrics]:
        """Return the epochs of a run, in order; none for a run that is not on record."""
        with self._database.read() as database:
            return epochs(database, run_id)

    def is_stop_requested(self, run_id: int) -> bool:
        """Say whether a person asked a running run to stop."""
        with self._database.read() as database:
            statement = "SELECT 1 FROM runs WHERE id = ? AND stop_request IS NOT NULL"
            return database.execute(statement, (run_id,)).fetchone() is not None

    @repeatable
    def is_paused(self) -> bool:
        """Say whether the queue is paused: what runs goes on to its end, and nothing starts."""
        with self._database.read() as database:
            return bool(database.execute("SELECT paused FROM control").fetchone()[0])

    @repeatable
    def changes(self, since: int = -1) -> Changes:
        """Return what changed after revision ``since``; every run with -1, or when the store was rebuilt meanwhile."""
        with self._database.read() as database:
            revision, paused = database.execute("SELECT revision, paused FROM control").fetchone()
            count = database.execute("SELECT count(*) FROM runs").fetchone()[0]
            if since > revision:
                since = -1
            changed = select(database, "WHERE r.revision > ? ORDER BY r.id", (since,)) if revision > since else []
            queue = [*running(database), *select(database, "WHERE r.position IS NOT NULL ORDER BY r.position")]
            return Changes(revision, count, changed, queue, bool(paused))

    @repeatable
    def speeds(self) -> dict[SpeedKey, float]:
        """Return the median speed (images/second) of the latest runs of each kind, those running included."""
        latest = "WHERE r.images_per_second IS NOT NULL AND r.state <> 'running' ORDER BY r.id DESC LIMIT ?"
        with self._database.read() as database:
            known = [*running(database), *select(database, latest, (_SPEED_SAMPLE,))]
        found: defaultdict[SpeedKey, list[float]] = defaultdict(list)
        for run in known:
            speed = run.progress.images_per_second if run.progress else run.images_per_second
            if speed and run.threads:
                values = run.values
                key = SpeedKey(values["model"], values["dataset"], values["batch_size"], run.threads, run.device)
                found[key].append(speed)
        return {key: statistics.median(speeds) for key, speeds in found.items()}

    @repeatable
    def change_counter(self) -> tuple[int, int, int]:
        """Return something that differs from its last value whenever anybody wrote anything; cheap."""
        return self._database.change_counter()
