"""JSON files that hold an array of objects, decoded an object at a time, so that no file has to fit into memory."""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pipeline.data.example_table import BATCH
from pipeline.data.readers.json_shapes import field_of, members_of, names_of
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.rows import Rows, cell, texts_or_lists

_BLOCK = 1 << 20  # characters that are read at a time
_LONGEST = 8 << 20  # characters of an object
_BLANKS = " \t\r\n"  # of JSON
_BEFORE = {mark: re.compile(rf"[{_BLANKS}]*\{mark}[{_BLANKS}]*") for mark in "[,"}  # an object


def json_array(path: Path, ask: Wanted) -> Rows | None:
    """The wanted columns of a file that holds an array of objects, which may stand on several lines each.

    Returns:
        A table of texts, or None: where a file holds something else or is not as it should be, the strict reader says
        what, and where a column is spelt otherwise, it finds that out.

    Raises:
        DataError: a column is missing, or a value cannot be a cell.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            return _table(_objects(file), ask, path.name)
    except (OSError, ValueError, RecursionError):
        return None


def _table(objects: Iterator[dict[str, Any]], ask: Wanted, place: str) -> Rows | None:
    import pyarrow as pa

    depth = 2 if any("." in column for column in ask.columns) else 0
    names, tables, number = dict[str, None](), list[Any](), 0
    while some := list(itertools.islice(objects, BATCH)):
        names.update(dict.fromkeys(name for row in some for name in names_of(row, depth)))
        placed = [(f"row {at} of {place}", row) for at, row in enumerate(some, start=number + 1)]
        columns = {c: [cell(ask, c, field_of(row, c), where) for where, row in placed] for c in ask.columns}
        tables.append(texts_or_lists(columns, ask))
        number += len(some)
    called = list(names)
    if any(called[at] != column for column, at in ask.located(called, place).items()):
        return None
    alike = all(table.schema == tables[0].schema for table in tables)  # a column of labels may hold lists in some alone
    return pa.concat_tables(tables) if alike else None


def _objects(file: IO[str]) -> Iterator[dict[str, Any]]:
    """The objects in an array.

    Raises:
        ValueError: the text is not an array of objects, or one is very long.
    """
    decoder, mark, rest = json.JSONDecoder(object_pairs_hook=members_of), "[", ""
    while block := file.read(_BLOCK):
        rest, at = rest + block, 0
        while (before := _BEFORE[mark].match(rest, at)) and before.end() < len(rest):
            try:
                value, at = decoder.raw_decode(rest, before.end())
            except json.JSONDecodeError:  # the rest of it may follow in the next block
                break
            if not isinstance(value, dict):
                raise ValueError(f"{value!r} is no object")
            yield value
            mark = ","
        rest = rest[at:]
        if len(rest) > _LONGEST:
            raise ValueError("an object is very long, or not JSON")
    if mark == "[" or rest.strip(_BLANKS) != "]":
        raise ValueError("the array does not end")
