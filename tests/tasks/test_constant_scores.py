"""The best answer that reads no text, by hand for every task kind."""

import math

import numpy as np
import pytest

from pipeline.tasks import KINDS, Known
from pipeline.tasks.texts.spans import span_codes


def classed(*labels: int) -> Known:
    """Texts of three classes."""
    ids = [np.array([2, 5, 3], dtype=np.int32)] * len(labels)
    return Known(ids=ids, labels=np.array(labels, dtype=np.int32), beside={}, classes=3)


def known(*ids: list[int], **beside: object) -> Known:
    """Texts without a class, and what is known of them."""
    rows, none = [np.array(row, dtype=np.int32) for row in ids], np.full(len(ids), -1, dtype=np.int32)
    return Known(ids=rows, labels=none, beside={n: np.asarray(v) for n, v in beside.items()}, classes=3)


@pytest.mark.parametrize("kind", ["classification", "pair_classification", "prompted_classification"])
def test_of_classes_it_is_the_commonest_in_training_however_common_it_is_in_the_test(kind: str) -> None:
    train, held = classed(0, 1, 1, 2), classed(0, 0, 0, 1)
    assert KINDS[kind].constant_score("accuracy", train, held) == 0.25
    assert KINDS[kind].constant_score("accuracy", classed(0, 0, 1, 2), held) == 0.75


def test_macro_f1_has_that_of_guessing_where_no_class_alone_does_better() -> None:
    kind = KINDS["classification"]
    assert kind.constant_score("macro_f1", classed(0, 1, 2), classed(0, 1, 2)) == pytest.approx(1 / 3)
    assert kind.constant_score("macro_f1", classed(0, 1, 1), classed(1, 1, 1)) == 1.0


def test_of_several_labels_it_is_the_best_set_of_frequent_ones() -> None:
    kind = KINDS["multi_label_classification"]
    train = known(*[[2, 3]] * 4, classes=[[0, 1], [0, 1], [0, 2], [0, -1]])
    held = known(*[[2, 3]] * 2, classes=[[0, 1], [2, -1]])
    # Of the training texts, 0 alone has F1 2/3, 2/3, 2/3, 1; 0 and 1 have 1, 1, 1/2, 2/3, which is more.
    assert kind.constant_score("example_f1", train, held) == pytest.approx(0.5)
    assert kind.constant_score("micro_f1", train, held) == pytest.approx(2 * 2 / (4 + 3))
    shares = np.array([1 - 1e-6, 0.5, 0.25])
    nats = -np.mean([np.log([shares[0], shares[1], 1 - shares[2]]), np.log([1 - shares[0], 1 - shares[1], shares[2]])])
    assert kind.constant_score("loss", train, held) == pytest.approx(nats, rel=1e-3)


def test_of_tags_it_is_the_best_one_for_all_words_or_the_share_of_each() -> None:
    kind = KINDS["token_classification"]
    codes = [span_codes(("B-PER", "I-PER", "O"))] * 2
    train = known([2], [2], tags=[[2, 2, 0], [2, -1, -1]], codes=codes)
    held = known([2], [2], tags=[[2, 0, 1], [0, 2, 2]], codes=codes)
    assert kind.constant_score("token_accuracy", train, held) == pytest.approx(3 / 6)
    assert kind.constant_score("example_accuracy", train, held) == pytest.approx((1 / 3 + 2 / 3) / 2)
    # Of spans, training has one of a word: B-PER for all of its four words finds it, and of the test's two the second.
    assert kind.constant_score("span_f1", train, held) == pytest.approx(2 * 1 / (6 + 2))
    shares = np.array([2, 1, 4]) / 7
    nats = -np.log(shares[[2, 0, 1]]).mean() / 2 - np.log(shares[[0, 2, 2]]).mean() / 2
    assert kind.constant_score("loss", train, held) == pytest.approx(nats)


def test_of_numbers_it_is_the_median_or_the_mean() -> None:
    kind = KINDS["similarity"]
    train, held = known(*[[2, 3]] * 3, number=[0.0, 0.2, 0.7]), known(*[[2, 3]] * 2, number=[0.1, 1.0])
    assert kind.constant_score("absolute_error", train, held) == pytest.approx((0.1 + 0.8) / 2)
    assert kind.constant_score("pearson", train, held) == 0.0
    nats = -np.mean([0.1 * math.log(0.3) + 0.9 * math.log(0.7), math.log(0.3)])
    assert kind.constant_score("loss", train, held) == pytest.approx(nats)


def test_of_tokens_it_is_how_frequent_they_are_with_one_added_to_each_count() -> None:
    train, held = known([2, 5, 5, 6, 3]), known([2, 5, 3])
    # Ids 0 to 6 and one place for all others: 5 has (2 + 1) of (3 + 8).
    assert KINDS["masked_language_modelling"].constant_score("loss", train, held) == pytest.approx(math.log(11 / 3))
    assert KINDS["masked_language_modelling"].constant_score("top1", train, held) == 1.0
    rare = known([2, 9, 3])
    assert KINDS["masked_language_modelling"].constant_score("loss", train, rare) == pytest.approx(math.log(11))
    assert KINDS["masked_language_modelling"].constant_score("top1", train, rare) == 0.0


def test_of_continued_texts_bits_count_per_byte() -> None:
    kind = KINDS["causal_language_modelling"]
    train, held = known([1, 5, 5, 6]), known([1, 5, 6], bytes=[8])
    nats = math.log(11 / 3) + math.log(11 / 2)
    assert kind.constant_score("bits_per_byte", train, held) == pytest.approx(nats / math.log(2) / 8)
    assert kind.constant_score("loss", train, held) == pytest.approx(nats / 2)
    assert kind.constant_score("corpus_perplexity", train, held) == pytest.approx(math.exp(nats / 2))


def test_of_written_texts_there_is_one_for_the_loss_alone() -> None:
    kind = KINDS["translation"]
    train, held = known([2, 9, 3, 5, 5, 6], second=[3]), known([2, 3, 5], second=[2])
    assert kind.constant_score("loss", train, held) == pytest.approx(math.log(11 / 3))
    assert kind.constant_score("chrf", train, held) is None
    assert kind.constant_score("corpus_bleu", train, held) is None


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_metric_of_every_kind_has_one_or_says_that_it_has_none(kind: str) -> None:
    task = KINDS[kind]
    rows = Known(
        ids=[np.array([2, 5, 6, 3]), np.array([2, 6, 3])], labels=np.array([0, 1]), classes=3,
        beside={"second": np.array([2, 1]), "number": np.array([0.2, 0.4]), "classes": np.array([[0, 1], [2, -1]]),
                "bytes": np.array([4, 4]), "tags": np.array([[0, 1], [2, -1]]), "codes": np.array([[0, 4, 5]] * 2)},
    )  # fmt: skip
    for metric in task.metrics:
        score = task.constant_score(metric, rows, rows)
        assert score is None or math.isfinite(score)
