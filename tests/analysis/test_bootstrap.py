"""The crossed multi-bootstrap and its p-values."""

import math

import numpy as np
import pytest

from pipeline.analysis.bootstrap import (
    item_means,
    item_weights,
    multi_bootstrap,
    percentile_interval,
    seed_weights,
    sign_flip_p,
)
from tests.analysis.simulations import bootstrap_coverage


def _replicates(scores: np.ndarray, rng: np.random.Generator, count: int = 1000) -> np.ndarray:
    return multi_bootstrap(lambda w: item_means(scores, w), scores.shape[0], scores.shape[1], count, rng)


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
    scores = np.random.default_rng(0).random((3, 40))
    first, again = (_replicates(scores, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, _replicates(scores, np.random.default_rng(8)))


def test_the_interval_ends_at_replicates_and_may_be_infinite():
    values = np.array([-math.inf, *np.arange(98.0), math.inf])
    low, high = percentile_interval(values, 0.95)
    assert (low, high) == (1.0, 96.0)
    assert percentile_interval(values, 0.999) == (-math.inf, math.inf)


def test_a_sign_flip_p_value_needs_eight_seeds():
    rng = np.random.default_rng(0)
    assert sign_flip_p(np.ones(7), rng) is None
    assert sign_flip_p(np.ones(8), rng) == pytest.approx(2 / 2**8)


def test_a_sign_flip_p_value_counts_patterns_at_least_as_extreme():
    assert sign_flip_p(np.array([1.0] * 7 + [-2.0]), np.random.default_rng(0)) == pytest.approx(
        np.mean([abs(sum(s)) >= 5 for s in _signed([1.0] * 7 + [2.0])])
    )


def _signed(values: list[float]) -> list[list[float]]:
    return [[v if pattern >> i & 1 else -v for i, v in enumerate(values)] for pattern in range(2 ** len(values))]


def test_random_sign_flips_agree_with_exact_ones():
    differences = np.array([0.3, 0.1, -0.2, 0.4, 0.2, 0.1, -0.1, 0.3, 0.2, -0.3, 0.1, 0.2, 0.05])
    exact = np.mean([abs(sum(s)) >= abs(differences.sum()) - 1e-12 for s in _signed(list(differences))])
    assert sign_flip_p(differences, np.random.default_rng(0)) == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize(("seeds", "seed_sd", "least"), [(3, 0.0, 0.95), (3, 0.03, 0.93), (5, 0.03, 0.93)])
def test_the_bootstrap_interval_is_cautious_where_items_matter_as_much_as_seeds(seeds, seed_sd, least):
    assert bootstrap_coverage(seeds, 300, seed_sd, np.random.default_rng([21, seeds]), 300) >= least
