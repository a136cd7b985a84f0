"""Classification against values worked out by hand."""

import math

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.tasks import kind

TASK = kind("classification")
# Item 0 is right, item 1 answers 0 for 1, items 2 and 3 are right.
LOGITS = np.array([[2, 0, 0], [1, 0, 0], [0, 3, 0], [0, 0, 1]], dtype=np.float32)
LABELS = np.array([0, 1, 1, 2])


def test_scores_are_one_where_the_largest_logit_is_the_labels() -> None:
    out = TASK.outputs(LOGITS, LABELS)
    assert out.predicted.tolist() == [0, 0, 1, 2]
    assert out.scores.tolist() == [1.0, 0.0, 1.0, 1.0]


def test_probabilities_and_losses_are_the_softmaxs() -> None:
    out = TASK.outputs(LOGITS, LABELS)
    right = math.exp(2) / (math.exp(2) + 2)
    assert out.probabilities[0, 0] == pytest.approx(right)
    assert out.losses[0] == pytest.approx(-math.log(right))
    assert out.losses[1] == pytest.approx(math.log(math.exp(1) + 2))


def test_metrics_of_four_predictions() -> None:
    measured = TASK.measure(TASK.outputs(LOGITS, LABELS))
    assert measured["accuracy"] == 0.75
    # F1 of class 0: 2/3 (precision 1/2, recall 1); of class 1: 2/3 (1, 1/2); of class 2: 1.
    assert measured["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_chance_is_always_answering_the_most_frequent_class() -> None:
    assert TASK.chance(np.array([0, 1, 1, 2])) == 0.5
    assert TASK.chance(np.array([0, 1])) == 0.5
    assert TASK.chance(np.array([3, 3, 3])) == 1.0


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'clasification'. Did you mean 'classification'"):
        kind("clasification")
