"""Intervals over seeds and items keep the levels that verdicts use; the full tables are in docs/errors.md."""

import numpy as np
import pytest

from pipeline.analysis.crossed_interval import crossed_mean
from tests.analysis.coverage import EFFECTS, LEVELS, SEEDS, SHARES, Draws, gaussian, of_scores, skewed, zero_one

MOST, LEAST = 1.2, 0.8  # misses as a multiple of nominal


def allowed(repetitions: int, level: float) -> float:
    """Three Monte-Carlo errors of a rate of misses, as a multiple of nominal."""
    return float(3 * np.sqrt(level / (repetitions * (1.0 - level))))


def draws(kind: str, seeds: int, share: float) -> tuple[Draws, int]:
    rng = np.random.default_rng([11, seeds, int(100 * share)])
    if kind == "gaussian":
        return gaussian(rng, seeds, share, 200_000), 200_000
    return zero_one(rng, seeds, share, 4_000), 4_000


def test_the_simulated_interval_is_that_of_the_pipeline():
    scores = (np.random.default_rng(0).random((40, 4, 9)) < 0.6).astype(float)
    found = of_scores(scores, 0.6)
    for level in LEVELS:
        assert found.half_widths(level) == pytest.approx([crossed_mean(one).half_width(level) for one in scores])


def test_seeds_that_agree_are_simulated_with_the_floor_of_the_pipeline():
    scores = np.array([[[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]])
    assert of_scores(scores, 0.5).half_widths(0.95) == pytest.approx([crossed_mean(scores[0]).half_width(0.95)])


@pytest.mark.parametrize("kind", ["gaussian", "0/1"])
@pytest.mark.parametrize("share", [0.0, *SHARES, 1.0])
def test_misses_stay_below_nominal_whatever_varies(kind, share):
    for seeds in SEEDS:
        found, repetitions = draws(kind, seeds, share)
        for level in LEVELS:
            assert found.misses(level) <= MOST + allowed(repetitions, level), (seeds, level)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_one_part_holds_all_the_variance_misses_are_nearly_nominal(share):
    for seeds in SEEDS:
        found, repetitions = draws("gaussian", seeds, share)
        for level in LEVELS:
            assert found.misses(level) >= LEAST - allowed(repetitions, level), (seeds, level)


@pytest.mark.parametrize("seeds", SEEDS)
def test_the_simulated_shares_are_those_asked_for(seeds):
    assert [draws("gaussian", seeds, share)[0].share for share in SHARES] == pytest.approx(SHARES, abs=0.02)
    assert [draws("0/1", seeds, share)[0].share for share in SHARES] == pytest.approx(SHARES, abs=0.12)


def test_seeds_that_sometimes_fail_break_the_promise_as_the_docs_say():
    found = skewed(np.random.default_rng(3), 5, 0.95, 100_000, EFFECTS["10% of seeds fail"])
    assert found.misses(0.99) > 2.0


def test_seeds_that_are_skewed_in_both_arms_alike_do_not():
    found = skewed(np.random.default_rng(3), 5, 0.95, 100_000, EFFECTS["exponential, both arms"])
    assert found.misses(0.99) < MOST
