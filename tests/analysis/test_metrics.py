"""Metrics from gold and predicted classes."""

import numpy as np
import pytest

from pipeline.analysis.bootstrap import item_weights
from pipeline.analysis.metrics import (
    UNDECIDED,
    accuracy,
    brier_scores,
    calibration_error,
    confusion,
    decided,
    macro_f1,
    weighted_macro_f1,
)

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


def test_probabilities_that_come_true_as_often_as_they_say_are_calibrated():
    rng = np.random.default_rng(0)
    told = rng.uniform(0.5, 1.0, 200_000)
    labels = (rng.uniform(size=len(told)) > told).astype(int)
    probabilities = np.stack([told, 1 - told], axis=1)
    assert calibration_error(probabilities, labels) < 0.01
    assert calibration_error(probabilities, np.zeros_like(labels)) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(("label", "error", "brier"), [(0, 0.0, 0.0), (1, 1.0, 2.0)])
def test_to_be_certain_is_best_where_it_is_right_and_worst_where_it_is_wrong(label, error, brier):
    probabilities, labels = np.array([[1.0, 0.0]] * 3), np.full(3, label)
    assert calibration_error(probabilities, labels) == pytest.approx(error)
    assert brier_scores(probabilities, labels) == pytest.approx([brier] * 3)


def test_gaps_within_a_bin_balance_each_other_and_between_bins_do_not():
    probabilities = np.array([[0.61, 0.39], [0.61, 0.39], [0.95, 0.05], [0.95, 0.05]])
    labels = np.array([0, 1, 0, 0])
    assert calibration_error(probabilities, labels) == pytest.approx((2 * 0.11 + 2 * 0.05) / 4)


def test_a_tie_for_the_greatest_decides_for_no_class():
    assert decided(np.array([[0.1, 0.9], [0.5, 0.5], [2.0, 1.0]])).tolist() == [1, UNDECIDED, 0]


def test_undecided_items_are_in_no_cell_of_a_confusion_matrix_and_misses_of_every_metric():
    unsure = np.where(GUESS == GOLD, GUESS, UNDECIDED)
    assert confusion(GOLD, unsure, classes=3).tolist() == [[2, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert accuracy(GOLD, unsure) == pytest.approx(4 / 6)
    assert macro_f1(GOLD, unsure, classes=3) == pytest.approx((4 / 5 + 2 / 3 + 1) / 3)
    level = np.full((2, 2), 0.5)
    assert calibration_error(level, np.array([0, 1])) == pytest.approx(0.5)  # never right, half sure


def test_a_confusion_matrix_counts_items_by_class_and_answer():
    assert confusion(GOLD, GUESS, classes=3).tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
