"""Settings that take one of a few words, read off their types."""

import dataclasses
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, Union

from pipeline.errors import nearest


def wrong_words(record: Any, prefix: str = "") -> Iterator[str]:
    """A sentence for each setting below `record` whose value is not one of the words that its type names."""
    hints = typing.get_type_hints(type(record))
    for spec in dataclasses.fields(record):
        name, value = f"{prefix}{spec.name}", getattr(record, spec.name)
        if dataclasses.is_dataclass(value):
            yield from wrong_words(value, f"{name}.")
        elif isinstance(value, dict):
            entries = ((key, entry) for key, entry in value.items() if dataclasses.is_dataclass(entry))
            yield from (text for key, entry in entries for text in wrong_words(entry, f"{name}.{key}."))
        else:
            yield from _wrong_word(name, value, words(hints[spec.name]))


def words(hint: Any) -> tuple[str, ...]:
    """The words that a type admits; none where it is no closed set."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        return tuple(word for arg in typing.get_args(hint) for word in words(arg))
    return typing.get_args(hint) if typing.get_origin(hint) is Literal else ()


def _wrong_word(name: str, value: object, valid: tuple[str, ...]) -> Iterator[str]:
    if valid and value is not None and value not in valid:
        yield f"{name} must be one of its choices, but got {value!r}. {nearest(str(value), valid)}"
