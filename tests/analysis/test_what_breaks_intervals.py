"""Seeds that fail, items in groups, subsets of one pool: what intervals keep there, and what they do not."""

import numpy as np
import pytest
from scipy.stats import binom

from pipeline.analysis.skewed_seeds import MOST, factor_for_skew
from pipeline.analysis.two_kinds_of_seeds import CLEAN, failing_shares, two_kinds
from tests.analysis.clusters import intervals
from tests.analysis.failing import Failures, wrong_verdicts
from tests.analysis.pools import Learner, misses, truth
from tests.analysis.skewed_seeds import draws


def allowed(rate: float, repetitions: int, errors: float = 2.0) -> float:
    """A rate and so many Monte-Carlo errors of it."""
    return rate + errors * float(np.sqrt(rate * (1 - rate) / repetitions))


def test_values_of_two_kinds_are_cut_where_they_fall_apart():
    found = two_kinds([0.71, 0.30, 0.70, 0.72, 0.31, 0.69, 0.71, 0.70])
    assert found is not None
    assert found.rare == (1, 4)
    assert found.distance == pytest.approx(0.705 - 0.305)
    assert found.p < CLEAN


def test_gaussian_values_are_of_one_kind_but_for_one_sample_in_a_hundred():
    rng = np.random.default_rng(1)
    for seeds in (3, 5, 10, 20):
        flagged = [found.p <= CLEAN for found in map(two_kinds, rng.normal(size=(1000, seeds))) if found]
        assert np.mean(flagged) <= allowed(CLEAN, 1000, 3.0)


def test_a_difference_that_items_explain_is_no_second_kind():
    values = [0.50, 0.50, 0.50, 0.50, 0.51]
    assert two_kinds(values).p < CLEAN
    assert two_kinds(values, noise=0.02**2).p > CLEAN


@pytest.mark.parametrize("values", [[0.7], [0.7, 0.3], [0.7, 0.7, 0.7]])
def test_two_seeds_or_equal_ones_cannot_be_of_two_kinds(values):
    assert two_kinds(values) is None


@pytest.mark.parametrize("chance", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("loss", [0.1, 0.2])
@pytest.mark.parametrize("claims", [1, 5])
def test_trainings_that_fail_leave_wrong_verdicts_as_rare_as_promised(chance, loss, claims):
    rng = np.random.default_rng([71, claims])
    failures = Failures(chance=chance, loss=loss)
    found = wrong_verdicts(rng, failures, claims=claims, repetitions=400)
    assert found.verdicts <= allowed(0.05, 400)


def test_failures_that_are_seen_hold_up_the_claim_where_items_do_not_hide_them():
    found = wrong_verdicts(
        np.random.default_rng(72), Failures(chance=0.2, loss=0.2), claims=1, repetitions=100, items=1000
    )
    assert found.held_up > 0.9
    assert found.two_kinds <= found.plain


def test_failures_that_are_not_seen_are_ruled_out_by_the_room_for_them_alone():
    failures = Failures(chance=0.1, loss=0.2)
    found = wrong_verdicts(np.random.default_rng(73), failures, claims=5, repetitions=100, items=1000)
    assert found.two_kinds > 0.15
    assert found.verdicts <= allowed(0.05, 100)


def test_the_bounds_on_the_share_of_failing_trainings_are_those_of_clopper_and_pearson():
    for seeds in (3, 5, 10, 20):
        assert failing_shares(0, seeds, 0.05) == (0.0, pytest.approx(1.0 - 0.05 ** (1 / seeds)))
        assert failing_shares(seeds, seeds, 0.05) == (pytest.approx(0.05 ** (1 / seeds)), 1.0)
    least, most = failing_shares(3, 10, 0.05)
    assert binom.sf(2, 10, least) == pytest.approx(0.05)
    assert binom.cdf(3, 10, most) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("seeds", "level"), [(3, 0.95), (4, 0.99), (5, 0.99), (5, 0.995), (8, 0.995), (12, 0.99), (20, 0.99), (30, 0.995)]
)
def test_skewed_seeds_miss_at_most_twice_as_often_with_the_room_for_them(seeds, level):
    found = draws(np.random.default_rng([74, seeds]), seeds, 200_000)
    widened, errors = found.misses(level, factor_for_skew(seeds, level)), 3.0 * np.sqrt(2.0 / (1.0 - level) / 200_000)
    assert widened <= MOST + errors
    assert found.misses(level) > widened


def test_items_one_by_one_miss_where_groups_count_as_one():
    single, grouped = intervals(10, 0.3, 600)
    assert single.misses(0.99) > 0.04
    assert grouped.misses(0.95) <= allowed(0.05, 600, 3.0)
    assert grouped.misses(0.99) <= allowed(0.01, 600, 3.0)


def test_groups_of_unequal_size_keep_the_level_too():
    _, grouped = intervals(10, 0.3, 600, uneven=True)
    assert grouped.misses(0.95) <= allowed(0.05, 600, 3.0)


def test_subsets_of_half_a_pool_speak_for_that_pool_and_not_for_other_labels():
    learner = Learner()
    found = misses(learner, truth(learner, 1500), 200, 10, 200)
    assert found.pool[0.95] <= allowed(0.05, 200, 3.0)
    assert found.others[0.95] > 0.2
    assert found.widened[0.95] <= allowed(0.05, 200, 3.0)
