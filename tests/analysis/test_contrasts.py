"""Curves read between their points, and claims on them; the full table is in docs/errors.md."""

import numpy as np
import pytest

from pipeline.analysis.contrast import bracket, match, weights_at
from pipeline.analysis.crossed_interval import CrossedMean
from tests.analysis.contrasts import LEVEL, SCENARIOS, rates

SIZES = np.array([25.0, 100.0, 400.0])
REPETITIONS = 1500


@pytest.mark.parametrize(
    ("labels", "weights"),
    [
        (25.0, [1.0, 0.0, 0.0]),
        (100.0, [0.0, 1.0, 0.0]),
        (50.0, [0.5, 0.5, 0.0]),
        (200.0, [0.0, 0.5, 0.5]),
        (400.0, [0.0, 0.0, 1.0]),
    ],
)
def test_a_curve_is_read_linearly_in_the_logarithm(labels, weights):
    assert weights_at(SIZES, labels) == pytest.approx(weights)


@pytest.mark.parametrize("labels", [24.0, 401.0])
def test_nothing_is_read_beyond_the_sizes(labels):
    assert weights_at(SIZES, labels) is None


def test_a_score_is_matched_where_the_curve_first_reaches_it():
    inside, outside = np.array([0.5, 0.6, 0.8]), np.array([0.5, 0.55, 0.6])
    found = match(inside, outside, 0.65)
    assert found.weights == pytest.approx([0.0, 0.75, 0.25])
    assert found.slope == pytest.approx(0.25)
    assert match(inside, outside, 0.5).weights == pytest.approx([1.0, 0.0, 0.0])
    assert match(inside, outside, 0.8).weights == pytest.approx([0.0, 0.0, 1.0])
    bent = np.array([0.5, 0.7, 0.6])
    assert match(bent, outside, 0.65).weights == pytest.approx([0.25, 0.75, 0.0]), "at the first of several places"


@pytest.mark.parametrize("score", [0.49, 0.81])
def test_a_score_outside_the_curve_is_not_matched(score):
    assert match(np.array([0.5, 0.6, 0.8]), np.array([0.5, 0.55, 0.6]), score) is None


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_truth_at_the_edge_of_the_claim_is_seldom_judged_and_one_beyond_it_is_recovered(name):
    contrast, edge, beyond, threshold = SCENARIOS[name]
    wrong = (1 - LEVEL) / 2
    allowed = wrong + 3 * np.sqrt(wrong / REPETITIONS)
    at = rates(contrast, edge, threshold, 5, 0.02, np.random.default_rng(7), REPETITIONS)
    assert at.supported <= allowed
    assert at.refuted <= allowed
    past = rates(contrast, beyond, threshold, 20, 0.01, np.random.default_rng(8), 100)
    assert past.supported >= 0.9


def test_between_two_points_the_interval_holds_the_difference_from_either():
    near, far = (CrossedMean(value=value, seeds=5, per_seed=1e-4) for value in (0.05, 0.01))
    low, high = bracket([near, far], lambda mean: mean.half_width(0.95))
    assert (low, high) == (far.interval(0.95)[0], near.interval(0.95)[1])
