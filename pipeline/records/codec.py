"""Dataclasses to JSON and back, checked against their type hints. Infinities travel as the strings "inf" and "-inf"."""

import dataclasses
import json
import math
import re
import string
import types
import typing
from functools import cache
from typing import Any, Literal, TypeVar, Union

from pipeline.errors import StorageError
from pipeline.language import Sentence, Value

T = TypeVar("T")
_UNIONS = (Union, types.UnionType)
_SPEC = re.compile(r",?(\.\d)?[a-z%]?")
_INFINITE = ("inf", "-inf", "nan")


def encode(value: Any) -> Any:
    """A JSON-ready copy of a record: plain dicts, lists, strings, numbers."""
    if isinstance(value, Sentence):
        return {"form": value.form, "values": encode(dict(value.values))}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [encode(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def decode(kind: type[T], value: Any, where: str = "record") -> T:
    """`value`, as `encode` made it, turned back into `kind`.

    Raises:
        StorageError: a field is unknown, missing or of another type; the message names it.
    """
    return typing.cast(T, _decode(kind, value, where))


def to_json(record: Any, *, ordered: bool = False) -> str:
    """Canonical JSON: sorted keys, two-space indent, a newline at the end, no NaN or Infinity literals.

    Args:
        record: what is written.
        ordered: keep keys in their order instead, where the order of a dictionary means something.
    """
    return json.dumps(encode(record), indent=2, sort_keys=not ordered, allow_nan=False, ensure_ascii=False) + "\n"


def from_json(kind: type[T], text: str, where: str = "record") -> T:
    """The inverse of `to_json`."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise StorageError(f"{where} is not valid JSON ({error}).") from error
    return decode(kind, value, where)


def _decode(kind: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if kind is Sentence:
        return _decode_sentence(value, where)
    if origin in _UNIONS:
        return _decode_union(args, value, where)
    if origin is Literal:
        return _decode_choice(args, value, where)
    if dataclasses.is_dataclass(kind):
        return _decode_record(kind, value, where)
    if origin is tuple:
        return tuple(_decode(args[0], v, f"{where}[{i}]") for i, v in enumerate(_expect(list, value, where)))
    if origin is list:
        return [_decode(args[0], v, f"{where}[{i}]") for i, v in enumerate(_expect(list, value, where))]
    if origin is dict:
        return {k: _decode(args[1], v, f"{where}.{k}") for k, v in _expect(dict, value, where).items()}
    return _decode_scalar(kind, value, where)


def _decode_union(args: tuple[Any, ...], value: Any, where: str) -> Any:
    for option in args:
        try:
            return _decode(option, value, where)
        except StorageError:
            continue
    names = " or ".join("null" if a is type(None) else getattr(a, "__name__", str(a)) for a in args)
    raise StorageError(f"{where} must be {names}, but got {value!r}.")


def _decode_sentence(value: Any, where: str) -> Sentence:
    """A sentence from its form and values, or from the text alone that earlier versions kept."""
    if isinstance(value, str):
        return Sentence(value, {})
    try:
        form, values = value["form"], value["values"]
        _check_places(form, values)
        return Sentence(form, {str(name): _decode_value(each, where) for name, each in values.items()})
    except (TypeError, KeyError, AttributeError, ValueError, IndexError) as error:
        raise StorageError(f"{where} must be a sentence with its form and values, but got {value!r}.") from error


def _check_places(form: str, values: dict[str, Any]) -> None:
    """Refuse a form that does more than write its values, one of a published study for example.

    Raises:
        ValueError: a place is no name of a value, or is written in a way that no sentence here is.
    """
    for _, name, spec, conversion in string.Formatter().parse(form) if values else ():
        if name is not None and (name not in values or conversion or not _SPEC.fullmatch(spec or "")):
            raise ValueError(f"place {name!r}")


def _decode_value(value: Any, where: str) -> Value:
    if isinstance(value, dict):
        return _decode_sentence(value, where)
    if value in _INFINITE:
        return float(value)
    if not isinstance(value, str | int | float):
        raise StorageError(f"{where} must have texts and numbers as values, but got {value!r}.")
    return value


def _decode_choice(args: tuple[Any, ...], value: Any, where: str) -> Any:
    if any(type(value) is type(a) and value == a for a in args):
        return value
    raise StorageError(f"{where} must be {' or '.join(map(repr, args))}, but got {value!r}.")


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _decode_record(kind: Any, value: Any, where: str) -> Any:
    hints = _hints(kind)
    given = _expect(dict, value, where)
    unknown = sorted(set(given) - set(hints))
    if unknown:
        raise StorageError(f"{where} has unknown fields {unknown}; {kind.__name__} knows {sorted(hints)}.")
    try:
        return kind(**{k: _decode(hints[k], v, f"{where}.{k}") for k, v in given.items()})
    except TypeError as error:
        raise StorageError(f"{where} is not a complete {kind.__name__}: {error}.") from error


def _decode_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is type(None) and value is None:
        return None
    if kind is float and value in _INFINITE:
        return float(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in (str, int, float, bool) and type(value) is kind:
        return value
    raise StorageError(f"{where} must be {getattr(kind, '__name__', kind)}, but got {value!r}.")


def _expect(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, kind):
        raise StorageError(f"{where} must be a {kind.__name__}, but got {value!r}.")
    return value
