"""Resamples of items and seeds, and the item part of a variance that follows from them."""

import math

import numpy as np
import pytest

from pipeline.analysis.bootstrap import drawn_item_part, item_means, item_weights, percentile_interval, seed_weights
from pipeline.analysis.crossed_interval import item_part
from tests.analysis.simulations import MEASURED, macro_f1_intervals


def test_every_draw_of_items_draws_as_many_as_there_are():
    weights = item_weights(17, 50, np.random.default_rng(0))
    assert weights.shape == (50, 17)
    assert np.all(weights.sum(axis=1) == 17)


def test_weights_of_seeds_sum_to_one_and_carry_the_unbiased_variance():
    weights = seed_weights(3, 20_000, np.random.default_rng(0))
    values = np.array([0.0, 1.0, 5.0])
    assert weights.sum(axis=1) == pytest.approx(np.ones(20_000))
    assert (weights @ values).var() == pytest.approx(values.var(ddof=1) / 3, rel=0.03)


def test_one_seed_keeps_its_whole_weight():
    assert np.all(seed_weights(1, 5, np.random.default_rng(0)) == 1.0)


def test_a_matrix_product_gives_the_same_means_as_resampling_by_hand():
    rng = np.random.default_rng(1)
    scores, weights = rng.random((3, 6)).astype(np.float32), item_weights(6, 4, rng)
    by_hand = [[np.repeat(row, draw.astype(int)).mean() for row in scores] for draw in weights]
    assert item_means(scores, weights) == pytest.approx(np.array(by_hand), rel=1e-5)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    first, again = (item_weights(40, 100, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, item_weights(40, 100, np.random.default_rng(8)))


def test_the_interval_ends_at_replicates_and_may_be_infinite():
    values = np.array([-math.inf, *np.arange(98.0), math.inf])
    low, high = percentile_interval(values, 0.95)
    assert (low, high) == (1.0, 96.0)
    assert percentile_interval(values, 0.999) == (-math.inf, math.inf)


@pytest.mark.parametrize("seeds", [1, 3, 10])
def test_the_item_part_of_resampled_means_is_that_of_the_mean_squares(seeds):
    rng = np.random.default_rng(2)
    scores = (rng.random((seeds, 30)) < rng.uniform(0.1, 0.9, 30)).astype(np.float64)
    drawn = drawn_item_part(item_means(scores, item_weights(30, 20_000, rng)), 30)
    exact = item_part(scores)
    assert drawn.variance == pytest.approx(exact.variance, rel=0.05)
    assert drawn.noise == pytest.approx(exact.noise, rel=0.05)


def test_seeds_that_differ_on_every_item_leave_no_item_part():
    scores = np.array([[1.0, 0.0] * 10, [0.0, 1.0] * 10])
    drawn = drawn_item_part(item_means(scores, item_weights(20, 1000, np.random.default_rng(0))), 20)
    assert drawn.variance == 0.0
    assert drawn.noise > 0.0


def test_one_item_has_an_unknown_part():
    assert drawn_item_part(np.ones((10, 3)), 1).variance == math.inf


@pytest.mark.parametrize(("seeds", "items", "seed_sd"), [(3, 100, 0.0), (5, 100, 0.03), (10, 200, 0.03)])
def test_intervals_of_macro_f1_keep_their_level(seeds, items, seed_sd):
    repetitions = 1500
    found = macro_f1_intervals(seeds, items, seed_sd, np.random.default_rng([21, seeds]), repetitions)
    for level in MEASURED:
        nominal = 1.0 - level
        assert found.misses(level) <= 1.2 * nominal + 3 * math.sqrt(nominal * level / repetitions)
