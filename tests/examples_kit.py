"""Examples of texts alone and of pairs, and how they are encoded."""

from collections.abc import Iterable
from typing import Any

from pipeline.data.sets import RawSet
from pipeline.tasks import EncodeSettings, Example


def singles(*texts: str) -> list[Example]:
    """Examples of one text each."""
    return [Example(text=text) for text in texts]


def pair(first: str, second: str, **more: Any) -> Example:
    """An example of two texts."""
    return Example(text=first, second=second, **more)


def within(length: int, **more: Any) -> EncodeSettings:
    """Settings that truncate to so many tokens."""
    return EncodeSettings(max_length=length, **more)


def texts_of(examples: Iterable[Example | None]) -> list[str]:
    """The text of each example that is there."""
    return [example.text for example in examples if example is not None]


def read_from(raw: RawSet) -> list[Example | None]:
    """The rows of a source as examples; None where one lacks a text or its score."""
    columns = raw.table.drop_columns([name for name in ("group",) if name in raw.table.column_names])
    rows = zip(columns.to_pylist(), raw.incomplete, strict=True)
    return [None if lacks else Example(**row | {"labels": tuple(row.get("labels", ()))}) for row, lacks in rows]
