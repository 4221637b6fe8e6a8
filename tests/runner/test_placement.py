"""What is started next: pure, so tried on every machine there could be."""

from hypothesis import given
from hypothesis import strategies as st

from lenet_tui.config import RunConfig
from lenet_tui.host.hardware import Capacity
from lenet_tui.runner.placement import Placed, Waiting, place

LENET = RunConfig()


def waiting(count: int, **values: object) -> list[Waiting]:
    return [Waiting(number, RunConfig(**values)) for number in range(1, count + 1)]


def test_a_lone_run_gets_every_core() -> None:
    assert place(waiting(1), [], Capacity(cores=4)) == [(1, Placed(4))]


def test_several_runs_get_a_core_each_in_the_order_of_the_queue() -> None:
    assert place(waiting(3), [], Capacity(cores=2)) == [(1, Placed(1)), (2, Placed(1))]


def test_a_run_that_comes_while_another_runs_gets_one_core() -> None:
    assert place(waiting(1), [Placed(1)], Capacity(cores=4)) == [(1, Placed(1))]


def test_nothing_starts_where_a_lone_run_has_every_core() -> None:
    assert place(waiting(2), [Placed(2)], Capacity(cores=2)) == []


def test_a_run_that_was_begun_keeps_its_number_of_threads() -> None:
    assert place([Waiting(7, LENET, threads=1)], [], Capacity(cores=4)) == [(7, Placed(1))]
    assert place([Waiting(7, LENET, threads=3)], [Placed(2)], Capacity(cores=4)) == []


def test_a_run_that_wants_more_threads_than_there_are_cores_gets_them_on_an_empty_machine() -> None:
    greedy = waiting(1, threads=8)
    assert place(greedy, [], Capacity(cores=2)) == [(1, Placed(8))]
    assert place(greedy, [Placed(1)], Capacity(cores=2)) == []


def test_no_run_overtakes_one_that_waits_for_cores() -> None:
    queue = [Waiting(1, RunConfig(threads=2)), Waiting(2, LENET)]
    assert place(queue, [Placed(1)], Capacity(cores=2)) == []


def test_each_gpu_takes_one_run_and_runs_for_the_cpu_go_beside_them() -> None:
    queue = [*waiting(3), Waiting(9, RunConfig(device="cpu"))]
    placed = place(queue, [Placed(1, gpu=0)], Capacity(cores=2, gpus=2))
    assert placed == [(1, Placed(1, gpu=1)), (9, Placed(1))]


running = st.builds(Placed, st.integers(1, 4), st.none())
runs = st.builds(RunConfig, threads=st.integers(0, 4))


@given(st.lists(runs, max_size=8), st.lists(running, max_size=4), st.integers(1, 8))
def test_cores_are_never_oversubscribed_but_by_a_run_that_has_the_machine_to_itself(
    queue: list[RunConfig], busy: list[Placed], cores: int
) -> None:
    placed = place([Waiting(n, config) for n, config in enumerate(queue)], busy, Capacity(cores))
    everything = busy + [where for _, where in placed]
    used = sum(where.threads for where in everything)
    assert not placed or used <= cores or len(everything) == 1
    assert [number for number, _ in placed] == list(range(len(placed)))  # in order, nobody left out in between


@given(st.lists(runs, min_size=1, max_size=8), st.integers(1, 8))
def test_an_empty_machine_always_starts_something(queue: list[RunConfig], cores: int) -> None:
    assert place([Waiting(n, config) for n, config in enumerate(queue)], [], Capacity(cores))
