"""A budget that ends a study anywhere keeps the error of its verdicts; the full table is in docs/errors.md."""

import numpy as np
import pytest

from tests.analysis.budgets import _looks, rates
from tests.analysis.looks import DELTA, MIXES

REPETITIONS = 800
ALLOWED = 0.05 + 2 * float(np.sqrt(0.05 * 0.95 / REPETITIONS))


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("claims", [1, 5])
@pytest.mark.parametrize("effect", [0.0, DELTA], ids=["A/A", "at delta"])
def test_wrong_verdicts_are_as_rare_as_promised_wherever_the_budget_ends(mix: str, claims: int, effect: float) -> None:
    rng = np.random.default_rng(31)
    found = rates(rng, MIXES[mix], claims=claims, effect=effect, repetitions=REPETITIONS, items=40)
    assert found.wrong <= ALLOWED


def test_a_budget_ends_at_the_seeds_that_it_pays_for() -> None:
    still_open = np.ones(5, bool)
    assert list(_looks(3.9, still_open)) == [(3, 0, True)]
    assert list(_looks(7.5, still_open)) == [(5, 0, False), (7, 1, True)]
    assert list(_looks(5.5, still_open)) == [(5, 0, False)]
    assert list(_looks(1.5, still_open)) == []
    assert list(_looks(25.0, still_open)) == [(5, 0, False), (10, 1, False), (20, 2, False)]


def test_settled_claims_make_seeds_cheaper() -> None:
    open_claims = np.ones(5, bool)
    looks = _looks(7.0, open_claims)
    assert next(looks) == (5, 0, False)
    open_claims[:4] = False
    assert next(looks) == (9, 1, True), "two seeds' worth buys four at 0.44"
