"""Tables that are packed, that lie in parts, and numbers as other countries write them."""

import bz2
import csv
import gzip
import json
import lzma
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.schema import Data, Task
from pipeline.data.examples import examples
from pipeline.data.fingerprint import data_fingerprint
from pipeline.data.readers.sources import read
from pipeline.errors import DataError
from tests import tiny

ROWS = tiny.rows(60)


def lines(rows: Sequence[tuple[str, str]] = ROWS) -> bytes:
    return "".join(json.dumps({"review": text, "stars": label}) + "\n" for text, label in rows).encode()


def data(path: Path) -> Data:
    return Data(path=str(path), text="review", label="stars")


def texts(path: Path) -> list[str]:
    return [str(text) for text in read(data(path), task_name="t").train.table.column("text").to_pylist()]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("named", [True, False])
def test_packed_files_are_read_whatever_their_name(pack: Callable[[bytes], bytes], named: bool, tmp_path: Path) -> None:
    ending = {gzip.compress: ".gz", bz2.compress: ".bz2", lzma.compress: ".xz"}[pack] if named else ""
    table = tiny.write_csv(tmp_path / "plain.csv", ROWS).read_bytes()
    for name, content in {"a.csv": table, "b.jsonl": lines(), "c.csv": table.decode().encode("utf-16")}.items():
        path = tmp_path / f"{name}{ending}"
        path.write_bytes(pack(content))
        assert texts(path) == [text for text, _ in ROWS]


@pytest.mark.parametrize("damage", [lambda packed: packed[:-200], lambda packed: packed[:40] + bytes(40) + packed[80:]])
def test_a_torn_archive_is_refused(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl.gz"
    path.write_bytes(damage(gzip.compress(lines())))
    with pytest.raises(DataError, match=r"reviews\.jsonl\.gz cannot be unpacked .*It is torn"):
        texts(path)


def parted(folder: Path, names: Sequence[str], write: Callable[[Path, Sequence[tuple[str, str]]], object]) -> Path:
    folder.mkdir()
    for at, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name, ROWS[20 * at : 20 * at + 20])
        (folder / f".{Path(name).name}.crc").write_bytes(b"crc\0\xff")
    (folder / "_SUCCESS").touch()
    return folder


def packed_table(path: Path, rows: Sequence[tuple[str, str]]) -> None:
    path.write_bytes(gzip.compress(tiny.write_csv(path.with_suffix(""), rows).read_bytes()))
    path.with_suffix("").unlink()


def parquet(path: Path, rows: Sequence[tuple[str, str]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [[value.encode() for value in column] for column in zip(*rows, strict=True)]
    pq.write_table(pa.table(dict(zip(("review", "stars"), columns, strict=True))), path)


PARTS = {
    "Spark's CSV": (tiny.write_csv, "part-0000{}-2f1c.csv"),
    "packed": (packed_table, "part-0000{}-2f1c.csv.gz"),
    "JSON": (lambda path, rows: path.write_bytes(lines(rows)), "part-0000{}-2f1c.json"),
    "Parquet of bytes": (parquet, "part-0000{}-2f1c.snappy.parquet"),
    "numbered": (parquet, "train-0000{}-of-00003.parquet"),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_folder_of_parts_is_one_table(name: str, tmp_path: Path) -> None:
    write, pattern = PARTS[name]
    folder = parted(tmp_path / "out.table", [pattern.format(at) for at in range(3)], write)
    (folder / f"part-00009-2f1c{Path(pattern).suffix}").touch()  # a worker that had no rows
    if name == "numbered":
        (folder / "part-00009-2f1c.parquet").unlink()
    assert texts(folder) == [text for text, _ in ROWS]
    before = data_fingerprint(Task(data=data(folder)))
    next(iter(sorted(folder.glob("[pt]*0000*")))).unlink()
    assert data_fingerprint(Task(data=data(folder))) != before


def test_folders_may_hold_the_values_of_a_column(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for label in tiny.LABELS:
        part = tmp_path / "out" / f"stars={label}" / "part-0.parquet"
        part.parent.mkdir(parents=True)
        pq.write_table(pa.table({"review": [text for text, of in ROWS if of == label]}), part)
    found = read(data(tmp_path / "out"), task_name="t")
    pairs = zip(*(found.train.table.column(name).to_pylist() for name in ("text", "label")), strict=True)
    assert sorted(pairs) == sorted(ROWS)


def test_a_folder_of_several_tables_is_refused(tmp_path: Path) -> None:
    parted(tmp_path / "out", ["train.csv", "test.csv"], tiny.write_csv)
    with pytest.raises(DataError, match=r"holds several \(test\.csv, train\.csv\)\. Set task\.data\.path to"):
        texts(tmp_path / "out")


def test_a_part_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    folder = parted(tmp_path / "out", ["part-0.csv"], tiny.write_csv)
    outside = tiny.write_csv(tmp_path / "secret.csv", ROWS)
    (folder / "part-1.csv").symlink_to(outside)
    with pytest.raises(DataError, match=r"part-1\.csv is a link out of"):
        texts(folder)


NUMBERS = {
    "points": (["1.5", "3.25", "5"], (0, 5), [0.3, 0.65, 1]),
    "commas": (["1,5", "3,25", "5"], (0, 5), [0.3, 0.65, 1]),
    "three decimals": (["1,500", "3,250", "5,000"], (0, 5), [0.3, 0.65, 1]),
    "thousands": (["1,500", "3,250", "5,000"], (0, 5000), [0.3, 0.65, 1]),
    "small ones with a comma": (["0,500", "3,250", "5,000"], (0, 5000), [0.0001, 0.00065, 0.001]),
    "thousands and decimals": (["1,500.0", "3,250.00", "500"], (0, 5000), [0.3, 0.65, 0.1]),
    "the other way round": (["1.500,0", "3.250,00", "500"], (0, 5000), [0.3, 0.65, 0.1]),
    "blanks between thousands": (["1 500,0", "3\u00a0250", "4'500"], (0, 5000), [0.3, 0.65, 0.9]),
    "exponents": (["1.5e0", "325e-2", "+5"], (0, 5), [0.3, 0.65, 1]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_read_as_they_are_meant(name: str, tmp_path: Path) -> None:
    written, scale, shares = NUMBERS[name]
    with open(tmp_path / "pairs.csv", "w", newline="", encoding="utf-8") as file:
        rows = [(f"one {i}", f"other {i}", number) for i, number in enumerate(written)]
        csv.writer(file, delimiter=";").writerows([("text", "other", "rating"), *rows])
    given = Data(path=str(tmp_path / "pairs.csv"), label=None, second="other", score="rating", scale=scale)
    assert read(given, task_name="t").train.table.column("score").to_pylist() == shares
    with pytest.raises(DataError, match=r"score must hold numbers from 6000 to 7000"):
        read(replace(given, scale=(6000, 7000)), task_name="t")


@pytest.mark.parametrize("wrong", ["good", "1_000", "inf", "1,2,3", "1.2.3", "12,34,567"])
def test_what_is_no_number_is_refused(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(f'text,other,rating\na,b,1\nc,d,"{wrong}"\n', encoding="utf-8")
    given = Data(path=str(tmp_path / "pairs.csv"), label=None, second="other", score="rating", scale=(0, 10**9))
    with pytest.raises(DataError, match=r"score must hold numbers .* column 'rating' has"):
        read(given, task_name="t")


def test_the_last_look_names_rows_and_range_where_there_are_no_classes(tmp_path: Path) -> None:
    with open(tmp_path / "pairs.csv", "w", newline="", encoding="utf-8") as file:
        rows = [(text, f"other {i}", f"{i % 9},5") for i, (text, _) in enumerate(ROWS)]
        csv.writer(file).writerows([("text", "other", "rating"), *rows])
    given = Data(path=str(tmp_path / "pairs.csv"), label=None, second="other", score="rating", scale=(0, 10))
    found = examples(Task(name="t", kind="similarity", metric="spearman", data=given))
    assert found.look == ("60 rows with numbers from 0.5 to 8.5.", "Column 'rating' has a decimal comma.")
    plain = replace(given, second=None, score=None)
    assert examples(Task(name="t", kind="causal_language_modelling", data=plain)).look == ("60 rows with a text.",)
