"""Examples in Arrow tables: read as records, a batch at a time, and written to disk likewise."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.example_table import ExampleTable, mapped
from pipeline.data.set_writer import SetWriter
from pipeline.data.sets import LabelledSet
from pipeline.tasks import FILLER, Encoded, Example
from tests.models.tiny_bases import tiny_tokenizer

EXAMPLES = [Example(text=f"text {i}", labels=("a", "b")[: i % 3]) for i in range(10)]


def table() -> ExampleTable:
    """The examples, of which Arrow holds several pieces, and a column that is none of theirs."""
    rows = [{"text": e.text, "labels": list(e.labels), "group": "g"} for e in EXAMPLES]
    return ExampleTable(pa.concat_tables([pa.Table.from_pylist(rows[:4]), pa.Table.from_pylist(rows[4:])]))


def test_rows_are_records_in_any_order() -> None:
    assert list(table()) == EXAMPLES
    assert table()[-1] == EXAMPLES[-1]
    assert list(table()[2:5]) == EXAMPLES[2:5]
    chosen = table().take(np.array([7, 2, 2, 9])).take(np.array([3, 0]))
    assert list(chosen) == [EXAMPLES[9], EXAMPLES[7]]
    assert len(chosen) == 2
    with pytest.raises(IndexError):
        table()[10]


@pytest.mark.parametrize("size", [1, 3, 4, 10, 100])
def test_batches_hold_every_row_once(size: int) -> None:
    batches = list(table().batches(size))
    assert [example for batch in batches for example in batch] == EXAMPLES
    assert max(map(len, batches)) <= size


def test_a_value_that_occurs_often_is_asked_for_once_in_each_piece() -> None:
    asked: list[str] = []

    def upper(value: str) -> str | None:
        asked.append(value)
        return value.upper() if value else None

    column = pa.chunked_array([["a", "b", "a", None], ["", "a"]])
    assert mapped(column, upper, pa.string()).to_pylist() == ["A", "B", "A", None, None, "A"]
    assert asked == ["a", "b", "", "a"]


def test_a_set_that_is_written_in_parts_is_the_set_written_at_once(tmp_path: Path) -> None:
    def written(name: str, size: int) -> str:
        with SetWriter(tmp_path, name, tiny_tokenizer()) as writer:
            for part in table().tables(size):
                some = list(ExampleTable(part))
                widest = max(len(e.labels) for e in some)
                beside = np.full((len(some), widest), FILLER, dtype=np.int32)
                for row, example in zip(beside, some, strict=True):
                    row[: len(example.labels)] = range(len(example.labels))
                ids = [np.arange(1 + int(e.text.split()[1]), dtype=np.int32) for e in some]
                writer.add(part, some, Encoded(ids=ids, truncated=1, beside={"classes": beside}))
            return writer.finish("train", LabelledSet(examples=table(), labels=np.zeros(10))).fingerprint

    assert written("whole", 10) == written("parts", 3)
    for part in ("ids", "offsets", "labels", "classes"):
        whole, parts = (np.load(tmp_path / f"{name}.{part}.npy", mmap_mode="r") for name in ("whole", "parts"))
        assert np.array_equal(whole, parts)
        assert whole.dtype == parts.dtype
