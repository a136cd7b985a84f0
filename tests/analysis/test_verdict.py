"""The rule of verdicts at its edges."""

import math

import pytest
from scipy.special import stdtrit

from pipeline.analysis.verdict import judge, refutation, seeds_needed


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
    assert refutation(0.0) == "too small"
    assert refutation(0.01) == "too small"


def test_the_seeds_needed_are_the_first_whose_interval_excludes_delta():
    needed = seeds_needed(0.01, 0.0, 0.05, 0.95, 3)
    assert needed is not None

    def half(seeds: int) -> float:
        return float(stdtrit(seeds - 1, 0.975)) * math.sqrt(0.01 / seeds)

    assert half(needed) <= 0.05 < half(needed - 1)


def test_more_seeds_than_there_are_are_asked_for():
    assert seeds_needed(1e-9, 0.0, 1.0, 0.95, 5) == 6


def test_no_number_of_seeds_helps_where_the_test_items_leave_the_interval_too_wide():
    assert seeds_needed(0.01, 0.04, 0.05, 0.95, 3) is None


def test_no_number_of_seeds_helps_an_estimate_that_equals_delta():
    assert seeds_needed(0.01, 0.0, 0.0, 0.95, 3) is None
