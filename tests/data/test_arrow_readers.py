"""Arrow reads what the strict readers read, and nothing that they refuse."""

import json
from pathlib import Path

import pytest

from pipeline.config.schema import Data
from pipeline.data.readers import json_tables, text_tables
from pipeline.data.readers.arrow_readers import delimited, json_lines
from pipeline.data.readers.dialects import Dialect
from pipeline.data.readers.sources import read
from pipeline.data.table_cells.columns import wanted
from pipeline.errors import DataError
from tests.examples_kit import read_from

ASK = wanted(Data(), "task.data")
COMMAS = Dialect(separator=",")
SOUND = {
    "plain": "text,label\ngood,1\nbad,0\n",
    "quoted": 'text,label\n"good, really",1\n"a ""fine"" one\r\nof two lines",0\n',
    "quotes within": 'text,label\na 5" disk,1\nsay "yes",0\n',
    "empty lines and fields": "text,label\n\ngood,\n,1\n\n",
    "another order, and a column more": "n, label ,text\r\n1,1,good\r\n2,0,bad\r\n",
    "a mark at the start": "\ufefftext,label\ngood,1\nbad,0",
    "numbers and dates": "text,label\n2020-01-01,1.0\n007,true\n",
}
WRONG = {
    "text after a quote": 'text,label\n"good"ly,1\n',
    "a quote that never ends": 'text,label\n"good,1\nbad,0\n',
    "a field too many": "text,label\ngood,really,1\n",
    "a zero byte": "text,label\ngo\0od,1\n",
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_table_is_read_as_line_by_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(SOUND[name], encoding="utf-8", newline="")
    found = delimited(path, ASK, COMMAS)
    assert found is not None
    assert found.to_pydict() == text_tables._strictly(path, ASK, "task.data.path", COMMAS).to_pydict()


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_left_to_the_reader_that_names_the_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(WRONG[name], encoding="utf-8", newline="")
    assert delimited(path, ASK, COMMAS) is None
    with pytest.raises(DataError, match=r"line \d|byte \d+"):
        read(Data(path=str(path)), task_name="t")


def test_bare_quotes_of_a_tsv_stand_for_themselves(tmp_path: Path) -> None:
    path = tmp_path / "reviews.tsv"
    path.write_text('text\tlabel\n"good\t1\n"bad\t0\n', encoding="utf-8")
    assert [e.text for e in read_from(read(Data(path=str(path)), task_name="t").train) if e] == ['"good', '"bad']


@pytest.mark.parametrize(
    ("labels", "quick"),
    [
        (["1", "0"], True),
        ([1, 0], True),
        ([True, False], True),
        ([1.5, 2], True),
        (["2020-01-01", "2021-01-01"], True),
        ([1, "0"], False),  # a column that changes its type half-way
        ([2**60, 0.5], False),
    ],
)
def test_lines_of_json_are_read_as_one_by_one(labels: list[object], quick: bool, tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    lines = [json.dumps({"n": [i], "text": f"text {i}", "label": label}) for i, label in enumerate(labels)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    slowly = json_tables._rows(lambda: json_tables._lines("\n".join(lines), path, "f"), path.name, ASK, "f").to_pydict()
    found = json_lines(path, ASK)
    assert (found is not None) == quick
    assert found is None or found.to_pydict() == slowly
    assert json_tables.read_json(path, ASK, "f").to_pydict() == slowly


def test_a_list_where_a_text_should_be_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    path.write_text('{"text": "good", "label": []}\n{"text": "bad", "label": ["a"]}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"line 1 of reviews\.jsonl, 'label' must hold one text or number a row"):
        read(Data(path=str(path)), task_name="t")


def test_a_column_that_every_line_lacks_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    path.write_text('{"text": "good", "lable": "1"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"asks for a column 'label', but reviews\.jsonl has none\. .*'lable'"):
        read(Data(path=str(path)), task_name="t")
