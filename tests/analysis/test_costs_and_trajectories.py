"""Cost to target, early accuracy, break-even."""

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from pipeline.analysis.breakeven import tasks_to_break_even
from pipeline.analysis.cost import Reach, cost_ratio, cost_to_target
from pipeline.analysis.trajectory import area_weights, weights_after
from tests.analysis.costs import FLAT, LEVEL, STEEP, judged

COSTS = np.array([0.0, 10.0, 20.0, 30.0, 40.0])
NEVER = Reach(after=40.0, until=math.inf)


def between(*pairs: tuple[float, float]) -> list[Reach]:
    return [Reach(after=after, until=until) for after, until in pairs]


def test_the_first_of_two_consecutive_points_at_the_target_counts_and_the_cost_lies_before_it():
    assert cost_to_target(np.array([0.5, 0.8, 0.6, 0.7, 0.7]), COSTS, 0.7) == Reach(after=20.0, until=30.0)


def test_a_single_last_point_at_the_target_is_censored_at_the_total():
    assert cost_to_target(np.array([0.5, 0.5, 0.5, 0.6, 0.9]), COSTS, 0.7) == NEVER


def test_a_metric_to_minimise_reaches_its_target_from_above():
    scores = np.array([2.0, 1.0, 0.5, 0.5, 0.4])
    assert cost_to_target(scores, COSTS, 0.6, higher_is_better=False) == Reach(after=10.0, until=20.0)


def test_a_solved_run_gets_there_somewhere_between_nothing_and_its_whole_cost():
    both = np.array([0.0, 7.0])
    assert cost_to_target(np.array([0.5, 0.9]), both, 0.7, solved=True) == Reach(after=0.0, until=7.0)
    assert cost_to_target(np.array([0.5, 0.6]), both, 0.7, solved=True) == Reach(after=7.0, until=math.inf)


def test_a_run_at_the_target_from_the_start_costs_at_most_its_start_or_its_first_step():
    scores = np.full(5, 0.9)
    assert cost_to_target(scores, COSTS, 0.7) == Reach(after=0.0, until=10.0)
    assert cost_to_target(scores, COSTS + 3.0, 0.7) == Reach(after=0.0, until=3.0)


def test_the_ratio_is_a_geometric_mean_and_its_ends_are_what_the_points_allow():
    found = cost_ratio(between((5, 10), (5, 10)), between((10, 20), (40, 80)), 0.95)
    half = stdtrit(1, 0.975) * np.std(np.log([2.0, 8.0]), ddof=1) / math.sqrt(2)
    assert found.value == pytest.approx(4.0)
    assert (found.low, found.high) == pytest.approx((2 * math.exp(-half), 8 * math.exp(half)))
    assert found.censored == "none"


def test_seeds_that_agree_are_no_proof_of_the_ratio_that_the_points_show():
    found = cost_ratio(between(*[(80, 160)] * 3), between(*[(160, 320)] * 3), 0.95)
    assert (found.value, found.low, found.high) == (2.0, 1.0, 4.0)


def test_a_ratio_below_the_smallest_that_matters_is_not_supported_by_a_coarse_grid():
    """A true ratio of 1.4, seeds that differ by a tenth, and points at doublings: "at least 2" is hardly ever found."""
    generator, grid, wrong = np.random.default_rng(0), 16.0 * 2 ** np.arange(8), 0
    for _ in range(1000):
        ours = 50 * np.exp(0.1 * generator.normal(size=3))
        theirs = 1.4 * 50 * np.exp(0.1 * generator.normal(size=3))
        runs = [[_bracket(cost, grid) for cost in costs] for costs in (ours, theirs)]
        wrong += cost_ratio(runs[0], runs[1], 0.99).low >= 2
    assert wrong <= 10


def _bracket(cost: float, grid: np.ndarray) -> Reach:
    place = int(np.searchsorted(grid, cost))
    return Reach(after=float(grid[place - 1]), until=float(grid[place]))


def test_a_censored_opponent_makes_the_ratio_a_lower_bound():
    found = cost_ratio(between((5, 10), (5, 10)), [NEVER, NEVER], 0.95)
    assert (found.value, found.low, found.high, found.censored) == (4.0, 4.0, math.inf, "above")


def test_a_censored_arm_makes_the_ratio_an_upper_bound():
    found = cost_ratio([NEVER, NEVER], between((5, 10), (10, 20)), 0.95)
    assert (found.low, found.censored) == (0.0, "below")


def test_censoring_on_both_sides_determines_nothing():
    found = cost_ratio([NEVER, NEVER], [NEVER, NEVER], 0.95)
    assert (found.low, found.high, found.censored) == (0.0, math.inf, "both")


def test_an_arm_at_the_target_from_the_start_costs_less_than_the_points_can_tell():
    found = cost_ratio(between((0, 10), (0, 10)), between((10, 20), (10, 20)), 0.95)
    assert (found.value, found.low, found.high, found.censored) == (1.0, 1.0, math.inf, "above")


def test_one_seed_gives_a_ratio_without_an_interval():
    found = cost_ratio(between((5, 10)), between((20, 30)), 0.95)
    assert (found.value, found.low, found.high) == (3.0, 0.0, math.inf)


def test_the_score_after_some_examples_lies_on_the_line_between_points():
    assert weights_after(np.array([0, 100, 200]), 150) @ [0.5, 0.7, 0.8] == pytest.approx(0.75)
    assert weights_after(np.array([0, 100]), 500) @ [0.5, 0.7] == pytest.approx(0.7)


def test_the_normalised_area_of_a_straight_line_is_its_middle():
    assert area_weights(np.array([0, 100]), 100) @ [0.5, 0.9] == pytest.approx(0.7)
    assert area_weights(np.array([0, 100]), 50) @ [0.5, 0.9] == pytest.approx(0.6)


def test_the_normalised_area_ignores_what_lies_past_the_horizon():
    assert area_weights(np.array([0, 50, 100]), 50) @ [0.5, 0.6, 0.0] == pytest.approx(0.55)


def test_an_area_of_no_width_is_the_start():
    assert area_weights(np.array([0, 50]), 0) @ [0.5, 0.6] == 0.5


def test_the_mean_of_the_areas_of_items_is_the_area_of_their_means():
    items = np.random.default_rng(0).random((4, 30))
    weights = area_weights(np.array([0, 64, 128, 400]), 300)
    assert (weights @ items).mean() == pytest.approx(weights @ items.mean(axis=1))
    assert weights.sum() == pytest.approx(1.0)


def test_pretraining_is_paid_back_after_the_tasks_that_save_its_cost():
    assert tasks_to_break_even(1000.0, 10.0, 60.0) == pytest.approx(20.0)


def test_pretraining_is_never_paid_back_where_scratch_is_as_cheap():
    assert tasks_to_break_even(1000.0, 60.0, 60.0) == math.inf


def test_seeds_that_agree_on_a_cost_to_a_target_are_too_sure_of_it_where_curves_differ():
    """Which is why no claim is judged by one: see `tests/analysis/costs.py`."""
    rates = [
        judged(np.random.default_rng(1), seeds=10, items=128, repetitions=80, arm_slope=STEEP, slope=slope).supported
        for slope in (FLAT, STEEP)
    ]
    assert rates[0] > 10 * (1 - LEVEL) / 2
    assert rates[1] <= 0.0125
