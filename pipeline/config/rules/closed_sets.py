"""Settings that take one of a few words, read off their types."""

import dataclasses
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, Union

from pipeline.errors import nearest

_DESCRIBED = (
    "Costs to study.target are in the report's tables, but no verdict is given on them. Use compute_multiplier, which "
    "compares whole runs."
)
_INSTEAD = {"flops_to_target": _DESCRIBED, "examples_to_target": _DESCRIBED}  # words of earlier versions


def take_out_wrong_words(record: type, tree: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """A sentence for each setting of `tree` whose value is none of the words that its type in `record` names.

    The value gives way to the default, so that whatever else is wrong can be told as well.
    """
    hints = typing.get_type_hints(record)
    for spec in dataclasses.fields(record):
        name, value = f"{prefix}{spec.name}", tree.get(spec.name)
        for entry, kind, where in _below(hints[spec.name], value, name):
            yield from take_out_wrong_words(kind, entry, f"{where}.")
        valid = words(hints[spec.name])
        if valid and value is not None and value not in valid:
            instead = _INSTEAD.get(str(value)) or nearest(str(value), valid)
            yield f"{name} must be one of its choices, but got {value!r}. {instead}"
            tree[spec.name] = spec.default


def words(hint: Any) -> tuple[str, ...]:
    """The words that a type admits; none where it is no closed set."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        return tuple(word for arg in typing.get_args(hint) for word in words(arg))
    return typing.get_args(hint) if typing.get_origin(hint) is Literal else ()


def _below(hint: Any, value: Any, name: str) -> Iterator[tuple[dict[str, Any], type, str]]:
    """The records in a setting: itself, or the entries of a dictionary of them."""
    if not isinstance(value, dict):
        return
    if dataclasses.is_dataclass(hint):
        yield value, typing.cast(type, hint), name
    elif typing.get_origin(hint) is dict and dataclasses.is_dataclass(typing.get_args(hint)[1]):
        element: type = typing.get_args(hint)[1]
        yield from ((e, element, f"{name}.{key}") for key, e in value.items() if isinstance(e, dict))
