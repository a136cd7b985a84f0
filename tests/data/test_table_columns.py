"""Every column of a table as texts, whatever format and dialect it is in."""

import gzip
import json
from pathlib import Path

import pytest

from pipeline.data.readers.table_columns import table_columns
from pipeline.errors import DataError

ROWS = [{"text": "good, but long", "stars": 5, "sure": True}, {"text": "bad", "stars": 1, "sure": False}]
COLUMNS = {"text": ["good, but long", "bad"], "stars": ["5", "1"], "sure": ["true", "false"]}


def test_text_tables_in_every_dialect(tmp_path: Path) -> None:
    for separator in (",", ";", "\t", "|"):
        path = tmp_path / "table.csv"
        lines = [("text", "stars", "sure"), ('"good, but long"', "5", "true"), ("bad", "1", "false")]
        path.write_text("".join(separator.join(line) + "\r\n" for line in lines), encoding="utf-8")
        assert table_columns(path) == COLUMNS, separator


def test_packed_tables(tmp_path: Path) -> None:
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b'text,stars,sure\n"good, but long",5,true\nbad,1,false\n'))
    assert table_columns(path) == COLUMNS


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("a.json", json.dumps(ROWS)),
        ("a.json", json.dumps({"version": 1, "rows": ROWS})),
        ("a.json", json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]})),
        ("a.json", json.dumps({name: {str(i): row[name] for i, row in enumerate(ROWS)} for name in ROWS[0]})),
    ],
)
def test_json_in_its_shapes(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert table_columns(tmp_path / name) == COLUMNS


def test_fields_within_fields_have_a_dot_in_their_name(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"review": {"body": "good"}, "tags": ["a", "b"]}\n', encoding="utf-8")
    assert table_columns(tmp_path / "a.jsonl") == {"tags": ["['a', 'b']"], "review.body": ["good"]}


def test_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    assert table_columns(tmp_path / "a.parquet") == COLUMNS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", b"%PDF", "a.pdf is none of .csv"),
        ("a.csv", b"", "has none"),
        ("a.csv", b"text,stars\n", "has none"),
        ("a.json", b"{", "cannot be read as one"),
        ("a.parquet", b"PAR1 and no more", "cannot be read as one"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        table_columns(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file .*none\.csv"):
        table_columns(tmp_path / "none.csv")


def test_headings_in_latin_1_are_named_as_they_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("avaliação;nota\nótimo, mas caro;4\n".encode("latin-1"))
    assert table_columns(tmp_path / "a.csv") == {"avaliação": ["ótimo, mas caro"], "nota": ["4"]}


def test_a_backslash_before_a_quote(tmp_path: Path) -> None:
    lines = ["text,stars", *(f'"\\"good\\", they say, {i}",5' for i in range(3))]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    assert table_columns(tmp_path / "a.csv")["text"] == [f'"good", they say, {i}' for i in range(3)]


def test_the_parts_of_a_table_stand_together_with_what_their_folders_say(tmp_path: Path) -> None:
    for i, label in enumerate(("neg", "pos")):
        folder = tmp_path / f"label={label}"
        folder.mkdir()
        (folder / f"part-{i}.csv").write_text(f"text\nfirst of {label}\nsecond of {label}\n", encoding="utf-8")
    (tmp_path / "_SUCCESS").touch()
    found = table_columns(tmp_path)
    assert found["text"] == ["first of neg", "second of neg", "first of pos", "second of pos"]
    assert found["label"] == ["neg", "neg", "pos", "pos"]


def test_a_folder_of_texts_for_each_class(tmp_path: Path) -> None:
    for label in ("neg", "pos"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.txt").write_text(f"a text that is {label}", encoding="utf-8")
    assert table_columns(tmp_path) == {"text": ["a text that is neg", "a text that is pos"], "label": ["neg", "pos"]}
    with pytest.raises(DataError, match="a directory with the parts of one"):
        table_columns(tmp_path / "neg")
