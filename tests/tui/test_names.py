"""Names of runs in little room: what most runs share is left out first, and the names still differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lenet_tui.tui.runs.columns import every, fitting
from lenet_tui.tui.runs.names import ShortNames

LONG = [("ep30", "aug-affine", f"seed{seed}") for seed in range(3)]
GRID = [(f"bs{size}", f"lr{lr}") for size in (16, 32) for lr in (0.1, 0.01)]


def test_what_all_names_share_is_left_out_first() -> None:
    names = ShortNames([*LONG, ("default",)])
    assert [names.fitted(parts, 14) for parts in LONG] == ["…seed0", "…seed1", "…seed2"]
    assert names.fitted(LONG[0], 18) == "…aug-affine seed0"
    assert names.fitted(LONG[0], 21) == "ep30 aug-affine seed0"
    assert names.fitted(("default",), 3) == "default"


def test_what_a_name_needs_to_differ_stays_while_there_is_room() -> None:
    names = ShortNames(GRID)
    assert {names.least(parts) for parts in GRID} == {" ".join(parts) for parts in GRID}
    assert names.fitted(GRID[0], 10) == "bs16 lr0.1"
    assert len(names.fitted(GRID[0], 9)) <= 9


def test_repeated_runs_have_one_name() -> None:
    names = ShortNames([("bs16", "seed1"), ("bs16", "seed1"), ("bs16", "seed2")])
    assert names.least(("bs16", "seed1")) == "…seed1"


def test_a_part_in_the_middle_or_at_the_end_leaves_a_sign() -> None:
    names = ShortNames([("AlexNet", "ep30", "drop0.1"), ("AlexNet", "ep30", "drop0.2"), ("ep30", "drop0.1"), ("ep30",)])
    assert names.least(("AlexNet", "ep30", "drop0.1")) == "AlexNet …drop0.1"
    assert names.least(("ep30",)) == "ep30"


PARTS = st.lists(st.sampled_from(["bs16", "bs32", "lr0.01", "ep30", "seed1", "seed2"]), min_size=1, unique=True)


@given(st.lists(PARTS.map(tuple), min_size=1, max_size=12), st.integers(0, 40))
def test_a_name_is_never_longer_than_its_parts_and_keeps_one_of_them(every: list[tuple[str, ...]], room: int) -> None:
    names = ShortNames(every)
    for parts in every:
        whole, text = " ".join(parts), names.fitted(parts, room)
        assert len(text) <= len(whole)
        assert any(part in text for part in parts)
        assert text == whole or len(whole) > room


def test_long_names_do_not_take_the_room_of_results() -> None:
    columns = [every()[key] for key in ("id", "run", "state", "val_loss", "epoch", "val_acc", "test_acc", "time")]
    shown = [column.key for column, _ in fitting(51, columns, names=38, least=28)]
    assert shown == ["id", "run", "state", "val_loss", "test_acc"]
    assert [column.key for column, _ in fitting(30, columns, names=38, least=28)] == ["id", "run", "state"]
