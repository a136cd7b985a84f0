"""Metrics from gold and predicted classes."""

import numpy as np
import pytest

from pipeline.analysis.bootstrap import item_weights
from pipeline.analysis.metrics import accuracy, chance_level, macro_f1, weighted_macro_f1

GOLD = np.array([0, 0, 0, 1, 1, 2])
GUESS = np.array([0, 0, 1, 1, 2, 2])


def test_accuracy_is_the_share_of_right_answers():
    assert accuracy(GOLD, GUESS) == pytest.approx(4 / 6)


def test_macro_f1_is_the_mean_of_the_classes_f1():
    assert macro_f1(GOLD, GUESS, classes=3) == pytest.approx((4 / 5 + 2 / 4 + 2 / 3) / 3)


def test_classes_that_do_not_occur_are_left_out_of_macro_f1():
    assert macro_f1(GOLD, GUESS, classes=5) == pytest.approx(macro_f1(GOLD, GUESS, classes=3))


def test_a_class_never_predicted_has_an_f1_of_zero():
    assert macro_f1(np.array([0, 1]), np.array([0, 0]), classes=2) == pytest.approx((2 / 3) / 2)


def test_weighted_macro_f1_is_that_of_the_resampled_items():
    weights = item_weights(6, 8, np.random.default_rng(0))
    found = weighted_macro_f1(GOLD, GUESS[None], weights, classes=3)[:, 0]
    draws = [np.repeat(np.arange(6), row.astype(int)) for row in weights]
    assert found == pytest.approx([macro_f1(GOLD[d], GUESS[d], classes=3) for d in draws], rel=1e-6)


@pytest.mark.parametrize("guess", [np.array([]), np.array([0, 1])])
def test_arrays_of_different_length_or_none_are_refused(guess):
    with pytest.raises(ValueError, match=r"two \[N\] arrays"):
        accuracy(GOLD if len(guess) else guess, guess)


def test_chance_is_the_majority_share_for_accuracy_and_one_over_the_classes_for_macro_f1():
    assert chance_level("accuracy", GOLD) == pytest.approx(0.5)
    assert chance_level("macro_f1", GOLD) == pytest.approx(1 / 3)
    assert chance_level("accuracy", np.array([-1, -1])) == 0.0
