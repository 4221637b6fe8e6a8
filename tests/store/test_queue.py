"""The queue behaves like the plain list of runs that a person has in mind, whatever is done in whatever order."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lenet_tui.config import RunConfig
from lenet_tui.errors import UsageError
from lenet_tui.host.process import Owner
from lenet_tui.store import Store
from tests.store.conftest import ME, OTHER, claim_first, epoch, summary

if TYPE_CHECKING:
    from collections.abc import Callable

RUN = st.integers(0, 12)  # picks one of the runs there are


@dataclass
class Expected:
    state: str = "queued"
    begun: bool = False
    attempts: int = 0
    stop_request: bool = False
    owner: Owner | None = None


class Queue(RuleBasedStateMachine):
    """The store beside a dictionary and a list; after each step both say the same."""

    @initialize()
    def open(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="lenet-tui-"))
        self.store = Store(self.root)
        self.runs: dict[int, Expected] = {}
        self.order: list[int] = []
        self.paused = False
        self.owners = 0

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.root)

    def pick(self, n: int) -> int:
        return list(self.runs)[n % len(self.runs)] if self.runs else 1

    def attempt(self, allowed: bool, act: Callable[..., Any], *words: object) -> Any:
        """Do it, and if it is not allowed see it refused by naming the run."""
        if allowed:
            return act(*words)
        with pytest.raises(UsageError, match=rf"\b{words[0]}\b"):
            act(*words)
        return None

    def state(self, run_id: int) -> str:
        return self.runs[run_id].state if run_id in self.runs else ""

    def leave(self, run_id: int, state: str) -> None:
        if run_id in self.order:
            self.order.remove(run_id)
        run = self.runs[run_id]
        run.state, run.stop_request, run.owner = state, False, None

    def put_back(self, ids: list[int]) -> None:
        again = []
        for run_id in ids:
            run = self.runs[run_id]
            state = "stopped" if run.stop_request else "failed" if run.attempts >= 3 else "interrupted"
            self.leave(run_id, state)
            if state == "interrupted":
                again.append(run_id)
        self.order = again + self.order

    @rule(count=st.integers(1, 3))
    def add(self, count: int) -> None:
        added = self.store.add([RunConfig(seed=n) for n in range(count)])
        assert [run.place for run in added] == list(range(len(self.order) + 1, len(self.order) + count + 1))
        assert [run.config.seed for run in added] == list(range(count))
        for run in added:
            assert run.id > max(self.runs, default=0)
            self.runs[run.id] = Expected()
            self.order.append(run.id)

    @rule(n=RUN, threads=st.integers(1, 4))
    def claim(self, n: int, threads: int) -> None:
        run_id, owner = self.pick(n), self.new_owner()
        expected = run_id in self.order and not self.paused
        assert self.store.claim(run_id, owner, threads) is expected
        if expected:
            self.claimed(run_id, owner)

    @rule()
    def claim_first(self) -> None:
        owner = self.new_owner()
        run = claim_first(self.store, owner)
        assert (run and run.id) == (self.order[0] if self.order and not self.paused else None)
        if run:
            self.claimed(run.id, owner)

    @rule(n=RUN)
    def take(self, n: int) -> None:
        run_id, owner = self.pick(n), self.new_owner()
        allowed = self.state(run_id) in ("queued", "interrupted", "stopped", "failed")
        if allowed and run_id not in self.order:
            self.runs[run_id].attempts = 0
        if self.attempt(allowed, self.store.take, run_id, owner, 1):
            self.claimed(run_id, owner)

    def new_owner(self) -> Owner:
        self.owners += 1
        return Owner(1000 + self.owners, "here", "boot 1")

    def claimed(self, run_id: int, owner: Owner) -> None:
        self.leave(run_id, "running")
        run = self.runs[run_id]
        run.attempts += 1
        run.owner = owner

    @rule(n=RUN)
    def begin(self, n: int) -> None:
        run_id = self.pick(n)
        owner = self.runs[run_id].owner if run_id in self.runs else None
        done = self.store.begin(run_id, owner or OTHER, self.root / "lenet" / str(run_id), "cpu")
        assert done is (owner is not None)
        if done:
            self.runs[run_id].begun = True

    @rule(n=RUN, end=st.sampled_from(["finished", "failed", "stopped"]), mine=st.booleans())
    def end(self, n: int, end: str, mine: bool) -> None:
        run_id = self.pick(n)
        run = self.runs.get(run_id, Expected())
        owner = run.owner if mine and run.owner else OTHER
        if end == "finished" and run.owner and not run.begun:
            return  # no run finishes without a folder
        acts: dict[str, Callable[[], bool]] = {
            "finished": lambda: self.store.end(run_id, owner, "finished", summary=summary([epoch(1)])),
            "failed": lambda: self.store.end(run_id, owner, "failed", "it broke"),
            "stopped": lambda: self.store.end(run_id, owner, "stopped"),
        }
        assert acts[end]() is (run.owner is not None and mine)
        if run.owner and mine:
            self.leave(run_id, end)

    @rule(n=RUN)
    def interrupt(self, n: int) -> None:
        run_id = self.pick(n)
        owner = self.runs[run_id].owner if run_id in self.runs else None
        assert self.store.interrupt(run_id, owner or OTHER) is (owner is not None)
        if owner:
            self.runs[run_id].attempts -= 1
            self.put_back([run_id])

    @precondition(lambda self: any(run.owner for run in self.runs.values()))
    @rule(which=st.integers(1, 7))
    def die(self, which: int) -> None:
        owned = [(run_id, run.owner) for run_id, run in sorted(self.runs.items()) if run.owner]
        dead = {run_id: owner for n, (run_id, owner) in enumerate(owned) if which >> n & 1}
        result = self.store.requeue_dead(lambda owner: owner not in dead.values())
        assert [run.id for run in result] == list(dead)
        self.put_back(list(dead))

    @rule(n=RUN)
    def request_stop(self, n: int) -> None:
        run_id = self.pick(n)
        state = self.state(run_id)
        self.attempt(state in ("queued", "interrupted", "running"), self.store.request_stop, run_id)
        if state == "running":
            self.runs[run_id].stop_request = True
        elif run_id in self.order:
            self.leave(run_id, "stopped")

    @rule(n=RUN, act=st.sampled_from(["resume", "retry"]))
    def again(self, n: int, act: str) -> None:
        run_id = self.pick(n)
        allowed = self.state(run_id) == {"resume": "stopped", "retry": "failed"}[act]
        if self.attempt(allowed, getattr(self.store, act), run_id):
            self.runs[run_id].state, self.runs[run_id].attempts = "queued", 0
            self.order.append(run_id)

    @rule(n=RUN, place=st.integers(0, 9))
    def move(self, n: int, place: int) -> None:
        run_id = self.pick(n)
        if place < 1:
            with pytest.raises(UsageError, match="no place 0"):
                self.store.move(run_id, place)
            return
        run = self.attempt(run_id in self.order, self.store.move, run_id, place)
        if run:
            self.order.remove(run_id)
            self.order.insert(place - 1, run_id)
            assert run.place == self.order.index(run_id) + 1

    @rule(n=RUN)
    def remove(self, n: int) -> None:
        run_id = self.pick(n)
        done = self.attempt(run_id in self.order, self.store.remove, run_id)
        if done:
            begun = self.runs[run_id].begun
            assert done == ("stopped" if begun else "removed")
            self.leave(run_id, "stopped")
            if not begun:
                del self.runs[run_id]

    @rule(n=RUN)
    def delete(self, n: int) -> None:
        run_id = self.pick(n)
        if self.attempt(self.state(run_id) in ("finished", "failed", "stopped"), self.store.delete, run_id):
            del self.runs[run_id]

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        self.store.set_paused(paused)
        self.paused = paused

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(self.root)

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "store"):
            return
        queue = self.store.queue()
        running = [run_id for run_id, run in self.runs.items() if run.state == "running"]
        assert [run.id for run in queue] == sorted(running) + self.order
        assert [run.place for run in queue] == [None] * len(running) + list(range(1, len(self.order) + 1))
        seen = {
            run.id: Expected(run.state, run.folder is not None, run.attempts, run.is_stop_requested, run.owner)
            for run in self.store.runs()
        }
        assert seen == self.runs
        assert self.store.is_paused() is self.paused


TestQueue = Queue.TestCase
TestQueue.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_nothing_starts_from_a_paused_queue_until_it_is_active(store: Store) -> None:
    store.add([RunConfig(seed=1), RunConfig(seed=2)])
    store.set_paused(True)
    with Store(store.root) as other:
        assert other.is_paused()
        assert not other.claim(1, ME, 1)
        assert claim_first(other, ME) is None
    store.set_paused(False)
    assert store.claim(1, ME, 1)
    assert claim_first(store, ME) == store.get(2)


def test_equal_configurations_that_wait_are_found_and_others_are_not(store: Store) -> None:
    same, other, running = store.add([RunConfig(lr=0.01), RunConfig(lr=0.02), RunConfig(lr=0.01)])
    assert store.claim(running.id, ME, 1)
    assert [run.id for run in store.waiting_duplicates([RunConfig(lr=0.01), RunConfig(lr=0.03)])] == [same.id]
    assert [run.id for run in store.waiting_duplicates([RunConfig(lr=0.02)])] == [other.id]
    assert store.waiting_duplicates([RunConfig(seed=5)]) == []


def test_a_grid_is_queued_wholly_or_not_at_all(store: Store) -> None:
    class Broken(RunConfig):
        def model_dump_json(self, **options: Any) -> str:
            return "broken"

    with pytest.raises(Exception, match="CHECK"):
        store.add([RunConfig(), Broken()])
    assert store.runs() == []
    assert store.add([]) == []


@pytest.mark.parametrize(
    ("act", "state", "words"),
    [
        ("request_stop", "finished", "run 1 is finished; only runs that run or wait can be stopped"),
        ("resume", "failed", "run 1 is failed; 'lenet-tui queue retry 1' tries it again"),
        ("resume", "queued", "run 1 is queued; only stopped runs can be resumed"),
        ("resume", "interrupted", "run 1 is interrupted; it resumes by itself"),
        ("retry", "stopped", "run 1 is stopped; 'lenet-tui queue resume 1' resumes it"),
        ("retry", "finished", "run 1 is finished; only failed runs can be tried again"),
        (
            "remove",
            "running",
            "run 1 is running; only runs that wait can be removed from the queue; 'lenet-tui queue stop 1' stops it",
        ),
        (
            "delete",
            "queued",
            "run 1 is queued; only finished, failed and stopped runs can be deleted; "
            "'lenet-tui queue remove 1' takes it out of the queue",
        ),
        ("get", "", "there is no run 1; 'lenet-tui runs' lists them"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_can(store: Store, act: str, state: str, words: str) -> None:
    if state:
        store.add([RunConfig()])
    if state not in ("", "queued"):
        assert store.claim(1, ME, 1)
        assert store.begin(1, ME, store.root / "lenet" / "a", "cpu")
    if state == "finished":
        store.end(1, ME, "finished", summary=summary([epoch(1)]))
    elif state == "failed":
        store.end(1, ME, "failed", "it broke")
    elif state == "stopped":
        store.end(1, ME, "stopped")
    elif state == "interrupted":
        store.interrupt(1, ME)
    with pytest.raises(UsageError) as refused:
        getattr(store, act)(1)
    assert str(refused.value) == words


def test_a_note_stays_with_its_run(store: Store) -> None:
    store.add([RunConfig(), RunConfig()])
    store.set_note(1, "die erste – mit 'Anführung'; DROP TABLE runs")
    assert [run.note for run in store.runs()] == ["die erste – mit 'Anführung'; DROP TABLE runs", ""]
    with pytest.raises(UsageError, match="no run 3"):
        store.set_note(3, "x")


def test_runs_can_be_picked_by_state_and_come_newest_last(store: Store) -> None:
    store.add([RunConfig(seed=n) for n in range(4)])
    store.claim(2, ME, 1)
    store.request_stop(3)
    assert [run.id for run in store.runs()] == [1, 2, 3, 4]
    assert [run.id for run in store.runs("queued", "stopped")] == [1, 3, 4]
    assert [run.id for run in store.runs("running")] == [2]
