"""JSON lines, and JSON files that hold a table, read strictly: every error names its place."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.data.readers.arrow_readers import json_lines
from pipeline.data.readers.intents import holds_intents, read_intents
from pipeline.data.readers.json_arrays import json_array
from pipeline.data.readers.json_shapes import RepeatedNameError, documents, field_of, names_of, parsed, rows_in
from pipeline.data.readers.text_tables import read_utf8
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.rows import Rows, Value, cell, texts_or_lists
from pipeline.errors import DataError

_LONGEST = 8 << 20  # bytes of a line
_Placed = Iterator[tuple[str, Any]]  # where a row stands, for messages, and the row


def read_json(path: Path, ask: Wanted, field: str) -> Rows:
    """The wanted columns of JSON lines (one object a line), or of a JSON file. Arrow reads lines where it can.

    A file holds a table in one of the shapes of `json_shapes.py`, or intents (`intents.py`). An array is decoded object
    by object; other shapes, and the search for what is wrong, hold the whole file in memory.

    Raises:
        DataError: a row is not a JSON object, a column is missing everywhere, or it is open which array is meant.
    """
    if _may_be_lines(path) and (by_line := json_lines(path, ask)) is not None:
        return by_line
    if (rows_of_array := json_array(path, ask)) is not None:
        return rows_of_array
    text = read_utf8(path, field)
    whole = _whole(text, path, field)
    if holds_intents(whole):
        return read_intents(whole, path, ask, field)
    table = rows_in(whole, ask, path.name, field)
    if table is None:
        return _rows(lambda: _lines(text, path, field), path.name, ask, field)
    rows, place = table
    return _rows(lambda: _numbered(rows, place), place, ask, field)


def _may_be_lines(path: Path) -> bool:
    """Whether a file holds one object a line: its name says so, or its first line is an object and another follows."""
    if path.suffix.lower() != ".json":
        return True
    try:
        with open(path, "rb") as file:
            first, second = file.readline(_LONGEST), file.read(1)
    except OSError:
        return False  # said when it is read
    return first.startswith(b"{") and first.rstrip().endswith(b"}") and second == b"{"


def _whole(text: str, path: Path, field: str) -> Any:
    """The file as one value, a list of objects that stand on several lines each; None where it is lines, or torn."""
    if text.lstrip().startswith("["):
        return _parsed(text, path.name, field)
    head = text.lstrip().partition("\n")[0].strip()
    try:
        return parsed(text)
    except RepeatedNameError as error:
        if not head.endswith("}"):
            raise _invalid(path.name, error, field) from error
        return None
    except (ValueError, RecursionError):
        if head != "{":
            return None  # the lines are read one by one, and the first that cannot be is named
    try:
        return documents(text)
    except (ValueError, RecursionError):
        return None


def _rows(placed: Callable[[], _Placed], where: str, ask: Wanted, field: str) -> Rows:
    """The wanted columns of the rows, which are gone through again if a column has another name than was asked for."""
    called = {column: column for column in ask.columns}
    depth = 2 if any("." in column for column in ask.columns) else 0
    while True:
        rows: dict[str, list[Value]] = {column: [] for column in called}
        seen: dict[str, None] = {}
        for place, row in placed():
            if not isinstance(row, dict):
                raise DataError(f"{field}: {place} must be a JSON object, but got {str(row)[:60]!r}.")
            seen.update(dict.fromkeys(names_of(row, depth)))
            for column, name in called.items():
                rows[column].append(cell(ask, column, field_of(row, name), place))
        names = list(seen)
        columns = {column: names[at] for column, at in ask.located(names, where).items()}
        if columns == called:
            return texts_or_lists(rows, ask)
        called = columns


def _lines(text: str, path: Path, field: str) -> _Placed:
    for number, line in enumerate(text.split("\n"), start=1):
        if line := line.strip(" \t\r\ufeff"):  # a mark stands at the start of each file that was joined to others
            yield f"line {number} of {path.name}", _parsed(line, f"line {number} of {path.name}", field)


def _numbered(rows: list[Any], where: str) -> _Placed:
    for number, row in enumerate(rows, start=1):
        yield f"row {number} of {where}", row


def _parsed(text: str, place: str, field: str) -> Any:
    try:
        return parsed(text)
    except (ValueError, RecursionError) as error:
        raise _invalid(place, error, field) from error


def _invalid(place: str, error: Exception, field: str) -> DataError:
    return DataError(
        f"{field}: {place} is not valid JSON ({error}). Correct it there, or fetch the file again if it was cut short."
    )
