"""Secrets: settings typed as such are never written anywhere."""

import dataclasses
import re
import typing
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pipeline.config.schema import Config
from pipeline.config.typed_text import setting_name

T = TypeVar("T")

MASK = "***"
_SECRET = "pass|pwd|token|secret|key|sig|credential"


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


def public(record: T) -> T:
    """`record` with every setting that is typed as secret at its default, as it may be stored."""
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(typing.cast(Any, record)):
        value = getattr(record, field.name)
        if field.metadata.get("secret"):
            changed[field.name] = field.default
        elif dataclasses.is_dataclass(value):
            changed[field.name] = public(value)
        elif isinstance(value, dict):
            changed[field.name] = {k: public(v) if dataclasses.is_dataclass(v) else v for k, v in value.items()}
    return dataclasses.replace(typing.cast(Any, record), **changed)  # type: ignore[no-any-return]


def _masked(override: str, patterns: list[re.Pattern[str]]) -> str:
    name, equals, value = override.partition("=")
    plain = without_credentials(value)
    if equals and any(p.fullmatch(setting_name(override)) for p in patterns):
        return f"{name}={value if '://' in value and plain == value and '?' not in value else MASK}"
    leaves = "|".join({re.escape(n.rpartition(".")[2]) for n in secret_settings()})
    plain = re.sub(rf"(['\"]?\b(?:{leaves})['\"]?\s*:\s*)[^,}}]+", rf"\g<1>{MASK}", plain)  # task.data={token: ...}
    return f"{name}{equals}{plain}"


def without_credentials(text: str) -> str:
    """`text` with `user:password@`, and what looks like a secret after a `?`, taken out of every address in it."""
    plain = re.sub(r"(?<=://)([^/\s:@'\"]+:[^\s'\"]*|[^/\s@'\"]*)@", f"{MASK}@", text)
    return re.sub(rf"([?&][\w.-]*(?:{_SECRET})[\w.-]*=)[^&\s'\"]+", rf"\g<1>{MASK}", plain, flags=re.IGNORECASE)


def redacted(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A configuration tree as it may be shown: like `without_secrets`, for values wherever they come from."""
    shown: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            shown[key] = redacted(value, f"{name}.")
        elif isinstance(value, str):
            shown[key] = without_secrets([f"{name}={value}"])[0].removeprefix(f"{name}=")
        else:
            shown[key] = value
    return shown
