"""Refuses quantised checkpoints: packed integers and short floats mean nothing without their scales."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import BaseModelError

_FLOATS = ("F64", "F32", "F16", "BF16")  # as safetensors calls them
_MARKS = ("quantization_config", "compression_config")
_REMEDY = "Use the checkpoint that it was made from, or a GGUF file of the model: base.path=FILE.gguf."


def require_unquantised(base: str, directory: Path) -> None:
    """Refuse the base called `base` where the config.json in `directory` says that its weights are quantised.

    Raises:
        BaseModelError: it does; the message names the method.
    """
    try:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    except ValueError:  # which whoever reads the whole configuration reports
        return
    for mark in _MARKS:
        settings = config.get(mark) if isinstance(config, dict) else None
        if settings:
            method = settings.get("quant_method") if isinstance(settings, dict) else None
            raise BaseModelError(
                f"The weights of base {base!r} must be floating-point numbers of at least 16 bits, but its config.json "
                f"has {mark}: they are quantised ({method or 'method unnamed'}). {_REMEDY}"
            )


def require_floats(base: str, file: Path, header: Mapping[str, Any]) -> None:
    """Refuse weights that are quantised without config.json saying so.

    Args:
        header: of the safetensors file, by name of tensor.

    Raises:
        BaseModelError: a weight is of another type; the message names the first.
    """
    for name, entry in header.items():
        if "weight" in name.rpartition(".")[2] and entry["dtype"] not in _FLOATS:
            raise BaseModelError(
                f"The weights of base {base!r} must be floating-point numbers of at least 16 bits, but {name} in "
                f"{file.name} is of type {entry['dtype']}: they are quantised. {_REMEDY}"
            )
