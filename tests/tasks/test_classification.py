"""Classification against values worked out by hand."""

import math
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from pipeline.analysis.metrics import brier_scores, calibration_error
from pipeline.config.schema import Predict
from pipeline.errors import ConfigError
from pipeline.tasks import kind
from tests.examples_kit import singles, within
from tests.models.tiny_bases import tiny_tokenizer

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
    assert np.allclose(out.probabilities.sum(axis=1), 1, atol=1e-6)
    assert out.losses[0] == pytest.approx(-math.log(right))
    assert out.losses[1] == pytest.approx(math.log(math.exp(1) + 2))


def test_metrics_of_four_predictions() -> None:
    measured = TASK.measure(TASK.outputs(LOGITS, LABELS))
    assert measured["accuracy"] == 0.75
    # F1 of class 0: 2/3 (precision 1/2, recall 1); of class 1: 2/3 (1, 1/2); of class 2: 1.
    assert measured["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_calibration_and_distance_from_the_truth_of_four_predictions() -> None:
    out = TASK.outputs(LOGITS, LABELS)
    told = out.probabilities.max(axis=1)  # 0.787, 0.576, 0.909, 0.576: the second and fourth share a bin of fifteen
    gaps = [1 - told[0], abs((0 - told[1]) + (1 - told[3])), 1 - told[2]]
    assert calibration_error(out.probabilities, out.labels) == pytest.approx(sum(gaps) / 4, rel=1e-5)
    truth = np.eye(3)[LABELS]
    found = brier_scores(out.probabilities, out.labels).mean()
    assert found == pytest.approx(((out.probabilities - truth) ** 2).sum() / 4, rel=1e-5)


def test_the_head_has_an_output_for_each_class() -> None:
    config = transformers.BertConfig(
        vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, num_labels=3
    )
    batch = {"input_ids": torch.tensor([[2, 6, 3]]), "attention_mask": torch.ones((1, 3), dtype=torch.int64)}
    logits = TASK.forward(TASK.build(config), batch)
    assert (logits.shape, logits.dtype) == ((1, 3), torch.float32)


def test_a_tie_is_a_miss_whichever_class_is_right_and_predicts_none() -> None:
    out = TASK.outputs(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]], dtype=np.float32), np.array([0, 1, 0, 1]))
    assert out.predicted.tolist() == [-1, -1, -1, 1]
    assert out.scores.tolist() == [0.0, 0.0, 0.0, 1.0]
    assert TASK.measure(out)["accuracy"] == 0.25
    assert out.losses[2] == pytest.approx(math.log(3))


def test_a_network_that_says_the_same_of_everything_names_no_class() -> None:
    class Constant:
        config = transformers.BertConfig()
        parameters = staticmethod(lambda: iter([torch.zeros(1)]))

        def __call__(self, **_: Any) -> Any:
            return transformers.modeling_outputs.SequenceClassifierOutput(logits=torch.zeros(1, 3))

    tokenizer, asked = tiny_tokenizer(), Predict()
    rows = TASK.predict(Constant(), tokenizer, singles("a film"), within(8, classes=("a", "b", "c")), asked)
    assert list(rows) == [("a film", "", "0.3333")]


def test_huge_logits_overflow_nothing() -> None:
    out = TASK.outputs(np.array([[1e5, -1e5, 0]], dtype=np.float32), np.array([1]))
    assert np.isfinite(out.losses).all()
    assert out.probabilities.tolist() == [[1.0, 0.0, 0.0]]


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'clasification'. Did you mean 'classification'"):
        kind("clasification")
