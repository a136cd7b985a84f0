"""What a linear model counts of each word, by hand, and that it is the same once it was stored."""

from pathlib import Path

import numpy as np

from pipeline.models.windows import windows
from pipeline.models.words import WordCounter


def test_a_word_has_its_neighbours_its_affixes_and_its_shape() -> None:
    first, second = windows(["Ana viu"])
    assert first.split(" ") == [
        "-2=|", "-1=|", "+0=ana", "+1=viu", "+2=|",
        "prefix=a", "prefix=an", "suffix=a", "suffix=na", "shape=Xx",
    ]  # fmt: skip
    assert second.split(" ")[:5] == ["-2=|", "-1=ana", "+0=viu", "+1=|", "+2=|"]


def test_shapes_tell_numbers_links_and_capitals_apart() -> None:
    shapes = [features.rpartition("shape=")[2] for features in windows(["PETR4 10,50 #vale a\u00a0b"])]
    assert shapes == ["Xd", "d,d", "#x", "x\u00a0x"]


def test_each_word_is_a_row_whatever_the_training_sentences_were() -> None:
    counter = WordCounter.of([("a good film",), ("dull",)], wordwise=True)
    rows = counter([("a film",), ("",), ("good news today",)])
    assert rows.shape[0] == 2 + 0 + 3
    assert np.allclose(np.sqrt(rows.multiply(rows).sum(axis=1)), 1)


def test_what_was_stored_counts_the_same(tmp_path: Path) -> None:
    counter = WordCounter.of([("a good film",), ("a\u00a0b dull .",)], wordwise=True)
    counter.save(tmp_path)
    asked = [("good a\u00a0b .",), ("film",)]
    assert (WordCounter.load(tmp_path)(asked) != counter(asked)).nnz == 0
