"""Train subsets nest, hold every class and follow its share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.subsets import nested_subset
from pipeline.errors import DataError

LABELS = st.lists(st.integers(0, 4), min_size=10, max_size=200).map(lambda v: np.array(v, dtype=np.int32))


def test_a_subset_of_100_lies_within_the_subset_of_400() -> None:
    labels = np.random.default_rng(0).integers(0, 3, size=1000)
    assert set(nested_subset(labels, 100, 5)) <= set(nested_subset(labels, 400, 5))


@given(labels=LABELS, seed=st.integers(0, 1000), data=st.data())
def test_a_smaller_subset_lies_within_every_larger_one(labels: np.ndarray, seed: int, data: st.DataObject) -> None:
    classes = len(np.unique(labels))
    large = data.draw(st.integers(classes, len(labels)))
    small = data.draw(st.integers(classes, large))
    inner, outer = nested_subset(labels, small, seed), nested_subset(labels, large, seed)
    assert len(inner) == small
    assert len(set(inner)) == small
    assert set(inner) <= set(outer) <= set(nested_subset(labels, "all", seed))


@given(labels=LABELS, seed=st.integers(0, 1000), data=st.data())
def test_a_subset_holds_every_class(labels: np.ndarray, seed: int, data: st.DataObject) -> None:
    classes = np.unique(labels)
    size = data.draw(st.integers(len(classes), len(labels)))
    np.testing.assert_array_equal(np.unique(labels[nested_subset(labels, size, seed)]), classes)


@pytest.mark.parametrize("size", [20, 50, 133, 500])
def test_a_subset_follows_the_share_of_each_class(size: int) -> None:
    labels = np.repeat([0, 1, 2], [700, 200, 100])
    counts = np.bincount(labels[nested_subset(labels, size, 3)])
    assert np.abs(counts - size * np.array([0.7, 0.2, 0.1])).max() <= 2


def test_another_seed_draws_another_subset_and_the_same_seed_the_same() -> None:
    labels = np.tile([0, 1], 500)
    np.testing.assert_array_equal(nested_subset(labels, 100, 1), nested_subset(labels, 100, 1))
    assert set(nested_subset(labels, 100, 1)) != set(nested_subset(labels, 100, 2))


def test_all_takes_every_row_whatever_the_seed() -> None:
    labels = np.tile([0, 1], 50)
    np.testing.assert_array_equal(nested_subset(labels, "all", 1), np.arange(100))
    np.testing.assert_array_equal(nested_subset(labels, "all", 2), nested_subset(labels, 100, 7))


def test_a_size_beyond_the_data_says_how_many_there_are_and_which_sizes_fit() -> None:
    with pytest.raises(DataError, match=r"1,000 .* but 700 are left .*study\.sizes=\[25,100,400,all\]"):
        nested_subset(np.tile([0, 1], 350), 1000, 0)


def test_a_size_below_the_number_of_classes_is_refused() -> None:
    with pytest.raises(DataError, match="each of 5 classes, but its size is 4"):
        nested_subset(np.arange(50) % 5, 4, 0)


def test_a_size_that_is_another_word_is_refused() -> None:
    with pytest.raises(DataError, match="must be a number of labels or 'all', but got 'most'"):
        nested_subset(np.arange(50) % 5, "most", 0)
