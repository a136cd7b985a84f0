"""Several questions at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.analysis.multiple_comparisons import holm, simultaneous_level

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_holm_matches_a_hand_computed_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_of_nothing_is_nothing():
    assert holm([]) == []


@given(P_VALUES)
def test_adjusted_values_are_at_least_the_given_ones_and_at_most_one(p):
    adjusted = holm(p)
    assert all(a >= q for a, q in zip(adjusted, p, strict=True))
    assert max(adjusted) <= 1.0


@given(P_VALUES)
def test_adjusted_values_keep_the_order(p):
    ordered = np.argsort(p, kind="stable")
    assert np.all(np.diff(np.array(holm(p))[ordered]) >= 0)


def test_several_claims_share_the_error():
    assert simultaneous_level(0.95, 5) == pytest.approx(0.99)
    assert simultaneous_level(0.95, 1) == pytest.approx(0.95)
    assert simultaneous_level(0.95, 0) == pytest.approx(0.95)
