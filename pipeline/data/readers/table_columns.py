"""The first rows of somebody's table, with every column as texts: enough to recognise what its columns are.

What is wrong with a table is said when a study reads it, by the readers that name the line.
"""

import csv
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.data.cells.columns import Wanted
from pipeline.data.cells.rows import as_text
from pipeline.data.readers.dialects import SEPARATORS, Dialect, dialect_of
from pipeline.data.readers.json_shapes import documents, field_of, names_of
from pipeline.data.readers.unpacking import table_suffix, unpacked
from pipeline.errors import DataError

ROWS = 5000  # looked at
_HEAD = 1 << 24  # bytes of a table of text
_TABLES = (".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq")


def table_columns(path: Path) -> dict[str, list[str | None]]:
    """By heading, the cells of the first rows; lists as Python writes them.

    Raises:
        DataError: there is no such file, or it is no table.
    """
    if not path.is_file():
        raise DataError(f"compare must be given a table, but there is no file {path}.")
    if table_suffix(path) not in _TABLES:
        raise DataError(f"compare must be given a table, but {path.name} is none of {', '.join(_TABLES)}.")
    with unpacked(path, "compare") as plain:
        try:
            columns = _reader(plain)(plain)
        except (OSError, ValueError, RecursionError, csv.Error) as error:
            raise DataError(f"compare must be given a table, but {path} cannot be read as one: {error}.") from error
    if not columns or not any(columns.values()):
        raise DataError(f"compare must be given a table with rows, but {path} has none.")
    return columns


def _reader(path: Path) -> Callable[[Path], dict[str, list[str | None]]]:
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        return _parquet
    return _json if suffix in (".json", ".jsonl", ".ndjson") else _delimited


def _delimited(path: Path) -> dict[str, list[str | None]]:
    with open(path, "rb") as file:
        head = file.read(_HEAD).decode("utf-8-sig", errors="replace")
    if len(head) >= _HEAD // 4:
        head = head[: head.rfind("\n") + 1]  # the last line may be cut
    dialect = _dialect(head)
    lines = dialect.rows(head)
    names = next(lines, [])
    rows = [line for line in itertools.islice(lines, ROWS) if len(line) >= len(names)]
    return {name: [line[at] for line in rows] for at, name in enumerate(names) if name}


def _dialect(head: str) -> Dialect:
    """The dialect in which the first lines have the most fields, as many in each."""
    first = next((line for line in head.splitlines() if line.strip()), "")
    candidates = [
        dialect_of(head, _asking(first.split(separator)), preferred=(separator, *SEPARATORS))
        for separator in SEPARATORS
        if separator in first
    ]
    return max(candidates, key=lambda dialect: _alike(dialect, head), default=Dialect(separator=","))


def _asking(names: Sequence[str]) -> Wanted:
    return Wanted(fields={}, field="compare", where={name.strip(" \"'"): "" for name in names})


def _alike(dialect: Dialect, head: str) -> int:
    try:
        widths = [len(line) for line in itertools.islice(dialect.rows(head), 50) if line]
    except csv.Error:
        return 0
    return widths[0] if widths and sum(width == widths[0] for width in widths) > 0.9 * len(widths) else 0


def _parquet(path: Path) -> dict[str, list[str | None]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        batch = next(file.iter_batches(batch_size=ROWS), None)
        return _of_rows(batch.to_pylist() if batch else [])


def _json(path: Path) -> dict[str, list[str | None]]:
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        if path.suffix.lower() != ".json":
            return _of_rows([json.loads(line) for line in itertools.islice(file, ROWS) if line.strip()])
        values = documents(file.read())
    return _of_rows(list(itertools.islice(_rows(values[0] if len(values) == 1 else values), ROWS)))


def _rows(document: Any) -> Iterable[Any]:
    """The rows of a JSON document: an array, the longest array within an object, or columns as pandas writes them."""
    if isinstance(document, list):
        return document
    tables = [value for value in document.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if tables:
        return max(tables, key=len)
    columns = {name: list(v.values()) if isinstance(v, dict) else v for name, v in document.items()}
    lists = {name: values for name, values in columns.items() if isinstance(values, list)}
    return [dict(zip(lists, row, strict=False)) for row in zip(*lists.values(), strict=False)]


def _of_rows(rows: Sequence[Any]) -> dict[str, list[str | None]]:
    given = [row for row in rows if isinstance(row, Mapping)]
    names = dict.fromkeys(name for row in given for name in names_of(dict(row)))
    columns = {name: [field_of(dict(row), name) for row in given] for name in names}
    plain = {name: cells for name, cells in columns.items() if not any(isinstance(c, dict) for c in cells)}
    return {name: [_text(cell, name) for cell in cells] for name, cells in plain.items()}


def _text(cell: object, name: str) -> str | None:
    return str(cell) if isinstance(cell, list) else as_text(cell, repr(name))
