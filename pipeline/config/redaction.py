"""Secrets: settings typed as such are never written anywhere."""

import dataclasses
import re
import typing
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.config.schema import Config

MASK = "***"


def secret_settings(record: type = Config, prefix: str = "") -> Iterator[str]:
    """The dotted names of every setting that is typed as secret; a `*` stands for a name the user chose."""
    hints = typing.get_type_hints(record)
    for field in dataclasses.fields(record):
        name, hint = f"{prefix}{field.name}", hints[field.name]
        if field.metadata.get("secret"):
            yield name
        if typing.get_origin(hint) is dict:
            hint, name = typing.get_args(hint)[1], f"{name}.*"
        if dataclasses.is_dataclass(hint):
            yield from secret_settings(typing.cast(type, hint), f"{name}.")


def without_secrets(overrides: Sequence[str]) -> list[str]:
    """`overrides` as they may be shown: secret values masked, and user names and passwords in any address too."""
    patterns = [re.compile(re.escape(name).replace(r"\*", r"[^.=]+")) for name in secret_settings()]
    return [_masked(o, patterns) for o in overrides]


def _masked(override: str, patterns: list[re.Pattern[str]]) -> str:
    name, equals, value = override.partition("=")
    plain: Any = without_credentials(value)
    if equals and any(p.fullmatch(name.lstrip("+~")) for p in patterns):
        plain = plain if "://" in value and plain == value else MASK
    return f"{name}{equals}{plain}"


def without_credentials(text: str) -> str:
    """`text` with `user:password@` taken out of every address in it."""
    return re.sub(r"(?<=://)[^/\s@'\"]*@", f"{MASK}@", text)
