"""Rows of the wanted columns as Arrow tables of texts, whatever the source's own types are, and as examples."""

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from pipeline.data.example_table import mapped
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.decimals import number_of
from pipeline.data.table_cells.reading import Reading
from pipeline.data.table_cells.spelling import BLANK, NO_TEXT, bare, label_value, value_of
from pipeline.data.table_cells.times import time_column
from pipeline.errors import DataError, nearest
from pipeline.tasks import TEXTS

Value = str | list[str] | None  # of a cell; several in a column of labels
Rows = Any  # an Arrow table of the wanted columns: texts, or lists of texts in a column of labels


def cell(ask: Wanted, column: str, value: Any, place: str) -> Value:
    """A cell of a typed table as text, see `as_text`; a list of labels as a list of texts, a list of one as that.

    A list of words is a text of them, unless it has one label; a blank within a word becomes a no-break space.
    """
    place = f"{place}, {column!r}"
    if column == ask.fields.get("labels") and isinstance(value, list | tuple):
        return [as_text(_only_field(one), place) or "" for one in value]
    if column == ask.fields.get("text") and isinstance(value, list | tuple) and "label" not in ask.fields:
        return " ".join("\u00a0".join((as_text(one, place) or "").split()) for one in value)
    if column == ask.fields.get("label") and isinstance(value, list | tuple) and len(value) == 1:
        return as_text(_only_field(value[0]), place)
    return as_text(value, place)


def as_text(value: Any, place: str) -> str | None:
    """A cell of a typed table as text: whole floats as integers, true and false as JSON has them, None where missing.

    Raises:
        DataError: the value is a list or another nested thing, or bytes that are no text.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")  # JSON can hold half a character
    if isinstance(value, bytes):
        return _decoded(value, place)
    if not isinstance(value, list | tuple | dict):
        return str(value)
    remedy = "For several labels a text: task=multi_label_classification."
    if isinstance(value, dict) and value:
        column = place.rpartition(", ")[2].strip("'\"")
        remedy = f"Name one of its fields: {', '.join(f'{column}.{name}' for name in list(value)[:10])}."
    raise DataError(
        f"{place} must hold one text or number a row, but got {type(value).__name__}: {str(value)[:60]!r}. {remedy}"
    )


def _only_field(value: Any) -> Any:
    """What stands in an object with a single field, {"name": "sports"}."""
    return next(iter(value.values())) if isinstance(value, dict) and len(value) == 1 else value


def _decoded(value: bytes, place: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{place} must hold text, but got bytes that are not UTF-8: {value[:40]!r}. Save the column as text."
        ) from error


def examples_of(rows: Rows, ask: Wanted, reading: Reading) -> Any:
    """The rows as an Arrow table of examples: a column for each field, "group" and "time"; null where
    something is missing.

    Raises:
        DataError: a number is none, or not on its scale.
    """
    import pyarrow as pa

    text = pa.string()
    read: dict[str, Callable[[Any], Any]] = {
        **dict.fromkeys(TEXTS, _text_column),
        "label": lambda column: mapped(column, reading.label, text),
        "score": lambda column: mapped(column, lambda value: on_scale(value, ask, reading), pa.float64()),
        "labels": lambda column: _labels_column(column, reading),
        "group": lambda column: mapped(column, label_value, text),
        "time": time_column,
    }
    asked = ask.fields | ({"group": ask.group} if ask.group else {}) | ({"time": ask.time} if ask.time else {})
    return pa.table({name: read[name](rows.column(column)) for name, column in asked.items()})


def _text_column(column: Any) -> Any:
    """Texts, or null where nothing stands in them; what a table writes for "not a number" counts as nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    missing, none, chunks = pa.array(sorted(NO_TEXT), column.type), pa.scalar(None, column.type), []
    for chunk in column.chunks:
        nothing = pc.is_in(pc.utf8_trim(chunk, BLANK), value_set=missing)
        chunks.append(pc.if_else(nothing, none, chunk) if nothing.true_count else chunk)
    return pa.chunked_array(chunks, column.type)


def _labels_column(column: Any, reading: Reading) -> Any:
    import pyarrow as pa

    kind = pa.list_(pa.string())
    if not pa.types.is_list(column.type):
        return mapped(column.fill_null(""), reading.labels, kind)
    return pa.chunked_array(
        [pa.array([reading.labels(v) for v in chunk.to_pylist()], kind) for chunk in column.chunks], kind
    )


def on_scale(value: str | None, ask: Wanted, reading: Reading) -> float | None:
    """A number as a share of its scale, to six digits; None where it is missing.

    Raises:
        DataError: it is none, or not on the scale.
    """
    text = value_of(value)
    if text is None:
        return None
    low, high = ask.scale
    share = (number_of(text, reading.mark) - low) / (high - low)
    if not 0 <= share <= 1:
        raise DataError(
            f"{ask.field}.score must hold numbers from {low:g} to {high:g}, but column {ask.fields['score']!r} has "
            f"{text[:60]!r}. Set {ask.field}.scale=[LEAST,GREATEST], or another column."
        )
    return float(f"{share:.6g}")


def without_headings(rows: Rows) -> Rows:
    """The rows that do not name their columns once more, as the heading of a file that was joined to another does."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = [name for name in reversed(rows.column_names) if pa.types.is_string(rows.column(name).type)]
    if len(texts) < 2:  # of a single column, its name may be a text like others
        return rows
    again: Any = None
    for name in texts:
        cells = pc.utf8_lower(pc.utf8_trim(rows.column(name), BLANK))
        same = pc.equal(cells, bare(name).lower()).fill_null(False)
        again = same if again is None else pc.and_(again, same)
        if not pc.any(again).as_py():
            return rows
    return rows.filter(pc.invert(again))


def filtered(rows: Rows, ask: Wanted, place: str) -> Rows:
    """The rows whose columns have the values in `where`, or one of several with "|" between them.

    Raises:
        DataError: no row has a value; the message names the nearest.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for column, value in ask.where.items():
        texts = _texts(rows.column(column))
        values = mapped(texts, label_value, pa.string())
        there = set(values.unique().to_pylist())
        asked = [value] if label_value(value) in there else value.split("|")
        absent = next((one for one in asked if label_value(one) not in there), None)
        if absent is not None and len(values):
            common = [str(v) for v, _ in Counter(texts.to_pylist()).most_common(20)]
            raise DataError(
                f"{ask.field}.where.{column}={absent} must match some rows, but none of {place} does. "
                f"{nearest(absent, common)}"
            )
        rows = rows.filter(pc.is_in(values, value_set=pa.array([label_value(one) for one in asked], pa.string())))
    return rows


def texts_or_lists(rows: dict[str, list[Value]], ask: Wanted) -> Rows:
    """The rows as a table; a column of labels holds lists where any value of it is one."""
    import pyarrow as pa

    def column(name: str, values: list[Value]) -> Any:
        if not any(isinstance(value, list) for value in values):
            return pa.array(values, pa.string())
        return pa.array([_listed(value, ask) for value in values], pa.list_(pa.string()))

    return pa.table({name: column(name, values) for name, values in rows.items()})


def _listed(value: Value, ask: Wanted) -> list[str] | None:
    if not isinstance(value, str):
        return value
    return re.findall(ask.pattern, value) if ask.pattern else value.split(ask.separator)


def _texts(column: Any) -> Any:
    """The column, or one in which all is missing if it holds lists."""
    import pyarrow as pa

    return column if pa.types.is_string(column.type) else pa.chunked_array([pa.nulls(len(column), pa.string())])
