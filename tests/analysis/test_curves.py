"""Isotonic curves, label multipliers, effective data transferred."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.analysis.curves import (
    isotonic,
    label_multiplier,
    labels_to_reach,
    multiplier_interval,
    transferred_law,
)
from tests.analysis.simulations import missed, multiplier_intervals

SIZES = np.array([10.0, 100.0, 1000.0])
VALUES = st.lists(st.floats(-1, 1), min_size=1, max_size=8)


def _pool_adjacent_violators(values: list[float]) -> list[float]:
    blocks: list[list[float]] = []
    for value in values:
        blocks.append([value])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    return [float(np.mean(block)) for block in blocks for _ in block]


def test_a_violation_is_pooled():
    assert isotonic([0.5, 0.7, 0.6, 0.8]) == pytest.approx([0.5, 0.65, 0.65, 0.8])


@given(VALUES)
def test_the_fit_never_falls_and_keeps_the_mean(values):
    fitted = isotonic(values)
    assert np.all(np.diff(fitted) >= 0)
    assert fitted.mean() == pytest.approx(np.mean(values), abs=1e-9)


@given(VALUES)
def test_the_fit_is_that_of_pooling_adjacent_violators_one_by_one(values):
    assert isotonic(values) == pytest.approx(_pool_adjacent_violators(values), abs=1e-9)


@given(VALUES)
def test_fitting_twice_changes_nothing(values):
    once = isotonic(values)
    assert isotonic(once) == pytest.approx(once, abs=1e-9)


def test_many_curves_are_fitted_at_once():
    curves = np.random.default_rng(0).random((5, 4))
    assert isotonic(curves) == pytest.approx(np.array([isotonic(curve) for curve in curves]))


def test_between_sizes_labels_are_read_off_linearly_in_their_logarithm():
    assert label_multiplier(SIZES, np.array([0.5, 0.6, 0.8]), 0.7, 50.0)[0] == pytest.approx(10**2.5 / 50)


def test_the_smallest_size_of_a_plateau_counts():
    value, censored = label_multiplier(SIZES, np.array([0.5, 0.7, 0.7]), 0.7, 10.0)
    assert (value, censored) == (pytest.approx(10.0), "none")


def test_past_the_largest_size_the_multiplier_is_a_lower_bound():
    assert label_multiplier(SIZES, np.array([0.5, 0.6, 0.7]), 0.71, 100.0) == (10.0, "above")


def test_below_the_smallest_size_the_multiplier_is_an_upper_bound():
    assert label_multiplier(SIZES, np.array([0.5, 0.6, 0.7]), 0.49, 20.0) == (0.5, "below")


def test_the_score_of_the_smallest_size_itself_is_not_censored():
    assert label_multiplier(SIZES, np.array([0.5, 0.6, 0.7]), 0.5, 10.0) == (1.0, "none")


def test_an_end_of_the_interval_may_itself_be_a_bound():
    curves = np.tile([0.5, 0.6, 0.7], (100, 1))
    targets = np.linspace(0.55, 0.75, 100)
    found = multiplier_interval(SIZES, curves[0], 0.65, 10.0, curves, targets, 0.9)
    assert found.censored == "none"
    assert found.high == math.inf
    assert found.low == pytest.approx(10**0.6, rel=0.05)


def test_where_all_replicates_are_censored_the_lower_end_is_the_bound():
    curves = np.tile([0.5, 0.6, 0.7], (100, 1))
    found = multiplier_interval(SIZES, curves[0], 0.8, 10.0, curves, np.full(100, 0.8), 0.95)
    assert (found.value, found.low, found.high, found.censored) == (100.0, 100.0, math.inf, "above")


def test_replicates_below_the_smallest_size_give_zero_as_the_lower_end():
    curves = np.tile([0.5, 0.6, 0.7], (100, 1))
    found = multiplier_interval(SIZES, curves[0], 0.4, 20.0, curves, np.full(100, 0.4), 0.95)
    assert (found.value, found.low, found.high, found.censored) == (0.5, 0.0, 0.5, "below")


@given(st.floats(0.51, 0.69), st.floats(0.51, 0.69))
def test_a_higher_score_never_needs_fewer_labels(first, second):
    low, high = sorted((first, second))
    found = labels_to_reach(SIZES, np.array([[0.5, 0.6, 0.7]] * 2), np.array([low, high]))
    assert found[0] <= found[1]


def test_a_planted_power_law_is_recovered():
    sizes = np.array([25.0, 100.0, 400.0, 1600.0])
    labels = sizes + 30.0 * sizes**0.6
    law = transferred_law(sizes, labels, np.tile(labels, (50, 1)), 0.95)
    assert law is not None
    assert (law.k, law.alpha) == pytest.approx((30.0, 0.6))
    assert law.alpha_interval == pytest.approx((0.6, 0.6))


def test_three_usable_points_give_no_power_law():
    sizes = np.array([25.0, 100.0, 400.0, 1600.0])
    labels = np.array([50.0, 300.0, math.inf, 3000.0])
    assert transferred_law(sizes, labels, np.tile(labels, (5, 1)), 0.95) is None


def test_censored_replicates_leave_the_law_without_an_interval():
    sizes = np.array([25.0, 100.0, 400.0, 1600.0])
    labels = 3 * sizes
    replicates = np.tile(labels, (10, 1))
    replicates[:6, 3] = math.inf
    law = transferred_law(sizes, labels, replicates, 0.95)
    assert law is not None
    assert law.usable == pytest.approx(0.4)
    assert law.alpha_interval == (-math.inf, math.inf)


def test_the_interval_of_a_planted_multiplier_holds_it_with_three_seeds():
    assert missed(multiplier_intervals(3, 300, 0.01, np.random.default_rng(41), 100)) <= 0.07
