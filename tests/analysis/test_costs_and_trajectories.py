"""Cost to target, early accuracy, break-even."""

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from pipeline.analysis.breakeven import tasks_to_break_even
from pipeline.analysis.cost import cost_ratio, cost_to_target
from pipeline.analysis.trajectory import normalised_area, score_after

COSTS = np.array([0.0, 10.0, 20.0, 30.0, 40.0])
GRID = np.array([10.0, 10.0])
YES, NO = np.array([True, True]), np.array([False, True])


def test_the_first_of_two_consecutive_points_at_the_target_counts():
    assert cost_to_target(np.array([0.5, 0.8, 0.6, 0.7, 0.7]), COSTS, 0.7) == (30.0, True)


def test_a_single_last_point_at_the_target_is_censored_at_the_total():
    assert cost_to_target(np.array([0.5, 0.5, 0.5, 0.6, 0.9]), COSTS, 0.7) == (40.0, False)


def test_a_metric_to_minimise_reaches_its_target_from_above():
    scores = np.array([2.0, 1.0, 0.5, 0.5, 0.4])
    assert cost_to_target(scores, COSTS, 0.6, higher_is_better=False) == (20.0, True)


def test_the_ratio_is_the_geometric_mean_with_a_t_interval_of_its_logarithm():
    found = cost_ratio(np.array([10.0, 10.0]), YES, np.array([20.0, 80.0]), YES, GRID, 0.95)
    half = stdtrit(1, 0.975) * np.std(np.log([2.0, 8.0]), ddof=1) / math.sqrt(2)
    assert found.value == pytest.approx(4.0)
    assert (found.low, found.high) == pytest.approx((4 * math.exp(-half), 4 * math.exp(half)))
    assert found.bound == ""


def test_a_ratio_of_exactly_two_stays_two():
    assert cost_ratio(np.array([160.0, 160.0]), YES, np.array([320.0, 320.0]), YES, GRID, 0.95).low == 2.0


def test_a_censored_opponent_makes_the_ratio_a_lower_bound():
    found = cost_ratio(np.array([10.0, 10.0]), YES, np.array([40.0, 40.0]), NO, GRID, 0.95)
    assert (found.value, found.high, found.bound) == (4.0, math.inf, "above")


def test_runs_cut_off_at_one_budget_are_not_taken_for_runs_that_agree():
    alike = cost_ratio(np.array([10.0, 10.0, 10.0]), np.array([True] * 3), np.array([160.0] * 3), np.array([False] * 3),
                       np.ones(3), 0.95)  # fmt: skip
    assert alike.value == 16.0
    assert alike.low == pytest.approx(16 * math.exp(-4.302653 * math.log(2) / math.sqrt(6) / math.sqrt(3)), rel=1e-5)
    apart = cost_ratio(np.array([1.0, 10.0, 100.0]), np.array([True] * 3), np.array([160.0] * 3), np.array([False] * 3),
                       np.ones(3), 0.95)  # fmt: skip
    assert apart.log_variance == pytest.approx(math.log(10) ** 2)


def test_a_censored_arm_makes_the_ratio_an_upper_bound():
    found = cost_ratio(np.array([40.0, 40.0]), NO, np.array([10.0, 20.0]), YES, GRID, 0.95)
    assert (found.low, found.bound) == (0.0, "below")


def test_censoring_on_both_sides_determines_nothing():
    found = cost_ratio(np.array([40.0, 40.0]), NO, np.array([40.0, 40.0]), NO, GRID, 0.95)
    assert (found.low, found.high, found.bound) == (0.0, math.inf, "unknown")


def test_an_arm_at_the_target_from_the_start_costs_less_than_the_grid_can_tell():
    found = cost_ratio(np.array([0.0, 0.0]), YES, np.array([20.0, 20.0]), YES, GRID, 0.95)
    assert (found.value, found.high, found.bound) == (2.0, math.inf, "above")


def test_one_seed_gives_a_ratio_without_an_interval():
    found = cost_ratio(GRID[:1], YES[:1], 3 * GRID[:1], YES[:1], GRID[:1], 0.95)
    assert (found.value, found.low, found.high) == (3.0, 0.0, math.inf)


def test_the_score_after_some_examples_lies_on_the_line_between_points():
    assert score_after(np.array([0, 100, 200]), np.array([0.5, 0.7, 0.8]), 150) == pytest.approx(0.75)
    assert score_after(np.array([0, 100]), np.array([0.5, 0.7]), 500) == pytest.approx(0.7)


def test_the_normalised_area_of_a_straight_line_is_its_middle():
    assert normalised_area(np.array([0, 100]), np.array([0.5, 0.9]), 100) == pytest.approx(0.7)
    assert normalised_area(np.array([0, 100]), np.array([0.5, 0.9]), 50) == pytest.approx(0.6)


def test_the_normalised_area_ignores_what_lies_past_the_horizon():
    short = normalised_area(np.array([0, 50, 100]), np.array([0.5, 0.6, 0.0]), 50)
    assert short == pytest.approx(0.55)


def test_pretraining_is_paid_back_after_the_tasks_that_save_its_cost():
    assert tasks_to_break_even(1000.0, 10.0, 60.0) == pytest.approx(20.0)


def test_pretraining_is_never_paid_back_where_scratch_is_as_cheap():
    assert tasks_to_break_even(1000.0, 60.0, 60.0) == math.inf
