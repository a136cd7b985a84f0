"""Rows of the wanted columns, as text, whatever the source's own types are."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.config.schema import Data
from pipeline.errors import DataError, nearest
from pipeline.tasks import SEVERAL, joined

Rows = dict[str, list[str | None]]  # column name -> values, all of one length

_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_MISSING = frozenset({"", "nan", "NaN"})
_BOOLEANS = frozenset(
    {"True", "TRUE", "False", "FALSE"}
)  # as Python and spreadsheets write what JSON calls true, false


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The columns that a task asks for; `field` is the setting they come from, such as "task.data".

    `label` is None where the task's examples have none, `second` where they are single texts, `score` where no number
    belongs to them, `labels` where none has several, `group` where rows are held out one by one.
    """

    text: str
    label: str | None
    where: dict[str, str]
    field: str
    second: str | None = None
    score: str | None = None
    scale: tuple[float, ...] = (0.0, 1.0)
    labels: str | None = None
    group: str | None = None
    separator: str = ";"  # between labels that stand in one cell
    pattern: str | None = None  # of each of them instead
    names: tuple[tuple[str, str], ...] = ()  # of labels, instead of what stands there
    text_setting: str = ""  # where the text's column is set, if not in the field's "text"
    second_setting: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Each column once."""
        asked = (self.text, self.second, self.label, self.score, self.labels, self.group)
        given = [column for column in asked if column]
        return tuple(dict.fromkeys([*given, *self.where]))

    @property
    def classes(self) -> str | None:
        """The column of classes, whether a text has one or several."""
        return self.label or self.labels

    def check(self, available: Iterable[str], place: str) -> None:
        """Refuse a table without the wanted columns.

        Raises:
            DataError: all missing columns at once, each with the setting that asks for it and the nearest name.
        """
        names = list(available)
        asked = [(self.text_setting or f"{self.field}.text", self.text)]
        asked += [(self.second_setting or f"{self.field}.second", self.second)] if self.second else []
        asked += [(f"{self.field}.label", self.label)] if self.label else []
        asked += [(f"{self.field}.score", self.score)] if self.score else []
        asked += [(f"{self.field}.labels", self.labels)] if self.labels else []
        asked += [(f"{self.field}.group", self.group)] if self.group else []
        asked += [(f"{self.field}.where.{c}", c) for c in self.where]
        absent = [(setting, column) for setting, column in asked if column not in names]
        if absent:
            lines = [f"{s} asks for a column {c!r}, but {place} has none. {nearest(c, names)}" for s, c in absent]
            raise DataError("\n".join([*lines, f"Set {absent[0][0]}=COLUMN."]))

    def cell(self, column: str, value: Any, place: str) -> str | None:
        """A cell of a typed table as text, see `as_text`; of a list of labels, with SEVERAL behind each."""
        if column == self.labels and isinstance(value, list | tuple):
            return "".join(f"{as_text(one, f'{place}, {column!r}') or ''}{SEVERAL}" for one in value)
        return as_text(value, f"{place}, {column!r}")


def wanted(data: Data, field: str) -> Wanted:
    """The columns that `data` asks for."""
    return Wanted(
        text=data.text,
        second=data.second,
        label=data.label,
        score=data.score,
        scale=data.scale,
        labels=data.labels,
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


def texts_of(rows: Rows, ask: Wanted) -> tuple[str | None, ...]:
    """Each row's text, or all of a pair, and its number or labels, with PAIR between them; None where one is missing.

    Raises:
        DataError: a number is none, or not on its scale.
    """
    columns = [[text_value(value) for value in rows[column]] for column in (ask.text, ask.second) if column]
    if ask.score:
        columns.append([_on_scale(value, ask) for value in rows[ask.score]])
    if ask.labels:
        names = dict(ask.names)
        named = [dict.fromkeys(names.get(v, v) for v in labels_of(value, ask)) for value in rows[ask.labels]]
        columns.append([SEVERAL.join(labels) for labels in named])
    return tuple(None if None in row else joined(*[str(part) for part in row]) for row in zip(*columns, strict=True))


def labels_of(value: str | None, ask: Wanted) -> list[str]:
    """The labels in one cell as they stand there, each once; none where it is empty."""
    text = text_value(value) or ""
    if SEVERAL in text:
        parts = text.split(SEVERAL)
    else:
        parts = re.findall(ask.pattern, text) if ask.pattern else text.split(ask.separator)
    return list(dict.fromkeys(label for part in parts if (label := label_value(part)) is not None))


def _on_scale(value: str | None, ask: Wanted) -> str | None:
    """A number as a share of its scale; None where it is missing."""
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
            f"{ask.field}.score must hold numbers from {low:g} to {high:g}, but column {ask.score!r} has "
            f"{text[:60]!r}. Set {ask.field}.scale=[LEAST,GREATEST], or another column."
        )
    return f"{share:.6g}"


def filtered(rows: Rows, ask: Wanted, place: str) -> Rows:
    """The rows whose columns have the values in `where`, or one of several with "|" between them.

    Raises:
        DataError: no row has a value; the message names the nearest.
    """
    for column, value in ask.where.items():
        found = [label_value(v) for v in rows[column]]
        asked = [value] if label_value(value) in found else value.split("|")
        absent = next((one for one in asked if label_value(one) not in found), None)
        if absent is not None and found:
            common = [str(v) for v, _ in Counter(rows[column]).most_common(20)]
            raise DataError(
                f"{ask.field}.where.{column}={absent} must match some rows, but none of {place} does. "
                f"{nearest(absent, common)}"
            )
        kept = [i for i, v in enumerate(found) if v in {label_value(one) for one in asked}]
        rows = {name: [values[i] for i in kept] for name, values in rows.items()}
    return rows
