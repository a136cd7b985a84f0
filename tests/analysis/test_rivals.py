"""The methods that planned looks are published beside do what their names say."""

import sys

import numpy as np
import pytest
from scipy.stats import ttest_rel

from tests.analysis.rivals import (
    QUESTIONS,
    SCORES,
    bootstrap_over_items,
    bootstrap_over_seeds,
    paired_t,
    planned_looks,
    rates,
)

ARMS = SCORES["Gaussian"](np.random.default_rng(5), "seeds alone", 0.04, 60)


@pytest.mark.parametrize("seeds", [5, 20])
def test_the_paired_t_test_is_scipys(seeds: int) -> None:
    one, other = (arm[:, :seeds].mean(axis=2, dtype=np.float64) for arm in ARMS)
    p = ttest_rel(one - 0.01, other, axis=1).pvalue
    assert 0 < (p < 0.05).sum() < len(p)
    assert np.array_equal(paired_t(seeds)(*ARMS, 0.01).said != 0, p < 0.05)


def test_the_bootstrap_of_five_seeds_claims_more_than_the_t_test() -> None:
    drawn, tested = (method(*ARMS, 0.0).said != 0 for method in (bootstrap_over_seeds(5), paired_t(5)))
    assert drawn.sum() > tested.sum()
    assert drawn[tested].all()


def test_a_method_that_stops_when_it_is_settled_says_so_with_fewer_seeds() -> None:
    found = paired_t(5, 10, 20)(*ARMS, 0.0)
    assert set(found.seeds) == {5, 10, 20}
    assert (found.said[found.seeds < 20] != 0).all()


@pytest.mark.parametrize("scores", SCORES)
def test_planned_looks_keep_their_error_and_items_resampled_alone_do_not(scores: str) -> None:
    methods = {"planned": (planned_looks, 300), "items": (bootstrap_over_items(5), 300)}
    for question in ("A/A", "delta"):
        found = rates(methods, scores, "seeds dominate", question)
        assert sum(found["planned"][:2]) <= 0.09
        assert sum(found["items"][:2]) >= 0.15
    above, below, seeds = rates({"planned": (planned_looks, 100)}, scores, "seeds dominate", "5 delta")["planned"]
    assert above >= 0.9
    assert below == 0.0
    assert 5 <= seeds < 18


def test_no_test_needs_adastop() -> None:
    assert set(QUESTIONS) == {"A/A", "delta", "2 delta", "5 delta"}
    assert "adastop" not in sys.modules
