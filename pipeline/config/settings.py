"""Settings by their dotted names, as overrides and sweeps name them."""

from collections.abc import Mapping
from typing import Any

from pipeline.config.rules.validate import checked
from pipeline.config.schema import Config
from pipeline.records import encode


def assigned(config: Config, values: Mapping[str, Any]) -> Config:
    """`config` with other values for some settings, checked as if they had been composed.

    Raises:
        ConfigError: a value is of another type, or breaks a rule.
    """
    tree = encode(config)
    for name, value in values.items():
        *parents, last = name.split(".")
        place = tree
        for part in parents:
            place = place[part]
        place[last] = value
    return checked(tree)


def as_overrides(values: Mapping[str, Any]) -> str:
    """The values as one line to paste behind a command: "train.lr=0.0002 train.decay=cosine"."""
    return " ".join(overrides_of(values))


def overrides_of(values: Mapping[str, Any]) -> list[str]:
    """Each value as the override that sets it; of a name that starts with `~`, the override that leaves it out."""
    return [name if name.startswith("~") else f"{name}={_text(value)}" for name, value in values.items()]


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    return repr(float(value)) if isinstance(value, float) else str(value)
