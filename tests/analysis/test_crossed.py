"""Means over crossed seeds and items: hand-computed values, intervals, p-values, bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import stdtr, stdtrit

from pipeline.analysis.crossed_interval import CrossedMean, ItemPart, by_group, crossed_mean, item_part, mean_over

SCORES = arrays(np.float64, st.tuples(st.integers(2, 6), st.integers(2, 8)), elements=st.floats(-1, 1))
LEVELS = st.sampled_from([0.9, 0.95, 0.99, 0.999])
PARTS = st.builds(
    CrossedMean,
    value=st.floats(-1, 1),
    seeds=st.integers(2, 20),
    per_seed=st.floats(1e-6, 0.1),
    sets=st.lists(
        st.builds(ItemPart, variance=st.floats(0, 0.01), items=st.integers(2, 2000), noise=st.floats(0, 0.01)),
        max_size=3,
    ).map(tuple),
)


def over_seeds_alone(values: np.ndarray, level: float) -> float:
    """Half the width of Student's t interval over per-seed values."""
    quantile = stdtrit(len(values) - 1, 0.5 + level / 2)
    return float(quantile * np.std(values, ddof=1) / math.sqrt(len(values)))


def test_the_mean_and_its_variance_match_a_hand_computed_table():
    # Row means 2 and 6, column means 2, 4, 6: MS_seed = 24, MS_item = 8, residual 0; V = (24 + 8 - 0) / 6.
    found = crossed_mean(np.array([[0.0, 2.0, 4.0], [4.0, 6.0, 8.0]]))
    assert found.value == pytest.approx(4.0)
    assert found.variance == pytest.approx(32.0 / 6.0)
    assert found.per_seed == pytest.approx(8.0)
    assert found.fixed == pytest.approx(8.0 / 6.0)


def test_the_interval_adds_the_two_student_intervals_as_squares():
    found = crossed_mean(np.array([[0.0, 2.0, 4.0], [4.0, 6.0, 8.0]]))
    half = math.hypot(stdtrit(1, 0.975) * math.sqrt(4.0), stdtrit(2, 0.975) * math.sqrt(8.0 / 6.0))
    assert found.interval(0.95) == pytest.approx((4.0 - half, 4.0 + half))


def test_the_residual_is_taken_off_the_item_part():
    # MS_seed = 1/6, MS_item = 1/2, MS_residual = 1/6.
    found = crossed_mean(np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 1.0]]))
    assert found.fixed == pytest.approx((1 / 2 - 1 / 6) / 6)
    assert found.per_seed == pytest.approx((2 / 3 - 1 / 3) ** 2 / 2)
    assert found.sets[0].noise == pytest.approx((1 / 6) / 3)


def test_per_seed_values_alone_give_the_t_interval_of_the_seeds():
    values = np.array([0.1, 0.2, 0.6])
    half = over_seeds_alone(values, 0.95)
    assert mean_over(values).interval(0.95) == pytest.approx((0.3 - half, 0.3 + half))


def test_one_seed_gives_the_t_interval_over_items_alone():
    scores = np.array([[1.0, 0.0, 1.0, 1.0]])
    found = crossed_mean(scores)
    assert found.per_seed == 0.0
    assert found.half_width(0.95) == pytest.approx(stdtrit(3, 0.975) * scores.std(ddof=1) / 2)


@pytest.mark.parametrize("seeds", [1, 3])
def test_one_item_says_nothing_whatever_the_seeds(seeds):
    found = crossed_mean(np.linspace(0.6, 0.7, seeds)[:, None])
    assert found.interval(0.95) == (-math.inf, math.inf)
    assert found.p_value() == 1.0


def test_one_seed_without_items_says_nothing():
    found = mean_over([0.7])
    assert found.interval(0.95) == (-math.inf, math.inf)
    assert found.p_value() == 1.0


def test_constant_scores_give_a_point():
    found = crossed_mean(np.full((3, 50), 0.7))
    assert found.interval(0.95) == pytest.approx((0.7, 0.7))
    assert found.p_value() == 0.0
    assert crossed_mean(np.zeros((3, 50))).p_value() == 1.0


def test_seeds_that_agree_to_the_digit_are_no_proof_of_precision():
    found = crossed_mean(np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]))
    low, high = found.interval(0.95)
    assert low < 0.5 < high


@pytest.mark.parametrize("scores", [np.zeros((0, 3)), np.zeros(3), np.array([[np.nan, 1.0]])])
def test_arrays_that_hold_no_scores_are_refused(scores):
    with pytest.raises(ValueError, match="scores must be"):
        crossed_mean(scores)


@pytest.mark.parametrize("values", [[], [[0.1, 0.2]], [0.1, math.nan]])
def test_values_that_are_not_one_number_for_each_seed_are_refused(values):
    with pytest.raises(ValueError, match="one finite number for each seed"):
        mean_over(values)


def test_several_sets_add_their_own_item_parts_and_keep_the_shared_seed():
    rng = np.random.default_rng(0)
    luck = rng.normal(0, 1, (5, 1))
    inside, outside = luck + rng.normal(0, 1, (1, 40)), luck + rng.normal(0, 1, (1, 30))
    found = mean_over(inside.mean(axis=1) - outside.mean(axis=1), (item_part(inside), item_part(outside)))
    assert found.per_seed == pytest.approx(0.0, abs=1e-12)
    variances = inside[0].var(ddof=1) / 40, outside[0].var(ddof=1) / 30
    assert [part.variance for part in found.sets] == pytest.approx(variances)
    half = math.hypot(*(stdtrit(n - 1, 0.975) * math.sqrt(v) for n, v in zip((40, 30), variances, strict=True)))
    assert found.half_width(0.95) == pytest.approx(half)


@given(SCORES, LEVELS)
def test_the_interval_is_never_narrower_than_students_t_over_the_seeds(scores, level):
    found = crossed_mean(scores)
    assert found.half_width(level) >= over_seeds_alone(scores.mean(axis=1), level) * (1 - 1e-9) - 1e-9


@given(PARTS, LEVELS)
def test_the_p_value_is_the_alpha_at_which_the_interval_reaches_zero(found, level):
    p = found.p_value()
    assert 0.0 <= p <= 1.0
    if p > 1e-12:  # beyond, 1 - p is not told from 1
        assert found.half_width(1.0 - p) == pytest.approx(abs(found.value), rel=1e-3, abs=1e-9)
    if abs(p - (1.0 - level)) > 1e-9:
        assert (p < 1.0 - level) == (abs(found.value) > found.half_width(level))


@pytest.mark.parametrize("value", [1e-6, 0.003, 0.1, 2.0, 50.0])
def test_where_one_part_holds_all_the_variance_the_p_value_is_students(value):
    seeds = CrossedMean(value=value, seeds=5, per_seed=0.05)
    assert seeds.p_value() == pytest.approx(2 * stdtr(4, -value / 0.1), rel=1e-9)
    items = CrossedMean(value=value, seeds=5, per_seed=0.0, sets=(ItemPart(variance=0.01, items=40),))
    assert items.p_value() == pytest.approx(2 * stdtr(39, -value / 0.1), rel=1e-9)


def test_p_values_of_overwhelming_evidence_are_tiny_or_nothing():
    def p(value: float) -> float:
        return CrossedMean(value=value, seeds=1, per_seed=0.0, sets=(ItemPart(variance=0.01, items=400),)).p_value()

    assert 1e-290 < p(8.0) < 1e-150
    assert p(8.0) == pytest.approx(2 * stdtr(399, -80.0), rel=1e-9)
    assert p(100.0) == 0.0


@given(PARTS, LEVELS)
def test_more_seeds_never_widen_the_interval(found, level):
    widths = [found.half_width(level, seeds) for seeds in (2, 3, 5, 10, 100)]
    assert widths == sorted(widths, reverse=True)
    assert found.half_width(level, found.seeds) == found.half_width(level)


@given(
    arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(2, 6)), elements=st.floats(-1, 1)),
    st.floats(-2, 2),
    st.floats(0.5, 3),
)
def test_shifting_and_scaling_scores_shifts_and_scales_the_interval(scores, shift, scale):
    low, high = crossed_mean(scores).interval(0.9)
    moved = crossed_mean(scores * scale + shift).interval(0.9)
    assert moved == pytest.approx((low * scale + shift, high * scale + shift), abs=1e-4, rel=1e-6)


@given(SCORES)
def test_the_order_of_seeds_and_items_does_not_matter(scores):
    found, turned = crossed_mean(scores), crossed_mean(scores[::-1, ::-1])
    assert turned.value == pytest.approx(found.value)
    assert turned.variance == pytest.approx(found.variance, abs=1e-9)


def test_groups_of_one_size_count_as_their_means():
    scores = np.arange(12.0).reshape(2, 6) ** 2
    grouped = by_group(scores, np.array([0, 0, 7, 7, 3, 3]))
    assert sorted(grouped[0]) == pytest.approx(sorted([0.5, 6.5, 20.5]))
    assert grouped.mean(axis=1) == pytest.approx(scores.mean(axis=1))


@given(SCORES, st.data())
def test_groups_of_any_size_keep_the_means_of_the_seeds(scores, data):
    items = scores.shape[1]
    groups = np.array(data.draw(st.lists(st.integers(0, 3), min_size=items, max_size=items)))
    assert by_group(scores, groups).mean(axis=1) == pytest.approx(scores.mean(axis=1), abs=1e-12)


def test_a_group_of_each_item_changes_nothing():
    scores = np.random.default_rng(0).random((3, 8))
    assert crossed_mean(by_group(scores, np.arange(8))) == crossed_mean(scores)


def test_repeated_items_in_groups_have_the_interval_of_one_copy():
    scores = np.random.default_rng(1).random((4, 30))
    twice = by_group(np.repeat(scores, 2, axis=1), np.repeat(np.arange(30), 2))
    assert crossed_mean(twice).half_width(0.99) == pytest.approx(crossed_mean(scores).half_width(0.99))
    assert crossed_mean(np.repeat(scores, 2, axis=1)).half_width(0.99) < crossed_mean(scores).half_width(0.99)
