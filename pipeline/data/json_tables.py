"""JSON lines, JSON arrays, and JSON objects that hold a list of rows, read strictly: every error names its place."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.data.arrow_readers import json_lines
from pipeline.data.intents import holds_intents, read_intents
from pipeline.data.columns import Wanted
from pipeline.data.rows import Rows, Value, cell, texts_or_lists
from pipeline.data.text_tables import read_utf8
from pipeline.errors import DataError

_Placed = Iterator[tuple[str, Any]]  # where a row stands, for messages, and the row


def read_json(path: Path, ask: Wanted, field: str) -> Rows:
    """The wanted columns of JSON lines (one object a line), or of a JSON file. Arrow reads lines where it can.

    A file holds an array of objects, an object with such an array under one of its names, or intents (`intents.py`).

    Raises:
        DataError: a row is not a JSON object, a column is missing everywhere, or it is open which array is meant.
    """
    if path.suffix.lower() != ".json" and (found := json_lines(path, ask)) is not None:
        return found
    text = read_utf8(path, field)
    whole = _whole(text, path, field) if path.suffix.lower() == ".json" else None
    if holds_intents(whole):
        return read_intents(whole, path, ask, field)
    if isinstance(whole, list):
        return _rows(_numbered(whole, path.name), path.name, ask, field)
    arrays = _arrays(whole)
    if not arrays:
        return _rows(_lines(text, path, field), path.name, ask, field)
    name = _wanted(arrays, path, ask, field)
    where = f"{name!r} in {path.name}"
    return _rows(_numbered(arrays[name], where), where, ask, field)


def _whole(text: str, path: Path, field: str) -> Any:
    """The file as one value; None where it is lines of values, or torn."""
    if text.lstrip().startswith("["):
        return _parsed(text, path.name, field)
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None  # the lines are read one by one, and the first that cannot be is named


def _arrays(whole: Any) -> dict[str, list[dict[str, Any]]]:
    """The arrays of objects that an object holds, by name."""
    return {
        name: rows
        for name, rows in (whole.items() if isinstance(whole, dict) else ())
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)
    }


def _wanted(arrays: dict[str, list[dict[str, Any]]], path: Path, ask: Wanted, field: str) -> str:
    """The name of the array that has the wanted columns; where none has, of the longest, whose columns are reported."""
    fitting = [name for name, rows in arrays.items() if {c for row in rows for c in row}.issuperset(ask.columns)]
    if len(fitting) > 1:
        raise DataError(
            f"{field} must hold one array with the columns {', '.join(ask.columns)}, but {path.name} holds "
            f"{len(fitting)}: {', '.join(repr(name) for name in fitting)}. Save the rows as a file of their own."
        )
    return fitting[0] if fitting else max(arrays, key=lambda name: len(arrays[name]))


def _rows(found: _Placed, where: str, ask: Wanted, field: str) -> Rows:
    rows: dict[str, list[Value]] = {name: [] for name in ask.columns}
    seen: dict[str, None] = {}
    for place, row in found:
        if not isinstance(row, dict):
            raise DataError(f"{field}: {place} must be a JSON object, but got {str(row)[:60]!r}.")
        seen.update(dict.fromkeys(row))
        for name, values in rows.items():
            values.append(cell(ask, name, row.get(name), place))
    ask.check(seen, where)
    return texts_or_lists(rows, ask)


def _lines(text: str, path: Path, field: str) -> _Placed:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"line {number} of {path.name}", _parsed(line, f"line {number} of {path.name}", field)


def _numbered(rows: list[Any], where: str) -> _Placed:
    for number, row in enumerate(rows, start=1):
        yield f"row {number} of {where}", row


def _parsed(text: str, place: str, field: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(
            f"{field}: {place} is not valid JSON ({error}). "
            f"Correct it there, or fetch the file again if it was cut short."
        ) from error
