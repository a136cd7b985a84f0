"""Rows of one group (a writer, a document) stand on one side of every split, or the data is refused."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.compose import compose
from pipeline.config.schema import Data, Task
from pipeline.data.cleaning import LEAST
from pipeline.data.example_table import ExampleTable, table_of
from pipeline.data.examples import Examples, evaluated_examples, examples
from pipeline.data.fingerprint import data_fingerprint
from pipeline.data.report import data_report
from pipeline.data.sets import LabelledSet
from pipeline.data.splits import split
from pipeline.errors import ConfigError, DataError
from tests.contracts import sources_kit as kit

Row = tuple[str, str, str]  # text, label, writer


def written(groups: Sequence[str], *, start: int = 0) -> list[Row]:
    """One row for each of `groups`, two classes in turn."""
    return [(f"text {start + i} by nobody", f"{i % 2}", group) for i, group in enumerate(groups)]


def table(path: Path, rows: Sequence[Row], columns: Row = ("text", "label", "writer")) -> str:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return str(path)


def grouped(folder: Path, rows: Sequence[Row], **more: object) -> Task:
    data = Data(path=table(folder / "rows.csv", rows), group="writer", validation_size=20, test_size=40)
    return kit.task(replace(data, **more), deduplicate=False)  # type: ignore[arg-type]


def refused(task: Task) -> str:
    with pytest.raises(DataError) as caught:
        examples(task)
    assert caught.value.exit_code == 2
    return str(caught.value)


def sentences(found: Examples) -> str:
    return "\n".join(data_report(found, {}, {}, max_length=16).sentences)


def writers(count: int, rows: int) -> list[str]:
    """`rows` writers, of which some have written much more than others."""
    return [f"writer {w}" for w in np.random.default_rng(0).zipf(1.6, size=rows) % count]


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=12, max_size=60),
    classes=st.integers(1, 4),
    seed=st.integers(0, 20),
)
def test_no_group_is_divided_and_no_row_is_lost(sizes: list[int], classes: int, seed: int) -> None:
    groups = [f"g{g}" for g, size in enumerate(sizes) for _ in range(size * classes)]
    labels = np.tile(np.arange(classes), len(groups) // classes)
    names = tuple("abcd"[:classes])
    found = split(labels, names, validation_size=20, test_size=40, seed=seed, groups=groups)
    parts = [found.train, found.validation, found.test]
    assert sorted(np.concatenate(parts)) == list(range(len(groups)))
    held = [{groups[i] for i in part} for part in parts]
    assert sum(len(one) for one in held) == len(set(groups))
    for part in parts:
        assert len(np.unique(labels[part])) == classes
    assert np.bincount(labels[found.train]).min() >= LEAST


def test_held_out_sets_are_nearly_as_large_and_as_mixed_as_asked() -> None:
    generator = np.random.default_rng(3)
    groups = [f"g{g}" for g in generator.integers(0, 400, size=4000)]
    leaning = {
        group: generator.random() < 0.3 for group in sorted(set(groups))
    }  # most rows of a group are of one class
    labels = np.array([int(leaning[g] != (generator.random() < 0.1)) for g in groups])
    found = split(labels, ("a", "b"), validation_size=200, test_size=600, seed=0, groups=groups)
    assert abs(len(found.validation) - 200) <= 20
    assert abs(len(found.test) - 600) <= 20
    for part in (found.validation, found.test):
        assert labels[part].mean() == pytest.approx(labels.mean(), abs=0.02)


def test_the_seed_decides_which_groups_are_held_out() -> None:
    groups = [f"g{i % 50}" for i in range(500)]
    labels = np.arange(500) // 50 % 2
    one, again, other = (
        {groups[i] for i in split(labels, ("a", "b"), validation_size=20, test_size=50, seed=s, groups=groups).test}
        for s in (0, 0, 1)
    )
    assert one == again != other


def test_a_class_of_three_small_groups_stands_in_every_set() -> None:
    groups = [f"g{i // 10}" for i in range(300)] + ["r0", "r0", "r1", "r1", "r2", "r2"]
    labels = np.array([0] * 300 + [1] * 6)
    for seed in range(10):
        found = split(labels, ("common", "rare"), validation_size=30, test_size=60, seed=seed, groups=groups)
        assert [int((labels[part] == 1).sum()) for part in (found.train, found.validation, found.test)] == [2, 2, 2]


def test_three_groups_of_one_size_are_one_for_each_set(tmp_path: Path) -> None:
    found = examples(grouped(tmp_path, written(["ana"] * 40 + ["bia"] * 40 + ["caio"] * 40)))
    assert [len(found.sets[name]) for name in ("train", "validation", "test")] == [40, 40, 40]
    assert "test: 40 rows held out at random as whole groups (1 of column 'writer')" in sentences(found)


def test_the_rows_of_a_writer_stay_in_one_set_of_a_task(tmp_path: Path) -> None:
    rows = written(writers(40, 400))
    found = examples(grouped(tmp_path, rows))
    by_text = {text: writer for text, _, writer in rows}
    held = {name: {by_text[e.text] for e in found.sets[name].examples} for name in ("train", "validation", "test")}
    assert not held["train"] & (held["validation"] | held["test"])
    assert not held["validation"] & held["test"]
    assert "nearly stratified by class" in sentences(found)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_groups_for_three_sets_are_refused(count: int, tmp_path: Path) -> None:
    message = refused(grouped(tmp_path, written([f"w{i % count}" for i in range(60)])))
    assert "task.data.group must have 3 groups at least, one for each of train, validation, test" in message
    assert f"column 'writer' has {count}: 'w0'" in message
    assert "task.data.validation and task.data.test" in message


def test_two_groups_do_for_two_sets(tmp_path: Path) -> None:
    test = table(tmp_path / "test.csv", written(["zoe"] * 20, start=1000))
    found = examples(grouped(tmp_path, written(["ana"] * 30 + ["bia"] * 20), test=test))
    assert len(found.sets["train"]) + len(found.sets["validation"]) == 50
    assert "must have 2 groups at least" in refused(grouped(tmp_path, written(["ana"] * 50), test=test))


def test_a_class_in_too_few_groups_is_named_with_their_number(tmp_path: Path) -> None:
    rows = [*written([f"w{i % 10}" for i in range(60)]), *[(f"rare {i}", "2", f"w{i % 2}") for i in range(8)]]
    message = refused(grouped(tmp_path, rows))
    assert "needs rows in 3 groups at least (column 'writer')" in message
    assert "but '2' has 2. Merge classes with task.data.label_names" in message


def test_an_unknown_group_column_names_the_nearest(tmp_path: Path) -> None:
    message = refused(grouped(tmp_path, written(writers(9, 60)), group="writr"))
    assert "task.data.group asks for a column 'writr', but rows.csv has none. Did you mean 'writer'?" in message


def test_a_test_set_without_the_group_column_is_refused_by_its_name(tmp_path: Path) -> None:
    test = table(tmp_path / "test.csv", written(["x"] * 20), ("text", "label", "author"))
    message = refused(grouped(tmp_path, written(writers(9, 60)), test=test))
    assert "task.data.group asks for a column 'writer', but test.csv has none" in message


def test_rows_without_a_group_are_dropped_and_counted(tmp_path: Path) -> None:
    rows = [*written(writers(20, 200)), *written(["", " ", "nan"], start=500), ("", "1", "ana"), ("words", "", "")]
    found = examples(grouped(tmp_path, rows))
    assert (found.counts.empty, found.counts.unlabelled, found.counts.ungrouped) == (1, 1, 3)
    assert sum(len(found.sets[name]) for name in ("train", "validation", "test")) == 200
    line = "205 rows were read; 1 without text, 1 without label and 3 without group were dropped."
    assert line in sentences(found)


def test_a_group_column_that_is_empty_everywhere_is_refused(tmp_path: Path) -> None:
    message = refused(grouped(tmp_path, written([""] * 60)))
    assert "must hold rows with a text, a label and a group, but none of 60 rows has all three" in message


def test_training_rows_of_a_writer_in_a_separate_test_set_are_removed_and_counted(tmp_path: Path) -> None:
    test = table(tmp_path / "test.csv", written(["ana", "bia"] * 10, start=1000))
    rows = written(["ana"] * 6 + [f"w{i % 10}" for i in range(100)])
    found = examples(grouped(tmp_path, rows, test=test))
    assert {name: len(found.sets[name]) for name in ("train", "validation", "test")} == {
        "train": 80, "validation": 20, "test": 20,
    }  # fmt: skip
    assert "ana" not in {*(found.sets["train"].groups or ()), *(found.sets["validation"].groups or ())}
    assert found.compared.removed == {"train": 6, "validation": 0}
    assert found.compared.overlaps["train/test"].grouped == 6
    assert "whose group also stands in test, whatever their text: 6; removed from train." in sentences(found)


def test_validation_rows_of_a_writer_in_the_test_set_are_removed_too(tmp_path: Path) -> None:
    validation = table(tmp_path / "validation.csv", written(["ana"] * 4 + ["bia"] * 8, start=2000))
    test = table(tmp_path / "test.csv", written(["ana"] * 20, start=1000))
    found = examples(grouped(tmp_path, written(["caio", "caio", "bia", "bia"] * 15), validation=validation, test=test))
    assert found.sets["train"].groups == ("caio",) * 30
    assert found.sets["validation"].groups == ("bia",) * 8
    assert found.compared.removed == {"train": 30, "validation": 4}


def test_a_test_set_by_the_same_writers_leaves_nothing_to_train_on(tmp_path: Path) -> None:
    test = table(tmp_path / "test.csv", written(["ana", "bia", "caio"] * 10, start=1000))
    message = refused(grouped(tmp_path, written(["ana", "bia", "caio"] * 20), test=test))
    assert "also stands in test, or its group does (column 'writer'), so none is left" in message


@pytest.mark.parametrize("column", [None, "writer"])
def test_training_rows_of_a_group_of_another_domain_are_counted_if_its_column_is_given(
    column: str | None, tmp_path: Path
) -> None:
    far = Data(path=table(tmp_path / "far.csv", written(["w0"] * 20, start=1000)), group=column)
    rows = written(["w0"] * 90 + [f"w{i % 20}" for i in range(1, 20)] * 10)
    task = replace(grouped(tmp_path, rows), out_of_domain={"far": far})
    own = examples(task).sets
    same = {name: sum(group == "w0" for group in own[name].groups or ()) for name in ("train", "validation")}
    found = evaluated_examples(task, "far", ("0", "1"), {name: own[name] for name in same})
    assert sum(same.values()) > 0
    for name, rows_of_it in same.items():
        assert found.compared.overlaps[f"{name}/far"].grouped == (rows_of_it if column else 0)
    assert ("whose group also stands in far" in sentences(found)) == bool(column)


def test_a_group_can_be_the_first_text_of_pairs(tmp_path: Path) -> None:
    rows = [(f"question {i // 4} is this", f"{i % 2}", f"answer {i} is that") for i in range(200)]
    path = table(tmp_path / "pairs.csv", rows, ("text", "label", "reply"))
    data = Data(path=path, second="reply", validation_size=20, test_size=40)
    alone = examples(kit.task(data, kind="pair_classification"))
    assert alone.compared.known_halves["test"] > 0.8 * len(alone.sets["test"])
    assert "Rows of test with at least one text that also stands in a training row: " in sentences(alone)
    together = examples(kit.task(replace(data, group="text"), kind="pair_classification"))
    assert together.compared.known_halves == {"validation": 0, "test": 0}


def test_whole_numbers_and_floats_name_the_same_group(tmp_path: Path) -> None:
    test = table(tmp_path / "test.csv", written(["7.0"] * 20, start=1000))
    found = examples(grouped(tmp_path, written([f"{i % 20}" for i in range(200)]), test=test))
    assert sum(overlap.grouped for overlap in found.compared.overlaps.values()) == 10


def test_the_group_column_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    task = grouped(tmp_path, written(writers(9, 60)))
    assert data_fingerprint(task) != data_fingerprint(replace(task, data=replace(task.data, group=None)))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("task.data.group=label", "task.data.group and task.data.label must be two columns, but both are 'label'"),
        (
            "+task.out_of_domain.far={path: b.csv, group: writer}",
            "task.out_of_domain.far.group=writer is compared with",
        ),
    ],
)
def test_group_settings_that_could_not_work_are_refused(override: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compose(["task=classification", "task.data.path=a.csv", override])
    assert any(said in violation for violation in caught.value.violations)


def test_rows_of_one_group_have_one_number_and_rows_without_groups_one_each() -> None:
    rows = LabelledSet(
        examples=ExampleTable(table_of({"text": ["a", "b", "c"]})),
        labels=np.zeros(3, dtype=np.int32),
        groups=("y", "x", "y"),
    )
    assert rows.group_numbers.tolist() == [1, 0, 1]
    assert replace(rows, groups=None).group_numbers.tolist() == [0, 1, 2]
