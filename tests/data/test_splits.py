from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet_tui.data import check_val_size, max_val_size, splits
from lenet_tui.errors import UsageError

counts_and_size = st.lists(st.integers(0, 300), min_size=1, max_size=10).flatmap(
    lambda counts: st.tuples(st.just(counts), st.integers(0, sum(counts)))
)


@given(counts_and_size)
def test_shares_add_up_exactly_and_are_within_one_of_the_quota(drawn: tuple[list[int], int]) -> None:
    counts, size = drawn
    shares = splits.allocate(counts, size)
    assert sum(shares) == size
    for share, count in zip(shares, counts, strict=True):
        assert 0 <= share <= count
        assert abs(share - size * count / max(sum(counts), 1)) < 1


def test_the_largest_remainders_get_what_is_left() -> None:
    assert splits.allocate([10, 10, 10], 10) == [4, 3, 3]
    assert splits.allocate([47_000, 16_000, 15_900, 12_000, 6_000, 3_100], 10) == [5, 2, 1, 1, 1, 0]


def test_more_than_there_is_cannot_be_shared() -> None:
    with pytest.raises(ValueError, match="cannot choose 4 of 3"):
        splits.allocate([1, 2], 4)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=200), st.data())
def test_each_class_keeps_its_share_and_nothing_is_lost_or_doubled(labels: list[int], draw: st.DataObject) -> None:
    array = np.array(labels, np.uint8)
    size = draw.draw(st.integers(0, len(labels)))
    chosen = splits.stratified(array, size, 7)
    left = splits.complement(chosen, len(labels))
    assert sorted([*chosen.tolist(), *left.tolist()]) == list(range(len(labels)))
    assert (np.diff(chosen) > 0).all()
    present = sorted(set(labels))
    wanted = splits.allocate([labels.count(label) for label in present], size)
    assert [int((array[chosen] == label).sum()) for label in present] == wanted


def test_the_choice_never_changes() -> None:
    labels = np.arange(100) % 10
    assert splits.stratified(labels, 12, splits.VALIDATION_SEED).tolist() == [
        int(index) for index in EXPECTED_CHOICE.split()
    ]


EXPECTED_CHOICE = "3 12 25 27 28 29 30 50 51 61 64 76"


@pytest.mark.parametrize(("name", "most"), [("mnist", 30_000), ("digits", 700)])
def test_a_validation_part_that_is_too_large_or_small_is_refused_with_what_would_fit(name: str, most: int) -> None:
    assert max_val_size(name) == most  # type: ignore[arg-type]
    check_val_size(name, most)  # type: ignore[arg-type]
    for size in (9, most + 1):
        with pytest.raises(UsageError, match=rf"--val-size {size} does not fit .* from 10 to {most}"):
            check_val_size(name, size)  # type: ignore[arg-type]
