"""Columns of Parquet in the types that other programs write."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.schema import Data, Task
from pipeline.data.examples import examples
from pipeline.data.readers.sources import read
from pipeline.errors import DataError
from tests.examples_kit import read_from

TEXTS, LABELS = ["a good one", "a bad one", "naïve"], ["pos", "neg", "neg"]
Columns = dict[str, Any]


def written(path: Path, columns: Columns) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [name.removesuffix("2") for name in columns]  # so that one can stand there twice
    pq.write_table(pa.Table.from_arrays([pa.array(values) for values in columns.values()], names=names), path)
    return str(path)


def _typed(make: Callable[[Any], Columns]) -> Callable[[], Columns]:
    def columns() -> Columns:
        import pyarrow as pa

        return make(pa)

    return columns


READ: dict[str, Callable[[], Columns]] = {
    "bytes": _typed(lambda pa: {"text": [t.encode() for t in TEXTS], "label": [x.encode() for x in LABELS]}),
    "large bytes": _typed(
        lambda pa: {"text": pa.array([t.encode() for t in TEXTS], pa.large_binary()), "label": LABELS}
    ),
    "categories": _typed(lambda pa: {"text": TEXTS, "label": pa.array(LABELS).dictionary_encode()}),
    "categories of bytes": _typed(
        lambda pa: {"text": TEXTS, "label": pa.array([x.encode() for x in LABELS]).dictionary_encode()}
    ),
    "large texts": _typed(lambda pa: {"text": pa.array(TEXTS, pa.large_string()), "label": LABELS}),
    "views of texts": _typed(lambda pa: {"text": pa.array(TEXTS, pa.string_view()), "label": LABELS}),
    "lists of one": _typed(lambda pa: {"text": TEXTS, "label": [[x] for x in LABELS]}),
    "lists of one object": _typed(lambda pa: {"text": TEXTS, "label": [[{"name": x}] for x in LABELS]}),
    "other case": _typed(lambda pa: {"Text": TEXTS, "LABEL": LABELS}),
    "another column twice": _typed(lambda pa: {"text": TEXTS, "n": [1, 2, 3], "n2": [4, 5, 6], "label": LABELS}),
}


@pytest.mark.parametrize("name", READ)
def test_texts_and_labels_are_read_whatever_their_type(name: str, tmp_path: Path) -> None:
    found = read(Data(path=written(tmp_path / "rows.parquet", READ[name]())), task_name="t").train
    assert [(e.text, e.label) for e in read_from(found) if e] == list(zip(TEXTS, LABELS, strict=True))


VALUES: dict[str, tuple[list[Any], tuple[str, ...]]] = {
    "switches": ([True, False, True], ("false", "true")),
    "floats with gaps": ([1.0, None, 2.0], ("1", "2")),
    "not a number": ([1.0, float("nan"), 2.0], ("1", "2")),
    "fractions": ([0.5, 1.5, 0.5], ("0.5", "1.5")),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_are_classes_as_tables_of_text_spell_them(name: str, tmp_path: Path) -> None:
    values, classes = VALUES[name]
    path = written(tmp_path / "rows.parquet", {"text": TEXTS, "label": values})
    assert read(Data(path=path), task_name="t").labels == classes


REFUSED: dict[str, tuple[Columns, str]] = {
    "a column twice": ({"text": TEXTS, "label": LABELS, "label2": LABELS}, r"label=label must be one column, .* has 2"),
    "objects": ({"text": [{"en": t, "pt": t} for t in TEXTS], "label": LABELS}, r"its fields: text\.en, text\.pt\."),
    "lists of several": ({"text": TEXTS, "label": [["a", "b"]] * 3}, r"task=multi_label_classification"),
    "nothing but nulls": ({"text": TEXTS, "label": [None] * 3}, r"'label' is empty in every row that has a text"),
    "bytes of another encoding": ({"text": [b"caf\xe9"] * 3, "label": LABELS}, r"'text' must hold text, but got bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_with_the_remedy(name: str, tmp_path: Path) -> None:
    columns, message = REFUSED[name]
    with pytest.raises(DataError, match=message):
        examples(Task(name="t", data=Data(path=written(tmp_path / "rows.parquet", columns))))


def test_gaps_in_a_column_of_labels_are_counted(tmp_path: Path) -> None:
    labels = [None if i % 9 == 0 else float(i % 2) for i in range(90)]
    path = written(tmp_path / "rows.parquet", {"text": [f"text {i}" for i in range(90)], "label": labels})
    data = examples(Task(name="t", data=Data(path=path), deduplicate=False))
    assert data.look == ("2 classes in 80 rows: 0 (40), 1 (40).", "Rows without a label: 10, namely empty (10).")


def test_a_field_of_an_object_is_named_with_a_point(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.parquet", {"text": [{"en": t, "pt": "x"} for t in TEXTS], "label": LABELS})
    found = read(Data(path=path, text="text.en"), task_name="t").train
    assert [e.text for e in read_from(found) if e] == TEXTS


def test_texts_that_are_not_utf8_are_found_in_a_damaged_file(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": TEXTS, "label": LABELS}), path, compression="none", use_dictionary=False)
    path.write_bytes(path.read_bytes().replace("naï".encode(), b"na\xff\xff"))
    with pytest.raises(DataError, match=r"cannot be read as Parquet"):
        read(Data(path=str(path)), task_name="t")
