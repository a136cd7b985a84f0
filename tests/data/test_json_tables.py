"""A JSON file that holds its rows under a name, among other things."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.schema import Data
from pipeline.data.sources import read
from pipeline.errors import DataError
from tests.examples_kit import read_from, texts_of

ROWS = [{"text": "good", "label": 1, "years": [6, 7]}, {"text": "bad", "label": 0, "source": {"page": 3}}]


def written(folder: Path, document: object, name: str = "reviews.json", indent: int | None = 1) -> Data:
    (folder / name).write_text(json.dumps(document, indent=indent), encoding="utf-8")
    return Data(path=str(folder / name))


@pytest.mark.parametrize("indent", [None, 1])
def test_the_array_that_has_the_columns_is_read(indent: int | None, tmp_path: Path) -> None:
    document = {"version": "1", "pages": [{"id": 1}], "reviews": ROWS, "names": ["a", "b"], "none": []}
    found = read(written(tmp_path, document, indent=indent), task_name="t").train
    assert [(e.text, e.label) for e in read_from(found) if e] == [("good", "1"), ("bad", "0")]


def test_columns_that_no_array_has_are_named_with_the_nearest_of_the_longest(tmp_path: Path) -> None:
    data = replace(written(tmp_path, {"pages": [{"id": 1}], "reviews": ROWS}), text="txt")
    with pytest.raises(DataError, match=r"'txt', but 'reviews' in reviews\.json has none\. Did you mean 'text'"):
        read(data, task_name="t")


def test_a_nested_value_is_refused_with_its_row(tmp_path: Path) -> None:
    data = replace(written(tmp_path, {"reviews": ROWS}), label="years")
    with pytest.raises(DataError, match=r"row 1 of 'reviews' in reviews\.json, 'years' must hold one text or number"):
        read(data, task_name="t")


def test_an_open_choice_of_arrays_is_refused(tmp_path: Path) -> None:
    data = written(tmp_path, {"first": ROWS, "second": ROWS, "pages": [{"id": 1}]})
    with pytest.raises(DataError, match=r"columns text, label, but reviews\.json holds 2: 'first', 'second'\. Save"):
        read(data, task_name="t")


def test_lines_in_a_json_file_are_still_read_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "lines.json").write_text("\n".join(json.dumps(row) for row in ROWS), encoding="utf-8")
    found = read(Data(path=str(tmp_path / "lines.json")), task_name="t").train
    assert texts_of(read_from(found)) == ["good", "bad"]


def test_a_torn_file_is_located(tmp_path: Path) -> None:
    data = written(tmp_path, {"reviews": ROWS})
    path = Path(str(data.path))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"line 1 of reviews\.json is not valid JSON"):
        read(data, task_name="t")
