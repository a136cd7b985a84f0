"""The first rows of somebody's table, with every column as texts: enough to recognise what its columns are.

What is wrong with a table is said when a study reads it, by the readers that name the line.
"""

import codecs
import csv
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.data.readers.dialects import SEPARATORS, Dialect, dialect_of
from pipeline.data.readers.json_shapes import documents, field_of, names_of
from pipeline.data.readers.locate import folder_files
from pipeline.data.readers.part_files import part_files
from pipeline.data.readers.unpacking import table_suffix, unpacked
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.rows import as_text
from pipeline.errors import DataError

Columns = dict[str, list[str | None]]  # cells by heading
ROWS = 5000  # looked at
_HEAD = 1 << 24  # bytes of a table of text
_TABLES = (".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq")


def table_columns(path: Path) -> Columns:
    """By heading, the cells of the first rows; lists as Python writes them.

    Args:
        path: a file, a folder with the parts of one table, or one with a folder of texts for each class.

    Raises:
        DataError: there is nothing there, or it is no table.
    """
    if path.is_dir():
        return _together(path) or _classes(path)
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


def _together(root: Path) -> Columns:
    """The columns of a table in parts, with those that its folders' names hold."""
    columns: Columns = {}
    for part in part_files(root, "task.data.path"):
        own = table_columns(part.path)
        own |= {name: [value] * len(next(iter(own.values()))) for name, value in part.columns.items()}
        columns = {name: [*columns.get(name, ()), *cells] for name, cells in own.items()}
        if len(next(iter(columns.values()))) >= ROWS:
            break
    return columns


def _classes(root: Path) -> Columns:
    """Texts and the names of their folders, which are their labels; of each folder as many."""
    folders = folder_files(root, "task.data.path")
    looked = [path for paths in folders.values() for path in paths[: max(1, ROWS // len(folders))]]
    texts: list[str | None] = [path.read_text(encoding="utf-8-sig", errors="replace") for path in looked]
    return {"text": texts, "label": [path.parent.name for path in looked]}


def _reader(path: Path) -> Callable[[Path], Columns]:
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        return _parquet
    return _json if suffix in (".json", ".jsonl", ".ndjson") else _delimited


def _delimited(path: Path) -> Columns:
    with open(path, "rb") as file:
        head = _decoded(file.read(_HEAD))
    if len(head) >= _HEAD // 4:
        head = head[: head.rfind("\n") + 1]  # the last line may be cut
    dialect = _dialect(head)
    lines = dialect.rows(head)
    names = next(lines, [])
    rows = [line for line in itertools.islice(lines, ROWS) if len(line) >= len(names)]
    return {name: [line[at] for line in rows] for at, name in enumerate(names) if name}


def _decoded(head: bytes) -> str:
    """The text of a file whose last character may be cut; what a study reads must be UTF-8, as it says then."""
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return head.decode("cp1252", errors="replace")


def _dialect(head: str) -> Dialect:
    """The dialect in which the first lines have the most fields, as many in each."""
    first = next((line for line in head.splitlines() if line.strip()), "")
    candidates = [
        _readable(dialect_of(head, _asking(first.split(separator)), preferred=(separator, *SEPARATORS)), head)
        for separator in SEPARATORS
        if separator in first
    ]
    return max(candidates, key=lambda dialect: _alike(dialect, head), default=Dialect(separator=","))


def _readable(dialect: Dialect, head: str) -> Dialect:
    """The dialect, or the first of those near it in which the lines can be read."""
    return next((each for each in dialect.others(head, bare_quotes=True) if _alike(each, head)), dialect)


def _asking(names: Sequence[str]) -> Wanted:
    return Wanted(fields={}, field="compare", where={name.strip(" \"'"): "" for name in names})


def _alike(dialect: Dialect, head: str) -> int:
    try:
        widths = [len(line) for line in itertools.islice(dialect.rows(head), ROWS) if line]
    except csv.Error:
        return 0
    return widths[0] if widths and sum(width == widths[0] for width in widths) > 0.9 * len(widths) else 0


def _parquet(path: Path) -> Columns:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        batch = next(file.iter_batches(batch_size=ROWS), None)
        return _of_rows(batch.to_pylist() if batch else [])


def _json(path: Path) -> Columns:
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


def _of_rows(rows: Sequence[Any]) -> Columns:
    given = [row for row in rows if isinstance(row, Mapping)]
    names = dict.fromkeys(name for row in given for name in names_of(dict(row)))
    columns = {name: [field_of(dict(row), name) for row in given] for name in names}
    plain = {name: cells for name, cells in columns.items() if not any(isinstance(c, dict) for c in cells)}
    return {name: [_text(cell, name) for cell in cells] for name, cells in plain.items()}


def _text(cell: object, name: str) -> str | None:
    return str(cell) if isinstance(cell, list) else as_text(cell, repr(name))
