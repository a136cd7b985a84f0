"""Numbers that belong to pairs of texts: read on their scale, told as shares of it, judged by how far they are off."""

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from pipeline.config.compose import compose
from pipeline.config.schema import Data
from pipeline.data.readers.sources import read
from pipeline.errors import ConfigError, DataError
from pipeline.tasks import Example, Vocabulary, kind
from tests.examples_kit import pair, read_from, within
from tests.models.tiny_bases import tiny_tokenizer

TASK = kind("similarity")
TEXTS = [pair("the film was good", "a fine film", score=0.9), pair("dull", "a very long and dull plot", score=0.25)]


def table(folder: Path, *scores: str) -> Data:
    path = folder / "pairs.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = [(f"a film {i}", f"a plot {i}", score) for i, score in enumerate(scores)]
        csv.writer(file).writerows([("text", "second", "rating"), *rows])
    return Data(path=str(path), second="second", score="rating", label=None, scale=(1.0, 5.0))


def batch(examples: Sequence[Example] = TEXTS) -> dict[str, torch.Tensor]:
    encoded, none = TASK.encode(examples, tiny_tokenizer(), within(32)), np.zeros(len(examples), dtype=np.int64)
    vocabulary, seeds = Vocabulary(pad=0), none.astype(np.uint64)
    return TASK.collate(encoded.ids, none, vocabulary=vocabulary, seeds=seeds, beside=encoded.beside)


def told(*logits: float) -> Any:
    answers = TASK.answers(torch.tensor(logits)[:, None], batch())
    return TASK.outputs(answers.numpy(), np.zeros(len(logits), dtype=np.int32))


def test_a_number_is_read_as_a_share_of_its_scale(tmp_path: Path) -> None:
    found = read_from(read(table(tmp_path, "1", "5", "2", "", "4.5"), task_name="t").train)
    assert [None if example is None else example.score for example in found] == [0, 1, 0.25, None, 0.875]


@pytest.mark.parametrize("wrong", ["6", "0.5", "much"])
def test_what_is_no_number_on_the_scale_is_refused(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=rf"task.data.score must hold numbers from 1 to 5, but .*'rating' has '{wrong}'"
    ):
        read(table(tmp_path, "3", wrong), task_name="t")


def test_a_scale_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"task.data.scale must be two numbers, the least and the greatest"):
        compose(["task=similarity", "task.data.path=a.csv", "task.data.scale=[5,1]"])


def test_the_number_is_not_read_by_the_network() -> None:
    numbered = TASK.encode(TEXTS, tiny_tokenizer(), within(32))
    plain = [dataclasses.replace(example, score=None) for example in TEXTS]
    for row, own in zip(numbered.ids, TASK.encode(plain, tiny_tokenizer(), within(32)).ids, strict=True):
        assert row.tolist() == own.tolist()
    assert numbered.beside["number"].tolist() == pytest.approx([0.9, 0.25])


def test_a_network_that_knows_nothing_begins_in_the_middle() -> None:
    out = told(0.0, 0.0)
    assert out.scores.tolist() == pytest.approx([0.4, 0.25])
    assert out.losses.tolist() == pytest.approx([np.log(2)] * 2)
    measured = TASK.measure(out)
    assert (measured["pearson"], measured["spearman"]) == (0, 0)


def test_correlations_are_scipys() -> None:
    generator = np.random.default_rng(3)
    numbers, logits = generator.integers(0, 6, 40) / 5, generator.normal(size=40).astype(np.float32)
    texts = [pair("a film", "a plot", score=float(number)) for number in numbers]
    answers = TASK.answers(torch.tensor(logits)[:, None], batch(texts)).numpy()
    measured = TASK.measure(TASK.outputs(answers, np.zeros(40, dtype=np.int32)))
    share = 1 / (1 + np.exp(-logits.astype(np.float64)))
    assert measured["pearson"] == pytest.approx(stats.pearsonr(numbers, share).statistic, abs=1e-6)
    assert measured["spearman"] == pytest.approx(stats.spearmanr(numbers, share).statistic, abs=1e-6)
    assert measured["absolute_error"] == pytest.approx(np.abs(numbers - share).mean(), abs=1e-6)
