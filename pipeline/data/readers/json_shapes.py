"""The shapes in which one JSON document holds the rows of a table: an array of objects, and what pandas writes."""

import json
from collections.abc import Sequence
from typing import Any

from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.spelling import bare
from pipeline.errors import DataError


class RepeatedNameError(ValueError):
    """An object has two members of one name, of which JSON's readers keep the last without a word."""


def members_of(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object, for JSON's decoder.

    Raises:
        RepeatedNameError: two have one name.
    """
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RepeatedNameError(f"an object has the name {twice!r} twice")
    return members


def parsed(text: str) -> Any:
    """The value that a JSON text says.

    Raises:
        ValueError: it is none, or an object has a name twice.
        RecursionError: it is nested too deep.
    """
    return json.loads(text, object_pairs_hook=members_of)


def documents(text: str) -> list[Any]:
    """The values that stand one after the other, each on one line or on several.

    Raises:
        ValueError, RecursionError: as `parsed`.
    """
    decoder, values, at = json.JSONDecoder(object_pairs_hook=members_of), list[Any](), 0
    while at < len(text):
        if text[at].isspace() or text[at] == "\ufeff":
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        values.append(value)
    return values


def rows_in(document: Any, ask: Wanted, place: str, field: str) -> tuple[list[Any], str] | None:
    """The rows of a document and where they stand in it; None where it holds no table.

    An object may hold an array of objects under one of its names. Or it is a table as pandas writes it: its columns as
    arrays or as objects by row, its rows as objects by name, or "columns" and "data".

    Raises:
        DataError: it is open which array is meant.
    """
    if isinstance(document, list):
        return document, place
    if not isinstance(document, dict) or not document:
        return None
    for rows in (_of_columns(document, ask), _of_split(document), _of_named_rows(document)):
        if rows is not None:
            return rows, place
    arrays = {name: rows for name, rows in document.items() if _is_table(rows)}
    if not arrays:
        return None
    name = _array(arrays, place, ask, field)
    return arrays[name], f"{name!r} in {place}"


def field_of(row: dict[str, Any], name: str) -> Any:
    """What stands under a name, or within objects under names with dots between them: "review.body"."""
    if name in row or "." not in name:
        return row.get(name)
    outer, _, inner = name.partition(".")
    within = row.get(outer)
    return field_of(within, inner) if isinstance(within, dict) else None


def names_of(row: dict[str, Any], depth: int = 2) -> list[str]:
    """The names of a row, and of the objects within it: "review", "review.body"."""
    names = list(row)
    if depth:
        names += [
            f"{name}.{inner}"
            for name, value in row.items()
            if isinstance(value, dict)
            for inner in names_of(value, depth - 1)
        ]
    return names


def _is_table(rows: Any) -> bool:
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, dict) for row in rows)


def _of_columns(document: dict[str, Any], ask: Wanted) -> list[Any] | None:
    named = {bare(name).casefold(): values for name, values in document.items()}
    columns = {column: named.get(bare(column).casefold()) for column in ask.columns}
    objects = [values for values in columns.values() if isinstance(values, dict)]
    arrays = [values for values in columns.values() if isinstance(values, list)]
    if len(objects) == len(columns) and all(values.keys() == objects[0].keys() for values in objects):
        return [{c: values[key] for c, values in zip(columns, objects, strict=True)} for key in objects[0]]
    if len(arrays) == len(columns) and all(len(values) == len(arrays[0]) for values in arrays):
        return [dict(zip(columns, row, strict=True)) for row in zip(*arrays, strict=True)]
    return None


def _of_split(document: dict[str, Any]) -> list[Any] | None:
    names, rows = document.get("columns"), document.get("data")
    if not isinstance(names, list) or not isinstance(rows, list) or not all(isinstance(name, str) for name in names):
        return None
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows) or len(set(names)) < len(names):
        return None
    return [dict(zip(names, row, strict=True)) for row in rows]


def _of_named_rows(document: dict[str, Any]) -> list[Any] | None:
    rows = list(document.values())
    numbered = all(name.isdecimal() for name in document)
    alike = all(isinstance(row, dict) for row in rows)
    return rows if numbered and alike else None


def _array(arrays: dict[str, list[dict[str, Any]]], place: str, ask: Wanted, field: str) -> str:
    """The name of the array that has the wanted columns; where none has, of the longest, whose columns are reported."""
    wanted = {bare(column).casefold() for column in ask.columns}
    fitting = [
        name
        for name, rows in arrays.items()
        if {bare(column).casefold() for row in rows for column in names_of(row)} >= wanted
    ]
    if len(fitting) > 1:
        raise DataError(
            f"{field} must hold one array with the columns {', '.join(ask.columns)}, but {place} holds "
            f"{len(fitting)}: {', '.join(repr(name) for name in fitting)}. Save the rows as a file of their own."
        )
    return fitting[0] if fitting else max(arrays, key=lambda name: len(arrays[name]))
