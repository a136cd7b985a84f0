"""Interquartile mean, probability of improvement, expected best of k trials."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.analysis.aggregate import interquartile_mean, probability_of_improvement, stratified_interval
from pipeline.analysis.tuning import expected_best, median_best_so_far


def test_the_interquartile_mean_drops_a_quarter_at_each_end():
    assert interquartile_mean(np.array([[100.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, -50.0]])) == pytest.approx(3.5)


def test_a_tie_counts_half_in_the_probability_of_improvement():
    first, second = np.array([[1.0], [2.0]]), np.array([[1.0], [0.0]])
    assert probability_of_improvement(first, second) == pytest.approx((0.5 + 1 + 1 + 1) / 4)


def test_the_probability_of_improvement_is_averaged_over_tasks():
    first, second = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert probability_of_improvement(first, second) == pytest.approx(0.5)


def test_runs_are_resampled_within_their_task_with_the_given_generator():
    scores = np.array([[0.0, 10.0], [1.0, 11.0], [2.0, 12.0]])
    first, again = (
        stratified_interval(interquartile_mean, (scores,), 0.9, 200, np.random.default_rng(3)) for _ in range(2)
    )
    assert first == again
    constant = np.array([[0.0, 10.0]] * 3)
    assert stratified_interval(interquartile_mean, (constant,), 0.9, 50, np.random.default_rng(3)) == (5.0, 5.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_the_expected_best_is_the_average_over_all_choices_of_k_trials(values):
    by_hand = [np.mean([max(c) for c in combinations(values, k)]) for k in range(1, len(values) + 1)]
    assert expected_best(np.array(values)) == pytest.approx(by_hand)


def test_the_expected_best_needs_a_trial():
    with pytest.raises(ValueError, match="at least one trial"):
        expected_best(np.array([]))


def test_the_median_path_is_that_of_the_best_so_far():
    assert median_best_so_far(np.array([[0.1, 0.3, 0.2], [0.2, 0.1, 0.4]])) == pytest.approx([0.15, 0.25, 0.35])
