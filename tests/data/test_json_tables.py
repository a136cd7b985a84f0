"""A JSON file that holds its rows under a name, among other things."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.schema import Data
from pipeline.data.readers import json_arrays, json_tables
from pipeline.data.readers.sources import read
from pipeline.errors import DataError
from tests.examples_kit import read_from, texts_of

ROWS = [{"text": "good", "label": 1, "years": [6, 7]}, {"text": "bad", "label": 0, "source": {"page": 3}}]


def written(folder: Path, document: object, name: str = "reviews.json", indent: int | None = 1) -> Data:
    (folder / name).write_text(json.dumps(document, indent=indent), encoding="utf-8")
    return Data(path=str(folder / name))


MANY = [{"text": f"text {i}", "label": ("bad", "good")[i % 2]} for i in range(12)]
SHAPES: dict[str, str] = {
    "an array": json.dumps(MANY),
    "an array on many lines": json.dumps(MANY, indent=2),
    "columns as objects": json.dumps({name: {str(i): row[name] for i, row in enumerate(MANY)} for name in MANY[0]}),
    "columns as arrays": json.dumps({name: [row[name] for row in MANY] for name in MANY[0]}),
    "rows by name": json.dumps({str(i): row for i, row in enumerate(MANY)}),
    "split": json.dumps({"columns": [*MANY[0]], "index": [*range(12)], "data": [[*row.values()] for row in MANY]}),
    "objects on many lines": "\n".join(json.dumps(row, indent=2) for row in MANY),
    "lines": "\n".join(json.dumps(row) for row in MANY),
    "lines with a mark": "\ufeff" + "\n".join(json.dumps(row) for row in MANY),
    "lines of files that were joined": "\n\ufeff".join(json.dumps(row) for row in MANY),
    "other case": "\n".join(json.dumps({name.upper(): value for name, value in row.items()}) for row in MANY),
}


@pytest.mark.parametrize("ending", ["json", "jsonl"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_table_is_read_in_every_shape(name: str, ending: str, tmp_path: Path) -> None:
    (tmp_path / f"rows.{ending}").write_text(SHAPES[name], encoding="utf-8")
    found = read(Data(path=str(tmp_path / f"rows.{ending}")), task_name="t").train
    assert [(e.text, e.label) for e in read_from(found) if e] == [(row["text"], row["label"]) for row in MANY]


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_fields_within_fields_are_named_with_points(ending: str, tmp_path: Path) -> None:
    rows = [{"review": {"body": {"en": row["text"]}}, "label": row["label"]} for row in MANY]
    path = tmp_path / f"rows.{ending}"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert texts_of(read_from(read(Data(path=str(path), text="review.body.en"), task_name="t").train))[:1] == ["text 0"]
    with pytest.raises(DataError, match=r"'review' must hold one text .*Name one of its fields: review\.body\."):
        read(Data(path=str(path), text="review"), task_name="t")


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_an_object_with_a_name_twice_is_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows.{ending}"
    path.write_text('{"text": "a", "label": "x"}\n{"text": "b", "label": "x", "label": "y"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=rf"line 2 of rows\.{ending} .*\(an object has the name 'label' twice\)"):
        read(Data(path=str(path)), task_name="t")
    path.write_text('[\n {"text": "b", "label": "x", "label": "y"}]', encoding="utf-8")
    with pytest.raises(DataError, match=rf"rows\.{ending} .*\(an object has the name 'label' twice\)"):
        read(Data(path=str(path)), task_name="t")
    path.write_text('{\n "rows": [{"text": "b", "label": "x", "label": "y"}]\n}', encoding="utf-8")
    with pytest.raises(DataError, match=rf"rows\.{ending} .*\(an object has the name 'label' twice\)"):
        read(Data(path=str(path)), task_name="t")


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


def test_lines_in_a_json_file_are_not_held_as_one_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_tables, "read_utf8", lambda *_: pytest.fail("the file was read as one text"))
    (tmp_path / "lines.json").write_text("\n".join(json.dumps(row) for row in MANY), encoding="utf-8")
    found = read(Data(path=str(tmp_path / "lines.json")), task_name="t").train
    assert texts_of(read_from(found)) == [row["text"] for row in MANY]


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_an_object_at_a_time(
    block: int, indent: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_arrays, "_BLOCK", block)
    monkeypatch.setattr(json_tables, "read_utf8", lambda *_: pytest.fail("the file was read as one text"))
    rows = [row | {"text": f'{row["text"]} "], [{{ \\ ção', "more": [{"a": [1, -2.5e3]}, None, "}"]} for row in MANY]
    found = read(written(tmp_path, rows, indent=indent), task_name="t").train
    assert [(e.text, e.label) for e in read_from(found) if e] == [(row["text"], row["label"]) for row in rows]


@pytest.mark.parametrize("end", ["", ",", ", 3]", "] 3", "]]"])
def test_an_array_that_does_not_end_well_is_refused(end: str, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(json.dumps(MANY)[:-1] + end, encoding="utf-8")
    with pytest.raises(DataError, match=r"rows\.json (is not valid JSON|must be a JSON object, but got '3')"):
        read(Data(path=str(tmp_path / "rows.json")), task_name="t")


def test_a_torn_file_is_located(tmp_path: Path) -> None:
    data = written(tmp_path, {"reviews": ROWS})
    path = Path(str(data.path))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"line 1 of reviews\.json is not valid JSON"):
        read(data, task_name="t")
