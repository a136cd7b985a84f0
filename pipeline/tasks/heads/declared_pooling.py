"""How a configuration of Hugging Face says that a classifier pools, where it is not by the architecture's own head."""

from typing import Any, Literal

ReadOff = Literal["cls", "mean", "last"]
SETTING = "headstart_pooling"  # the attribute of the configuration; absent where the own head is used


def pooling_of(config: Any) -> ReadOff | None:
    """How a classifier with this configuration pools; None where it has the architecture's own head."""
    declared: ReadOff | None = getattr(config, SETTING, None)
    return declared
