"""Spans by seqeval's definition, on taggings worked out by hand."""

import numpy as np
import pytest
import torch

from pipeline.tasks.texts.spans import shared_spans, span_begins, span_codes, starts_inside

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "E-PER", "S-LOC", "NOUN", "VERB")


def coded(*taggings: str) -> torch.Tensor:
    """The codes of taggings of the same length, a row each."""
    codes = span_codes(TAGS)
    rows = [[codes[TAGS.index(tag)] for tag in tagging.split()] for tagging in taggings]
    return torch.from_numpy(np.array(rows, dtype=np.int64))


@pytest.mark.parametrize(
    ("tagging", "begins"),
    [
        ("O B-PER I-PER O", "0 1 0 0"),
        ("B-PER B-PER I-PER", "1 1 0"),  # two of one type, side by side
        ("B-PER I-LOC I-LOC", "1 1 0"),  # another type goes on with nothing
        ("I-PER I-PER O I-LOC", "1 0 0 1"),  # a tagging that starts inside
        ("O I-PER B-PER", "0 1 1"),
        ("B-PER E-PER I-PER", "1 0 1"),  # after its end it begins anew
        ("B-PER E-PER E-PER", "1 0 1"),
        ("S-LOC I-LOC", "1 1"),
        ("NOUN NOUN VERB", "1 1 1"),
        ("O O", "0 0"),
    ],
)
def test_where_spans_begin(tagging: str, begins: str) -> None:
    assert span_begins(coded(tagging))[0].int().tolist() == [int(each) for each in begins.split()]


@pytest.mark.parametrize(
    ("gold", "told", "shared", "both"),
    [
        ("O B-PER I-PER O", "O B-PER I-PER O", 1, 2),
        ("O B-PER I-PER O", "O I-PER I-PER O", 1, 2),  # not strict: the same span, though it starts inside
        ("O B-PER I-PER O", "O B-PER O O", 0, 2),  # its end is another
        ("O B-PER I-PER O", "B-PER I-PER I-PER O", 0, 2),  # its start is another
        ("O B-PER I-PER O", "O B-LOC I-LOC O", 0, 2),  # its type is another
        ("B-PER I-PER B-PER", "B-PER I-PER I-PER", 0, 3),
        ("B-PER I-PER B-LOC", "B-PER I-PER I-LOC", 2, 4),
        ("B-PER I-PER", "B-PER E-PER", 1, 2),
        ("NOUN VERB NOUN", "NOUN NOUN NOUN", 2, 6),  # of parts of speech, it is the accuracy of words
        ("O O O", "O O O", 0, 0),
        ("O O O", "O B-PER O", 0, 1),
    ],
)
def test_spans_that_two_taggings_share(gold: str, told: str, shared: int, both: int) -> None:
    found = shared_spans(coded(gold), coded(told))
    assert [int(each[0]) for each in found] == [shared, both]


def test_sentences_of_a_batch_are_counted_apart() -> None:
    gold = coded("B-PER I-PER O", "O O B-LOC")
    hits, both = shared_spans(gold, coded("B-PER I-PER B-LOC", "I-LOC I-LOC B-LOC"))
    assert (hits.tolist(), both.tolist()) == ([1, 1], [3, 3])


def test_the_example_in_seqevals_documentation() -> None:
    gold = coded("O O O B-LOC I-LOC I-LOC O", "B-PER I-PER O O O O O")
    told = coded("O O B-LOC I-LOC I-LOC I-LOC O", "B-PER I-PER O O O O O")
    hits, both = shared_spans(gold, told)
    assert 2 * int(hits.sum()) / int(both.sum()) == 0.5


def test_taggings_that_start_inside_are_told() -> None:
    assert starts_inside(coded("O I-PER I-PER B-LOC I-LOC")[0].numpy()).tolist() == [False, True, False, False, False]
