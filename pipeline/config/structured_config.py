"""The mutable twin of a frozen record, which OmegaConf needs to merge YAML and overrides into."""

import dataclasses
import functools
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, Union


@cache
def twin(record: type) -> type:
    """A mutable dataclass with the fields of `record`; tuples become lists, unions of scalars Any, and closed
    sets of words plain text.

    OmegaConf marks frozen dataclasses read-only and mishandles unions inside merged elements; the exact types
    are checked when the result is decoded back into `record`.
    """
    hints = typing.get_type_hints(record)
    specs = [(f.name, _type(hints[f.name]), _default(f, hints[f.name])) for f in dataclasses.fields(record)]
    return dataclasses.make_dataclass(record.__name__, specs, kw_only=True)


def _type(hint: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return twin(typing.cast(type, hint))
    if origin is tuple:
        return list[_type(args[0])]  # type: ignore[misc]
    if origin is dict:
        return dict[args[0], _type(args[1])]  # type: ignore[misc,valid-type]
    if origin in (Union, types.UnionType):
        return _optional(args)
    return str if origin is Literal else hint


def _optional(args: tuple[Any, ...]) -> Any:
    """The type of a union: of None and one other, that one or None; of anything else, Any."""
    others = [arg for arg in args if arg is not type(None)]
    return _type(others[0]) | None if len(others) == 1 < len(args) else Any


def _default(spec: Any, hint: Any) -> Any:
    if dataclasses.is_dataclass(hint):
        return dataclasses.field(default_factory=typing.cast(type, _type(hint)))
    if isinstance(spec.default, tuple):
        return dataclasses.field(default_factory=functools.partial(list, spec.default))
    if spec.default_factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=spec.default_factory)
    return dataclasses.field(default=spec.default)


def setting_names(kind: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of every setting of a twin; a `*` stands for a name the user chose."""
    for spec in dataclasses.fields(kind):
        name = f"{prefix}{spec.name}"
        if dataclasses.is_dataclass(spec.type):
            yield from setting_names(spec.type, f"{name}.")
            continue
        yield name
        element = getattr(spec.type, "__args__", (None,))[-1]
        if dataclasses.is_dataclass(element):
            yield from setting_names(element, f"{name}.*.")
