"""Rows are held out at random, stratified, fixed by the seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.splits import allocate, split, stratified_sample
from pipeline.errors import DataError

LABELS = st.lists(st.integers(6, 60), min_size=2, max_size=6).map(lambda n: np.repeat(np.arange(len(n)), n))


def names(labels: np.ndarray) -> tuple[str, ...]:
    return tuple(f"class {i}" for i in range(labels.max() + 1))


@given(labels=LABELS, seed=st.integers(0, 50), test=st.integers(1, 400), validation=st.integers(1, 400))
def test_every_row_is_in_one_split_and_every_class_twice_in_each(
    labels: np.ndarray, seed: int, test: int, validation: int
) -> None:
    found = split(labels, names(labels), validation_size=validation, test_size=test, seed=seed)
    parts = [found.train, found.validation, found.test]
    assert sorted(np.concatenate(parts)) == list(range(len(labels)))
    for part in parts:
        assert np.bincount(labels[part], minlength=len(names(labels))).min() >= 2


def test_the_test_takes_a_quarter_and_validation_a_tenth_at_most() -> None:
    labels = np.tile([0, 1], 500)
    found = split(labels, ("a", "b"), validation_size=400, test_size=1500, seed=0)
    assert (len(found.train), len(found.validation), len(found.test)) == (650, 100, 250)


def test_the_sizes_asked_for_are_taken_where_the_data_is_large() -> None:
    labels = np.tile([0, 1], 5000)
    found = split(labels, ("a", "b"), validation_size=400, test_size=1500, seed=0)
    assert (len(found.train), len(found.validation), len(found.test)) == (8100, 400, 1500)


def test_the_splits_keep_the_shares_of_the_classes() -> None:
    labels = np.repeat([0, 1], [900, 100])
    found = split(labels, ("a", "b"), validation_size=100, test_size=200, seed=0)
    assert np.bincount(labels[found.test]).tolist() == [180, 20]
    assert np.bincount(labels[found.validation]).tolist() == [90, 10]


def test_a_set_that_exists_is_not_drawn() -> None:
    found = split(np.tile([0, 1], 50), ("a", "b"), validation_size=10, test_size=None, seed=0)
    assert (len(found.train), len(found.validation), len(found.test)) == (90, 10, 0)


def test_the_seed_decides_what_is_held_out() -> None:
    labels = np.tile([0, 1], 100)
    one, again, other = (split(labels, ("a", "b"), validation_size=20, test_size=40, seed=s).test for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert one.tolist() != other.tolist()


def test_a_class_too_small_for_three_splits_is_named_with_its_count() -> None:
    labels = np.repeat([0, 1], [50, 5])
    with pytest.raises(DataError, match=r"6 examples at least .* 'rare' has 5.*label_names"):
        split(labels, ("common", "rare"), validation_size=10, test_size=10, seed=0)


@given(labels=LABELS, size=st.integers(1, 500), seed=st.integers(0, 20))
def test_a_stratified_sample_has_the_size_and_the_shares_asked_for(labels: np.ndarray, size: int, seed: int) -> None:
    sample = stratified_sample(labels, size, seed)
    assert len(set(sample)) == len(sample) == min(size, len(labels))
    share = len(sample) * np.bincount(labels) / len(labels)
    assert np.abs(np.bincount(labels[sample], minlength=len(share)) - share).max() <= 1


def test_a_sample_of_size_0_is_everything() -> None:
    assert len(stratified_sample(np.tile([0, 1], 10), 0, 0)) == 20


def test_allocation_by_largest_remainders_by_hand() -> None:
    counts = np.array([50, 30, 20])
    assert allocate(counts, 7, least=0, most=counts).tolist() == [4, 2, 1]  # shares 3.5, 2.1, 1.4
    assert allocate(counts, 10, least=3, most=counts).tolist() == [4, 3, 3]
