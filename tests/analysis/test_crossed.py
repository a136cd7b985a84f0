"""Means over crossed seeds and items: hand-computed values, coverage by simulation, A/A studies."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import stdtrit

from pipeline.analysis.crossed import crossed_gap, crossed_mean, crossed_unpaired
from tests.analysis.simulations import aa_rate, bernoulli, difference_coverage

REPETITIONS = 1500
ITEMS = 400


def test_the_mean_and_its_variance_match_a_hand_computed_table():
    # Row means 2 and 6, column means 2, 4, 6: MS_seed = 24, MS_item = 8, residual 0; V = (24 + 8 - 0) / 6.
    found = crossed_mean(np.array([[0.0, 2.0, 4.0], [4.0, 6.0, 8.0]]))
    assert found.value == pytest.approx(4.0)
    assert found.variance == pytest.approx(32.0 / 6.0)
    assert found.per_seed == pytest.approx(8.0)
    assert found.fixed == pytest.approx(8.0 / 6.0)


def test_the_degrees_of_freedom_match_a_hand_computed_table():
    found = crossed_mean(np.array([[0.0, 2.0, 4.0], [4.0, 6.0, 8.0]]))
    assert found.df == pytest.approx((16.0 / 3.0) ** 2 / (4.0**2 / 1 + (4.0 / 3.0) ** 2 / 2))
    assert crossed_mean(np.random.default_rng(0).random((4, 30))).df >= 3


def test_the_residual_is_taken_off_the_item_part():
    # MS_seed = 1/6, MS_item = 1/6, MS_residual = 1/6: items add nothing beyond the residual.
    found = crossed_mean(np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 1.0]]))
    assert found.fixed == pytest.approx((1 / 2 - 1 / 6) / 6)
    assert found.per_seed == pytest.approx((2 / 3 - 1 / 3) ** 2 / 2)


def test_without_item_differences_the_interval_is_the_t_interval_of_the_seed_means():
    low, high = crossed_mean(np.array([[0.1], [0.2], [0.6]])).interval(0.95)
    half = stdtrit(2, 0.975) * np.std([0.1, 0.2, 0.6], ddof=1) / math.sqrt(3)
    assert (low, high) == pytest.approx((0.3 - half, 0.3 + half))


def test_one_seed_gives_the_t_interval_over_items_alone():
    scores = np.array([[1.0, 0.0, 1.0, 1.0]])
    found = crossed_mean(scores)
    assert found.per_seed == 0.0
    assert found.df == pytest.approx(3)
    assert found.variance == pytest.approx(scores.var(ddof=1) / 4)


def test_one_seed_and_one_item_say_nothing():
    found = crossed_mean(np.array([[0.7]]))
    assert found.interval(0.95) == (-math.inf, math.inf)
    assert found.p_value() == 1.0


def test_constant_scores_give_a_point():
    found = crossed_mean(np.full((3, 50), 0.7))
    assert found.interval(0.95) == pytest.approx((0.7, 0.7))
    assert crossed_mean(np.zeros((3, 50))).p_value() == 1.0


def test_seeds_that_agree_to_the_digit_are_no_proof_of_precision():
    found = crossed_mean(np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]))
    low, high = found.interval(0.95)
    assert low < 0.5 < high


@pytest.mark.parametrize("scores", [np.zeros((0, 3)), np.zeros(3), np.array([[np.nan, 1.0]])])
def test_arrays_that_hold_no_scores_are_refused(scores):
    with pytest.raises(ValueError, match="scores must be"):
        crossed_mean(scores)


def test_blocks_with_different_seeds_are_refused():
    with pytest.raises(ValueError, match="same seeds"):
        crossed_gap((np.zeros((2, 3)), np.zeros((3, 3))), (1.0, -1.0))


def test_a_gap_adds_the_item_parts_of_both_sets_and_keeps_the_shared_seed():
    rng = np.random.default_rng(0)
    luck = rng.normal(0, 1, (5, 1))
    inside, outside = luck + rng.normal(0, 1, (1, 40)), luck + rng.normal(0, 1, (1, 30))
    found = crossed_gap((inside, outside), (1.0, -1.0))
    assert found.per_seed == pytest.approx(0.0, abs=1e-12)
    assert found.fixed == pytest.approx(inside[0].var(ddof=1) / 40 + outside[0].var(ddof=1) / 30)


@given(
    arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.floats(-1, 1)),
    st.floats(-2, 2),
    st.floats(0.5, 3),
)
def test_shifting_and_scaling_scores_shifts_and_scales_the_interval(scores, shift, scale):
    low, high = crossed_mean(scores).interval(0.9)
    moved = crossed_mean(scores * scale + shift).interval(0.9)
    assert moved == pytest.approx((low * scale + shift, high * scale + shift), abs=1e-4, rel=1e-6)


@given(arrays(np.float64, st.tuples(st.integers(2, 5), st.integers(2, 6)), elements=st.floats(0, 1)))
def test_the_order_of_seeds_and_items_does_not_matter(scores):
    found, turned = crossed_mean(scores), crossed_mean(scores[::-1, ::-1])
    assert turned.value == pytest.approx(found.value)
    assert turned.variance == pytest.approx(found.variance, abs=1e-9)


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("seed_sd", [0.0, 0.03])
def test_the_95_percent_interval_of_a_difference_holds_the_truth_in_93_to_97_percent(seeds, seed_sd):
    assert 0.93 <= difference_coverage(seeds, ITEMS, seed_sd, np.random.default_rng([11, seeds]), REPETITIONS) <= 0.97


@pytest.mark.parametrize("seeds", [5, 10, 20])
def test_an_a_a_study_excludes_zero_in_3_to_7_percent_of_repetitions(seeds):
    assert 0.03 <= aa_rate(seeds, ITEMS, np.random.default_rng([12, seeds]), REPETITIONS) <= 0.07


def test_a_paired_difference_is_sharper_than_an_unpaired_one_where_seeds_share_their_luck():
    rng = np.random.default_rng(5)
    ease, luck = rng.uniform(0.5, 0.8, ITEMS), rng.normal(0, 0.05, 8)
    first, second = bernoulli(rng, ease, luck), bernoulli(rng, ease, luck)
    assert crossed_mean(first - second).variance < crossed_unpaired(first, second).variance
