"""The rule of verdicts at its edges."""

import math
from functools import partial

import numpy as np
import pytest
from scipy.special import stdtrit

from pipeline.analysis.crossed_interval import CrossedMean, ItemPart, crossed_mean
from pipeline.analysis.verdict import judge, refutation, seeds_needed, smallest_effect


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.02, 0.05, "supported"),
        (0.0199, 0.05, "inconclusive"),
        (-0.01, 0.0199, "refuted"),
        (-0.01, 0.02, "inconclusive"),
        (0.02, 0.02, "supported"),
        (-math.inf, math.inf, "inconclusive"),
        (0.03, math.inf, "supported"),
    ],
)
def test_an_interval_is_judged_against_the_smallest_effect_that_matters(low, high, verdict):
    assert judge(low, high, 0.02) == verdict


def test_a_refuted_claim_is_opposite_only_where_the_whole_interval_is():
    assert refutation(-0.01) == "opposite"
    assert refutation(0.0) == "too_small"
    assert refutation(0.01) == "too_small"


def needed(per_seed: float, fixed: float, distance: float, seeds: int) -> int | None:
    mean = CrossedMean(value=0.0, seeds=seeds, per_seed=per_seed, sets=(ItemPart(variance=fixed, items=100),))
    return seeds_needed(partial(mean.half_width, 0.95), distance, seeds)


def test_the_seeds_needed_are_the_first_whose_interval_excludes_delta():
    found = needed(0.01, 0.0001, 0.05, 3)
    assert found is not None

    def half(seeds: int) -> float:
        return math.hypot(stdtrit(seeds - 1, 0.975) * math.sqrt(0.01 / seeds), stdtrit(99, 0.975) * 0.01)

    assert half(found) <= 0.05 < half(found - 1)


def test_more_seeds_than_there_are_are_asked_for():
    assert needed(1e-9, 0.0, 1.0, 5) == 6


def test_no_number_of_seeds_helps_where_the_test_items_leave_the_interval_too_wide():
    assert needed(0.01, 0.04, 0.05, 3) is None


def test_no_number_of_seeds_helps_an_estimate_that_equals_delta():
    assert needed(0.01, 0.0, 0.0, 3) is None


def test_the_smallest_effect_is_shown_with_the_chance_that_it_states():
    rng, level, threshold, seeds, items = np.random.default_rng(4), 0.95, 0.02, 10, 400

    def scores(effect: float) -> np.ndarray:
        noise = rng.normal(0.0, 0.4, (seeds, items)) + rng.normal(0.0, 0.2, items)
        return noise + rng.normal(0.0, 0.02, (seeds, 1)) + effect

    effects = [smallest_effect(crossed_mean(scores(0.0)), threshold, seeds, level) for _ in range(50)]
    effect = float(np.mean([e for e in effects if e is not None]))
    shown = [crossed_mean(scores(effect)).interval(level)[0] >= threshold for _ in range(600)]
    assert 0.75 <= np.mean(shown) <= 0.87


def test_one_seed_tells_no_smallest_effect():
    one = crossed_mean(np.random.default_rng(0).normal(size=(1, 50)))
    assert smallest_effect(one, 0.02, 5, 0.95) is None
