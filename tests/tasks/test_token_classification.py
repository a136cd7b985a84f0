"""Tags of words: where a word is read, what is cut off, and what is counted of a sentence."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.config.schema import Predict
from pipeline.errors import DataError
from pipeline.tasks import Example, Vocabulary, kind
from tests.examples_kit import within
from tests.models.tiny_bases import tiny_tokenizer

TASK = kind("token_classification")
TAGS = ("B-LOC", "B-PER", "I-PER", "O")
SENTENCES = [
    Example(text="the film is good", labels=("O", "B-PER", "I-PER", "O")),
    Example(text="xyz dull", labels=("B-LOC", "O")),  # of the vocabulary, xyz is three letters
]


def encoded(*examples: Example, length: int = 32) -> Any:
    return TASK.encode(examples, tiny_tokenizer(), within(length, classes=TAGS))


def batch(examples: Sequence[Example] = SENTENCES, length: int = 32) -> dict[str, torch.Tensor]:
    found, none = encoded(*examples, length=length), np.zeros(len(examples), dtype=np.int64)
    vocabulary, seeds = Vocabulary(pad=0), none.astype(np.uint64)
    return TASK.collate(found.ids, none, vocabulary=vocabulary, seeds=seeds, beside=found.beside)


def saying(*rows: str) -> torch.Tensor:
    """Logits [B, 4, C] of a network that is sure of these tags; of "?" it says nothing."""
    tags = [[*row.split(), *["?"] * 4][:4] for row in rows]
    return 9.0 * torch.tensor([[[float(tag == name) for name in TAGS] for tag in row] for row in tags])


def outputs(logits: torch.Tensor, given: dict[str, torch.Tensor]) -> Any:
    return TASK.outputs(TASK.answers(logits, given).numpy(), np.zeros(len(given["tags"]), dtype=np.int32))


def test_a_word_is_read_at_its_first_sub_word() -> None:
    found = encoded(Example(text="xyz the ab film"))
    assert [len(row) for row in found.ids] == [2 + 3 + 1 + 2 + 1]
    assert found.beside["starts"].tolist() == [[1, 4, 5, 7]]


def test_tags_are_numbers_of_the_classes_filled_up_behind_shorter_sentences() -> None:
    assert encoded(*SENTENCES).beside["tags"].tolist() == [[3, 1, 2, 3], [0, 3, -1, -1]]


def test_a_word_that_the_tokenizer_leaves_out_is_read_at_the_token_before_it() -> None:
    found = encoded(Example(text="the \u200b film"), Example(text="\u200b film"))
    assert found.beside["starts"].tolist() == [[1, 1, 2], [0, 1, -1]]


def test_a_blank_within_a_word_is_a_no_break_space() -> None:
    assert encoded(Example(text="a\u00a0film is")).beside["starts"].tolist() == [[1, 3]]


@pytest.mark.parametrize(
    ("text", "length", "tokens", "starts"),
    [
        ("the film is good", 5, 5, [1, 2, 3, -1]),
        ("the film xyz", 6, 4, [1, 2, -1]),  # two of xyz's three sub-words would fit
        ("the film xyz", 7, 7, [1, 2, 3]),
        ("xyz film", 4, 4, [1, -1]),  # of a first word that is too long, what fits
    ],
)
def test_a_long_sentence_is_cut_at_the_end_of_a_word_and_counted(
    text: str, length: int, tokens: int, starts: list[int]
) -> None:
    found = encoded(Example(text=text), length=length)
    assert len(found.ids[0]) == tokens
    assert found.ids[0][-1] == tiny_tokenizer().sep_token_id
    assert found.beside["starts"].tolist() == [starts]
    assert found.truncated == (-1 in starts)


@pytest.mark.parametrize("tags", [("O",), ("O", "O", "O"), ()])
def test_more_or_fewer_tags_than_words_are_refused(tags: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match=rf"one tag, but 'the film' has 2 words and {len(tags)} tags. Correct"):
        encoded(*SENTENCES, Example(text="the film", labels=tags))


def test_spans_that_begin_inside_are_told_with_the_first_of_them() -> None:
    assert encoded(*SENTENCES).sentences == ()
    (said,) = encoded(*SENTENCES, Example(text="a plot", labels=("O", "I-PER"))).sentences
    assert "begin inside (I-PER at 'plot')" in said


def test_what_is_counted_by_hand() -> None:
    out = outputs(saying("O B-PER O O", "B-LOC O"), batch())
    # Of six words one is wrong; of two spans one is found, beside a shorter one.
    assert out.counts.tolist() == [[3, 4, 0, 2], [2, 2, 1, 2]]
    found = TASK.measure(out)
    assert found["example_accuracy"] == pytest.approx((3 / 4 + 1) / 2)
    assert found["token_accuracy"] == pytest.approx(5 / 6)
    assert found["span_f1"] == pytest.approx(2 * 1 / 4)
    assert found["exact"] == 0.5


def test_a_tie_is_a_miss() -> None:
    assert outputs(saying("O B-PER I-PER ?", "? O"), batch()).counts[:, 0].tolist() == [3, 1]


def test_a_word_that_was_cut_off_is_a_miss_and_its_span_is_not_found() -> None:
    given = batch(length=4)
    out = outputs(saying("O B-PER I-PER O", "B-LOC O"), given)
    assert out.counts.tolist() == [[2, 4, 0, 2], [1, 2, 1, 2]]
    read = TASK.losses(saying("O B-PER", "B-LOC"), given)
    assert read[0] == pytest.approx(float(TASK.losses(saying("O B-PER I-PER O", "B-LOC"), given)[0]))


def test_the_loss_is_the_mean_over_a_sentences_words() -> None:
    logits = torch.randn(2, 4, len(TAGS), generator=torch.Generator().manual_seed(3))
    found = TASK.losses(logits, batch())
    nats = -logits.log_softmax(dim=-1)
    assert found[0] == pytest.approx(float((nats[0, 0, 3] + nats[0, 1, 1] + nats[0, 2, 2] + nats[0, 3, 3]) / 4))
    assert found[1] == pytest.approx(float((nats[1, 0, 0] + nats[1, 1, 3]) / 2))


def test_logits_of_all_words_in_one_matrix_are_read_as_those_in_sentences() -> None:
    logits = torch.randn(2, 4, len(TAGS), generator=torch.Generator().manual_seed(4))
    flat = torch.cat([logits[0], logits[1, :2]])
    assert TASK.words_in(batch()) == len(flat)
    torch.testing.assert_close(TASK.answers(flat, batch()), TASK.answers(logits, batch()))
    targets = TASK.targets(np.zeros(2), encoded(*SENTENCES).beside, len(TAGS))
    assert targets.argmax(axis=1).tolist() == [3, 1, 2, 3, 0, 3]


class Sure:
    """A model on words that is sure of the last class, and of nothing for the word "is"."""

    def read(self, examples: Sequence[Example]) -> np.ndarray:
        words = [word for example in examples for word in example.text.split()]
        return np.array([[0, 0, 0, 0 if word == "is" else 9] for word in words], dtype=np.float64)


def test_predictions_are_a_tag_for_each_word() -> None:
    settings = within(32, classes=TAGS)
    rows = list(
        TASK.predict(Sure(), tiny_tokenizer(), [Example(text="the film is good"), SENTENCES[1]], settings, Predict())
    )
    assert [row[:2] for row in rows] == [("the film is good", "O O _ O"), ("xyz dull", "O O")]
    assert rows[0][2].split()[2] == "0.2500"
