"""Rows of the wanted columns as Arrow tables of texts, whatever the source's own types are, and as examples."""

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.config.schema import Data
from pipeline.data.example_table import mapped
from pipeline.errors import DataError, nearest
from pipeline.tasks import Field, columns

Value = str | list[str] | None  # of a cell; several in a column of labels
Rows = Any  # an Arrow table of the wanted columns: texts, or lists of texts in a column of labels

_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_MISSING = frozenset({"", "nan", "NaN"})
_BOOLEANS = frozenset(
    {"True", "TRUE", "False", "FALSE"}
)  # as Python and spreadsheets write what JSON calls true, false


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The columns that a task asks for; `field` is the setting they come from, such as "task.data"."""

    fields: dict[Field, str]  # the column of each field of an example
    field: str
    where: dict[str, str] = dataclasses.field(default_factory=dict)
    group: str | None = None  # None where rows are held out one by one
    scale: tuple[float, ...] = (0.0, 1.0)
    separator: str = ";"  # between labels that stand in one cell
    pattern: str | None = None  # of each of them instead
    names: tuple[tuple[str, str], ...] = ()  # of labels, instead of what stands there
    settings: dict[Field, str] = dataclasses.field(default_factory=dict)  # of columns, if not called like the field

    @property
    def columns(self) -> tuple[str, ...]:
        """Each column once."""
        return tuple(dict.fromkeys(column for _, column in self._asked))

    @property
    def classes(self) -> str | None:
        """The column of classes, whether an example has one or several."""
        return self.fields.get("label") or self.fields.get("labels")

    @property
    def _asked(self) -> list[tuple[str, str]]:
        """Each setting that asks for a column, and the column."""
        asked = [(self.settings.get(f, f"{self.field}.{f}"), column) for f, column in self.fields.items()]
        asked += [(f"{self.field}.group", self.group)] if self.group else []
        return asked + [(f"{self.field}.where.{column}", column) for column in self.where]

    def check(self, available: Iterable[str], place: str) -> None:
        """Refuse a table without the wanted columns.

        Raises:
            DataError: all missing columns at once, each with the setting that asks for it and the nearest name.
        """
        names = list(available)
        absent = [(setting, column) for setting, column in self._asked if column not in names]
        if absent:
            lines = [f"{s} asks for a column {c!r}, but {place} has none. {nearest(c, names)}" for s, c in absent]
            raise DataError("\n".join([*lines, f"Set {absent[0][0]}=COLUMN."]))

    def cell(self, column: str, value: Any, place: str) -> Value:
        """A cell of a typed table as text, see `as_text`; a list of labels as a list of texts."""
        place = f"{place}, {column!r}"
        if column == self.fields.get("labels") and isinstance(value, list | tuple):
            return [as_text(one, place) or "" for one in value]
        return as_text(value, place)


def wanted(data: Data, field: str) -> Wanted:
    """The columns that `data` asks for."""
    return Wanted(
        fields={name: column for name, column in columns(data).items() if column},
        scale=data.scale,
        group=data.group,
        separator=data.separator,
        pattern=data.label_pattern,
        names=tuple((label_value(value) or value, name) for value, name in data.label_names.items()),
        where=dict(data.where),
        field=field,
    )


def as_text(value: Any, place: str) -> str | None:
    """A cell of a typed table as text: whole floats as integers, true and false as JSON has them, None where missing.

    Raises:
        DataError: the value is a list or another nested thing.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")  # JSON can hold half a character
    if not isinstance(value, list | tuple | dict | bytes):
        return str(value)
    raise DataError(
        f"{place} must hold one text or number a row, but got {type(value).__name__}: {str(value)[:60]!r}. "
        f"For several labels a text: task=multi_label_classification."
    )


def label_value(value: str | None) -> str | None:
    """A label without surrounding spaces, "1.0" as "1", "True" and "TRUE" as "true", None where it is missing."""
    text = (value or "").strip()
    if text in _MISSING:
        return None
    if text in _BOOLEANS:
        return text.lower()
    whole = _WHOLE.fullmatch(text)
    return whole.group(1) if whole else text


def text_value(value: str | None) -> str | None:
    """A text, or None where nothing stands in it; what a table writes for "not a number" counts as nothing."""
    return None if value is None or value.strip() in _MISSING else value


def examples_of(rows: Rows, ask: Wanted) -> Any:
    """The rows as an Arrow table of examples: a column for each field, and "group"; null where something is missing.

    Raises:
        DataError: a number is none, or not on its scale.
    """
    import pyarrow as pa

    text = pa.string()
    read: dict[str, Callable[[Any], Any]] = {
        "text": _text_column,
        "second": _text_column,
        "label": lambda column: mapped(column, lambda value: renamed(label_value(value), ask), text),
        "score": lambda column: mapped(column, lambda value: on_scale(value, ask), pa.float64()),
        "labels": lambda column: _labels_column(column, ask),
        "group": lambda column: mapped(column, label_value, text),
    }
    asked = ask.fields | ({"group": ask.group} if ask.group else {})
    return pa.table({name: read[name](rows.column(column)) for name, column in asked.items()})


def _text_column(column: Any) -> Any:
    """Texts, or null where nothing stands in them; what a table writes for "not a number" counts as nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    missing, none, chunks = pa.array(sorted(_MISSING), column.type), pa.scalar(None, column.type), []
    for chunk in column.chunks:
        nothing = pc.is_in(pc.utf8_trim_whitespace(chunk), value_set=missing)
        chunks.append(pc.if_else(nothing, none, chunk) if nothing.true_count else chunk)
    return pa.chunked_array(chunks, column.type)


def _labels_column(column: Any, ask: Wanted) -> Any:
    import pyarrow as pa

    def named(value: Value) -> list[str]:
        return list(dict.fromkeys(str(renamed(label, ask)) for label in labels_of(value, ask)))

    kind = pa.list_(pa.string())
    if not pa.types.is_list(column.type):
        return mapped(column.fill_null(""), named, kind)
    return pa.chunked_array([pa.array([named(v) for v in chunk.to_pylist()], kind) for chunk in column.chunks], kind)


def renamed(label: str | None, ask: Wanted) -> str | None:
    """The name that is shown for a label."""
    return dict(ask.names).get(label, label) if label else label


def labels_of(value: Value, ask: Wanted) -> list[str]:
    """The labels in one cell as they stand there, each once; none where it is empty."""
    if isinstance(value, list):
        parts = value
    else:
        text = text_value(value) or ""
        parts = re.findall(ask.pattern, text) if ask.pattern else text.split(ask.separator)
    return list(dict.fromkeys(label for part in parts if (label := label_value(part)) is not None))


def on_scale(value: str | None, ask: Wanted) -> float | None:
    """A number as a share of its scale, to six digits; None where it is missing.

    Raises:
        DataError: it is none, or not on the scale.
    """
    text = text_value(value)
    if text is None:
        return None
    low, high = ask.scale
    try:
        share = (float(text) - low) / (high - low)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise DataError(
            f"{ask.field}.score must hold numbers from {low:g} to {high:g}, but column {ask.fields['score']!r} has "
            f"{text[:60]!r}. Set {ask.field}.scale=[LEAST,GREATEST], or another column."
        )
    return float(f"{share:.6g}")


def filtered(rows: Rows, ask: Wanted, place: str) -> Rows:
    """The rows whose columns have the values in `where`, or one of several with "|" between them.

    Raises:
        DataError: no row has a value; the message names the nearest.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for column, value in ask.where.items():
        texts = _texts(rows.column(column))
        found = mapped(texts, label_value, pa.string())
        there = set(found.unique().to_pylist())
        asked = [value] if label_value(value) in there else value.split("|")
        absent = next((one for one in asked if label_value(one) not in there), None)
        if absent is not None and len(found):
            common = [str(v) for v, _ in Counter(texts.to_pylist()).most_common(20)]
            raise DataError(
                f"{ask.field}.where.{column}={absent} must match some rows, but none of {place} does. "
                f"{nearest(absent, common)}"
            )
        rows = rows.filter(pc.is_in(found, value_set=pa.array([label_value(one) for one in asked], pa.string())))
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
    return value if value is None or isinstance(value, list) else labels_of(value, ask)


def _texts(column: Any) -> Any:
    """The column, or one in which all is missing if it holds lists."""
    import pyarrow as pa

    return column if pa.types.is_string(column.type) else pa.chunked_array([pa.nulls(len(column), pa.string())])
