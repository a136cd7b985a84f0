"""Several labels in a cell, or in columns of their own, in the ways in which tables hold them."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.schema import Data
from pipeline.data.readers.sources import read
from pipeline.data.sets import RawSplits
from pipeline.data.table_cells.spelt_lists import spelt_members
from pipeline.errors import DataError

TOPICS = ("price", "taste", "very good")
LABELS = [["price"], ["taste", "very good"], ["very good", "price"], ["taste"], [], ["price", "taste", "very good"]]
HOT = [[int(topic in labels) for topic in TOPICS] for labels in LABELS]


def in_cells(path: Path, cells: Sequence[str], **data: object) -> RawSplits:
    with open(path / "posts.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "topics"), *((f"text {i}", cell) for i, cell in enumerate(cells))])
    given = {"path": str(path / "posts.csv"), "label": None, "labels": "topics"} | data
    return read(Data(**given), task_name="t")  # type: ignore[arg-type]


def of(found: RawSplits) -> list[list[str]]:
    return [sorted(labels) for labels in found.train.table.column("labels").to_pylist()]


SORTED = [sorted(labels) for labels in LABELS]
NUMBERS = [[str(at) for at, bit in enumerate(bits) if bit] for bits in HOT]

LISTS: dict[str, Callable[[list[str]], str]] = {
    "separated": ";".join,
    "pandas": str,
    "JSON": json.dumps,
    "numpy": lambda labels: "[" + " ".join(map(repr, labels)) + "]",
    "numpy on two lines": lambda labels: "[" + "\n ".join(map(repr, labels)) + "]",
    "an array": lambda labels: f"array({labels!r}, dtype=object)",
    "a tuple": lambda labels: str(tuple(labels)),
    "without quotes": lambda labels: "[" + ", ".join(labels) + "]",
    "PostgreSQL": lambda labels: "{" + ",".join(f'"{each}"' if " " in each else each for each in labels) + "}",
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_read_however_they_are_spelt(name: str, tmp_path: Path) -> None:
    found = in_cells(tmp_path, [LISTS[name](labels) for labels in LABELS])
    assert found.several == TOPICS
    assert of(found) == SORTED
    assert [sentence for sentence in found.sentences if "holds lists, such as" in sentence] or name == "separated"


VECTORS: dict[str, Callable[[list[int]], str]] = {
    "pandas": str,
    "floats": lambda bits: str([float(bit) for bit in bits]),
    "switches": lambda bits: str([bool(bit) for bit in bits]),
    "numpy": lambda bits: str(bits).replace(",", ""),
    "numpy's floats": lambda bits: "[" + " ".join(f"{bit}." for bit in bits) + "]",
    "separated": lambda bits: ";".join(map(str, bits)),
    "blanks": lambda bits: " ".join(map(str, bits)),
    "commas": lambda bits: ",".join(map(str, bits)),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_of_0_and_1_are_numbers_of_labels_which_can_be_named(name: str, tmp_path: Path) -> None:
    cells = [VECTORS[name](bits) for bits in HOT]
    assert of(in_cells(tmp_path, cells)) == NUMBERS
    names = {str(at): topic for at, topic in enumerate(TOPICS)}
    named = in_cells(tmp_path, cells, label_names=names)
    assert named.several == TOPICS
    assert of(named) == SORTED
    assert "Column 'topics' holds vectors of 0 and 1: its labels are the numbers 0 to 2" in named.sentences[0]


@pytest.mark.parametrize("kind", [int, float, bool])
def test_vectors_in_json_and_parquet_too(kind: type, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    vectors = [[kind(bit) for bit in bits] for bits in HOT]
    rows = [{"text": f"text {i}", "topics": bits} for i, bits in enumerate(vectors)]
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "posts.parquet")
    for name in ("posts.jsonl", "posts.parquet"):
        data = Data(path=str(tmp_path / name), label=None, labels="topics")
        assert of(read(data, task_name="t")) == NUMBERS


def test_lists_of_objects_with_a_name_hold_these_names(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"text": f"text {i}", "topics": [{"name": each} for each in labels]} for i, labels in enumerate(LABELS)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "posts.parquet")
    data = Data(path=str(tmp_path / "posts.parquet"), label=None, labels="topics")
    assert of(read(data, task_name="t")) == SORTED


@pytest.mark.parametrize("values", [("0", "1"), ("false", "TRUE"), ("no", "yes"), ("", "x"), ("0.0", "1.0")])
def test_a_column_for_each_label(values: tuple[str, str], tmp_path: Path) -> None:
    with open(tmp_path / "posts.csv", "w", newline="", encoding="utf-8") as file:
        rows = [(f"text {i}", *(values[bit] for bit in bits)) for i, bits in enumerate(HOT)]
        csv.writer(file).writerows([("text", *TOPICS), *rows])
    data = Data(path=str(tmp_path / "posts.csv"), label=None, labels=";".join(TOPICS))
    found = read(data, task_name="t")
    assert found.several == TOPICS
    assert of(found) == SORTED


def test_a_column_that_is_none_of_0_and_1_among_them_is_refused(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("text,a,b\nx,0,1\ny,1,maybe\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"each must hold 0 or 1, but column 'b' has 'maybe'"):
        read(Data(path=str(tmp_path / "posts.csv"), label=None, labels="a;b"), task_name="t")


@pytest.mark.parametrize("values", [("0", "1"), ("1.0", "0.0"), ("True", "False"), ("[1]", "[0]")])
def test_one_column_of_0_and_1_is_refused_with_the_way_to_say_it(values: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'topics' holds 0 or 1 .*labels=topics;SECOND;THIRD.*task=classification"):
        in_cells(tmp_path, values * 3)


def test_a_column_of_0_and_1_holds_names_where_the_user_names_them(tmp_path: Path) -> None:
    found = in_cells(tmp_path, ("0", "1") * 3, label_names={"0": "calm", "1": "angry"})
    assert found.several == ("calm", "angry")


def test_probabilities_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has numbers between them, such as 0\.3\. Save 1 for each label"):
        in_cells(tmp_path, ["[0.3, 0.7]", "[1.0, 0.0]"])


@pytest.mark.parametrize("separator", [", ", " | ", "|"])
def test_another_separator_is_seen_where_cells_combine_few_labels(separator: str, tmp_path: Path) -> None:
    found = in_cells(tmp_path, [separator.join(labels) for labels in LABELS])
    assert of(found) == SORTED
    assert f"are separated by {separator.strip()!r}: no cell has ';' in it." in found.sentences[0]


def test_commas_that_belong_to_labels_stay(tmp_path: Path) -> None:
    places = ("Paris, France", "Lyon, France", "Rome, Italy")
    assert in_cells(tmp_path, places).several == tuple(sorted(places))


def test_hashtags_are_separated_by_blanks(tmp_path: Path) -> None:
    cells = ["#price", "#taste #service", "#price #taste"]
    assert in_cells(tmp_path, cells).several == ("#price", "#service", "#taste")
    assert in_cells(tmp_path, cells, label_pattern=r"#(\w+)").several == ("price", "service", "taste")


def test_spellings_of_labels_are_folded_in_lists(tmp_path: Path) -> None:
    assert in_cells(tmp_path, ["price;Taste", "PRICE ", "price\u200b;taste", "taste"]).several == ("price", "taste")


ONE_EACH = {
    "lists of one": (["['neg']", '["pos"]', "['neg']"], ("neg", "pos")),
    "lists of one or none": (["['neg']", "['pos']", "[]"], ("neg", "pos")),
    "vectors with a single 1": (["[1, 0, 0]", "[0, 0, 1]", "[0, 1, 0]"], ("0", "1", "2")),
    "numpy's vectors": (["[1. 0.]", "[0. 1.]"], ("0", "1")),
    "what only looks like a list": (["[neg]", "[pos]"], ("[neg]", "[pos]")),
}


@pytest.mark.parametrize("name", ONE_EACH)
def test_lists_in_a_column_of_one_label(name: str, tmp_path: Path) -> None:
    cells, classes = ONE_EACH[name]
    assert in_cells(tmp_path, cells, label="topics", labels=None).labels == classes


@pytest.mark.parametrize("cells", [["['neg']", "['neg', 'pos']"], ["[1, 0]", "[1, 1]"], ["[]", '["a", "b"]']])
def test_lists_of_several_in_a_column_of_one_label_are_refused(cells: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"lists of several, .*Use task=multi_label_classification .*labels=topics"):
        in_cells(tmp_path, cells, label="topics", labels=None)


@given(labels=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), max_size=5))
def test_any_list_of_python_and_json_is_read_back(labels: list[str]) -> None:
    assert spelt_members(json.dumps(labels)) == labels
    assert spelt_members(json.dumps(labels, ensure_ascii=False)) == labels
    assert spelt_members(str(labels)) == labels
