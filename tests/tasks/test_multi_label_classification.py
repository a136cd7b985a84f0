"""Texts of which any number of classes apply: read from tables and lists, told one by one, judged by their F1."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from pipeline.config.schema import Data, Task
from pipeline.data.examples import examples
from pipeline.data.readers.sources import read
from pipeline.errors import DataError
from pipeline.tasks import EncodeSettings, Example, Vocabulary, kind
from tests.examples_kit import read_from, singles, within
from tests.models.tiny_bases import tiny_tokenizer

TASK = kind("multi_label_classification")
CLASSES = ("dull", "long", "fine")
GIVEN = [
    ("a very long and dull plot", "dull;long"),
    ("a fine film", "fine"),
    ("the actor", ""),
    ("not bad", "fine ; long"),
]
RNG = np.random.default_rng(5)


def columns(path: Path, **more: Any) -> Data:
    return Data(path=str(path), label=None, labels="topics", **more)


def table(folder: Path, rows: list[tuple[str, str]], name: str = "posts.csv") -> Path:
    path = folder / name
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "topics"), *rows])
    return path


def task_of(data: Data, **more: Any) -> Task:
    return Task(name="posts", kind="multi_label_classification", metric="example_f1", data=data, **more)


def many(count: int = 60) -> list[tuple[str, str]]:
    """Texts that differ, each with one label or two."""
    return [(f"a text of the number {i} and {i * i}", "dull;long" if i % 3 else "fine") for i in range(count)]


def batch(right: list[list[int]]) -> dict[str, torch.Tensor]:
    examples = [Example(text="the film", labels=tuple(CLASSES[i] for i in numbers)) for numbers in right]
    encoded = TASK.encode(examples, tiny_tokenizer(), within(32, classes=CLASSES))
    none = np.zeros(len(examples), dtype=np.int64)
    seeds = none.astype(np.uint64)
    return TASK.collate(encoded.ids, none, vocabulary=Vocabulary(pad=0), seeds=seeds, beside=encoded.beside)


def told(right: list[list[int]], logits: np.ndarray) -> Any:
    answers = TASK.answers(torch.tensor(logits, dtype=torch.float32), batch(right))
    return TASK.outputs(answers.numpy(), np.zeros(len(right), dtype=np.int32))


def test_the_labels_of_a_text_stand_in_one_cell(tmp_path: Path) -> None:
    found = read(columns(table(tmp_path, GIVEN)), task_name="t")
    assert found.several == ("dull", "fine", "long")
    assert [e and e.labels for e in read_from(found.train)] == [("dull", "long"), ("fine",), (), ("fine", "long")]


def test_they_may_be_a_list(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    lines = [
        json.dumps({"text": text, "topics": [t.strip() for t in labels.split(";") if t]}) for text, labels in GIVEN
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    listed, in_cells = (read(columns(p), task_name="t") for p in (path, table(tmp_path, GIVEN)))
    assert read_from(listed.train) == read_from(in_cells.train)
    assert listed.several == in_cells.several


@pytest.mark.parametrize("kept", ["saved", "parquet"])
def test_numbers_in_the_lists_of_datasets_are_called_by_their_names(kept: str, tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, Sequence, Value

    rows = {"text": [text for text, _ in GIVEN], "topics": [[0, 1], [2], [], [2, 1]]}
    features = Features({"text": Value("string"), "topics": Sequence(ClassLabel(names=list(CLASSES)))})
    data = Dataset.from_dict(rows, features=features)
    if kept == "saved":
        data.save_to_disk(tmp_path / "posts")
        found = read(columns(tmp_path / "posts", source="local"), task_name="t")
    else:
        data.to_parquet(tmp_path / "posts.parquet")
        found = read(columns(tmp_path / "posts.parquet"), task_name="t")
    assert found.several == ("dull", "fine", "long")
    assert read_from(found.train)[0] == Example(text=GIVEN[0][0], labels=("dull", "long"))


def test_a_label_in_a_list_may_hold_the_separator(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text('{"text": "a", "topics": ["to be; or not"]}\n{"text": "b", "topics": []}\n', encoding="utf-8")
    assert read(columns(path), task_name="t").several == ("to be; or not",)


def test_a_text_that_is_tested_on_is_not_learnt_whatever_its_labels(tmp_path: Path) -> None:
    tested = table(tmp_path, [("a text of the number 3 and 9", "fine"), ("another one", "long")], "test.csv")
    found = examples(task_of(columns(table(tmp_path, many()), test=str(tested))))
    assert sum(e.text.startswith("a text of the number 3 and") for e in found.sets["train"].examples) == 0
    assert sum(found.compared.overlaps[f"{pool}/test"].exact for pool in ("train", "validation")) >= 1


def test_names_stand_for_the_values_in_the_column(tmp_path: Path) -> None:
    data = columns(table(tmp_path, [("a", "1|2"), ("b", "2")]), separator="|", label_names={"1": "dull", "2": "fine"})
    found = read(data, task_name="t")
    assert found.several == ("dull", "fine")
    assert read_from(found.train)[0] == Example(text="a", labels=("dull", "fine"))


@pytest.mark.parametrize("pattern", [r"#(\w+)", r"(?<=#)\w+"])
def test_labels_may_be_told_by_what_they_look_like(tmp_path: Path, pattern: str) -> None:
    rows = [("a", "fine, #good and #long; #good"), ("b", "none of them"), ("c", "#long")]
    found = read(columns(table(tmp_path, rows), label_pattern=pattern), task_name="t")
    assert found.several == ("good", "long")
    assert [e and e.labels for e in read_from(found.train)] == [("good", "long"), (), ("long",)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"label_pattern": r"#(\\w+)"}, r"must match labels, but '#.*' occurs in no row of column 'topics'"),
        ({"label_pattern": r"@(\w+)"}, "with one backslash, matches"),
        ({}, "task.data.labels must be a column with labels, but 'topics' is empty in every row"),
    ],
)
def test_texts_without_any_label_between_them_are_refused(tmp_path: Path, given: dict[str, str], said: str) -> None:
    rows = [(text, "#good" if given else "") for text, _ in many()]
    with pytest.raises(DataError, match=said):
        examples(task_of(columns(table(tmp_path, rows), **given)))


def test_a_label_that_training_lacks_is_refused_with_the_nearest(tmp_path: Path) -> None:
    data = columns(
        table(tmp_path, many()), test=str(table(tmp_path, [("a far text", "dul"), ("b", "fine")], "test.csv"))
    )
    with pytest.raises(DataError, match=r"the test set must be a class of the training data, but 'dul' is not.*'dull'"):
        examples(task_of(data))


def test_a_label_of_one_text_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"needs 2 examples at least .*'odd' has [01]"):
        examples(task_of(columns(table(tmp_path, [*many(), ("an odd one", "odd;fine")]))))


def test_how_often_each_label_occurs_is_counted(tmp_path: Path) -> None:
    found = examples(task_of(columns(table(tmp_path, many(60)))))
    assert found.labels == ("dull", "fine", "long")
    assert np.sum([np.bincount(o, minlength=3) for o in found.occurrences.values()], axis=0).tolist() == [40, 20, 40]


def test_texts_are_encoded_with_the_numbers_of_their_labels(tmp_path: Path) -> None:
    data = columns(table(tmp_path, GIVEN))
    found = [example for example in read_from(read(data, task_name="t").train) if example]
    encoded = TASK.encode(found, tiny_tokenizer(), EncodeSettings.of(task_of(data, max_length=32), CLASSES))
    assert encoded.beside["classes"].tolist() == [[0, 1], [2, -1], [-1, -1], [2, 1]]
    plain = TASK.encode(singles(*(text for text, _ in GIVEN)), tiny_tokenizer(), within(32))
    assert [row.tolist() for row in encoded.ids] == [row.tolist() for row in plain.ids]


def test_scores_are_those_of_scikit_learn() -> None:
    right = [[0], [0, 2], [], [1], [1, 2], [0, 1, 2], [], [2]]
    logits = RNG.normal(size=(len(right), 3))
    out = told(right, logits)
    gold = np.array([[i in numbers for i in range(3)] for numbers in right])
    said, measured = logits > 0, TASK.measure(out)
    expected = [
        f1_score(g, s, zero_division=float(not g.any() and not s.any())) for g, s in zip(gold, said, strict=True)
    ]
    assert out.scores.tolist() == pytest.approx(expected)
    assert measured["example_f1"] == pytest.approx(np.mean(expected))
    assert measured["micro_f1"] == pytest.approx(f1_score(gold, said, average="micro"))
    assert measured["macro_f1"] == pytest.approx(f1_score(gold, said, average="macro"))
    assert measured["exact"] == pytest.approx((gold == said).all(axis=1).mean())


def test_a_network_that_cannot_tell_says_of_no_label_that_it_applies() -> None:
    out = told([[0], []], np.zeros((2, 3), dtype=np.float32))
    assert out.scores.tolist() == [0.0, 1.0]
    assert TASK.measure(out)["micro_f1"] == 0.0


def test_the_loss_is_transformers_own() -> None:
    right, logits = [[0, 2], [], [1]], RNG.normal(size=(3, 3))
    gold = torch.tensor([[float(i in numbers) for i in range(3)] for numbers in right])
    own = torch.nn.BCEWithLogitsLoss()(torch.tensor(logits, dtype=torch.float32), gold)
    assert told(right, logits).losses.mean() == pytest.approx(float(own), abs=1e-6)
